/** Arithmetic, logic, shifts and bits. */
// biome-ignore-all format: a row is a line
import type { FlagEffects, Row } from '../instruction.ts';
import { effects, row } from '../notation.ts';
import type { Semantics } from '../ops.ts';
import * as arithmetic from '../semantics/arithmetic.ts';
import * as bmi from '../semantics/bmi.ts';
import * as shift from '../semantics/shift.ts';
import { ARITHMETIC, KEEP_CARRY, LOGIC, NO_FLAGS, plus, WITH_CARRY } from './flags.ts';

/** The eight classic operations share one pattern of nine encodings; `n` is their number in it. */
const classic = (n: number, mnemonic: string, flags: FlagEffects, semantics: Semantics): readonly Row[] => [
  row(`${plus(8 * n, 0x100).slice(1)} /r`, 'rm,r', mnemonic, '8', flags, semantics),
  row(`${plus(8 * n, 0x101).slice(1)} /r`, 'rm,r', mnemonic, '16 32 64', flags, semantics),
  row(`${plus(8 * n, 0x102).slice(1)} /r`, 'r,rm', mnemonic, '8', flags, semantics),
  row(`${plus(8 * n, 0x103).slice(1)} /r`, 'r,rm', mnemonic, '16 32 64', flags, semantics),
  row(`83 /${n} ib`, 'rm,i', mnemonic, '16 32 64', flags, semantics),
  row(`${plus(8 * n, 0x104).slice(1)} ib`, 'A,i', mnemonic, '8', flags, semantics),
  row(`${plus(8 * n, 0x105).slice(1)} iz`, 'A,i', mnemonic, '16 32 64', flags, semantics),
  row(`80 /${n} ib`, 'rm,i', mnemonic, '8', flags, semantics),
  row(`81 /${n} iz`, 'rm,i', mnemonic, '16 32 64', flags, semantics),
];

/** Shifts by one, by CL and by an immediate; `n` is the opcode extension. */
const shifts = (n: number, mnemonic: string, flags: FlagEffects, semantics: Semantics): readonly Row[] => [
  row(`D0 /${n}`, 'rm,1', mnemonic, '8', flags, semantics),
  row(`D1 /${n}`, 'rm,1', mnemonic, '16 32 64', flags, semantics),
  row(`D2 /${n}`, 'rm,cl', mnemonic, '8', flags, semantics),
  row(`D3 /${n}`, 'rm,cl', mnemonic, '16 32 64', flags, semantics),
  row(`C0 /${n} ib`, 'rm,i8', mnemonic, '8', flags, semantics),
  row(`C1 /${n} ib`, 'rm,i8', mnemonic, '16 32 64', flags, semantics),
];

/** OF is defined for a count of one only; CF for counts up to the width. */
const SHIFT = effects('SZPC', 'OA'), ROTATE = effects('C', 'O'), THROUGH_CARRY = effects('C', 'O', 'C');
const BIT = effects('C', 'OSAP'), SCAN = effects('Z', 'OSAPC'), COUNT = effects('ZC', 'OSAP');
const LOWEST = effects('OSZC', 'AP');
const PRODUCT = effects('OC', 'SZAP'), QUOTIENT = effects('', 'OSZAPC');

