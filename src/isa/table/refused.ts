/** What is recognised, with its length, and refused by name: the reference page explains each name. */
// biome-ignore-all format: a row is a line
import type { Row } from '../instruction.ts';
import { effects, row } from '../notation.ts';
import { nop, notModelled } from '../semantics/control.ts';
import type { NotModelled } from '../stop-reason.ts';
import { NO_FLAGS } from './flags.ts';

/** Rows without operands: name and opcode. */
const plain = (name: NotModelled, ...rows: readonly (readonly [mnemonic: string, opcode: string])[]): readonly Row[] =>
  rows.map(([mnemonic, opcode]) => row(opcode, '', mnemonic, '', NO_FLAGS, notModelled(name)));

const MACHINE: readonly Row[] = [
  ...plain('performance counters', ['rdpmc', '0F 33'], ['rdpru', 'NP 0F 01 FD']),
  row('0F C7 /6', 'R', 'rdrand', '16 32 64', effects('OSZAPC'), notModelled('random numbers')),
  row('0F C7 /7', 'R', 'rdseed', '16 32 64', effects('OSZAPC'), notModelled('random numbers')),
  ...plain('lists of MSRs', ['rdmsrlist', 'F2 0F 01 C6'], ['wrmsrlist', 'F3 0F 01 C6']),
  ...plain('MONITOR and MWAIT', ['monitor', 'NP 0F 01 C8'], ['mwait', 'NP 0F 01 C9'], ['monitorx', 'NP 0F 01 FA'],
    ['mwaitx', 'NP 0F 01 FB']),
  row('F3 0F AE /6', 'R64', 'umonitor', '', NO_FLAGS, notModelled('MONITOR and MWAIT')),
  row('67 F3 0F AE /6', 'R32', 'umonitor', '', NO_FLAGS, notModelled('MONITOR and MWAIT')),
  row('F2 0F AE /6', 'R32', 'umwait', '', NO_FLAGS, notModelled('MONITOR and MWAIT')),
  row('66 0F AE /6', 'R32', 'tpause', '', NO_FLAGS, notModelled('MONITOR and MWAIT')),
  ...plain('SMM', ['rsm', '0F AA']),
  ...plain('SMX', ['getsec', 'NP 0F 37']),
  ...plain('PCONFIG', ['pconfig', 'NP 0F 01 C5']),
  ...plain('CLZERO', ['clzero', '0F 01 FC']),
  ...plain('INVLPGB', ['invlpgb', 'NP 0F 01 FE'], ['tlbsync', 'NP 0F 01 FF']),
  ...plain('protection keys', ['rdpkru', 'NP 0F 01 EE'], ['wrpkru', 'NP 0F 01 EF']),
  row('F3 0F AE /4', 'rm', 'ptwrite', '32 64', NO_FLAGS, notModelled('PTWRITE')),
  row('F2 0F 38 F8 /r', 'r64,m', 'enqcmd', '', NO_FLAGS, notModelled('ENQCMD')),
  row('F3 0F 38 F8 /r', 'r64,m', 'enqcmds', '', NO_FLAGS, notModelled('ENQCMD')),
  row('67 F2 0F 38 F8 /r', 'r32,m', 'enqcmd', '', NO_FLAGS, notModelled('ENQCMD')),
  row('67 F3 0F 38 F8 /r', 'r32,m', 'enqcmds', '', NO_FLAGS, notModelled('ENQCMD')),
  ...plain('user interrupts', ['uiret', 'F3 0F 01 EC'], ['testui', 'F3 0F 01 ED'], ['clui', 'F3 0F 01 EE'], ['stui', 'F3 0F 01 EF']),
  row('F3 0F C7 /6', 'R64', 'senduipi', '', NO_FLAGS, notModelled('user interrupts')),
];

