/** What a mnemonic may mean: the encodings and widths behind a spelling. */
import { familyOf } from './family.ts';
import { type Encoding, SUFFIX } from './notation.ts';
import type { Width } from './ops.ts';
import { ENCODINGS, widthsOf } from './table/index.ts';

export interface Meaning {
  readonly encoding: Encoding;
  readonly width: Width;
  /** Whether the spelling tells the width. */
  readonly suffixed: boolean;
  /** MOVABS under the name of MOV: only for what no shorter MOV can say. */
  readonly wideOnly: boolean;
}

/** Other spellings of conditions (SDM vol 1, appendix B). */
const CONDITION_ALIAS: Readonly<Record<string, string>> = {
  b: 'c nae',
  ae: 'nc nb',
  e: 'z',
  ne: 'nz',
  be: 'na',
  a: 'nbe',
  p: 'pe',
  np: 'po',
  l: 'nge',
  ge: 'nl',
  le: 'ng',
  g: 'nle',
};

const ALIAS: Readonly<Record<string, string>> = {
  shl: 'sal',
  loope: 'loopz',
  loopne: 'loopnz',
  loopel: 'loopzl',
  loopnel: 'loopnzl',
  int1: 'icebp',
  sysretq: 'sysret',
};
/** Spellings that take no suffix, Intel's and those that cover several rows. */
const FIXED_ALIAS: Readonly<Record<string, string>> = {
  cbtw: 'cbw',
  cwtl: 'cwde',
  cltq: 'cdqe',
  cwtd: 'cwd',
  cltd: 'cdq',
  cqto: 'cqo',
  movzb: 'movzx',
  movzw: 'movzx',
  movsb: 'movsx',
  movsw: 'movsx',
  movsl: 'movsx movsxd',
};
const split = (names: string | undefined): readonly string[] => names?.split(' ') ?? [];
/** Names that begin with a prefix. */
const PREFIXED_ALIAS: Readonly<Record<string, readonly string[]>> = {
  loopl: ['addr32 loop'],
  loopel: ['addr32 loope', 'addr32 loopz'],
  loopnel: ['addr32 loopne', 'addr32 loopnz'],
};

/** Names a row goes by, its own first. */
function namesOf({ row: { mnemonic } }: Encoding): readonly string[] {
  const [, stem = '', code = ''] = /^(j|set|cmov)([a-z]+)$/.exec(mnemonic) ?? [];
  const repeated = /^(addr32 )?rep /.test(mnemonic) ? [mnemonic.replace('rep ', 'repz ')] : [];
  return [
    mnemonic,
    ...split(CONDITION_ALIAS[code]).map((other) => stem + other),
    ...split(ALIAS[mnemonic]),
    ...(PREFIXED_ALIAS[mnemonic] ?? []),
    ...repeated,
  ];
}

/**
 * MOV of a selector may be written with any suffix from w up, MOV of a control or debug register with q. What
 * stores a selector or the machine status word to memory stores 16 bits, and may say so.
 */
const suffixedNames = ({ row, forms }: Encoding): readonly string[] => {
  if (/^(str|sldt|smsw)$/.test(row.mnemonic)) return row.operands === 'm16' ? [`${row.mnemonic}w`] : [];
  if (row.mnemonic !== 'mov') return [];
  if (forms.some((form) => form.anyWidth)) return ['movw', 'movl', 'movq'];
  return row.operands.includes('R*') ? ['movq'] : row.operands.includes('m16') ? ['movw'] : [];
};

const MEANINGS: ReadonlyMap<string, readonly Meaning[]> = (() => {
  const meanings = new Map<string, Meaning[]>();
  const add = (name: string, meaning: Meaning): void => {
    const list = meanings.get(name) ?? [];
    list.push(meaning);
    meanings.set(name, list);
  };
  for (const encoding of ENCODINGS) {
    const { row, suffixable } = encoding;
    if (row.mnemonic.startsWith('(')) continue;
    // The name of a string instruction without a suffix means nothing; that of MOVZB does.
    const bare = row.suffix === 'where needed' || !/^(si)?$/.test(row.operands);
    for (const width of widthsOf(encoding)) {
      for (const name of namesOf(encoding)) {
        if (bare) add(name, { encoding, width, suffixed: !suffixable, wideOnly: false });
        if (suffixable) add(name + SUFFIX[width], { encoding, width, suffixed: true, wideOnly: false });
      }
      for (const name of split(FIXED_ALIAS[row.mnemonic]))
        add(name, { encoding, width, suffixed: !suffixable, wideOnly: false });
      for (const name of suffixedNames(encoding))
        add(name, { encoding, width, suffixed: true, wideOnly: false });
      if (row.mnemonic === 'movabs' && row.opcode.endsWith('io')) {
        add('mov', { encoding, width, suffixed: false, wideOnly: true });
        add('movq', { encoding, width, suffixed: true, wideOnly: true });
      }
    }
  }
  return meanings;
})();

/** The meanings of a spelling, in table order; none if it is unknown. */
export const meaningsOf = (spelling: string): readonly Meaning[] => MEANINGS.get(spelling) ?? [];

export const MNEMONICS: readonly string[] = [...MEANINGS.keys()].filter((name) => !name.includes(' ')).sort();

/** Families of the instructions a spelling may mean, the one it is named after first: `movq` is MOV, also to CR3. */
export function familiesOf(spelling: string): readonly string[] {
  const families = [...new Set(meaningsOf(spelling).map(({ encoding }) => familyOf(encoding.row)))];
  return families.sort((a, b) => Number(spelling.startsWith(b)) - Number(spelling.startsWith(a)));
}
