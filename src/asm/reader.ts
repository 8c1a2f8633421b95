/**
 * Reads sources clause by clause: includes, macros, repeats and conditions are followed here, and what is
 * left, labels and statements, is handed on in the order in which it takes effect.
 */
import type { Place } from '../image/image.ts';
import { type Clause, clausesOf, clipped, Mistake, placeOf, problemAt, type Site, split } from './clause.ts';
import { type Condition, conditions } from './condition.ts';
import { Cursor } from './cursor.ts';
import type { Listener } from './listener.ts';
import {
  MAX_LINE,
  type Macro,
  parseArguments,
  parseList,
  parseParameters,
  substitute,
  tooLong,
} from './macro.ts';
import type { Source } from './source.ts';

/** Clauses that may be read, characters in them, uses within uses, and rounds of one `.rept`. */
const MAX_CLAUSES = 100_000;
const MAX_CHARACTERS = 4_000_000;
const MAX_DEPTH = 100;
const MAX_ROUNDS = 100_000;

/** Clauses under way: a source, a macro's body, one round of a repeat. */
interface Frame {
  readonly kind: 'source' | 'macro' | 'repeat';
  clauses: readonly Clause[];
  next: number;
  /** What the last clause became, from the next to read to the end. */
  queue: readonly Clause[];
  /** Puts arguments in. */
  readonly values: ReadonlyMap<string, string> | undefined;
  readonly count: number;
  readonly uses: readonly Place[];
  /** Page and cell, to know an endless include. */
  readonly reference: string;
  /** Conditions open where it began. */
  readonly conditions: number;
  /** Whether what is read is not written there: a macro's body, a repeated block. */
  readonly expanded: boolean;
  /** The frame of the next round; undefined after the last. */
  readonly again: (() => Frame | undefined) | undefined;
}

/** What is being collected up to its end. */
interface Collection {
  readonly opener: 'macro' | 'repeat';
  readonly site: Site;
  readonly at: number;
  readonly frame: Frame;
  readonly body: Clause[];
  depth: number;
  readonly done: (body: readonly Clause[]) => void;
}

/** How often a block is read, and what is put in for its parameter each time. */
interface Repeat {
  readonly rounds: number;
  readonly values: (round: number) => ReadonlyMap<string, string> | undefined;
}

const LABEL = /([A-Za-z_.][\w.$]*|\d+)\s*:/y;
const WORD = /[A-Za-z_.$][\w.$]*/y;
const OPENERS: Readonly<Record<string, 'macro' | 'repeat'>> = {
  '.macro': 'macro',
  '.rept': 'repeat',
  '.irp': 'repeat',
  '.irpc': 'repeat',
};
const CLOSERS: Readonly<Record<string, 'macro' | 'repeat'>> = {
  '.endm': 'macro',
  '.endmacro': 'macro',
  '.endr': 'repeat',
};
const END = { macro: '.endm', repeat: '.endr' };

