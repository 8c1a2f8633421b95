/** Directives that leave bytes or change where bytes go. Those that steer reading are in reader.ts and condition.ts. */
import type { Assembly, Spot } from './assembly.ts';
import { Mistake, quotable } from './clause.ts';
import type { Cursor } from './cursor.ts';
import { type Expression, evaluate } from './expression.ts';
import { nops } from './nops.ts';
import type { Item } from './section.ts';
import type { View } from './symbol.ts';

type Directive = (assembly: Assembly, cursor: Cursor, spot: Spot) => void;

/** A number in little-endian bytes. What does not fit, signed or unsigned, is a mistake. */
function integer(value: bigint, size: number, at: number): Uint8Array {
  const bits = BigInt(8 * size);
  if (value >= 1n << bits || value < -(1n << (bits - 1n)))
    throw new Mistake(`invalid value: ${value} (over ${bits} bits)`, at);
  return Uint8Array.from({ length: size }, (_, n) => Number(BigInt.asUintN(8, value >> BigInt(8 * n))));
}

/** `.byte`, `.quad` and their kin: a list of expressions. */
const integers =
  (size: number): Directive =>
  (assembly, cursor, spot) => {
    const list: Expression[] = [];
    while (!cursor.done) {
      list.push(assembly.expression(cursor, size * list.length));
      if (!cursor.take(',')) break;
      if (cursor.done) throw new Mistake('missing expression', cursor.at);
    }
    cursor.end();
    const known = list.map((one) => {
      const value = assembly.known(one);
      return value && !value.section ? integer(value.number, size, one.at) : undefined;
    });
    const write = (view: View): Uint8Array => {
      const bytes = new Uint8Array(size * list.length);
      list.forEach((one, n) => {
        const value = known[n] ?? integer(evaluate(one, view)?.number ?? 0n, size, one.at);
        bytes.set(value, n * size);
      });
      return bytes;
    };
    assembly.add(spot, { size: size * list.length, write });
  };

const strings =
  (tail: readonly number[]): Directive =>
  (assembly, cursor, spot) => {
    const bytes: number[] = [];
    do {
      // Strings side by side are one.
      do {
        for (const byte of cursor.string()) bytes.push(byte);
      } while (cursor.sees('"'));
      bytes.push(...tail);
    } while (cursor.take(','));
    cursor.end();
    assembly.bytes(spot, Uint8Array.from(bytes));
  };

/** An expression that may be left out between commas. */
function optional(assembly: Assembly, cursor: Cursor): bigint | undefined {
  if (!cursor.take(',') || cursor.done || cursor.sees(',')) return undefined;
  return assembly.number(cursor);
}

/** A count of bytes, as a size; more than any section holds is cut to that. */
function sizeFrom(count: bigint, at: number): number {
  if (count < 0n) throw new Mistake(`invalid count: ${count}`, at);
  return Number(count > 1n << 31n ? 1n << 31n : count);
}

const filled = (size: number, unit: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: size }, (_, n) => unit[n % unit.length] ?? 0);

/** `.skip count, fill`. The count may hang on distances that are known only in the end. */
const skip: Directive = (assembly, cursor, spot) => {
  const { at } = cursor;
  const count = assembly.expression(cursor);
  const value = optional(assembly, cursor) ?? 0n;
  cursor.end();
  const unit = integer(BigInt.asIntN(8, value), 1, at);
  const known = assembly.known(count);
  if (known?.section) throw new Mistake('invalid count: an address', at);
  if (known) {
    const size = sizeFrom(known.number, at);
    assembly.add(spot, { size, write: () => filled(size, unit) });
    return;
  }
  const sizeIn = (view: View): number => {
    const final = evaluate(count, view);
    if (final?.section) throw new Mistake('invalid count: an address', at);
    return sizeFrom(final?.number ?? 0n, at);
  };
  const write = (view: View, { size }: Item): Uint8Array => {
    sizeIn(view); // says what is wrong with the count
    return filled(size, unit);
  };
  assembly.add(spot, { size: 0, count: sizeIn, write });
};

/** `.fill repeat, size, value`: a unit of up to 8 bytes, of which the value gives the lower four. */
const fill: Directive = (assembly, cursor, spot) => {
  const { at } = cursor;
  const repeat = assembly.number(cursor);
  const unit = optional(assembly, cursor) ?? 1n;
  const value = optional(assembly, cursor) ?? 0n;
  cursor.end();
  if (unit < 0n || unit > 8n) throw new Mistake(`invalid size: ${unit} (0 to 8)`, at);
  const bytes = integer(BigInt.asUintN(Math.min(32, 8 * Number(unit)), value), 8, at).slice(0, Number(unit));
  const size = unit === 0n ? 0 : sizeFrom(repeat * unit, at);
  assembly.add(spot, { size, write: () => filled(size, bytes) });
};

/** `.balign boundary, fill, most`: nops in code, zeros elsewhere, unless `fill` says otherwise. */
const align =
  (power: boolean): Directive =>
  (assembly, cursor, spot) => {
    const { at } = cursor;
    const given = assembly.number(cursor);
    const value = optional(assembly, cursor);
    const most = optional(assembly, cursor) ?? 0n;
    cursor.end();
    if (power && (given < 0n || given > 30n)) throw new Mistake(`invalid alignment: 2^${given}`, at);
    const boundary = power ? 1n << given : given === 0n ? 1n : given;
    if (boundary < 0n || boundary > 1n << 30n || (boundary & (boundary - 1n)) !== 0n) {
      throw new Mistake(`invalid alignment: ${given} (a power of two)`, at);
    }
    const unit = integer(BigInt.asIntN(8, value ?? 0n), 1, at);
    const inCode = assembly.section.options.executable && value === undefined;
    const fit = (address: bigint): number => {
      const gap = BigInt.asUintN(64, -address) & (boundary - 1n);
      return most > 0n && gap > most ? 0 : Number(gap);
    };
    const write = (_: View, { size }: Item): Uint8Array => (inCode ? nops(size) : filled(size, unit));
    assembly.add(spot, { size: 0, padding: true, fit, write });
  };

