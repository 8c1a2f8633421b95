/** AT&T text to machine code. */

import type { Image, Line, Place, Segment, Statement, SymbolEntry, UnwindHint } from '../image/image.ts';
import { encode, mnemonics } from '../isa/encode.ts';
import { Assembly, type Options } from './assembly.ts';
import { Mistake, placeOf, problemAt, type Site } from './clause.ts';
import { evaluate } from './expression.ts';
import { Reader } from './reader.ts';
import { layout } from './relax.ts';
import type { Item, Section } from './section.ts';
import type { Problem, Source } from './source.ts';
import { type Encoder, Statements } from './statement.ts';
import { type AsmSymbol, isLocal, type View } from './symbol.ts';

export type { Options } from './assembly.ts';

/**
 * Assembles sources in order, as one text that starts in `.text`. Where GNU as (2.40) accepts a text, the bytes
 * are the ones it makes with everything linked to `options.sections`. Never throws for what a text
 * holds: every mistake is a problem with its place on the page, and the image holds all that made sense.
 * Stricter than GNU as: a value that does not fit its field, an unknown escape, and an expression that C would group
 * differently are problems. Looser: a distance between sections is a number, since all addresses are known.
 * @param encoder what encodes one instruction; another one only in tests.
 */
export function assemble(
  sources: readonly Source[],
  options: Options,
  encoder: Encoder = { encode, mnemonics },
): { readonly image: Image; readonly problems: readonly Problem[] } {
  const assembly = new Assembly(options);
  read(sources, options, assembly, encoder);
  const sections = [...assembly.sections.values()];
  const { view, stuck } = layout(sections);
  for (const item of stuck) assembly.reportAt(item, 'invalid count: it hangs on its own length');
  for (const { symbol, spot } of assembly.globals) {
    if (!symbol.label && !symbol.definition) assembly.reportAt(spot, `unknown symbol: ${symbol.name}`);
  }
  const listed = options.sections.flatMap(({ name }) => assembly.sections.get(name) ?? []);
  const segments: Segment[] = [];
  for (const section of sections) {
    const segment = write(section, view, assembly);
    if (segment && section.listed) segments.push(segment);
  }
  const image: Image = {
    segments: inOrder(segments),
    symbols: symbolsOf(assembly, listed, view),
    lines: inOrder(listed.flatMap((section) => section.kept.filter((item) => item.size > 0).map(lineOf))),
    statements: statementsOf(assembly),
    hints: hintsOf(assembly, view),
    functions: listed.flatMap((section) =>
      [...assembly.symbols.values()].flatMap((symbol) =>
        symbol.function ? (addressIn(section, symbol, view) ?? []) : [],
      ),
    ),
  };
  return { image, problems: sorted(assembly.problems, sources) };
}

/** Hands every source to the reader, and what the reader hands on to the assembly. */
function read(sources: readonly Source[], options: Options, assembly: Assembly, encoder: Encoder): void {
  const statements: Statements = new Statements(assembly, encoder, () => reader.macros.keys());
  const reader: Reader = new Reader({
    number: (cursor) => assembly.number(cursor),
    defined: (name) => assembly.defined(name) || reader.macros.has(name.toLowerCase()),
    label: (name, at, site) => {
      assembly.view.stamp++;
      statements.flush();
      assembly.label(name, { site, at });
    },
    statement: (cursor, site) => {
      assembly.view.stamp++;
      statements.statement(cursor, { site, at: cursor.at });
    },
    remark: (text, site) => {
      const at = Math.max(0, site.clause.text.search(/\S/));
      const { removed } = site.clause;
      if (removed !== undefined) assembly.row('removed', removed, { site, at });
      else assembly.row(text.trim() === '' ? 'comment' : 'directive', text, { site, at });
    },
    include: (reference, page) => options.include?.(reference.startsWith('#') ? page + reference : reference),
    report: (problem) => assembly.report(problem),
    get full() {
      return assembly.full || assembly.section.stuffed;
    },
  });
  for (const source of sources) {
    reader.read(source);
    statements.flush();
  }
}

/** The bytes of a section. Mistakes that show only now are reported, also where nothing is kept. */
function write(section: Section, view: View, assembly: Assembly): Segment | undefined {
  const { name, address, writable, executable, user, limit } = section.options;
  const { kept, items, overflow } = section;
  const first = overflow === undefined ? undefined : items[overflow];
  if (first && section.listed) assembly.reportAt(first, `section ${name} is full: ${limit} bytes`);
  const last = kept.at(-1);
  const bytes = new Uint8Array(last && section.listed ? Number(last.address - address) + last.size : 0);
  for (const item of kept) {
    if (assembly.full) break;
    // Nothing to check, and too long to make for nothing.
    if (!section.listed && item.size > 4096) continue;
    try {
      const made = item.write(view, item);
      if (section.listed) bytes.set(made, Number(item.address - address));
    } catch (mistake) {
      if (!(mistake instanceof Mistake)) throw mistake;
      assembly.report(problemAt(item.site, mistake.at ?? item.at, mistake.message));
    }
  }
  return bytes.length === 0 ? undefined : { name, address, bytes, writable, executable, user };
}