/** Shadow stacks; ENDBR is not among them. */
const SHADOW_STACKS = 'shadow stacks';
const CET: readonly Row[] = [
  // A hint without shadow stacks.
  row('F3 0F 1E /1', 'R', 'rdsspd', '32', NO_FLAGS, nop),
  row('F3 REX.W 0F 1E /1', 'R', 'rdsspq', '64', NO_FLAGS, nop),
  row('F3 0F AE /5', 'R', 'incsspd', '32', NO_FLAGS, notModelled(SHADOW_STACKS)),
  row('F3 REX.W 0F AE /5', 'R', 'incsspq', '64', NO_FLAGS, notModelled(SHADOW_STACKS)),
  row('F3 0F AE /6', 'm64', 'clrssbsy', '', NO_FLAGS, notModelled(SHADOW_STACKS)),
  row('F3 0F 01 /5', 'm64', 'rstorssp', '', NO_FLAGS, notModelled(SHADOW_STACKS)),
  ...plain(SHADOW_STACKS, ['setssbsy', 'F3 0F 01 E8'], ['saveprevssp', 'F3 0F 01 EA']),
  row('NP 0F 38 F6 /r', 'm,r', 'wrssd', '32', NO_FLAGS, notModelled(SHADOW_STACKS)),
  row('NP REX.W 0F 38 F6 /r', 'm,r', 'wrssq', '64', NO_FLAGS, notModelled(SHADOW_STACKS)),
  row('66 0F 38 F5 /r', 'm,r', 'wrussd', '32', NO_FLAGS, notModelled(SHADOW_STACKS)),
  row('66 REX.W 0F 38 F5 /r', 'm,r', 'wrussq', '64', NO_FLAGS, notModelled(SHADOW_STACKS)),
];

const VIRTUAL: readonly Row[] = [
  ...plain('VMX', ['vmcall', 'NP 0F 01 C1'], ['vmlaunch', 'NP 0F 01 C2'], ['vmresume', 'NP 0F 01 C3'], ['vmxoff', 'NP 0F 01 C4'],
    ['vmfunc', 'NP 0F 01 D4']),
  row('NP 0F C7 /6', 'm64', 'vmptrld', '', NO_FLAGS, notModelled('VMX')),
  row('66 0F C7 /6', 'm64', 'vmclear', '', NO_FLAGS, notModelled('VMX')),
  row('F3 0F C7 /6', 'm64', 'vmxon', '', NO_FLAGS, notModelled('VMX')),
  row('NP 0F C7 /7', 'm64', 'vmptrst', '', NO_FLAGS, notModelled('VMX')),
  row('NP 0F 78 /r', 'rm64,r64', 'vmread', '', NO_FLAGS, notModelled('VMX')),
  row('NP 0F 79 /r', 'r64,rm64', 'vmwrite', '', NO_FLAGS, notModelled('VMX')),
  row('66 0F 38 80 /r', 'r64,m', 'invept', '', NO_FLAGS, notModelled('VMX')),
  row('66 0F 38 81 /r', 'r64,m', 'invvpid', '', NO_FLAGS, notModelled('VMX')),
  ...plain('SVM', ['vmrun', '0F 01 D8'], ['vmmcall', '0F 01 D9'], ['vmload', '0F 01 DA'], ['vmsave', '0F 01 DB'], ['stgi', '0F 01 DC'],
    ['clgi', '0F 01 DD'], ['skinit', '0F 01 DE'], ['invlpga', '0F 01 DF']),
  ...plain('SEV', ['vmgexit', 'F3 0F 01 D9'], ['vmgexit', 'F2 0F 01 D9'], ['pvalidate', 'F2 0F 01 FF'], ['psmash', 'F3 0F 01 FF'],
    ['rmpupdate', 'F2 0F 01 FE'], ['rmpadjust', 'F3 0F 01 FE'], ['rmpquery', 'F3 0F 01 FD']),
  ...plain('TDX', ['tdcall', '66 0F 01 CC'], ['seamret', '66 0F 01 CD'], ['seamops', '66 0F 01 CE'], ['seamcall', '66 0F 01 CF']),
  ...plain('SGX', ['encls', 'NP 0F 01 CF'], ['enclu', 'NP 0F 01 D7'], ['enclv', 'NP 0F 01 C0']),
  ...plain('TSX', ['xend', 'NP 0F 01 D5'], ['xtest', 'NP 0F 01 D6'], ['(xabort)', 'C6 F8 ib'], ['(xbegin)', 'C7 F8 iz']),
];