export const ARITHMETIC_ROWS: readonly Row[] = [
  ...classic(0, 'add', ARITHMETIC, arithmetic.add),
  ...classic(1, 'or', LOGIC, arithmetic.or),
  ...classic(2, 'adc', WITH_CARRY, arithmetic.adc),
  ...classic(3, 'sbb', WITH_CARRY, arithmetic.sbb),
  ...classic(4, 'and', LOGIC, arithmetic.and),
  ...classic(5, 'sub', ARITHMETIC, arithmetic.sub),
  ...classic(6, 'xor', LOGIC, arithmetic.xor),
  ...classic(7, 'cmp', ARITHMETIC, arithmetic.cmp),
  row('84 /r', 'rm,r', 'test', '8', LOGIC, arithmetic.test),
  row('85 /r', 'rm,r', 'test', '16 32 64', LOGIC, arithmetic.test),
  row('A8 ib', 'A,i', 'test', '8', LOGIC, arithmetic.test),
  row('A9 iz', 'A,i', 'test', '16 32 64', LOGIC, arithmetic.test),
  row('F6 /0 ib', 'rm,i', 'test', '8', LOGIC, arithmetic.test),
  row('F6 /1 ib', 'rm,i', 'test', '8', LOGIC, arithmetic.test),
  row('F7 /0 iz', 'rm,i', 'test', '16 32 64', LOGIC, arithmetic.test),
  row('F7 /1 iz', 'rm,i', 'test', '16 32 64', LOGIC, arithmetic.test),
  row('FE /0', 'rm', 'inc', '8', KEEP_CARRY, arithmetic.inc),
  row('FF /0', 'rm', 'inc', '16 32 64', KEEP_CARRY, arithmetic.inc),
  row('FE /1', 'rm', 'dec', '8', KEEP_CARRY, arithmetic.dec),
  row('FF /1', 'rm', 'dec', '16 32 64', KEEP_CARRY, arithmetic.dec),
  row('F6 /2', 'rm', 'not', '8', NO_FLAGS, arithmetic.not),
  row('F7 /2', 'rm', 'not', '16 32 64', NO_FLAGS, arithmetic.not),
  row('F6 /3', 'rm', 'neg', '8', ARITHMETIC, arithmetic.neg),
  row('F7 /3', 'rm', 'neg', '16 32 64', ARITHMETIC, arithmetic.neg),
  row('F6 /4', 'rm', 'mul', '8', PRODUCT, arithmetic.mul),
  row('F7 /4', 'rm', 'mul', '16 32 64', PRODUCT, arithmetic.mul),
  row('F6 /5', 'rm', 'imul', '8', PRODUCT, arithmetic.imulWide),
  row('F7 /5', 'rm', 'imul', '16 32 64', PRODUCT, arithmetic.imulWide),
  row('0F AF /r', 'r,rm', 'imul', '16 32 64', PRODUCT, arithmetic.imul),
  row('6B /r ib', 'r,rm,i', 'imul', '16 32 64', PRODUCT, arithmetic.imul),
  row('69 /r iz', 'r,rm,i', 'imul', '16 32 64', PRODUCT, arithmetic.imul),
  row('F6 /6', 'rm', 'div', '8', QUOTIENT, arithmetic.div),
  row('F7 /6', 'rm', 'div', '16 32 64', QUOTIENT, arithmetic.div),
  row('F6 /7', 'rm', 'idiv', '8', QUOTIENT, arithmetic.idiv),
  row('F7 /7', 'rm', 'idiv', '16 32 64', QUOTIENT, arithmetic.idiv),

  ...shifts(0, 'rol', ROTATE, shift.rol),
  ...shifts(1, 'ror', ROTATE, shift.ror),
  ...shifts(2, 'rcl', THROUGH_CARRY, shift.rcl),
  ...shifts(3, 'rcr', THROUGH_CARRY, shift.rcr),
  ...shifts(4, 'shl', SHIFT, shift.shl),
  ...shifts(5, 'shr', SHIFT, shift.shr),
  ...shifts(6, 'shl', SHIFT, shift.shl),
  ...shifts(7, 'sar', SHIFT, shift.sar),
  row('0F A4 /r ib', 'rm,r,i8', 'shld', '16 32 64', SHIFT, shift.shld),
  row('0F A5 /r', 'rm,r,cl', 'shld', '16 32 64', SHIFT, shift.shld),
  row('0F AC /r ib', 'rm,r,i8', 'shrd', '16 32 64', SHIFT, shift.shrd),
  row('0F AD /r', 'rm,r,cl', 'shrd', '16 32 64', SHIFT, shift.shrd),

  row('0F A3 /r', 'rm,r', 'bt', '16 32 64', BIT, shift.bt),
  row('0F AB /r', 'rm,r', 'bts', '16 32 64', BIT, shift.bts),
  row('0F B3 /r', 'rm,r', 'btr', '16 32 64', BIT, shift.btr),
  row('0F BB /r', 'rm,r', 'btc', '16 32 64', BIT, shift.btc),
  row('0F BA /4 ib', 'rm,i8', 'bt', '16 32 64', BIT, shift.bt),
  row('0F BA /5 ib', 'rm,i8', 'bts', '16 32 64', BIT, shift.bts),
  row('0F BA /6 ib', 'rm,i8', 'btr', '16 32 64', BIT, shift.btr),
  row('0F BA /7 ib', 'rm,i8', 'btc', '16 32 64', BIT, shift.btc),
  row('0F BC /r', 'r,rm', 'bsf', '16 32 64', SCAN, shift.bsf),
  row('0F BD /r', 'r,rm', 'bsr', '16 32 64', SCAN, shift.bsr),
  row('F3 0F BC /r', 'r,rm', 'tzcnt', '16 32 64', COUNT, shift.tzcnt),
  row('F3 0F BD /r', 'r,rm', 'lzcnt', '16 32 64', COUNT, shift.lzcnt),
  row('F3 0F B8 /r', 'r,rm', 'popcnt', '16 32 64', ARITHMETIC, shift.popcnt),
  row('F2 0F 38 F0 /r', 'r,rm8', 'crc32b', '32 64', NO_FLAGS, bmi.crc32),
  row('F2 0F 38 F1 /r', 'r32,rm', 'crc32*', '16 32', NO_FLAGS, bmi.crc32),
  row('F2 REX.W 0F 38 F1 /r', 'r,rm', 'crc32*', '64', NO_FLAGS, bmi.crc32),
  row('66 0F 38 F6 /r', 'r,rm', 'adcx', '32 64', effects('C', '', 'C'), bmi.adcx),
  row('F3 0F 38 F6 /r', 'r,rm', 'adox', '32 64', effects('O', '', 'O'), bmi.adox),

  row('VEX.LZ.0F38 F2 /r', 'r,v,rm', 'andn', '32 64', effects('OSZC', 'AP'), bmi.andn),
  row('VEX.LZ.0F38 F7 /r', 'r,rm,v', 'bextr', '32 64', effects('OZC', 'SAP'), bmi.bextr),
  row('VEX.LZ.0F38 F3 /3', 'v,rm', 'blsi', '32 64', LOWEST, bmi.blsi),
  row('VEX.LZ.0F38 F3 /2', 'v,rm', 'blsmsk', '32 64', LOWEST, bmi.blsmsk),
  row('VEX.LZ.0F38 F3 /1', 'v,rm', 'blsr', '32 64', LOWEST, bmi.blsr),
  row('VEX.LZ.0F38 F5 /r', 'r,rm,v', 'bzhi', '32 64', LOWEST, bmi.bzhi),
  row('VEX.LZ.F2.0F38 F6 /r', 'r,v,rm', 'mulx', '32 64', NO_FLAGS, bmi.mulx),
  row('VEX.LZ.F2.0F38 F5 /r', 'r,v,rm', 'pdep', '32 64', NO_FLAGS, bmi.pdep),
  row('VEX.LZ.F3.0F38 F5 /r', 'r,v,rm', 'pext', '32 64', NO_FLAGS, bmi.pext),
  row('VEX.LZ.F2.0F3A F0 /r ib', 'r,rm,i8', 'rorx', '32 64', NO_FLAGS, bmi.rorx),
  row('VEX.LZ.F3.0F38 F7 /r', 'r,rm,v', 'sarx', '32 64', NO_FLAGS, bmi.sarx),
  row('VEX.LZ.66.0F38 F7 /r', 'r,rm,v', 'shlx', '32 64', NO_FLAGS, bmi.shlx),
  row('VEX.LZ.F2.0F38 F7 /r', 'r,rm,v', 'shrx', '32 64', NO_FLAGS, bmi.shrx),
];
