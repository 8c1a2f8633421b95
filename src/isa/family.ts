/** Which encodings a reference page tells together: those a reader looks up under one name. */
import type { Row } from './instruction.ts';

/** Mnemonics that stand under another one's name, family by family. */
const MEMBERS: Readonly<Record<string, string>> = {
  mov: 'movabs',
  movzx: 'movzb movzw',
  movsx: 'movsb movsw movsl movsxd',
  cbw: 'cbtw cwtl cltq',
  cwd: 'cwtd cltd cqto',
  iretq: 'iret',
  lfs: 'lgs lss',
  sysretq: 'sysretl',
  sysexitq: 'sysexit',
  jrcxz: 'jecxz',
  loop: 'loope loopne loopl loopel loopnel',
  ud2: 'ud0 ud1',
  endbr64: 'endbr32',
  prefetch: 'prefetchnta prefetcht0 prefetcht1 prefetcht2 prefetchw prefetchwt1',
  rdfsbase: 'rdgsbase',
  wrfsbase: 'wrgsbase',
  crc32: 'crc32b',
  shlx: 'shrx sarx',
  clflush: 'clflushopt clwb',
  wbinvd: 'wbnoinvd',
  rdpmc: 'rdpru',
  monitor: 'monitorx umonitor',
  mwait: 'mwaitx umwait tpause',
  invlpgb: 'tlbsync',
  rdmsrlist: 'wrmsrlist',
  rdpkru: 'wrpkru',
  enqcmd: 'enqcmds',
  'user-interrupts': 'uiret testui clui stui senduipi',
  'shadow-stack':
    'rdsspd rdsspq incsspd incsspq clrssbsy rstorssp setssbsy saveprevssp wrssd wrssq wrussd wrussq',
  vmx: 'vmcall vmlaunch vmresume vmxoff vmfunc vmptrld vmclear vmxon vmptrst vmread vmwrite invept invvpid',
  svm: 'vmrun vmmcall vmload vmsave stgi clgi skinit invlpga',
  sev: 'vmgexit pvalidate psmash rmpupdate rmpadjust rmpquery',
  tdx: 'tdcall seamret seamops seamcall',
  sgx: 'encls enclu enclv',
  tsx: 'xbegin xend xabort xtest',
  fxsave: 'fxsave64',
  fxrstor: 'fxrstor64',
  xsave: 'xsave64 xsaveopt xsaveopt64 xsavec xsavec64 xsaves xsaves64',
  xrstor: 'xrstor64 xrstors xrstors64',
  x87: '3dnow emms femms',
  sse: 'vector',
  avx: 'vex evex',
};
const FAMILY: ReadonlyMap<string, string> = new Map(
  Object.entries(MEMBERS).flatMap(([family, names]) =>
    names.split(' ').map((name): [string, string] => [name, family]),
  ),
);

/** Registers that make a MOV an instruction of its own (SDM vol 2, MOV). */
const MOVES: readonly (readonly [registers: RegExp, family: string])[] = [
  [/\bcr\d/, 'mov-cr'],
  [/\bdr\d/, 'mov-dr'],
  [/\b[c-gs]s\b/, 'mov-seg'],
];

/** The family of a row, also the last part of its page's address: `jcc` for JNE, `mov-cr` for a MOV to CR3. */
export function familyOf({ mnemonic, operands }: Pick<Row, 'mnemonic' | 'operands'>): string {
  const name = mnemonic.replace(/^\((.*)\)$/, '$1').replace(/^(addr32 )?(rep(n?z)? )?/, '');
  if (name === 'mov') return MOVES.find(([registers]) => registers.test(operands))?.[1] ?? name;
  const [, stem] = /^(j|set|cmov)(?:n?[ospble]|ae?|be|ge?|[ln]e)$/.exec(name) ?? [];
  return stem === undefined ? (FAMILY.get(name) ?? name) : `${stem}cc`;
}