function inOrder<T extends { readonly address: bigint }>(list: readonly T[]): readonly T[] {
  return list.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

const originsOf = ({ clause, uses }: Site, at: number): readonly [Place, ...Place[]] => [
  placeOf(clause, at),
  ...uses,
];

const lineOf = ({ address, size, text, comment, site, at }: Item): Line => ({
  address,
  length: size,
  text,
  comment,
  origins: originsOf(site, at),
});

/** The address of a symbol, if it is one of the image. */
function addressIn(section: Section, symbol: AsmSymbol, view: View): bigint | undefined {
  if (isLocal(symbol.name)) return undefined;
  if (symbol.label) {
    const value = symbol.label.section === section ? view.locate(symbol.label) : undefined;
    return value && BigInt.asUintN(64, value.number);
  }
  if (!symbol.definition) return undefined;
  try {
    const value = evaluate(symbol.definition.expression, view);
    return value?.section === section ? BigInt.asUintN(64, value.number) : undefined;
  } catch (mistake) {
    // Where it is used, that is a problem; here it is only no symbol.
    if (mistake instanceof Mistake) return undefined;
    throw mistake;
  }
}

/** All symbols with an address; of equal addresses the global one comes last. */
function symbolsOf(assembly: Assembly, sections: readonly Section[], view: View): readonly SymbolEntry[] {
  const entries: SymbolEntry[] = [];
  for (const section of sections) {
    const found: (Omit<SymbolEntry, 'size'> & { readonly symbol: AsmSymbol })[] = [];
    for (const symbol of assembly.symbols.values()) {
      const address = addressIn(section, symbol, view);
      if (address === undefined || address > endOf(section)) continue;
      found.push({ name: symbol.name, address, global: symbol.global, comment: symbol.comment, symbol });
    }
    const ordered = inOrder(found.toSorted((a, b) => Number(a.global) - Number(b.global)));
    const end = endOfCode(section);
    let next = end;
    let following = end;
    for (const { symbol, ...entry } of ordered.toReversed()) {
      if (entry.address < following) next = following;
      following = entry.address;
      const size = declaredSize(symbol, assembly, view) ?? Math.max(0, Number(next - entry.address));
      entries.push({ ...entry, size });
    }
  }
  // They were found from the end of each section; a stable sort keeps the global one last.
  return inOrder(entries.reverse());
}

const hintsOf = ({ hints }: Assembly, view: View): readonly UnwindHint[] =>
  inOrder(
    hints
      .filter(({ location }) => location.section.listed)
      .map(({ hint, location, spot }) => ({
        ...hint,
        address: BigInt.asUintN(64, view.locate(location).number),
        origins: originsOf(spot.site, spot.at),
      })),
  );

const endOf = ({ kept, options }: Section): bigint => {
  const last = kept.at(-1);
  return last ? last.address + BigInt(last.size) : options.address;
};

/** Where the last statement that is not alignment ends. */
const endOfCode = ({ kept, options }: Section): bigint => {
  const last = kept.findLast((item) => item.padding !== true && item.size > 0);
  return last ? last.address + BigInt(last.size) : options.address;
};

/** What `.size` said. */
function declaredSize({ size }: AsmSymbol, assembly: Assembly, view: View): number | undefined {
  if (!size) return undefined;
  const { expression, site } = size;
  try {
    const value = evaluate(expression, view);
    if (value && !value.section && value.number >= 0n && value.number < 1n << 31n)
      return Number(value.number);
    throw new Mistake('invalid size', expression.at);
  } catch (mistake) {
    if (!(mistake instanceof Mistake)) throw mistake;
    assembly.report(problemAt(site, mistake.at ?? expression.at, mistake.message));
    return undefined;
  }
}

const statementsOf = ({ rows }: Assembly): readonly Statement[] =>
  rows.map(({ kind, text, comment, site, at, item }) => ({
    kind,
    text: item?.text ?? text,
    comment,
    address: item && item.size > 0 ? item.address : undefined,
    block: site.clause.block,
    origins: originsOf(site, at),
  }));

/** In the order of the text: by the outermost place, sources as they were given. */
function sorted(problems: readonly Problem[], sources: readonly Source[]): readonly Problem[] {
  const rank = new Map<string, number>();
  for (const { page } of sources) if (!rank.has(page)) rank.set(page, rank.size);
  const outermost = (problem: Problem): Place => problem.via?.at(-1) ?? problem;
  return problems.toSorted((a, b) => {
    const [x, y] = [outermost(a), outermost(b)];
    return (rank.get(x.page) ?? 0) - (rank.get(y.page) ?? 0) || x.line - y.line || x.column - y.column;
  });
}
