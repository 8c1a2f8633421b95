/** Instructions for the kernel, and what is recognised but not modelled. */
// biome-ignore-all format: a row is a line
import type { Row } from '../instruction.ts';
import { effects, row } from '../notation.ts';
import { nop, notModelled } from '../semantics/control.ts';
import * as registers from '../semantics/registers.ts';
import * as segment from '../semantics/segment.ts';
import * as system from '../semantics/system.ts';
import * as tables from '../semantics/tables.ts';
import { SEGMENT } from '../state.ts';
import { NO_FLAGS } from './flags.ts';

const storeSegments = SEGMENT.flatMap((name, n) => {
  const semantics = segment.storeSegment(name);
  return [row(`8C /${n}`, `R,${name}`, 'mov', '16 32 64', NO_FLAGS, semantics),
    row(`8C /${n}`, `m16,${name}`, 'mov', '', NO_FLAGS, semantics)];
});
const loadSegments = ([['es', 0], ['ds', 3], ['fs', 4], ['gs', 5]] as const).flatMap(([name, n]) => {
  const semantics = segment.loadSegment(name);
  return [row(`8E /${n}`, `${name},Rs32`, 'mov', '', NO_FLAGS, semantics),
    row(`8E /${n}`, `${name},m16`, 'mov', '', NO_FLAGS, semantics)];
});
const DEBUG = [0, 1, 2, 3, 6, 7] as const;
const debugRows = DEBUG.flatMap((n) => [
  row(`0F 21 /${n}`, `R*64,dr${n}`, 'mov', '', NO_FLAGS, registers.readDebug(`dr${n}`)),
  row(`0F 23 /${n}`, `dr${n},R*64`, 'mov', '', NO_FLAGS, registers.writeDebug(`dr${n}`)),
]);

