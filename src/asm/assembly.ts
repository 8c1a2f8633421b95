/** What is known while text is read: sections, symbols, problems. Directives and instructions add to it. */
import type { Place, Statement } from '../image/image.ts';
import { clipped, Mistake, placeOf, problemAt, type Site, tidy } from './clause.ts';
import type { Cursor } from './cursor.ts';
import { type Expression, evaluate, type Names, parseExpression } from './expression.ts';
import type { Hint } from './hint.ts';
import { viewOfReading } from './relax.ts';
import { type Item, Section, type SectionOptions } from './section.ts';
import type { Problem, Source } from './source.ts';
import {
  type AsmSymbol,
  type Definition,
  type Location,
  newSymbol,
  numericName,
  type Value,
  type View,
} from './symbol.ts';

export interface Options {
  /** Where each section goes, by name; one that is not listed is a problem. */
  readonly sections: readonly SectionOptions[];
  /** Symbols known from outside: `KERNEL_CS`. */
  readonly symbols?: Readonly<Record<string, bigint>>;
  /** The cell that `.include "page#block"` names, or undefined if there is none; `#block` is asked for as `page#block` of its own page. */
  readonly include?: (reference: string) => Source | undefined;
}

/** A row of the listing before addresses are known. */
interface Row {
  readonly kind: Statement['kind'];
  readonly text: string;
  readonly comment: string;
  readonly site: Site;
  readonly at: number;
  readonly item: Item | undefined;
}

/** The place of a statement: its clause, and the character of its first word. */
export interface Spot {
  readonly site: Site;
  readonly at: number;
}

/** More would help nobody; reading stops there. */
const MAX_PROBLEMS = 100;

export class Assembly {
  readonly options: Options;
  readonly view: View = viewOfReading();
  readonly sections = new Map<string, Section>();
  readonly symbols = new Map<string, AsmSymbol>();
  readonly problems: Problem[] = [];
  readonly rows: Row[] = [];
  /** What `.globl` named, and where. */
  readonly globals: { readonly symbol: AsmSymbol; readonly spot: Spot }[] = [];
  /** Unwind hints, each with the place of the instruction that follows. */
  readonly hints: { readonly hint: Hint; readonly location: Location; readonly spot: Spot }[] = [];
  readonly #unlisted = new Set<Section>();
  readonly #reported = new Set<string>();
  readonly #anchors = { next: 1 };
  readonly #numeric = new Map<string, number>();
  readonly #stack: { readonly current: Section; readonly previous: Section }[] = [];
  #current: Section;
  #previous: Section;

  constructor(options: Options) {
    this.options = options;
    for (const [name, value] of Object.entries(options.symbols ?? {})) {
      const expression: Expression = { kind: 'number', value: BigInt.asIntN(64, value), at: 0 };
      this.symbols.set(name, {
        ...newSymbol(name),
        definition: { expression, busy: false, memo: undefined },
      });
    }
    this.#current = this.#sectionOf('.text');
    this.#previous = this.#current;
  }

  get section(): Section {
    return this.#current;
  }

  get full(): boolean {
    return this.problems.length >= MAX_PROBLEMS;
  }

