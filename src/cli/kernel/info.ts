import type { Kernel } from '../../image/kernel-file.ts';
import { about } from '../../image/vmlinux/about.ts';
import { vectorName } from '../../image/vmlinux/idt.ts';
import { planOf } from '../../kernel/vmlinux/plan.ts';
import type { Answer } from './answer.ts';

const rows = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];

const SITES = [
  ['alternatives', 'alternatives'],
  ['returns', 'returns'],
  ['retpolines', 'indirect calls'],
  ['staticCalls', 'static calls'],
  ['paravirt', 'paravirt calls'],
] as const;

/** `lab kernel FILE info`. */
export function info(kernel: Kernel): Answer {
  const found = about(kernel);
  const { wrapping } = kernel;
  const packed = [
    wrapping.package ? `package, ${wrapping.path}` : undefined,
    wrapping.compression ? `bzImage, ${wrapping.compression}` : undefined,
    'vmlinux',
  ];
  const { orc } = found;
  const plan = planOf(kernel);
  const missing =
    'problem' in plan ? [...found.missing, { what: 'run, sweep', why: plan.problem }] : found.missing;
  return {
    value: { ...found, missing, packed: { ...wrapping, config: undefined } },
    lines: [
      `version:   ${found.version ?? 'unknown'}`,
      `banner:    ${found.banner ?? 'none'}`,
      `build id:  ${found.buildId ?? 'none'}`,
      `file:      ${packed.filter((one) => one !== undefined).join(': ')}`,
      `symbols:   ${found.symbols}`,
      `unwinder:  ${found.unwinder}${orc ? `, ${orc.rows} rows in the format of ${orc.format}` : ''}`,
      ...(found.ist === undefined
        ? ['IST:       unknown, no table of gates (def_idts)']
        : rows(
            'IST',
            found.ist.map(({ vector, ist, handler }) => `${ist}  ${vectorName(vector).padEnd(4)} ${handler}`),
          )),
      ...rows(
        'written over at boot',
        SITES.map(([kind, text]) => `${text.padEnd(24)} ${found.sites[kind]}`),
      ),
      ...rows(
        'mitigations built in',
        found.mitigations.map(({ name, how }) => `${name.padEnd(24)} ${how}`),
      ),
      ...rows(
        'will not run',
        missing.map(({ what, why }) => `${what.padEnd(24)} ${why}`),
      ),
    ],
  };
}
