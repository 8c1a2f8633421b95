/** The stack, branches, strings, flags. */
// biome-ignore-all format: a row is a line
import type { FlagEffects, Row } from '../instruction.ts';
import { effects, row } from '../notation.ts';
import type { Semantics } from '../ops.ts';
import * as control from '../semantics/control.ts';
import * as far from '../semantics/far.ts';
import * as stack from '../semantics/stack.ts';
import * as string from '../semantics/string.ts';
import * as system from '../semantics/system.ts';
import { CONDITIONS, NO_FLAGS, plus } from './flags.ts';

const jccRows = CONDITIONS.flatMap(([code, tests], n) => {
  const semantics = control.jcc(code), flags = effects('', '', tests);
  return [row(`${plus(0x70, n)} cb`, 'j', `j${code}`, '', flags, semantics),
    row(`0F ${plus(0x80, n)} cd`, 'j', `j${code}`, '', flags, semantics)];
});

const IMAGE = 'OSZAPCDTIN', DIRECTION = effects('', '', 'D'), COMPARED = effects('OSZAPC', '', 'D');

export const STACK: readonly Row[] = [
  row('50+r', 'o', 'push', '16 64', NO_FLAGS, stack.pushOperand),
  row('6A ib', 'i', 'push', '16 64', NO_FLAGS, stack.pushOperand),
  row('68 iz', 'i', 'push', '16 64', NO_FLAGS, stack.pushOperand),
  row('FF /6', 'rm', 'push', '16 64', NO_FLAGS, stack.pushOperand),
  row('58+r', 'o', 'pop', '16 64', NO_FLAGS, stack.popRegister),
  row('8F /0', 'm(rsp)', 'pop', '16 64', NO_FLAGS, stack.popStackMemory),
  row('8F /0', 'm', 'pop', '16 64', NO_FLAGS, stack.popMemory),
  row('8F /0', 'R', 'pop', '16 64', NO_FLAGS, stack.popRegister),
  row('9C', '', 'pushf', '16 64', effects('', '', IMAGE), stack.pushf),
  row('9D', '', 'popf', '16 64', effects(`${IMAGE}R`), stack.popf),
  row('C9', '', 'leave', '16 64', NO_FLAGS, stack.leave),
  row('C8 iw ib', 'level,size', 'enter', '16 64', NO_FLAGS, stack.enter),
];

export const CONTROL: readonly Row[] = [
  ...jccRows,
  row('EB cb', 'j', 'jmp', '64', NO_FLAGS, control.jmp),
  row('E9 cd', 'j', 'jmp', '64', NO_FLAGS, control.jmp),
  row('FF /4', '*rm', 'jmp', '64', NO_FLAGS, control.jmpIndirect),
  row('E8 cd', 'j', 'call', '64', NO_FLAGS, control.call),
  row('FF /2', '*rm', 'call', '64', NO_FLAGS, control.callIndirect),
  row('C3', '', 'ret', '64', NO_FLAGS, control.ret),
  row('C2 iw', 'i16', 'ret', '64', NO_FLAGS, control.ret),
  row('E3 cb', 'j', 'jrcxz', '', NO_FLAGS, control.jrcxz(64)),
  row('67 E3 cb', 'j', 'jecxz', '', NO_FLAGS, control.jrcxz(32)),
  row('E2 cb', 'j', 'loop', '', NO_FLAGS, control.loop(64)),
  row('E1 cb', 'j', 'loope', '', effects('', '', 'Z'), control.loop(64, 'e')),
  row('E0 cb', 'j', 'loopne', '', effects('', '', 'Z'), control.loop(64, 'ne')),
  row('67 E2 cb', 'j', 'loopl', '', NO_FLAGS, control.loop(32)),
  row('67 E1 cb', 'j', 'loopel', '', effects('', '', 'Z'), control.loop(32, 'e')),
  row('67 E0 cb', 'j', 'loopnel', '', effects('', '', 'Z'), control.loop(32, 'ne')),
  row('CC', '', 'int3', '', NO_FLAGS, control.int3),
  row('CD ib', 'i8', 'int', '', NO_FLAGS, control.int),
  row('F1', '', 'int1', '', NO_FLAGS, control.int1),
  row('REX.W CF', '', 'iretq', '', effects(`${IMAGE}R`, '', 'N'), control.iret),
  row('CF', '', 'iret', '16 32', effects(`${IMAGE}R`, '', 'N'), control.iret),
  row('0F 0B', '', 'ud2', '', NO_FLAGS, control.ud),
  row('0F B9 /r', 'r,rm', 'ud1', '16 32 64', NO_FLAGS, control.ud),
  row('0F FF /r', 'r,rm', 'ud0', '16 32 64', NO_FLAGS, control.ud),
  row('NB 90', '', 'nop', '32', NO_FLAGS, control.nop),
  row('0F 1F /0', 'rm', 'nop', '16 32 64', NO_FLAGS, control.nop),
  // Hints of the future do nothing (SDM vol 2, table A-3: reserved NOP).
  ...['0F 18 /4', '0F 18 /5', '0F 18 /6', '0F 18 /7', '0F 19 /r', '0F 1A /r', '0F 1B /r', '0F 1C /r', '0F 1D /r', '0F 1E /r',
    '0F 1F /1', '0F 1F /2', '0F 1F /3', '0F 1F /4', '0F 1F /5', '0F 1F /6', '0F 1F /7'].map((opcode) =>
    row(opcode, 'rm', 'nop', '16 32 64', NO_FLAGS, control.nop)),
  row('F3 90', '', 'pause', '', NO_FLAGS, control.nop),
  row('F3 0F 1E FA', '', 'endbr64', '', NO_FLAGS, control.endbr64),
  row('F3 0F 1E FB', '', 'endbr32', '', NO_FLAGS, control.nop),
  row('0F 18 /0', 'ea8', 'prefetchnta', '', NO_FLAGS, control.nop),
  row('0F 18 /1', 'ea8', 'prefetcht0', '', NO_FLAGS, control.nop),
  row('0F 18 /2', 'ea8', 'prefetcht1', '', NO_FLAGS, control.nop),
  row('0F 18 /3', 'ea8', 'prefetcht2', '', NO_FLAGS, control.nop),
  row('0F 0D /0', 'ea8', 'prefetch', '', NO_FLAGS, control.nop),
  row('0F 0D /1', 'ea8', 'prefetchw', '', NO_FLAGS, control.nop),
  row('0F 0D /2', 'ea8', 'prefetchwt1', '', NO_FLAGS, control.nop),
  ...['0F 0D /3', '0F 0D /4', '0F 0D /5', '0F 0D /6', '0F 0D /7'].map((opcode) =>
    row(opcode, 'ea8', 'prefetch', '', NO_FLAGS, control.nop)),
  row('CB', '', 'lret', '16 32 64', NO_FLAGS, far.retFar),
  row('CA iw', 'i16', 'lret', '16 32 64', NO_FLAGS, far.retFar),
  row('FF /3', '*m', 'lcall', '16 32 64', NO_FLAGS, far.callFar),
  row('FF /5', '*m', 'ljmp', '16 32 64', NO_FLAGS, far.jmpFar),
];