/** Saving and restoring of vector registers, and the control of it. */
const XSAVE: readonly Row[] = [
  ...plain('XSAVE', ['xgetbv', 'NP 0F 01 D0'], ['xsetbv', 'NP 0F 01 D1']),
  ...([['fxsave', 0], ['fxrstor', 1], ['xsave', 4], ['xrstor', 5], ['xsaveopt', 6]] as const).flatMap(([name, n]) => saves(name, `NP %0F AE /${n}`)),
  ...([['xrstors', 3], ['xsavec', 4], ['xsaves', 5]] as const).flatMap(([name, n]) => saves(name, `NP %0F C7 /${n}`)),
  row('NP 0F AE /2', 'm32', 'ldmxcsr', '', NO_FLAGS, notModelled('SSE')),
  row('NP 0F AE /3', 'm32', 'stmxcsr', '', NO_FLAGS, notModelled('SSE')),
];
/** With REX.W a name of its own. */
function saves(name: string, opcode: string): readonly Row[] {
  return [row(opcode.replace('%', 'REX.W '), 'm8', `${name}64`, '', NO_FLAGS, notModelled('XSAVE')),
    row(opcode.replace('%', ''), 'm8', name, '', NO_FLAGS, notModelled('XSAVE'))];
}

const X87: readonly Row[] = [
  row('9B', '', 'fwait', '', NO_FLAGS, notModelled('x87')),
  ...['D8', 'D9', 'DA', 'DB', 'DC', 'DD', 'DE', 'DF'].map((opcode) => row(`${opcode} /r`, '', '(x87)', '', NO_FLAGS, notModelled('x87'))),
  row('NP 0F 77', '', 'emms', '', NO_FLAGS, notModelled('x87')),
  row('0F 0E', '', 'femms', '', NO_FLAGS, notModelled('x87')),
  row('0F 0F /r ib', '', '(3dnow)', '', NO_FLAGS, notModelled('x87')),
];

/** Whether a byte lies in one of the ranges. */
const within = (...ranges: readonly (readonly [first: number, last: number])[]) => (byte: number): boolean =>
  ranges.some(([first, last]) => byte >= first && byte <= last);
/** MMX, SSE and their successors (SDM vol 2, tables ). */
const VECTORS = [
  { map: '0F', is: within([0x10, 0x17], [0x28, 0x2f], [0x50, 0x6f], [0x70, 0x76], [0x7c, 0x7f], [0xc2, 0xc2], [0xc4, 0xc6], [0xd0, 0xfe]),
    hasImmediate: within([0x70, 0x73], [0xc2, 0xc2], [0xc4, 0xc6]) },
  { map: '0F 38', is: within([0x00, 0x0b], [0x10, 0x10], [0x14, 0x15], [0x17, 0x17], [0x1c, 0x1e], [0x20, 0x25], [0x28, 0x2b],
    [0x30, 0x41], [0xc8, 0xcd], [0xcf, 0xcf], [0xd8, 0xd8], [0xdb, 0xdf], [0xfa, 0xfb]), hasImmediate: () => false },
  { map: '0F 3A', is: within([0x08, 0x0f], [0x14, 0x17], [0x20, 0x22], [0x40, 0x42], [0x44, 0x44], [0x60, 0x63], [0xcc, 0xcc],
    [0xce, 0xcf], [0xdf, 0xdf], [0xf0, 0xf0]), hasImmediate: () => true },
];
const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const VECTOR_ROWS: readonly Row[] = VECTORS.flatMap(({ map, is, hasImmediate }) =>
  bytes.filter(is).map((byte) => {
    const opcode = `${map} ${byte.toString(16).toUpperCase().padStart(2, '0')} /r${hasImmediate(byte) ? ' ib' : ''}`;
    return row(opcode, '', '(vector)', '', NO_FLAGS, notModelled('SSE'));
  }));

export const REFUSED: readonly Row[] = [
  ...MACHINE, ...CET, ...VIRTUAL, ...XSAVE, ...X87, ...VECTOR_ROWS,
  // Their length is read by `vex.ts`; no row has it.
  row('C4', '', '(vex)', '', NO_FLAGS, notModelled('AVX')),
  row('C5', '', '(vex)', '', NO_FLAGS, notModelled('AVX')),
  row('62', '', '(evex)', '', NO_FLAGS, notModelled('AVX-512')),
];
