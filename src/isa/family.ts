/** Which encodings a reference page tells together: those a reader looks up under one name. */
import type { Row } from './instruction.ts';

/** Mnemonics that stand under another one's name, family by family. */
const MEMBERS: Readonly<Record<string, string>> = {
  mov: 'movabs',
  movzx: 'movzb movzw',
  movsx: 'movsb movsw movsl movsxd',
  cbw: 'cbtw cwtl cltq',
  cwd: 'cwtd cltd cqto',
  pushf: 'pushfw',
  popf: 'popfw',
  iretq: 'iret',
  lfs: 'lgs lss',
  sysretq: 'sysretl',
  loop: 'loope loopne',
  ud2: 'ud0 ud1',
  endbr64: 'endbr32',
  prefetch: 'prefetchnta prefetcht0 prefetcht1 prefetcht2 prefetchw prefetchwt1',
  rdfsbase: 'rdgsbase',
  wrfsbase: 'wrgsbase',
  ins: 'ins or outs',
  sse: 'vector',
  avx: 'vex evex',
};
const FAMILY: ReadonlyMap<string, string> = new Map(
  Object.entries(MEMBERS).flatMap(([family, names]) =>
    (family === 'ins' ? [names] : names.split(' ')).map((name): [string, string] => [name, family]),
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
  const name = mnemonic.replace(/^\((.*)\)$/, '$1').replace(/^rep(n?z)? /, '');
  if (name === 'mov') return MOVES.find(([registers]) => registers.test(operands))?.[1] ?? name;
  const [, stem] = /^(j|set|cmov)(?:n?[ospble]|ae?|be|ge?|[ln]e)$/.exec(name) ?? [];
  return stem === undefined ? (FAMILY.get(name) ?? name) : `${stem}cc`;
}