/** One family for 64-bit addresses, one for 32-bit ones. REPNE of what compares nothing repeats as REP does. */
const strings = (addr32: boolean): readonly Row[] => {
  const { movs, stos, lods, cmps, scas, repMovs, repStos, repLods, repeCmps, repneCmps, repeScas, repneScas } =
    addr32 ? string.SHORT : string.LONG;
  const each = (byte: number, operands: string, name: string, flags: FlagEffects, semantics: Semantics, before = ''): readonly Row[] => {
    const opcode = (addr32 ? '67 ' : '') + before;
    const mnemonic = `${addr32 ? 'addr32 ' : ''}${name}*`;
    return [row(`${opcode}${plus(byte, 0)}`, operands, mnemonic, '8', flags, semantics),
      row(`${opcode}${plus(byte, 1)}`, operands, mnemonic, '16 32 64', flags, semantics)];
  };
  return [
    ...each(0xa4, 'si', 'movs', DIRECTION, movs),
    ...each(0xa4, 'si', 'rep movs', DIRECTION, repMovs, 'F3 '),
    ...each(0xa4, 'si', 'repnz movs', DIRECTION, repMovs, 'F2 '),
    ...each(0xaa, '', 'stos', DIRECTION, stos),
    ...each(0xaa, '', 'rep stos', DIRECTION, repStos, 'F3 '),
    ...each(0xaa, '', 'repnz stos', DIRECTION, repStos, 'F2 '),
    ...each(0xac, 'si', 'lods', DIRECTION, lods),
    ...each(0xac, 'si', 'rep lods', DIRECTION, repLods, 'F3 '),
    ...each(0xac, 'si', 'repnz lods', DIRECTION, repLods, 'F2 '),
    ...each(0xa6, 'si', 'cmps', COMPARED, cmps),
    ...each(0xa6, 'si', 'repz cmps', COMPARED, repeCmps, 'F3 '),
    ...each(0xa6, 'si', 'repnz cmps', COMPARED, repneCmps, 'F2 '),
    ...each(0xae, '', 'scas', COMPARED, scas),
    ...each(0xae, '', 'repz scas', COMPARED, repeScas, 'F3 '),
    ...each(0xae, '', 'repnz scas', COMPARED, repneScas, 'F2 '),
  ];
};
export const STRING: readonly Row[] = [...strings(false), ...strings(true)];

export const FLAG_ROWS: readonly Row[] = [
  row('F8', '', 'clc', '', effects('C'), system.clc),
  row('F9', '', 'stc', '', effects('C'), system.stc),
  row('F5', '', 'cmc', '', effects('C', '', 'C'), system.cmc),
  row('FC', '', 'cld', '', effects('D'), system.cld),
  row('FD', '', 'std', '', effects('D'), system.std),
  row('FA', '', 'cli', '', effects('I'), system.cli),
  row('FB', '', 'sti', '', effects('I'), system.sti),
  row('9F', '', 'lahf', '', effects('', '', 'SZAPC'), system.lahf),
  row('9E', '', 'sahf', '', effects('SZAPC'), system.sahf),
];
