/** What the manual calls the words of the state block; registers are written in capitals. */
import type { Field } from '../../isa/state.ts';

const NAMES: Readonly<Partial<Record<Field, string>>> = {
  rflagsRest: 'RFLAGS',
  fsBase: 'FS.base',
  gsBase: 'GS.base',
  kernelGsBase: 'KERNEL_GS_BASE',
  idtBase: 'IDTR.base',
  idtLimit: 'IDTR.limit',
  gdtBase: 'GDTR.base',
  gdtLimit: 'GDTR.limit',
  ldtr: 'LDTR',
  ldtBase: 'LDTR.base',
  ldtLimit: 'LDTR.limit',
  tr: 'TR',
  tssBase: 'TR.base',
  tssLimit: 'TR.limit',
  dataPrivilege: 'hidden',
  tscAux: 'TSC_AUX',
  mcgStatus: 'MCG_STATUS',
  sysenterCs: 'SYSENTER_CS',
  sysenterEsp: 'SYSENTER_ESP',
  sysenterEip: 'SYSENTER_EIP',
  fredConfig: 'FRED_CONFIG',
  fredStklvls: 'FRED_STKLVLS',
  fredRsp0: 'FRED_RSP0',
  fredRsp1: 'FRED_RSP1',
  fredRsp2: 'FRED_RSP2',
  fredRsp3: 'FRED_RSP3',
  userCet: 'U_CET',
  supervisorCet: 'S_CET',
  nmiBlocked: 'NMI_blocked',
  nmiPending: 'NMI_pending',
  mcPending: 'machine_check_pending',
  irqPending: 'interrupt_pending',
  halted: 'halted',
  shadow: 'shadow',
  debugTrap: 'debug_bits',
  armedBreakpoints: 'armed',
  metBreakpoints: 'met',
  pendingKind: 'pending.kind',
  pendingVector: 'pending.vector',
  pendingCode: 'pending.error_code',
  pendingRip: 'pending.rip',
  pendingInfo: 'pending.info',
  raisedVector: 'raised.vector',
  raisedCode: 'raised.error_code',
  attention: 'attention',
};

export const fieldName = (field: Field): string => NAMES[field] ?? field.toUpperCase();

type Fields = Readonly<Record<string, string>>;
/** Bits by `low` or `high:low` (SDM vol 3, 2.2.1, 2.5, 3.4.2, 3.4.5 and 17.2; vol 4, IA32_U_CET). */
const CR0: Fields = { 0: 'PE', 3: 'TS', 16: 'WP', 29: 'NW', 30: 'CD', 31: 'PG' };
const CR4: Fields = {
  3: 'DE',
  5: 'PAE',
  11: 'UMIP',
  12: 'LA57',
  16: 'FSGSBASE',
  17: 'PCIDE',
  20: 'SMEP',
  21: 'SMAP',
  23: 'CET',
  32: 'FRED',
};
const EFER: Fields = { 0: 'SCE', 8: 'LME', 10: 'LMA', 11: 'NXE' };
const DR7: Fields = { 13: 'GD' };
const CET: Fields = { 2: 'ENDBR_EN', 4: 'NO_TRACK_EN', 10: 'SUPPRESS', 11: 'TRACKER' };
const SELECTOR: Fields = { '1:0': 'RPL', 2: 'TI' };
const DESCRIPTOR: Fields = {
  '15:0': 'limit[15:0]',
  '51:48': 'limit[19:16]',
  '44:41': 'S:type[3:1]',
  '44:42': 'S:type[3:2]',
  '44:40': 'S:type',
  41: 'W',
  42: 'C',
  43: 'code',
  '39:16': 'base[23:0]',
  '63:56': 'base[31:24]',
  '43:40': 'type',
  44: 'S',
  '46:45': 'DPL',
  47: 'P',
  53: 'L',
  54: 'D',
  55: 'G',
};
const NAMED: Readonly<Record<string, Fields>> = {
  CR0,
  CR4,
  EFER,
  DR7,
  CET,
  U_CET: CET,
  S_CET: CET,
  selector: SELECTOR,
  descriptor: DESCRIPTOR,
};

/** Name of a bit field, where the manual has one: `SCE` for bit 0 of EFER. */
export const fieldOf = (of: string, low: number, count: number): string | undefined =>
  NAMED[of]?.[count === 1 ? `${low}` : `${low + count - 1}:${low}`];

/** Model-specific registers by number (SDM vol 4, table 2-2). */
const REGISTERS: ReadonlyMap<string, string> = new Map([
  ['72', 'IA32_SPEC_CTRL'],
  ['73', 'IA32_PRED_CMD'],
  ['0x174', 'IA32_SYSENTER_CS'],
  ['0x175', 'IA32_SYSENTER_ESP'],
  ['0x176', 'IA32_SYSENTER_EIP'],
  ['0x17a', 'IA32_MCG_STATUS'],
  ['0x1cc', 'IA32_FRED_RSP0'],
  ['0x1cd', 'IA32_FRED_RSP1'],
  ['0x1ce', 'IA32_FRED_RSP2'],
  ['0x1cf', 'IA32_FRED_RSP3'],
  ['0x1d0', 'IA32_FRED_STKLVLS'],
  ['0x1d1', 'IA32_FRED_SSP1'],
  ['0x1d2', 'IA32_FRED_SSP2'],
  ['0x1d3', 'IA32_FRED_SSP3'],
  ['0x1d4', 'IA32_FRED_CONFIG'],
  ['0x6a0', 'IA32_U_CET'],
  ['0x6a2', 'IA32_S_CET'],
  ['0x6a4', 'IA32_PL0_SSP'],
  ['0x6a5', 'IA32_PL1_SSP'],
  ['0x6a6', 'IA32_PL2_SSP'],
  ['0x6a7', 'IA32_PL3_SSP'],
  ['0x6a8', 'IA32_INTERRUPT_SSP_TABLE_ADDR'],
  ['0xc0000080', 'IA32_EFER'],
  ['0xc0000081', 'IA32_STAR'],
  ['0xc0000082', 'IA32_LSTAR'],
  ['0xc0000083', 'IA32_CSTAR'],
  ['0xc0000084', 'IA32_FMASK'],
  ['0xc0000100', 'IA32_FS_BASE'],
  ['0xc0000101', 'IA32_GS_BASE'],
  ['0xc0000102', 'IA32_KERNEL_GS_BASE'],
  ['0xc0000103', 'IA32_TSC_AUX'],
]);
/** A number as what it is compared with makes one call it: in ECX it selects a model-specific register. */
export const numberIn = (place: string, number: string): string =>
  place === 'ECX' ? (REGISTERS.get(number) ?? number) : number;