const set =
  (once: boolean): Directive =>
  (assembly, cursor, spot) => {
    const place = { site: spot.site, at: cursor.at };
    const name = cursor.expectName('name of a symbol');
    if (!cursor.take(',')) throw new Mistake('missing ,', cursor.at);
    const expression = assembly.expression(cursor);
    cursor.end();
    assembly.define(name, expression, place, once);
    assembly.row('directive', spot.site.clause.text.slice(spot.at), spot);
  };

/** A directive without bytes: it is shown, and `effect` happens. */
const quiet =
  (effect: Directive): Directive =>
  (assembly, cursor, spot) => {
    effect(assembly, cursor, spot);
    if (!spot.site.expanded) assembly.row('directive', spot.site.clause.text.slice(spot.at), spot);
  };

const into = (name: string): Directive =>
  quiet((assembly, cursor, spot) => {
    cursor.end();
    assembly.enter(name, spot);
  });

/** `.section NAME, "flags", @type`: rights come from the caller, so that only the name counts. */
const section: Directive = (assembly, cursor, spot) => {
  const at = cursor.at;
  const name = cursor.sees('"')
    ? new TextDecoder().decode(Uint8Array.from(cursor.string()))
    : cursor.match(/[\w.$-]+/y);
  if (name === undefined || name === '') throw new Mistake('missing name of a section', at);
  if (!cursor.done && !cursor.sees(',')) cursor.end();
  assembly.enter(name, { ...spot, at });
};

const globl: Directive = (assembly, cursor, spot) => {
  do {
    const { at } = cursor;
    const symbol = assembly.symbol(cursor.expectName('name of a symbol'));
    symbol.global = true;
    assembly.globals.push({ symbol, spot: { site: spot.site, at } });
  } while (cursor.take(','));
  cursor.end();
};

const size: Directive = (assembly, cursor, { site }) => {
  const symbol = assembly.symbol(cursor.expectName('name of a symbol'));
  if (!cursor.take(',')) throw new Mistake('missing ,', cursor.at);
  symbol.size = { expression: assembly.expression(cursor), site };
  symbol.function = true;
  cursor.end();
};

/** `.type name, @function`: where a walk over code may begin. Other types mean nothing here. */
const type: Directive = (assembly, cursor) => {
  const name = cursor.name();
  if (name !== undefined && cursor.take(',') && /^[@%]function\b/.test(cursor.rest))
    assembly.symbol(name).function = true;
};

/** `.error "sentence"`: the text itself says what is wrong. */
const error: Directive = (_, cursor, { at }) => {
  const text = cursor.done ? '' : new TextDecoder().decode(Uint8Array.from(cursor.string()));
  throw new Mistake(quotable(text) || '.error', at);
};

/** Known to GNU as and without meaning here: file formats and debuggers. */
const IGNORED = [
  '.file',
  '.loc',
  '.ident',
  '.weak',
  '.hidden',
  '.protected',
  '.internal',
  '.local',
  '.extern',
  '.code64',
  '.att_syntax',
  '.warning',
  '.print',
  '.addrsig',
  '.cfi_startproc',
  '.cfi_endproc',
  '.cfi_sections',
  '.cfi_def_cfa',
  '.cfi_def_cfa_offset',
  '.cfi_def_cfa_register',
  '.cfi_adjust_cfa_offset',
  '.cfi_offset',
  '.cfi_rel_offset',
  '.cfi_restore',
  '.cfi_undefined',
  '.cfi_remember_state',
  '.cfi_restore_state',
  '.cfi_signal_frame',
  '.cfi_escape',
];
const INTEGERS: Readonly<Record<string, number>> = {
  '.byte': 1,
  '.2byte': 2,
  '.word': 2,
  '.short': 2,
  '.hword': 2,
  '.value': 2,
  '.4byte': 4,
  '.long': 4,
  '.int': 4,
  '.8byte': 8,
  '.quad': 8,
};

/** By name. */
export const directives: ReadonlyMap<string, Directive> = new Map<string, Directive>([
  ...Object.entries(INTEGERS).map(([name, bytes]) => [name, integers(bytes)] as const),
  ...IGNORED.map((name) => [name, quiet(() => undefined)] as const),
  ['.ascii', strings([])],
  ['.asciz', strings([0])],
  ['.string', strings([0])],
  ['.zero', skip],
  ['.skip', skip],
  ['.space', skip],
  ['.fill', fill],
  ['.align', align(false)],
  ['.balign', align(false)],
  ['.p2align', align(true)],
  ['.set', set(false)],
  ['.equ', set(false)],
  ['.equiv', set(true)],
  ['.text', into('.text')],
  ['.data', into('.data')],
  ['.bss', into('.bss')],
  ['.section', quiet(section)],
  [
    '.pushsection',
    quiet((assembly, cursor, spot) => {
      assembly.push();
      section(assembly, cursor, spot);
    }),
  ],
  [
    '.popsection',
    quiet((assembly, cursor, { at }) => {
      cursor.end();
      assembly.pop(at);
    }),
  ],
  [
    '.previous',
    quiet((assembly, cursor) => {
      cursor.end();
      assembly.previous();
    }),
  ],
  ['.globl', quiet(globl)],
  ['.global', quiet(globl)],
  ['.size', quiet(size)],
  ['.type', quiet(type)],
  ['.error', error],
  ['.err', error],
]);
