/** Ports: who may use them is modelled, what lies behind them is not (SDM vol 1, 19.5). */
import { type Operand, type Ops, type Semantics, VECTOR, type Width } from '../ops.ts';

/** Offset of the I/O map base in a 64-bit TSS (SDM vol 3, figure 8-11). */
const MAP_BASE = 102;

/**
 * With CPL above IOPL every port of the access must have a clear bit in the TSS's map (SDM vol 1, 19.5.2). Two bytes
 * of it are read, and both must lie in the TSS.
 */
function requirePort<V>(m: Ops<V>, port: V, width: Width): void {
  m.when(m.below(m.bits(m.get('rflagsRest'), 12, 2), m.get('cpl')), () => {
    const limit = m.get('tssLimit');
    const gpIf = (condition: V): void => m.raiseIf(condition, VECTOR.GP, m.word(0));
    gpIf(m.below(limit, m.word(MAP_BASE + 1)));
    const map = m.load(16, m.add(m.get('tssBase'), m.word(MAP_BASE)), 'system');
    const at = m.named('at', m.add(map, m.shr(port, m.word(3))));
    gpIf(m.below(limit, m.add(at, m.word(1))));
    const bits = m.shr(m.load(16, m.add(m.get('tssBase'), at), 'system'), m.bits(port, 0, 3));
    gpIf(m.bits(bits, 0, width / 8));
  });
}

/** IN and OUT: a port in an immediate or in DX. */
const transfer =
  (portOf: (shape: { readonly a: Operand; readonly b: Operand }) => Operand): Semantics =>
  (m, shape) => {
    const operand = portOf(shape);
    requirePort(m, operand.kind === 'i' ? m.read(operand) : m.reg(16, 'rdx'), shape.width);
    m.stop('not modelled: port I/O');
  };
export const input = transfer(({ b }) => b);
export const output = transfer(({ a }) => a);

/** INS and OUTS; repeated, a count of zero moves nothing. */
const string =
  (count: 32 | 64 | undefined): Semantics =>
  (m, { width }) => {
    requirePort(m, m.reg(16, 'rdx'), width);
    if (count === undefined) m.stop('not modelled: port I/O');
    else m.when(m.reg(count, 'rcx'), () => m.stop('not modelled: port I/O'));
  };
export const transferString = string(undefined);
export const repTransferString = string(64);
export const repTransferStringShort = string(32);
