/** All cases: every row of the table that ring 3 can run and whose result is the same on every machine. */
import { CODE, CODE_SIZE } from '../../../src/cli/vectors/format.ts';
import { decode } from '../../../src/isa/decode.ts';
import type { Encoding } from '../../../src/isa/notation.ts';
import { print } from '../../../src/isa/print.ts';
import { ENCODINGS, widthsOf } from '../../../src/isa/table/index.ts';
import { REFUSED } from '../../../src/isa/table/refused.ts';
import { edge, Random } from '../random.ts';
import { BAD_PLACES, type Case, caseOf, stackCaseOf, type Wish } from './cases.ts';
import { isStack, isString } from './operands.ts';
import { RDI, RSI, Situation } from './situation.ts';

/** Why a row is not run: its result is the machine's own, or a system takes the instruction over. */
const NOT_RUN: readonly (readonly [mnemonics: RegExp, why: string])[] = [
  [/^(syscall|sysenter|sysexitq?)$/, 'enters the host kernel'],
  [/^(cpuid|rdtscp?|rdpid)$/, 'gives what the machine is'],
  [/^(s[gi]dt|smsw|sldt|str)$/, 'answered by Linux where the processor has UMIP'],
  [/^(wrmsrns|eret[su]|lkgs)$/, 'depends on the host or its hypervisor'],
  [/^int$/, 'has its own cases, of bytes'],
  [/^int1$/, 'under KVM on AMD the RIP of its #DB is not behind it: the hypervisor takes #DB over'],
];
const CLASSES: readonly (readonly [mnemonics: RegExp, name: string])[] = [
  [/\b(ins|outs|in|out)$/, 'privileged'],
  [/^(addr32 )?(rep|movs$|stos$|lods$|cmps$|scas$)/, 'string'],
  [
    /^((addr32 )?mov(abs|nti|[sz][bwl]|sxd|be|diri|dir64b)?|cmov.*|set.*|xchg|bswap|c[bwl]t[lwdq]|cltq|cqto|xlat)$/,
    'data',
  ],
  [/^lea$/, 'address'],
  [/^(add|adc|sub|sbb|cmp|inc|dec|neg|xadd|cmpxchg.*|ad[co]x)$/, 'arithmetic'],
  [/^(andn|bextr|bls.*|bzhi|mulx|p(dep|ext)|(ror|sar|shl|shr)x)$/, 'bit manipulation'],
  [/^(and|or|xor|test|not)$/, 'logic'],
  [/^(sh[lr]d?|sar|ro[lr]|rc[lr])$/, 'shift'],
  [/^(bt[src]?|bs[fr]|[tl]zcnt|popcnt|crc32b?)$/, 'bit'],
  [/^i?(mul|div)$/, 'multiply and divide'],
  [/^(push|pop)[fw]*$|^(leave|enter)$/, 'stack'],
  [/^\(?(j|l?jmp|l?call|l?ret|loop)/, 'branch'],
  [/^(int3|iretq?)$/, 'interrupt'],
  [/^(clc|stc|cmc|cld|std|lahf|sahf)$/, 'flags'],
  [/^(rd|wr)[fg]sbase$|^(lsl|lar|verr|verw|l[fgs]s)$/, 'segment'],
  [/^(nop|pause|endbr|.fence|prefetch|clflush|clwb|serialize|rdssp)/, 'no operation'],
  [/^(hlt|cli|sti|clts|inv.*|wbn?o?invd|(rd|wr)msr|swapgs|sysret.|l[gil]dt|ltr|lmsw|in|out)$/, 'privileged'],
  [/^(clac|stac|ud\d)$/, 'undefined'],
];

/** Instructions that a processor may lack, and its flag in /proc/cpuinfo. */
const FEATURES: Readonly<Record<string, string>> = {
  popcnt: 'popcnt',
  lzcnt: 'abm',
  tzcnt: 'bmi1',
  cmpxchg16b: 'cx16',
  movbe: 'movbe',
  movdiri: 'movdiri',
  movdir64b: 'movdir64b',
  crc32: 'sse4_2',
  crc32b: 'sse4_2',
  adcx: 'adx',
  adox: 'adx',
  clflushopt: 'clflushopt',
  clwb: 'clwb',
  serialize: 'serialize',
  invpcid: 'invpcid',
  ...Object.fromEntries(['andn', 'bextr', 'blsi', 'blsmsk', 'blsr'].map((name) => [name, 'bmi1'])),
  ...Object.fromEntries(
    ['bzhi', 'mulx', 'pdep', 'pext', 'rorx', 'sarx', 'shlx', 'shrx'].map((name) => [name, 'bmi2']),
  ),
  clac: 'smap',
  stac: 'smap',
  rdfsbase: 'fsgsbase',
  rdgsbase: 'fsgsbase',
  wrfsbase: 'fsgsbase',
  wrgsbase: 'fsgsbase',
};

function whyNot({ row }: Encoding, lacks: ReadonlySet<string>): string | undefined {
  const { mnemonic } = row;
  if (REFUSED.includes(row)) return 'recognised and refused by us';
  const feature = FEATURES[mnemonic];
  if (feature !== undefined && lacks.has(feature)) return `this processor lacks ${feature}`;
  return NOT_RUN.find(([mnemonics]) => mnemonics.test(mnemonic))?.[1];
}
/** Every feature that a row may need. */
export const FEATURE_FLAGS: readonly string[] = [...new Set(Object.values(FEATURES))];

function classOf({ row, forms }: Encoding): string {
  const fixed = forms.find((form) => form.place === 'fixed')?.text ?? '';
  if (/^[cd]r\d/.test(fixed)) return 'privileged';
  if (/^[cdefgs]s$/.test(fixed)) return 'segment';
  return CLASSES.find(([mnemonics]) => mnemonics.test(row.mnemonic))?.[1] ?? 'other';
}

export interface Generated {
  readonly cases: readonly Case[];
  /** So many of them come first that each row was taken alike; what follows only fills classes up. */
  readonly even: number;
  /** How many rows of the table have cases; the others by the reason why not. */
  readonly rows: number;
  readonly notRun: ReadonlyMap<string, readonly string[]>;
}

type Maker = (random: Random) => Case | undefined;

/**
 * @param rounds how often each row is taken, in each width, with each kind of operand, in each class
 * @param least how many cases each class gets at least
 * @param lacks flags of /proc/cpuinfo that this processor does not have
 */
export function generate(rounds: number, least: number, lacks: ReadonlySet<string>): Generated {
  const random = new Random(2016);
  const cases: Case[] = [];
  const notRun = new Map<string, string[]>();
  const covered = new Set<Encoding>();
  const makers = new Map<string, Maker[]>();
  for (const encoding of ENCODINGS) {
    const why = whyNot(encoding, lacks);
    if (why !== undefined) {
      notRun.set(why, [...(notRun.get(why) ?? []), `${encoding.row.mnemonic} ${encoding.row.opcode}`]);
      continue;
    }
    for (const wish of wishesOf(encoding)) {
      for (const [name, make] of makersOf(wish)) {
        makers.set(name, [...(makers.get(name) ?? []), make]);
        for (let round = 0; round < rounds; round++) {
          const made = make(random);
          if (made === undefined) continue;
          cases.push(made);
          covered.add(encoding);
        }
      }
    }
  }
  rawCases(cases, random);
  const even = cases.length;
  for (const [name, list] of makers) {
    let count = cases.filter((one) => one.class === name).length;
    for (let n = 0; count < least && n < 20 * least; n++) {
      const made = (list[n % list.length] as Maker)(random);
      if (made === undefined) continue;
      cases.push(made);
      count++;
    }
  }
  return { cases, even, rows: covered.size, notRun };
}

function wishesOf(encoding: Encoding): readonly Wish[] {
  const rm = encoding.forms.find((form) => form.place === 'rm');
  const kinds = [...(rm === undefined || rm.register ? [false] : []), ...(rm?.memory ? [true] : [])];
  // A far pointer of 80 bits is Intel's: AMD's processors ignore REX.W there.
  const far = /^l([fgs]s|jmp|call)$/.test(encoding.row.mnemonic);
  const widths = widthsOf(encoding).filter((width) => !(far && width === 64));
  return widths.flatMap((width) =>
    kinds.map((memory) => ({ encoding, width, memory, class: classOf(encoding) })),
  );
}

/** What a row is tried as: itself, and what can go wrong with it. */
function makersOf(wish: Wish): readonly (readonly [name: string, make: Maker])[] {
  const { encoding, memory } = wish;
  const { row, forms, lockable } = encoding;
  const makers: (readonly [string, Maker])[] = [[wish.class, (random) => caseOf(wish, random)]];
  const moffs = forms.some(({ place }) => place === 'moffs');
  if (isStack(row.mnemonic))
    makers.push([
      'stack fault',
      (random) => stackCaseOf({ ...wish, class: 'stack fault' }, random.pick(BAD_PLACES), random),
    ]);
  // MOVSXD to 16 bits reads 16 bits, on AMD's processors 32.
  else if ((memory || moffs) && !(row.mnemonic === 'movsxd' && wish.width === 16))
    makers.push([
      'memory fault',
      (random) => caseOf({ ...wish, class: 'memory fault', target: random.pick(BAD_PLACES) }, random),
    ]);
  if (isString(row.mnemonic))
    makers.push(['memory fault', (random) => stringFault({ ...wish, class: 'memory fault' }, random)]);
  // LOCK MOV CR0 is CR8 on some processors.
  if (lockable && memory && forms[0]?.place === 'rm')
    makers.push(['lock', (random) => caseOf({ ...wish, class: 'lock', prefixes: [0xf0] }, random)]);
  else if (!/[cd]r\d/.test(row.operands)) makers.push(['undefined', (random) => refused(wish, random)]);
  // AMD's processors do not fetch the ModRM byte of UD0 and UD1; PUSHF and loads of SS must not be stepped.
  if (!/^(ud[01]|pushf)/.test(row.mnemonic) && forms[0]?.text !== 'ss')
    makers.push(['fetch', (random) => atEnd(caseOf({ ...wish, class: 'fetch' }, random), random)]);
  if (/^(push|pop|leave|enter)f?$/.test(row.mnemonic) && !row.widths.includes(16))
    makers.push(['stack', (random) => caseOf({ ...wish, class: 'stack', prefixes: [0x66] }, random)]);
  // Near branches under 66 are each vendor's own.
  if (!/^(j|call|ret|loop)/.test(row.mnemonic))
    makers.push([
      'prefix',
      (random) => caseOf({ ...wish, class: 'prefix', prefixes: [random.pick(OTHERS)] }, random),
    ]);
  if (memory && /^(mov|lea|add)$/.test(row.mnemonic))
    makers.push(['address', (random) => caseOf({ ...wish, class: 'address' }, random)]);
  if ((memory && !moffs) || isString(row.mnemonic) || row.mnemonic === 'xlat')
    makers.push(['address', (random) => caseOf({ ...wish, class: 'address', prefixes: [0x67] }, random)]);
  return makers;
}

/** One of the pointers leads to where an access faults, at once or after some iterations. */
function stringFault(wish: Wish, random: Random): Case | undefined {
  const made = caseOf(wish, random);
  if (!made) return undefined;
  const distance = BigInt(random.below(4) * random.pick([1, 2, 4, 8]));
  const down = (made.before.rflags & 0x400n) !== 0n;
  const place = BigInt.asUintN(64, random.pick(BAD_PLACES) + (down ? distance : -distance));
  const registers = made.before.registers.with(random.pick([RSI, RDI]), place);
  return { ...made, before: { ...made.before, registers } };
}

/** LOCK where it is not allowed: #UD, whatever the operands. */
function refused(wish: Wish, random: Random): Case | undefined {
  const made = caseOf(wish, random);
  if (!made) return undefined;
  const bytes = Uint8Array.of(0xf0, ...made.bytes);
  return { ...made, bytes, how: 'step', class: 'undefined', att: `lock ${made.att}` };
}

/** The same bytes at the end of the page, or over it. What counts from RIP would not be the same. */
function atEnd(made: Case | undefined, random: Random): Case | undefined {
  if (!made || made.att.includes('rip')) return undefined;
  const over = random.below(made.bytes.length);
  const rip = CODE + BigInt(CODE_SIZE - made.bytes.length + over);
  const found = decode(made.bytes);
  const att = 'problem' in found ? made.att : print(found, rip);
  return { ...made, att, before: { ...made.before, rip } };
}

/** Opcodes that mean nothing in 64-bit mode (SDM vol 2, tables ), with and without ModRM. */
const NOTHING = [
  ...['06', '07', '0e', '16', '17', '1e', '1f', '27', '2f', '37', '3f', '60', '61', 'ce', 'd6'],
  ...['0f04', '0f0a', '0f0c', '0f2400', '0f25c0', '0f26c0', '0f27c0', '0f36', '0f39', '0f3d', '0f7ac0'],
  ...[
    '8dc0',
    '0f00f0',
    '0f00f8',
    '0fbac001',
    '0fbac801',
    '0fbad001',
    '0fbad801',
    'fed0',
    'fef8',
    'ffd8',
    'ffe8',
    'fff8',
  ],
  ...[
    'c6c801',
    'c6f001',
    'c7c801000000',
    'c7f001000000',
    '8fc8',
    '82c001',
    '9a0000000000',
    'ea0000000000',
    'd400',
    'd500',
  ],
  ...[
    '0f0b',
    '0fb9c0',
    '0fffc0',
    '0f01ca',
    '0f01cb',
    '8ec8',
    '8ef0',
    '8ef8',
    '8cf0',
    '8cf8',
    '0fc3c0',
    'f20f00f0',
  ],
];
/** Ports and the like: IOPL 0 keeps ring 3 from them (SDM vol 1, 19.5.1). */
const PRIVILEGED = [
  ...[
    'e480',
    'e580',
    '66e580',
    'e680',
    'e780',
    '66e780',
    'ec',
    'ed',
    '66ed',
    'ee',
    'ef',
    '66ef',
    'f4',
    'fa',
    'fb',
  ],
  ...[
    '6c',
    '6d',
    '666d',
    '6e',
    '6f',
    '666f',
    'f36c',
    'f36e',
    '0f06',
    '0f08',
    '0f09',
    '0f30',
    '0f32',
    '0f01f8',
    '480f07',
  ],
];
/** Hints that have no name yet (SDM vol 2, table A-3). */
const HINTS = ['0f19', '0f1a', '0f1b', '0f1c', '0f1d', '0f1e', '0f1f'].flatMap((opcode) =>
  ['c8', 'd0', '00', '4810', '0d00000000'].map((rest) => opcode + rest),
);
/** Fences whose ModRM.rm says something. */
const UNUSUAL = ['0faee9', '0faeef', '0faef1', '0faef7', '0faef9', '0faeff'];
/** Segment, operand size and REX prefixes that change nothing of these. */
const NEUTRAL = [[], [0x2e], [0x3e], [0x26], [0x36], [0x64], [0x48], [0x41], [0x40], [0x65]];

/** Prefixes that may be part of another row. */
const OTHERS = [0x66, 0xf2, 0xf3];
/** Prefixes that VEX does not bear, and fields of it that say something else. */
const BAD_VEX = [
  ...['66', 'f2', 'f3', '48', 'f0'].map((prefix) => `${prefix}c4e270f2c1`),
  ...['c4e274f2c1', 'c4e2f4f7c1', 'c4e373f0c105', 'c4e278f3c1', 'c4e278f3c0', 'c4e278f3e1'],
];

/** Cases of bytes that no row describes, or whose operands do not matter. */
function rawCases(cases: Case[], random: Random): void {
  const raw = (name: string, bytes: readonly number[]): void => {
    const s = new Situation(random);
    for (let n = 0; n < 3; n++) s.set(random.below(16), edge(random));
    const code = Uint8Array.from(bytes);
    const found = decode(code);
    const att = 'problem' in found ? `.byte ${Buffer.from(code).toString('hex')}` : print(found, s.rip);
    cases.push({ bytes: code, before: s.state(), how: 'step', class: name, att });
  };
  const bytesOf = (hex: string): readonly number[] => [...Buffer.from(hex, 'hex')];
  for (let n = 0; n < 300; n++) raw('undefined', [...random.pick(NEUTRAL), ...bytesOf(random.pick(NOTHING))]);
  for (let n = 0; n < 300; n++)
    raw('privileged', [...random.pick(NEUTRAL), ...bytesOf(random.pick(PRIVILEGED))]);
  for (const bytes of BAD_VEX) for (let n = 0; n < 3; n++) raw('undefined', bytesOf(bytes));
  for (const bytes of UNUSUAL) for (let n = 0; n < 3; n++) raw('no operation', bytesOf(bytes));
  for (const hint of HINTS) raw('no operation', bytesOf(hint));
  // INT n: the gates that are open are INT3 and INTO; 0x80 enters the host kernel.
  for (let vector = 0; vector < 256; vector++)
    if (vector !== 4 && vector !== 0x80)
      for (const prefix of [[], random.pick(NEUTRAL)]) raw('interrupt', [...prefix, 0xcd, vector]);
  for (let n = 0; n < 60; n++) raw('interrupt', [...random.pick(NEUTRAL), 0xcc]);
  for (let n = 0; n < 60; n++)
    raw('fetch', [...Array.from({ length: 13 + random.below(6) }, () => 0x66), 0x90]);
}
