/** What is known of a kernel, as short texts: for a terminal and for a page. */
import type { Wrapping } from '../kernel-file.ts';
import type { About } from './about.ts';
import { vectorName } from './idt.ts';

/** Single facts, each with its name. */
export type Fact = readonly [name: string, text: string];

/** Facts of one kind, in columns. */
export interface FactTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const SITES = [
  ['alternatives', 'alternatives'],
  ['returns', 'returns'],
  ['retpolines', 'indirect calls'],
  ['staticCalls', 'static calls'],
  ['paravirt', 'paravirt calls'],
] as const;

/** How it was packed, outermost first. */
const packedText = ({ package: isPackage, path, compression, capsule }: Wrapping): string =>
  [
    isPackage ? `package, ${path}` : undefined,
    compression ? `bzImage, ${compression}` : undefined,
    capsule ? `capsule of ${capsule.join(', ')}` : 'vmlinux',
  ]
    .filter((one) => one !== undefined)
    .join(': ');

/** All of it. Tables without rows are left out. */
export function told(
  { version, banner, buildId, symbols, unwinder, orc, ist, sites, mitigations, missing }: About,
  wrapping: Wrapping,
): { readonly facts: readonly Fact[]; readonly tables: readonly FactTable[] } {
  const facts: readonly Fact[] = [
    ['version', version ?? 'unknown'],
    ['banner', banner ?? 'none'],
    ['build id', buildId ?? 'none'],
    ['file', packedText(wrapping)],
    ['symbols', String(symbols)],
    ['unwinder', `${unwinder}${orc ? `, ${orc.rows} rows in the format of ${orc.format}` : ''}`],
    ...(ist ? [] : [['IST', 'unknown, no table of gates (def_idts)'] as const]),
  ];
  const tables: readonly FactTable[] = [
    {
      title: 'IST',
      columns: ['stack', 'event', 'entry'],
      rows: (ist ?? []).map(({ vector, ist: stack, handler }) => [
        String(stack),
        vectorName(vector),
        handler,
      ]),
    },
    {
      title: 'written over at boot',
      columns: ['what', 'places'],
      rows: SITES.map(([kind, text]) => [text, String(sites[kind])]),
    },
    {
      title: 'mitigations built in',
      columns: ['what', 'where'],
      rows: mitigations.map(({ name, how }) => [name, how]),
    },
    { title: 'will not run', columns: ['what', 'why'], rows: missing.map(({ what, why }) => [what, why]) },
  ];
  return { facts, tables: tables.filter(({ rows }) => rows.length > 0) };
}

/** The same as lines of text. */
export function toldLines({ facts, tables }: ReturnType<typeof told>): readonly string[] {
  const width = Math.max(...facts.map(([name]) => name.length)) + 3;
  return [
    ...facts.map(([name, text]) => `${name}:`.padEnd(width) + text),
    ...tables.flatMap(({ title, rows }) => {
      const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)) + 2);
      return [
        `${title}:`,
        ...rows.map((row) => `  ${row.map((text, n) => text.padEnd(widths[n] ?? 0)).join('')}`.trimEnd()),
      ];
    }),
  ];
}