  report(problem: Problem): void {
    const { page, line, column, message, via = [] } = problem;
    const [use] = via;
    // A repeated block says the same thing every time.
    const key = [page, line, column, message, use?.page, use?.line, use?.column, via.at(-1)?.line].join('\n');
    if (this.full || this.#reported.has(key)) return;
    this.#reported.add(key);
    this.problems.push(problem);
  }

  reportAt({ site, at }: Spot, message: string): void {
    this.report(problemAt(site, at, message));
  }

  /** What names mean at this point of the text. */
  readonly names: Names = {
    symbol: (name, at) => {
      const digits = /^(\d+)([bf])$/.exec(name);
      if (!digits?.[1]) return this.symbol(name);
      const occurrence = (this.#numeric.get(digits[1]) ?? 0) + (digits[2] === 'f' ? 1 : 0);
      if (occurrence === 0) throw new Mistake(`unknown symbol: ${name}`, at);
      return this.symbol(numericName(digits[1], occurrence));
    },
    here: () => this.section.here,
  };

  symbol(name: string): AsmSymbol {
    const known = this.symbols.get(name);
    if (known) return known;
    const symbol = newSymbol(name);
    this.symbols.set(name, symbol);
    return symbol;
  }

  defined(name: string): boolean {
    const symbol = this.symbols.get(name);
    return symbol !== undefined && (symbol.label !== undefined || symbol.definition !== undefined);
  }

  /** Reads an expression; its `.` lies `into` bytes behind the start of the statement. */
  expression(cursor: Cursor, into = 0): Expression {
    const here = (): Location => {
      const start = this.section.here;
      return { ...start, into, offset: start.offset + into };
    };
    return parseExpression(cursor, into === 0 ? this.names : { ...this.names, here });
  }

  /** The value of an expression as far as it is known now. */
  known(expression: Expression): Value | undefined {
    return evaluate(expression, this.view);
  }

  /** Reads an expression that must be a known number here. */
  number(cursor: Cursor): bigint {
    const start = cursor.at;
    const value = this.known(this.expression(cursor));
    if (value && !value.section) return value.number;
    const text = cursor.text.slice(start, cursor.at).trim();
    throw new Mistake(`invalid expression: ${clipped(text)} (its value must be known here)`, start);
  }

  label(text: string, { site, at }: Spot): void {
    let symbol = this.symbol(text);
    if (/^\d/.test(text)) {
      const occurrence = (this.#numeric.get(text) ?? 0) + 1;
      this.#numeric.set(text, occurrence);
      symbol = this.symbol(numericName(text, occurrence));
    }
    if (text === '.') throw new Mistake('invalid label: .', at);
    if (symbol.label || symbol.definition)
      throw new Mistake(`duplicate label: ${text} (${firstPlace(symbol)})`, at);
    this.#listed({ site, at });
    symbol.label = this.section.here;
    symbol.comment = site.clause.lineComment || this.commentAbove();
    symbol.site = site;
    symbol.at = at;
    const alone = site.clause.text.trimEnd().endsWith(':');
    this.row('label', `${text}:`, { site, at }, undefined, alone ? site.clause.comment : '');
  }

  /** Gives a name a value, as `.set` and `=` do. */
  define(name: string, expression: Expression, { site, at }: Spot, once: boolean): void {
    if (name === '.') throw new Mistake('invalid symbol: . (its value cannot be set)', at);
    const symbol = this.symbol(name);
    if (symbol.label || (once && symbol.definition)) {
      throw new Mistake(`duplicate symbol: ${name} (${firstPlace(symbol)})`, at);
    }
    const value = this.known(expression);
    const folded: Expression =
      value && !value.section ? { kind: 'number', value: value.number, at: 0 } : expression;
    const definition: Definition = { expression: folded, busy: false, memo: undefined };
    symbol.definition = definition;
    symbol.site = site;
    symbol.at = at;
  }

  /** The lines of comment right above, as one text: what is said of the label that follows. */
  private commentAbove(): string {
    const above: string[] = [];
    for (let n = this.rows.length - 1; n >= 0; n--) {
      const { kind, comment = '' } = this.rows[n] ?? {};
      if (kind === 'removed') continue;
      if (kind !== 'comment') break;
      above.unshift(comment);
    }
    return above.join(' ').trim();
  }

  row(kind: Row['kind'], text: string, { site, at }: Spot, item?: Item, comment = site.clause.comment): void {
    this.rows.push({ kind, text: tidy(text), comment, site, at, item });
  }

  /** Adds bytes to the section. */
  add(
    { site, at }: Spot,
    part: Pick<Item, 'size' | 'write'> & Partial<Item>,
    kind: 'instruction' | 'directive' = 'directive',
  ): void {
    this.#listed({ site, at });
    const text = tidy(site.clause.text.slice(at));
    const item: Item = { site, at, text, comment: site.clause.comment, address: 0n, ...part };
    this.section.add(item);
    this.row(kind, item.text, { site, at }, item, item.comment);
  }

  hint(hint: Hint, spot: Spot): void {
    this.#listed(spot);
    this.hints.push({ hint, location: this.section.here, spot });
  }

  bytes(spot: Spot, bytes: Uint8Array): void {
    this.add(spot, { size: bytes.length, write: () => bytes });
  }

  /** `.section`, `.text`: what follows goes there. */
  enter(name: string, spot: Spot): void {
    const section = this.#sectionOf(name);
    this.#previous = this.#current;
    this.#current = section;
    this.#listed(spot);
  }

  push(): void {
    this.#stack.push({ current: this.#current, previous: this.#previous });
  }

  pop(at: number): void {
    const saved = this.#stack.pop();
    if (!saved) throw new Mistake('.popsection without .pushsection', at);
    this.#current = saved.current;
    this.#previous = saved.previous;
  }

  previous(): void {
    [this.#current, this.#previous] = [this.#previous, this.#current];
  }

  #sectionOf(name: string): Section {
    const known = this.sections.get(name);
    if (known) return known;
    const listed = this.options.sections.find((one) => one.name === name);
    const nowhere = { name, address: 0n, writable: true, executable: true, user: false, limit: 2 ** 31 };
    const section = new Section(listed ?? nowhere, listed !== undefined, this.#anchors);
    this.sections.set(name, section);
    return section;
  }

  #listed({ site, at }: Spot): void {
    if (this.#current.listed || this.#unlisted.has(this.#current)) return;
    this.#unlisted.add(this.#current);
    this.reportAt({ site, at }, `unknown section: ${clipped(this.#current.options.name)}`);
  }
}

const placeText = ({ page, line }: Place): string => `${page}:${line}`;

const firstPlace = ({ site, at }: AsmSymbol): string =>
  site ? `first at ${placeText(placeOf(site.clause, at))}` : 'known from outside';
