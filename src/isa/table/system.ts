/** Instructions for the kernel. */
// biome-ignore-all format: a row is a line
import type { Row } from '../instruction.ts';
import { effects, row } from '../notation.ts';
import { erets, eretu, nop } from '../semantics/control.ts';
import * as ports from '../semantics/ports.ts';
import * as id from '../semantics/processor-id.ts';
import * as registers from '../semantics/registers.ts';
import * as segment from '../semantics/segment.ts';
import * as system from '../semantics/system.ts';
import * as systemCall from '../semantics/system-call.ts';
import * as tables from '../semantics/tables.ts';
import { SEGMENT } from '../state.ts';
import { NO_FLAGS, plus } from './flags.ts';

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

/** INS and OUTS: repeated by either prefix. Only the count depends on the address size, as nothing is moved. */
const portRows = (opcode: string, operands: string, name: string, widths: string): readonly Row[] =>
  ['', '67 '].flatMap((short) => {
    const title = `${short ? 'addr32 ' : ''}`;
    const repeated = short ? ports.repTransferStringShort : ports.repTransferString;
    return [
      row(`${short}${opcode}`, operands, `${title}${name}*`, widths, NO_FLAGS, ports.transferString),
      row(`${short}F3 ${opcode}`, operands, `${title}rep ${name}*`, widths, NO_FLAGS, repeated),
      row(`${short}F2 ${opcode}`, operands, `${title}repnz ${name}*`, widths, NO_FLAGS, repeated),
    ];
  });

export const SYSTEM: readonly Row[] = [
  row('F4', '', 'hlt', '', NO_FLAGS, system.hlt),
  row('0F 01 F8', '', 'swapgs', '', NO_FLAGS, system.swapgs),
  row('0F 05', '', 'syscall', '', effects('OSZAPCDTINR', '', 'OSZAPCDTINR'), systemCall.syscall),
  row('REX.W 0F 07', '', 'sysretq', '', effects('OSZAPCDTINR'), systemCall.sysretq),
  row('0F 07', '', 'sysretl', '', NO_FLAGS, systemCall.sysretl),
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
  row('F3 0F 09', '', 'wbnoinvd', '', NO_FLAGS, system.privilegedNop),

  row('F3 0F AE /0', 'R', 'rdfsbase', '32 64', NO_FLAGS, system.readBase('fsBase')),
  row('F3 0F AE /1', 'R', 'rdgsbase', '32 64', NO_FLAGS, system.readBase('gsBase')),
  row('F3 0F AE /2', 'R', 'wrfsbase', '32 64', NO_FLAGS, system.writeBase('fsBase')),
  row('F3 0F AE /3', 'R', 'wrgsbase', '32 64', NO_FLAGS, system.writeBase('gsBase')),
  // ModRM.rm says nothing (SDM vol 2, LFENCE, MFENCE, SFENCE).
  ...([['lfence', 0xe8], ['mfence', 0xf0], ['sfence', 0xf8]] as const).flatMap(([name, first]) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((n) => row(`NP 0F AE ${plus(first, n)}`, '', name, '', NO_FLAGS, nop))),
  row('NP 0F AE /7', 'm8', 'clflush', '', NO_FLAGS, system.cacheLine),
  row('66 0F AE /7', 'm8', 'clflushopt', '', NO_FLAGS, system.cacheLine),
  row('66 0F AE /6', 'm8', 'clwb', '', NO_FLAGS, system.cacheLine),
  row('NP 0F 01 E8', '', 'serialize', '', NO_FLAGS, nop),
  row('66 0F 38 82 /r', 'r64,m', 'invpcid', '', NO_FLAGS, system.invpcid),

  row('0F A2', '', 'cpuid', '', NO_FLAGS, id.cpuid),
  row('0F 31', '', 'rdtsc', '', NO_FLAGS, id.rdtsc),
  row('0F 01 F9', '', 'rdtscp', '', NO_FLAGS, id.rdtscp),
  row('F3 0F C7 /7', 'R64', 'rdpid', '', NO_FLAGS, id.rdpid),
  row('E4 ib', 'A,i8', 'in', '8', NO_FLAGS, ports.input),
  row('E5 ib', 'A,i8', 'in', '16 32', NO_FLAGS, ports.input),
  row('EC', 'A,dx', 'in', '8', NO_FLAGS, ports.input),
  row('ED', 'A,dx', 'in', '16 32', NO_FLAGS, ports.input),
  row('E6 ib', 'i8,A', 'out', '8', NO_FLAGS, ports.output),
  row('E7 ib', 'i8,A', 'out', '16 32', NO_FLAGS, ports.output),
  row('EE', 'dx,A', 'out', '8', NO_FLAGS, ports.output),
  row('EF', 'dx,A', 'out', '16 32', NO_FLAGS, ports.output),
  ...['6C', '6D'].flatMap((opcode, n) => portRows(opcode, '', 'ins', n === 0 ? '8' : '16 32')),
  ...['6E', '6F'].flatMap((opcode, n) => portRows(opcode, 'si', 'outs', n === 0 ? '8' : '16 32')),

  row('0F 34', '', 'sysenter', '', effects('I'), systemCall.sysenter),
  row('REX.W 0F 35', '', 'sysexitq', '', NO_FLAGS, systemCall.sysexitq),
  row('0F 35', '', 'sysexit', '', NO_FLAGS, systemCall.sysexit),
  row('F2 0F 01 CA', '', 'erets', '', effects('OSZAPCDTINR'), erets),
  row('F3 0F 01 CA', '', 'eretu', '', effects('OSZAPCDTINR'), eretu),
  row('F2 0F 00 /6', 'rm16', 'lkgs', '', NO_FLAGS, segment.lkgs),
  // WRMSR that does not serialise: there is nothing to serialise here.
  row('NP 0F 01 C6', '', 'wrmsrns', '', NO_FLAGS, registers.wrmsr),
];
