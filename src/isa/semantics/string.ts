/**
 * String instructions, one iteration a transition (SDM vol 2, REP). The source is operand a, a hidden
 * memory operand at RSI, so that a segment override reaches it; the destination is always ES:RDI.
 * With prefix 67 the pointers are ESI and EDI and the count is ECX; what is written clears the rest.
 */
import type { ConditionCode } from '../flags.ts';
import type { Ops, Semantics, Shape } from '../ops.ts';

type Iteration = <V>(m: Ops<V>, shape: Shape, short: boolean) => void;

/** What an index register moves by; DF (bit 10) turns it round. */
const stepOf = <V>(m: Ops<V>, { width }: Shape): V =>
  m.named('step', m.select(m.bit(m.get('rflagsRest'), 10), m.word(-width / 8), m.word(width / 8)));

const pointer = <V>(m: Ops<V>, register: 'rsi' | 'rdi' | 'rcx', short: boolean): V =>
  short ? m.reg(32, register) : m.get(register);
const setPointer = <V>(m: Ops<V>, register: 'rsi' | 'rdi' | 'rcx', short: boolean, value: V): void =>
  short ? m.setReg(32, register, value) : m.set(register, value);
const advance = <V>(m: Ops<V>, register: 'rsi' | 'rdi', short: boolean, step: V): void =>
  setPointer(m, register, short, m.add(pointer(m, register, short), step));

const movsOnce: Iteration = (m, shape, short) => {
  const step = stepOf(m, shape);
  m.store(shape.width, pointer(m, 'rdi', short), m.read(shape.a), 'data');
  advance(m, 'rsi', short, step);
  advance(m, 'rdi', short, step);
};
const stosOnce: Iteration = (m, shape, short) => {
  const step = stepOf(m, shape);
  m.store(shape.width, pointer(m, 'rdi', short), m.reg(shape.width, 'rax'), 'data');
  advance(m, 'rdi', short, step);
};
const lodsOnce: Iteration = (m, shape, short) => {
  const step = stepOf(m, shape);
  m.setReg(shape.width, 'rax', m.read(shape.a));
  advance(m, 'rsi', short, step);
};
/** CMPS compares source with destination, SCAS the accumulator with the destination. */
const cmpsOnce: Iteration = (m, shape, short) => {
  const step = stepOf(m, shape);
  const x = m.read(shape.a);
  const y = m.load(shape.width, pointer(m, 'rdi', short), 'data');
  m.subFlags(shape.width, x, y, m.sub(x, y));
  advance(m, 'rsi', short, step);
  advance(m, 'rdi', short, step);
};
const scasOnce: Iteration = (m, shape, short) => {
  const step = stepOf(m, shape);
  const x = m.reg(shape.width, 'rax');
  const y = m.load(shape.width, pointer(m, 'rdi', short), 'data');
  m.subFlags(shape.width, x, y, m.sub(x, y));
  advance(m, 'rdi', short, step);
};

/** RIP stays while the count is not zero, and with a condition while that holds as well, after the iteration made. */
function repeat<V>(m: Ops<V>, short: boolean, iteration: () => void, code?: ConditionCode): void {
  const count = pointer(m, 'rcx', short);
  const left = m.named('left', m.sub(count, m.word(1)));
  m.when(m.isZero(m.isZero(count)), () => {
    iteration();
    setPointer(m, 'rcx', short, left);
    const more = m.isZero(m.isZero(short ? m.truncate(32, left) : left));
    m.when(code === undefined ? more : m.and(more, m.condition(code)), () => m.stay());
  });
}

const once = (iteration: Iteration, short: boolean): Semantics => {
  return (m, shape) => iteration(m, shape, short);
};
const repeated = (iteration: Iteration, short: boolean, code?: ConditionCode): Semantics => {
  return (m, shape) => repeat(m, short, () => iteration(m, shape, short), code);
};

/** All of them, for 64-bit or 32-bit addresses. */
const family = (short: boolean) => ({
  movs: once(movsOnce, short),
  stos: once(stosOnce, short),
  lods: once(lodsOnce, short),
  cmps: once(cmpsOnce, short),
  scas: once(scasOnce, short),
  repMovs: repeated(movsOnce, short),
  repStos: repeated(stosOnce, short),
  repLods: repeated(lodsOnce, short),
  repeCmps: repeated(cmpsOnce, short, 'e'),
  repneCmps: repeated(cmpsOnce, short, 'ne'),
  repeScas: repeated(scasOnce, short, 'e'),
  repneScas: repeated(scasOnce, short, 'ne'),
});
export type StringFamily = ReturnType<typeof family>;
export const LONG: StringFamily = family(false);
export const SHORT: StringFamily = family(true);
