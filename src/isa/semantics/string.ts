/**
 * String instructions, one iteration a transition (SDM vol 2, REP). The source is operand a, a hidden
 * memory operand at RSI, so that a segment override reaches it; the destination is always ES:RDI.
 */
import type { ConditionCode } from '../flags.ts';
import type { Ops, Semantics, Shape } from '../ops.ts';

type Iteration = <V>(m: Ops<V>, shape: Shape, step: V) => void;

/** What an index register moves by; DF (bit 10) turns it round. */
const stepOf = <V>(m: Ops<V>, { width }: Shape): V =>
  m.named('step', m.select(m.bit(m.get('rflagsRest'), 10), m.word(-width / 8), m.word(width / 8)));

const advance = <V>(m: Ops<V>, register: 'rsi' | 'rdi', step: V): void =>
  m.set(register, m.add(m.get(register), step));

const movsOnce: Iteration = (m, { width, a }, step) => {
  m.store(width, m.get('rdi'), m.read(a), 'data');
  advance(m, 'rsi', step);
  advance(m, 'rdi', step);
};
const stosOnce: Iteration = (m, { width }, step) => {
  m.store(width, m.get('rdi'), m.reg(width, 'rax'), 'data');
  advance(m, 'rdi', step);
};
const lodsOnce: Iteration = (m, { width, a }, step) => {
  m.setReg(width, 'rax', m.read(a));
  advance(m, 'rsi', step);
};
/** CMPS compares source with destination, SCAS the accumulator with the destination. */
const cmpsOnce: Iteration = (m, { width, a }, step) => {
  const x = m.read(a);
  const y = m.load(width, m.get('rdi'), 'data');
  m.subFlags(width, x, y, m.sub(x, y));
  advance(m, 'rsi', step);
  advance(m, 'rdi', step);
};
const scasOnce: Iteration = (m, { width }, step) => {
  const x = m.reg(width, 'rax');
  const y = m.load(width, m.get('rdi'), 'data');
  m.subFlags(width, x, y, m.sub(x, y));
  advance(m, 'rdi', step);
};

const once =
  (iteration: Iteration): Semantics =>
  (m, shape) =>
    iteration(m, shape, stepOf(m, shape));
const repeated =
  (iteration: Iteration): Semantics =>
  (m, shape) =>
    m.repeat(() => iteration(m, shape, stepOf(m, shape)));

/** REPE and REPNE end also when ZF has said so; ZF is that of the iteration just made. */
const repeatedWhile =
  (code: ConditionCode, iteration: Iteration): Semantics =>
  (m, shape) => {
    const count = m.get('rcx');
    const left = m.named('left', m.sub(count, m.word(1)));
    m.when(m.isZero(m.isZero(count)), () => {
      iteration(m, shape, stepOf(m, shape));
      m.set('rcx', left);
      m.when(m.and(m.isZero(m.isZero(left)), m.condition(code)), () => m.stay());
    });
  };

export const movs = once(movsOnce);
export const stos = once(stosOnce);
export const lods = once(lodsOnce);
export const cmps = once(cmpsOnce);
export const scas = once(scasOnce);
export const repMovs = repeated(movsOnce);
export const repStos = repeated(stosOnce);
export const repLods = repeated(lodsOnce);
export const repeCmps = repeatedWhile('e', cmpsOnce);
export const repneCmps = repeatedWhile('ne', cmpsOnce);
export const repeScas = repeatedWhile('e', scasOnce);
export const repneScas = repeatedWhile('ne', scasOnce);
