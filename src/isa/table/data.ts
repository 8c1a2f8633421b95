/** Moves, extensions, exchanges. */
// biome-ignore-all format: a row is a line
import type { Row } from '../instruction.ts';
import { effects, row } from '../notation.ts';
import * as data from '../semantics/data.ts';
import { ARITHMETIC, CONDITIONS, NO_FLAGS, plus } from './flags.ts';

const cmovRows = CONDITIONS.map(([code, tests], n) =>
  row(`0F ${plus(0x40, n)} /r`, 'r,rm', `cmov${code}`, '16 32 64', effects('', '', tests), data.cmov(code)));
const setRows = CONDITIONS.map(([code, tests], n) =>
  row(`0F ${plus(0x90, n)} /r`, 'rm8', `set${code}`, '', effects('', '', tests), data.setcc(code)));

export const DATA: readonly Row[] = [
  row('88 /r', 'rm,r', 'mov', '8', NO_FLAGS, data.mov),
  row('89 /r', 'rm,r', 'mov', '16 32 64', NO_FLAGS, data.mov),
  row('8A /r', 'r,rm', 'mov', '8', NO_FLAGS, data.mov),
  row('8B /r', 'r,rm', 'mov', '16 32 64', NO_FLAGS, data.mov),
  row('B0+r ib', 'o,i', 'mov', '8', NO_FLAGS, data.mov),
  row('B8+r iz', 'o,i', 'mov', '16 32', NO_FLAGS, data.mov),
  row('C6 /0 ib', 'rm,i', 'mov', '8', NO_FLAGS, data.mov),
  row('C7 /0 iz', 'rm,i', 'mov', '16 32 64', NO_FLAGS, data.mov),
  row('REX.W B8+r io', 'o,i', 'movabs', '64', NO_FLAGS, data.mov),
  row('A0', 'A,moffs', 'movabs', '8', NO_FLAGS, data.mov),
  row('A1', 'A,moffs', 'movabs', '16 32 64', NO_FLAGS, data.mov),
  row('A2', 'moffs,A', 'movabs', '8', NO_FLAGS, data.mov),
  row('A3', 'moffs,A', 'movabs', '16 32 64', NO_FLAGS, data.mov),
  row('67 A0', 'A,moffs', 'addr32 mov', '8', NO_FLAGS, data.mov),
  row('67 A1', 'A,moffs', 'addr32 mov', '16 32 64', NO_FLAGS, data.mov),
  row('67 A2', 'moffs,A', 'addr32 mov', '8', NO_FLAGS, data.mov),
  row('67 A3', 'moffs,A', 'addr32 mov', '16 32 64', NO_FLAGS, data.mov),
  row('NP 0F C3 /r', 'm,r', 'movnti', '32 64', NO_FLAGS, data.mov),
  row('8D /r', 'r,ea', 'lea', '16 32 64', NO_FLAGS, data.lea),

  row('0F B6 /r', 'r,rm8', 'movzb*', '16 32 64', NO_FLAGS, data.movzx),
  row('0F B7 /r', 'r,rm16', 'movzw*', '16 32 64', NO_FLAGS, data.movzx),
  row('0F BE /r', 'r,rm8', 'movsb*', '16 32 64', NO_FLAGS, data.movsx),
  row('0F BF /r', 'r,rm16', 'movsw*', '16 32 64', NO_FLAGS, data.movsx),
  row('REX.W 63 /r', 'r,rm32', 'movsl*', '64', NO_FLAGS, data.movsx),
  row('63 /r', 'r,rm', 'movsxd', '16 32', NO_FLAGS, data.movsx),
  row('98', '', 'cbtw', '16', NO_FLAGS, data.extendAccumulator(8, 16)),
  row('98', '', 'cwtl', '32', NO_FLAGS, data.extendAccumulator(16, 32)),
  row('REX.W 98', '', 'cltq', '64', NO_FLAGS, data.extendAccumulator(32, 64)),
  row('99', '', 'cwtd', '16', NO_FLAGS, data.spreadSign(16)),
  row('99', '', 'cltd', '32', NO_FLAGS, data.spreadSign(32)),
  row('REX.W 99', '', 'cqto', '64', NO_FLAGS, data.spreadSign(64)),

  row('86 /r', 'rm,r', 'xchg', '8', NO_FLAGS, data.xchg),
  row('87 /r', 'rm,r', 'xchg', '16 32 64', NO_FLAGS, data.xchg),
  row('90+r', 'o,A', 'xchg', '16 32 64', NO_FLAGS, data.xchg),
  row('0F C0 /r', 'rm,r', 'xadd', '8', ARITHMETIC, data.xadd),
  row('0F C1 /r', 'rm,r', 'xadd', '16 32 64', ARITHMETIC, data.xadd),
  row('0F B0 /r', 'rm,r', 'cmpxchg', '8', ARITHMETIC, data.cmpxchg),
  row('0F B1 /r', 'rm,r', 'cmpxchg', '16 32 64', ARITHMETIC, data.cmpxchg),
  row('REX.W 0F C7 /1', 'm', 'cmpxchg16b', '', effects('Z'), data.cmpxchgPair(64)),
  row('0F C7 /1', 'm64', 'cmpxchg8b', '', effects('Z'), data.cmpxchgPair(32)),
  row('0F C8+r', 'o', 'bswap', '16 32 64', NO_FLAGS, data.bswap),
  row('NFx 0F 38 F0 /r', 'r,m', 'movbe', '16 32 64', NO_FLAGS, data.movbe),
  row('NFx 0F 38 F1 /r', 'm,r', 'movbe', '16 32 64', NO_FLAGS, data.movbe),
  row('NP 0F 38 F9 /r', 'm,r', 'movdiri', '32 64', NO_FLAGS, data.mov),
  row('66 0F 38 F8 /r', 'r64,m', 'movdir64b', '', NO_FLAGS, data.movdir64b),
  row('67 66 0F 38 F8 /r', 'r32,m', 'movdir64b', '', NO_FLAGS, data.movdir64b),
  row('D7', 'bx8', 'xlat', '', NO_FLAGS, data.xlat),
  ...cmovRows,
  ...setRows,
];