export class Reader {
  readonly macros = new Map<string, Macro>();
  readonly #listener: Listener;
  readonly #sources = new Map<string, readonly Clause[]>();
  readonly #frames: Frame[] = [];
  readonly #conditions: Condition[] = [];
  #collection: Collection | undefined;
  #clauses = 0;
  #characters = 0;
  #uses = 0;
  #stopped = false;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  read(source: Source): void {
    this.#enter({
      kind: 'source',
      clauses: this.#clausesOf(source),
      uses: [],
      reference: referenceOf(source),
    });
    for (
      let frame = this.#frames.at(-1);
      frame && !this.#stopped && !this.#listener.full;
      frame = this.#frames.at(-1)
    ) {
      const clause = this.#fetch(frame);
      if (clause) this.#clause({ clause, uses: frame.uses, expanded: frame.expanded }, frame);
      else if (clause === undefined) this.#leave(frame);
    }
    this.#frames.length = 0;
    this.#conditions.length = 0;
    this.#collection = undefined;
  }

  /** The next clause of a frame, arguments put in; null for one that they made useless, undefined at the end. */
  #fetch(frame: Frame): Clause | null | undefined {
    const [queued, ...others] = frame.queue;
    frame.queue = others;
    if (queued) return queued;
    const clause = frame.clauses[frame.next++];
    if (!clause || !frame.values) return clause;
    try {
      const [first, ...rest] = split(substitute(clause, frame.values, frame.count));
      frame.queue = rest;
      return first ?? null;
    } catch (mistake) {
      if (!(mistake instanceof Mistake)) throw mistake;
      this.#report({ clause, uses: frame.uses }, mistake.at ?? 0, mistake.message);
      return this.#spend(frame, MAX_LINE) ? null : undefined;
    }
  }

  #enter(frame: Pick<Frame, 'kind' | 'clauses' | 'uses' | 'reference'> & Partial<Frame>): void {
    const expanded = frame.kind !== 'source' || (this.#frames.at(-1)?.expanded ?? false);
    const start = { next: 0, queue: [], values: undefined, count: 0, again: undefined };
    this.#frames.push({ ...start, expanded, ...frame, conditions: this.#conditions.length });
  }

  /** The end of a frame: the next round, or back to what used it. What is still open there stays without an end. */
  #leave(frame: Frame): void {
    const collection = this.#collection;
    if (collection?.frame === frame) {
      this.#collection = undefined;
      this.#report(collection.site, collection.at, `missing ${END[collection.opener]}`);
    }
    for (const { site, at } of this.#conditions.splice(frame.conditions))
      this.#report(site, at, 'missing .endif');
    this.#frames.pop();
    const again = frame.again?.();
    // A round without clauses takes time as well.
    if (again && (again.clauses.length > 0 || this.#spend(frame, 1))) this.#frames.push(again);
  }

  #report(site: Pick<Site, 'clause' | 'uses'>, at: number, message: string): void {
    this.#listener.report(problemAt(site, at, message));
  }

  /** Counts what has been read, and ends it all when it is too much. */
  #spend(frame: Frame, characters: number): boolean {
    this.#clauses++;
    this.#characters += characters;
    if (this.#clauses <= MAX_CLAUSES && this.#characters <= MAX_CHARACTERS) return true;
    this.#stopped = true;
    const limit = this.#clauses > MAX_CLAUSES ? `${MAX_CLAUSES} statements` : `${MAX_CHARACTERS} characters`;
    const message = `text expands too far: over ${limit}`;
    const clause = frame.clauses[Math.min(frame.next, frame.clauses.length) - 1];
    const [use, ...via] = frame.uses;
    if (clause) this.#report({ clause, uses: frame.uses }, 0, message);
    else if (use) this.#listener.report({ ...use, message, via });
    return false;
  }

  #clause(site: Site, frame: Frame): void {
    const { clause } = site;
    if (!this.#spend(frame, clause.text.length)) return;
    const cursor = new Cursor(clause.text);
    try {
      if (clause.text.length > MAX_LINE) throw new Mistake(tooLong, 0);
      if (this.#collection) this.#collect(this.#collection, cursor, clause);
      else this.#read(cursor, site);
    } catch (mistake) {
      if (!(mistake instanceof Mistake)) throw mistake;
      this.#report(site, mistake.at ?? cursor.at, mistake.message);
    }
  }

  #collect(collection: Collection, cursor: Cursor, clause: Clause): void {
    while (cursor.match(LABEL) !== undefined) {
      // Labels stay with the body.
    }
    const { at } = cursor;
    const word = cursor.match(WORD)?.toLowerCase() ?? '';
    if (OPENERS[word] === collection.opener) collection.depth++;
    if (CLOSERS[word] !== collection.opener || --collection.depth > 0) {
      collection.body.push(clause);
      this.#remark(clause.text, { ...collection.site, clause });
      return;
    }
    this.#collection = undefined;
    // Labels before the end belong to the body's last round.
    const before = clause.text.slice(0, at);
    if (before.trim() !== '') collection.body.push({ ...clause, text: before, comment: '' });
    this.#remark(clause.text, { ...collection.site, clause });
    collection.done(collection.body);
  }

  /** In an expansion only what takes effect is shown. */
  #remark(text: string, site: Site): void {
    if (!site.expanded) this.#listener.remark(text, site);
  }

  #read(cursor: Cursor, site: Site): void {
    const skipping = this.#conditions.some((one) => one.state !== 'taken');
    for (
      let at = cursor.at, found = cursor.match(LABEL);
      found !== undefined;
      at = cursor.at, found = cursor.match(LABEL)
    ) {
      if (!skipping) this.#listener.label(found.slice(0, -1).trim(), at, site);
    }
    const start = cursor.at;
    const word = cursor.match(WORD);
    const name = word?.toLowerCase() ?? '';
    const condition = conditions.get(name);
    if (condition) {
      const floor = this.#frames.at(-1)?.conditions ?? 0;
      condition(this.#conditions, { cursor, site, at: start, floor, listener: this.#listener }, name);
      const around = name === '.endif' ? this.#conditions : this.#conditions.slice(0, -1);
      if (around.every((one) => one.state === 'taken')) this.#remark(site.clause.text.slice(start), site);
      return;
    }
    if (skipping) return;
    const macro = cursor.sees('=') ? undefined : this.macros.get(name);
    if (macro) {
      this.#use(macro, cursor, site, start);
    } else if (!this.#follow(name, cursor, site, start)) {
      cursor.at = start;
      if (cursor.done) {
        if (site.clause.text.trim() === '') this.#remark('', site);
      } else this.#listener.statement(cursor, site);
    }
  }

  /** The directives that change what is read next. Says whether it was one. */
  #follow(name: string, cursor: Cursor, site: Site, at: number): boolean {
    switch (name) {
      case '.macro':
        this.#define(cursor, site, at);
        break;
      case '.purgem': {
        const macro = cursor.expectName('name of a macro');
        if (!this.macros.delete(macro.toLowerCase())) throw new Mistake(`unknown macro: ${macro}`, at);
        break;
      }
      case '.exitm': {
        const frame = this.#frames.findLast((one) => one.kind === 'macro');
        if (!frame) throw new Mistake('.exitm outside of a macro', at);
        this.#frames.length = this.#frames.indexOf(frame);
        this.#conditions.length = frame.conditions;
        break;
      }
      case '.rept':
        this.#repeat(site, at, () => {
          const count = this.#listener.number(cursor);
          cursor.end();
          if (count < 0n || count > MAX_ROUNDS)
            throw new Mistake(`invalid count: ${count} (0 to ${MAX_ROUNDS})`, at);
          return { rounds: Number(count), values: () => undefined };
        });
        break;
      case '.irp':
      case '.irpc':
        this.#iterate(name, cursor, site, at);
        break;
      case '.include':
        this.#include(cursor, site, at);
        return true;
      case '.end':
        this.#frames.length = 1;
        if (this.#frames[0]) this.#frames[0].next = this.#frames[0].clauses.length;
        break;
      case '.endm':
      case '.endmacro':
      case '.endr':
        throw new Mistake(`${name} without ${name === '.endr' ? '.rept' : '.macro'}`, at);
      default:
        return false;
    }
    this.#remark(site.clause.text.slice(at), site);
    return true;
  }

  #collectUntil(opener: 'macro' | 'repeat', site: Site, at: number, done: Collection['done']): void {
    const frame = this.#frames.at(-1);
    if (frame) this.#collection = { opener, site, at, frame, body: [], depth: 1, done };
  }

  #define(cursor: Cursor, site: Site, at: number): void {
    const place = cursor.at;
    // The body is collected in any case: its lines are no statements here.
    let macro: Macro | undefined;
    this.#collectUntil('macro', site, at, (body) => {
      if (macro) this.macros.set(macro.name.toLowerCase(), { ...macro, body });
    });
    const name = cursor.expectName('name of a macro');
    cursor.take(',');
    const parameters = parseParameters(cursor);
    if (this.macros.has(name.toLowerCase())) throw new Mistake(`duplicate macro: ${name}`, place);
    macro = { name, parameters, body: [] };
  }

  #use(macro: Macro, cursor: Cursor, site: Site, at: number): void {
    this.#deeper(site, at, `macro depth over ${MAX_DEPTH}: ${macro.name}`);
    const values = parseArguments(macro, cursor, at);
    const count = this.#uses++;
    this.#remark(site.clause.text.slice(at), site);
    const uses = [placeOf(site.clause, at), ...site.uses];
    this.#enter({ kind: 'macro', clauses: macro.body, values, count, uses, reference: '' });
  }

  #deeper(site: Site, at: number, message: string): void {
    if (site.uses.length >= MAX_DEPTH) throw new Mistake(message, at);
  }

  /** Collects a body and reads it again and again. If `head` finds a mistake, the body is read over. */
  #repeat(site: Site, at: number, head: () => Repeat): void {
    let repeat: Repeat = { rounds: 0, values: () => undefined };
    this.#collectUntil('repeat', site, at, (clauses) => {
      const uses = [placeOf(site.clause, at), ...site.uses];
      let round = 0;
      const conditions = this.#conditions.length;
      const frame = {
        kind: 'repeat',
        clauses,
        uses,
        reference: '',
        expanded: true,
        count: this.#uses,
        conditions,
      } as const;
      const again = (): Frame | undefined =>
        round < repeat.rounds
          ? { ...frame, next: 0, queue: [], values: repeat.values(round++), again }
          : undefined;
      const first = again();
      if (first) this.#frames.push(first);
    });
    this.#deeper(site, at, `repeats nested over ${MAX_DEPTH} deep`);
    repeat = head();
  }

  #iterate(name: string, cursor: Cursor, site: Site, at: number): void {
    this.#repeat(site, at, () => {
      const parameter = cursor.expectName('name of a parameter');
      cursor.take(',');
      const list = name === '.irpc' ? [...cursor.rest.trim()] : parseList(cursor);
      return { rounds: list.length, values: (round) => new Map([[parameter, list[round] ?? '']]) };
    });
  }

  #include(cursor: Cursor, site: Site, at: number): void {
    const place = cursor.at;
    const reference = new TextDecoder().decode(Uint8Array.from(cursor.string()));
    cursor.end();
    this.#remark(site.clause.text.slice(at), site);
    const source = this.#listener.include(reference, site.clause.page);
    if (!source) throw new Mistake(`unknown block: ${clipped(reference)}`, place);
    if (this.#frames.some((one) => one.reference === referenceOf(source))) {
      throw new Mistake(`endless include: ${clipped(reference)}`, place);
    }
    this.#deeper(site, at, `includes nested over ${MAX_DEPTH} deep`);
    const uses = [placeOf(site.clause, at), ...site.uses];
    this.#enter({ kind: 'source', clauses: this.#clausesOf(source), uses, reference: referenceOf(source) });
  }

  /** A source is cut into clauses once, however often it is included. */
  #clausesOf(source: Source): readonly Clause[] {
    const key = `${referenceOf(source)}:${source.line}`;
    const clauses = this.#sources.get(key) ?? clausesOf(source, (problem) => this.#listener.report(problem));
    this.#sources.set(key, clauses);
    return clauses;
  }
}

const referenceOf = ({ page, name }: Source): string => `${page}#${name}`;