export const SYSTEM: readonly Row[] = [
  row('F4', '', 'hlt', '', NO_FLAGS, system.hlt),
  row('0F 01 F8', '', 'swapgs', '', NO_FLAGS, system.swapgs),
  row('0F 05', '', 'syscall', '', effects('OSZAPCDTINR', '', 'OSZAPCDTINR'), system.syscall),
  row('REX.W 0F 07', '', 'sysretq', '', effects('OSZAPCDTINR'), system.sysretq),
  row('0F 07', '', 'sysretl', '', NO_FLAGS, notModelled('SYSRET to 32 bits')),
  row('0F 32', '', 'rdmsr', '', NO_FLAGS, registers.rdmsr),
  row('0F 30', '', 'wrmsr', '', NO_FLAGS, registers.wrmsr),
  row('NP 0F 01 CA', '', 'clac', '', NO_FLAGS, system.clac),
  row('NP 0F 01 CB', '', 'stac', '', NO_FLAGS, system.stac),

  row('0F 20 /0', 'R*64,cr0', 'mov', '', NO_FLAGS, registers.readControl('cr0')),
  row('0F 20 /2', 'R*64,cr2', 'mov', '', NO_FLAGS, registers.readControl('cr2')),
  row('0F 20 /3', 'R*64,cr3', 'mov', '', NO_FLAGS, registers.readControl('cr3')),
  row('0F 20 /4', 'R*64,cr4', 'mov', '', NO_FLAGS, registers.readControl('cr4')),
  row('REX.R 0F 20 /0', 'R*64,cr8', 'mov', '', NO_FLAGS, registers.readControl('cr8')),
  row('0F 22 /0', 'cr0,R*64', 'mov', '', NO_FLAGS, registers.writeCr0),
  row('0F 22 /2', 'cr2,R*64', 'mov', '', NO_FLAGS, registers.writeCr2),
  row('0F 22 /3', 'cr3,R*64', 'mov', '', NO_FLAGS, registers.writeCr3),
  row('0F 22 /4', 'cr4,R*64', 'mov', '', NO_FLAGS, registers.writeCr4),
  row('REX.R 0F 22 /0', 'cr8,R*64', 'mov', '', NO_FLAGS, registers.writeCr8),
  ...debugRows,
  row('0F 21 /4', 'R*64,dr4', 'mov', '', NO_FLAGS, registers.readDebug('dr6', true)),
  row('0F 23 /4', 'dr4,R*64', 'mov', '', NO_FLAGS, registers.writeDebug('dr6', true)),
  row('0F 21 /5', 'R*64,dr5', 'mov', '', NO_FLAGS, registers.readDebug('dr7', true)),
  row('0F 23 /5', 'dr5,R*64', 'mov', '', NO_FLAGS, registers.writeDebug('dr7', true)),
  row('0F 06', '', 'clts', '', NO_FLAGS, registers.clts),

  ...storeSegments,
  ...loadSegments,
  row('8E /2', 'ss,Rs32', 'mov', '', NO_FLAGS, segment.loadStackSegment),
  row('8E /2', 'ss,m16', 'mov', '', NO_FLAGS, segment.loadStackSegment),
  row('0F A0', 'fs', 'push', '16 64', NO_FLAGS, segment.pushSegment('fs')),
  row('0F A8', 'gs', 'push', '16 64', NO_FLAGS, segment.pushSegment('gs')),
  row('0F A1', 'fs', 'pop', '16 64', NO_FLAGS, segment.popSegment('fs')),
  row('0F A9', 'gs', 'pop', '16 64', NO_FLAGS, segment.popSegment('gs')),
  row('0F B2 /r', 'r,m', 'lss', '16 32 64', NO_FLAGS, segment.loadFarPointer('ss')),
  row('0F B4 /r', 'r,m', 'lfs', '16 32 64', NO_FLAGS, segment.loadFarPointer('fs')),
  row('0F B5 /r', 'r,m', 'lgs', '16 32 64', NO_FLAGS, segment.loadFarPointer('gs')),
  row('0F 03 /r', 'r,Rs16', 'lsl', '16 32 64', effects('Z'), tables.lsl),
  row('0F 03 /r', 'r,m16', 'lsl', '16 32 64', effects('Z'), tables.lsl),
  row('0F 02 /r', 'r,Rs16', 'lar', '16 32 64', effects('Z'), tables.lar),
  row('0F 02 /r', 'r,m16', 'lar', '16 32 64', effects('Z'), tables.lar),
  row('0F 00 /5', 'rm16', 'verw', '', effects('Z'), tables.verw),
  row('0F 00 /4', 'rm16', 'verr', '', effects('Z'), tables.verr),
  row('0F 00 /3', 'rm16', 'ltr', '', NO_FLAGS, tables.ltr),
  row('0F 00 /2', 'rm16', 'lldt', '', NO_FLAGS, tables.lldt),
  row('0F 00 /1', 'R', 'str', '16 32 64', NO_FLAGS, tables.storeSystemRegister('tr')),
  row('0F 00 /1', 'm16', 'str', '', NO_FLAGS, tables.storeSystemRegister('tr')),
  row('0F 00 /0', 'R', 'sldt', '16 32 64', NO_FLAGS, tables.storeSystemRegister('ldtr')),
  row('0F 00 /0', 'm16', 'sldt', '', NO_FLAGS, tables.storeSystemRegister('ldtr')),
  row('0F 01 /0', 'm64', 'sgdt', '', NO_FLAGS, tables.storeTable('gdtBase', 'gdtLimit')),
  row('0F 01 /1', 'm64', 'sidt', '', NO_FLAGS, tables.storeTable('idtBase', 'idtLimit')),
  row('0F 01 /2', 'm64', 'lgdt', '', NO_FLAGS, tables.loadTable('gdtBase', 'gdtLimit')),
  row('0F 01 /3', 'm64', 'lidt', '', NO_FLAGS, tables.loadTable('idtBase', 'idtLimit')),
  row('0F 01 /4', 'R', 'smsw', '16 32 64', NO_FLAGS, tables.storeSystemRegister('cr0')),
  row('0F 01 /4', 'm16', 'smsw', '', NO_FLAGS, tables.storeSystemRegister('cr0')),
  row('0F 01 /6', 'rm16', 'lmsw', '', NO_FLAGS, tables.lmsw),
  row('0F 01 /7', 'm8', 'invlpg', '', NO_FLAGS, system.invlpg),
  row('0F 08', '', 'invd', '', NO_FLAGS, system.privilegedNop),
  row('0F 09', '', 'wbinvd', '', NO_FLAGS, system.privilegedNop),

  row('F3 0F AE /0', 'R', 'rdfsbase', '32 64', NO_FLAGS, system.readBase('fsBase')),
  row('F3 0F AE /1', 'R', 'rdgsbase', '32 64', NO_FLAGS, system.readBase('gsBase')),
  row('F3 0F AE /2', 'R', 'wrfsbase', '32 64', NO_FLAGS, system.writeBase('fsBase')),
  row('F3 0F AE /3', 'R', 'wrgsbase', '32 64', NO_FLAGS, system.writeBase('gsBase')),
  row('NP 0F AE E8', '', 'lfence', '', NO_FLAGS, nop),
  row('NP 0F AE F0', '', 'mfence', '', NO_FLAGS, nop),
  row('NP 0F AE F8', '', 'sfence', '', NO_FLAGS, nop),
  row('NP 0F AE /7', 'm8', 'clflush', '', NO_FLAGS, notModelled('CLFLUSH')),

  // FRED and what else a kernel may meet; the engine may come to know some of these.
  row('F2 0F 01 CA', '', 'erets', '', NO_FLAGS, notModelled('ERETS')),
  row('F3 0F 01 CA', '', 'eretu', '', NO_FLAGS, notModelled('ERETU')),
  row('F2 0F 00 /6', 'rm16', 'lkgs', '', NO_FLAGS, notModelled('LKGS')),
  row('NP 0F 01 C6', '', 'wrmsrns', '', NO_FLAGS, notModelled('WRMSRNS')),
  row('0F A2', '', 'cpuid', '', NO_FLAGS, notModelled('CPUID')),
  row('0F 31', '', 'rdtsc', '', NO_FLAGS, notModelled('RDTSC')),
  row('0F 33', '', 'rdpmc', '', NO_FLAGS, notModelled('RDPMC')),
  row('0F 01 F9', '', 'rdtscp', '', NO_FLAGS, notModelled('RDTSCP')),
  row('F3 0F C7 /7', 'R64', 'rdpid', '', NO_FLAGS, notModelled('RDPID')),
  row('0F C7 /6', 'R', 'rdrand', '16 32 64', NO_FLAGS, notModelled('RDRAND')),
  row('0F C7 /7', 'R', 'rdseed', '16 32 64', NO_FLAGS, notModelled('RDSEED')),
  row('REX.W 0F C7 /1', 'm', 'cmpxchg16b', '', effects('Z'), notModelled('CMPXCHG16B')),
  row('0F C7 /1', 'm64', 'cmpxchg8b', '', effects('Z'), notModelled('CMPXCHG8B')),
  row('NP 0F 01 C1', '', 'vmcall', '', NO_FLAGS, notModelled('VMCALL')),
  row('0F 01 D9', '', 'vmmcall', '', NO_FLAGS, notModelled('VMMCALL')),
  row('NP 0F 01 D0', '', 'xgetbv', '', NO_FLAGS, notModelled('XGETBV')),
  row('NP 0F 01 D1', '', 'xsetbv', '', NO_FLAGS, notModelled('XSETBV')),
  row('NP 0F 01 C8', '', 'monitor', '', NO_FLAGS, notModelled('MONITOR')),
  row('NP 0F 01 C9', '', 'mwait', '', NO_FLAGS, notModelled('MWAIT')),
  row('0F 34', '', 'sysenter', '', NO_FLAGS, notModelled('SYSENTER')),
  row('0F 35', '', 'sysexit', '', NO_FLAGS, notModelled('SYSEXIT')),
  row('E4 ib', 'al,i8', 'in', '', NO_FLAGS, notModelled('IN')),
  row('EC', '', '(in)', '', NO_FLAGS, notModelled('IN')),
  row('E5', '', '(in)', '', NO_FLAGS, notModelled('IN')),
  row('ED', '', '(in)', '', NO_FLAGS, notModelled('IN')),
  row('E6 ib', 'i8,al', 'out', '', NO_FLAGS, notModelled('OUT')),
  row('E7', '', '(out)', '', NO_FLAGS, notModelled('OUT')),
  row('EE', '', '(out)', '', NO_FLAGS, notModelled('OUT')),
  row('EF', '', '(out)', '', NO_FLAGS, notModelled('OUT')),
  ...['6C', '6D', '6E', '6F'].map((opcode) => row(opcode, '', '(ins or outs)', '', NO_FLAGS, notModelled('INS and OUTS'))),
  row('D7', '', 'xlat', '', NO_FLAGS, notModelled('XLAT')),
  row('9B', '', 'fwait', '', NO_FLAGS, notModelled('x87')),
  ...['D8', 'D9', 'DA', 'DB', 'DC', 'DD', 'DE', 'DF'].map((opcode) => row(opcode, '', '(x87)', '', NO_FLAGS, notModelled('x87'))),
  row('67', '', '(addr32)', '', NO_FLAGS, notModelled('32-bit addresses')),
  row('C4', '', '(vex)', '', NO_FLAGS, notModelled('AVX')),
  row('C5', '', '(vex)', '', NO_FLAGS, notModelled('AVX')),
  row('62', '', '(evex)', '', NO_FLAGS, notModelled('AVX-512')),
  row('NP 0F AE /0', 'm8', 'fxsave', '', NO_FLAGS, notModelled('FXSAVE')),
  row('NP 0F AE /1', 'm8', 'fxrstor', '', NO_FLAGS, notModelled('FXRSTOR')),
  row('NP 0F AE /2', 'm32', 'ldmxcsr', '', NO_FLAGS, notModelled('LDMXCSR')),
  row('NP 0F AE /3', 'm32', 'stmxcsr', '', NO_FLAGS, notModelled('STMXCSR')),
  row('NP 0F AE /4', 'm8', 'xsave', '', NO_FLAGS, notModelled('XSAVE')),
  row('NP 0F AE /5', 'm8', 'xrstor', '', NO_FLAGS, notModelled('XRSTOR')),
  row('NP 0F AE /6', 'm8', 'xsaveopt', '', NO_FLAGS, notModelled('XSAVEOPT')),
];

/** Opcodes behind 0F that belong to MMX, SSE and their successors (SDM vol 2, table A-3). */
const isVector = (byte: number): boolean =>
  (byte >= 0x10 && byte <= 0x17) || (byte >= 0x28 && byte <= 0x2f) || byte === 0x38 || byte === 0x3a ||
  (byte >= 0x50 && byte <= 0x77) || (byte >= 0x7c && byte <= 0x7f) || byte === 0xc2 ||
  (byte >= 0xc4 && byte <= 0xc6) || (byte >= 0xd0 && byte <= 0xfe);
export const VECTOR_ROWS: readonly Row[] = Array.from({ length: 256 }, (_, byte) => byte).filter(isVector)
  .map((byte) => row(`0F ${byte.toString(16).toUpperCase()}`, '', '(vector)', '', NO_FLAGS, notModelled('SSE')));
