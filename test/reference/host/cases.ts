/** Cases for a row of the table: its bytes with random operands, in a situation that suits it. */
import { DATA } from '../../../src/cli/vectors/format.ts';
import { decode } from '../../../src/isa/decode.ts';
import type { Encoding } from '../../../src/isa/notation.ts';
import type { Width } from '../../../src/isa/ops.ts';
import { print } from '../../../src/isa/print.ts';
import { type Address, codeOf, type Parts } from '../code.ts';
import { edge, type Random } from '../random.ts';
import {
  immediateValue,
  implicit,
  isShift,
  isStack,
  isString,
  operandValue,
  selectorValue,
  targetValue,
} from './operands.ts';
import type { Request } from './processor.ts';
import { RAX, RBX, RCX, RDI, RSI, RSP, Situation, STACK } from './situation.ts';

export interface Case extends Request {
  readonly class: string;
  readonly att: string;
}

export interface Wish {
  readonly encoding: Encoding;
  readonly width: Width;
  /** Whether ModRM names memory. */
  readonly memory: boolean;
  readonly class: string;
  /** Where the memory operand lies; anywhere in the data unless told. */
  readonly target?: bigint;
  readonly prefixes?: readonly number[];
  /** An indirect branch leads to a canonical address. */
  readonly canonical?: boolean;
}

/** Inside the data, aligned or not, across a cache line, across a page. */
const PLACES = [0x100, 0x100, 0x2008, 0xff8, 0x1001, 0x103c, 0x1ffd, 0xfff0].map((n) => DATA + BigInt(n));
const ALL_REGISTERS = Array.from({ length: 16 }, (_, n) => n);

/** Whether accesses are locked: across a cache line they stall the whole machine, or trap. */
const isLocked = (mnemonic: string, prefixes: readonly number[]): boolean =>
  /^xchg$|^cmpxchg\d/.test(mnemonic) || prefixes.includes(0xf0);

/** One case, or undefined where the choice does not exist in the encoding. */
export function caseOf(wish: Wish, random: Random): Case | undefined {
  const { encoding, width, memory, prefixes = [] } = wish;
  const { row, forms, immediate } = encoding;
  const { mnemonic } = row;
  const s = new Situation(random);
  const same = edge(random, width);
  implicit(s, mnemonic, width, same, random);
  if (/^rd[fg]sbase$/.test(mnemonic)) {
    s.fsBase = edge(random) & 0x7fff_ffff_efffn;
    s.gsBase = edge(random) & 0x7fff_ffff_efffn;
  }
  const aligned = isLocked(mnemonic, prefixes);
  const place = aligned ? DATA + 16n * BigInt(random.below(4096)) : random.pick(PLACES);
  const target = wish.target ?? place;
  const short = encoding.addr32 || prefixes.includes(0x67);
  if (mnemonic === 'xlat') {
    s.set(RAX, edge(random, 8));
    s.set(RBX, target - (s.get(RAX) & 0xffn));
    s.put(target, 8, edge(random, 8));
  }
  const moffs = forms.some((form) => form.place === 'moffs');
  const address = memory || moffs ? addressOf(wish, s, target, random) : undefined;
  const parts: Parts = {
    width,
    prefixes,
    reg: random.below(16),
    low: random.below(16),
    vex: forms.some(({ place: at }) => at === 'vex') ? random.below(16) : 0,
    rm: address ?? random.below(16),
    rex: random.oneIn(4),
    immediate:
      immediate === 'cb' || immediate === 'cd'
        ? random.pick([0n, 0x20n, -2n, 0x7fn, -0x80n, edge(random, 32)])
        : immediateValue(mnemonic, width, random),
  };
  giveValues(wish, s, parts, target, same, random);
  const plain = codeOf(encoding, parts);
  const rip = address?.base === 'rip';
  const bytes = rip
    ? codeOf(encoding, {
        ...parts,
        rm: { ...address, displacement: address.displacement - BigInt(plain.length) },
      })
    : plain;
  const found = decode(bytes);
  // Another row may own these bytes: NOP among XCHG, a REX bit that a row wants clear.
  if ('problem' in found || found.row !== row) return undefined;
  // Above 32 bits the registers say nothing of an address.
  if (short && (isString(mnemonic) || mnemonic === 'xlat'))
    for (const n of [RSI, RDI, RBX]) if (random.oneIn(2)) s.registers[n] = s.get(n) ^ 0x5_0000_0000n;
  if (encoding.addr32 && random.oneIn(2)) s.registers[RCX] = s.get(RCX) ^ 0x7_0000_0000n;
  return { bytes, before: s.state(), how: howOf(encoding), class: wish.class, att: print(found, s.rip) };
}

const howOf = ({ row, forms }: Encoding): Request['how'] =>
  /^(addr32 )?rep/.test(row.mnemonic)
    ? 'repeat'
    : /^pushf/.test(row.mnemonic) || forms[0]?.text === 'ss'
      ? 'to hlt'
      : 'step';

function addressOf({ encoding, width }: Wish, s: Situation, target: bigint, random: Random): Address {
  const { forms, row } = encoding;
  const plain = { index: undefined, scale: 1, size: 4, segment: undefined } as const;
  if (forms.some((form) => form.place === 'moffs'))
    return { ...plain, base: undefined, displacement: target, segment: random.oneIn(4) ? 'gs' : undefined };
  const rsp = s.get(RSP);
  const near = (to: bigint): boolean => BigInt.asIntN(32, to) === BigInt.asIntN(64, to);
  if (forms.some((form) => form.stackBase)) {
    // POP takes the address with RSP behind what it popped.
    const after = rsp + BigInt(width / 8);
    return { ...plain, base: RSP, displacement: near(target - after) ? target - after : 0x40n };
  }
  if (isStack(row.mnemonic) && row.mnemonic !== 'pop' && random.oneIn(5) && near(target - rsp))
    return { ...plain, base: RSP, displacement: target - rsp };
  // The bit offset may lead from a canonical address to another: AMD's processors refuse that under a segment.
  return s.address(target, ALL_REGISTERS, !/^bt/.test(row.mnemonic));
}

/** Values for what the operands name. */
function giveValues(
  wish: Wish,
  s: Situation,
  parts: Parts,
  target: bigint,
  same: bigint,
  random: Random,
): void {
  const { encoding, width, memory } = wish;
  const { forms, row, modrm } = encoding;
  const { mnemonic } = row;
  const selects =
    mnemonic === 'mov' && forms.some((form) => form.place === 'fixed' && /^[defgs]s$/.test(form.text));
  const bits = /^bt/.test(mnemonic) && modrm === 'r' && memory;
  for (const form of forms) {
    const size = form.width ?? width;
    const value = form.indirect
      ? targetValue(random, wish.canonical)
      : selects
        ? selectorValue(random)
        : operandValue(mnemonic, size, same, random);
    if (form.place === 'moffs' || (form.place === 'rm' && memory)) {
      if (!bits) s.put(target, mnemonic === 'cmpxchg16b' ? 128 : size, value);
      if (mnemonic === 'cmpxchg16b') s.put(target + 8n, 64, same);
    } else if (form.place === 'accumulator') s.set(RAX, value);
    else if (form.place === 'cl') s.set(RCX, value);
    else if (form.place === 'reg' && bits) bitOffset(s, parts.reg ?? 0, width, target, random);
    else if (form.place === 'reg') s.set(byteRegister(parts.reg ?? 0, size, parts), value);
    else if (form.place === 'rm' && typeof parts.rm === 'number')
      s.set(byteRegister(parts.rm, size, parts), value);
    else if (form.place === 'vex') s.set(parts.vex ?? 0, value);
    else if (form.place === 'opcode') s.set(byteRegister(parts.low ?? 0, size, parts), value);
  }
  // The selector of a far pointer lies behind its offset.
  if (/^l([fgs]s|jmp|call)$/.test(mnemonic))
    s.put(target + BigInt(width / 8), 16, selectorValue(random) & 0xffffn);
  if (isShift(mnemonic) && random.oneIn(3)) s.rflags |= 1n;
}

/** Without REX the byte registers 4 to 7 are AH to BH: their values come from the first four. */
const byteRegister = (n: number, width: number, { rex }: Parts): number =>
  width === 8 && !rex && n >= 4 && n < 8 ? n - 4 : n;

/** BT with memory: the register is a signed offset in bits, and the word it leads to gets a value. */
function bitOffset(s: Situation, register: number, width: number, target: bigint, random: Random): void {
  const offset = BigInt(random.below(1200) - 600);
  const low = (1n << BigInt(width)) - 1n;
  s.set(register, (edge(random) & ~low) | (BigInt.asUintN(64, offset) & low));
  const actual = BigInt.asIntN(width, s.get(register));
  s.put(target + (actual >> BigInt(Math.log2(width))) * BigInt(width / 8), width, edge(random, width));
}

/** Where an access faults: beyond the data, across its ends, the code page, null, non-canonical, the kernel's half. */
const END = DATA + 0x1_0000n;
export const BAD_PLACES: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 7n].map((n) => END - n),
  DATA - 1n,
  DATA - 3n,
  DATA - 8n,
  0x1000_0000n,
  0x1000_0fffn,
  0n,
  8n,
  0x3000_0000n,
  0x7fff_ffff_eff8n,
  0x7fff_ffff_fff8n,
  0x8000_0000_0000n,
  0x7fff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
  0xffff_7fff_ffff_fff0n,
  0xffff_8000_0000_0000n,
  0xffff_ffff_8000_0000n,
  1n << 63n,
  0x4000_0000_0000_0000n,
  0xffff_ffff_ffff_fff0n,
];

/** A case whose stack lies where `target` says: PUSH and its kind below it, POP at it. */
export function stackCaseOf(wish: Wish, target: bigint, random: Random): Case | undefined {
  // AMD's IRET reads the third word first, its far RET the second; and the order of two faults is each vendor's own.
  if (/^(iretq?|lret)$/.test(wish.encoding.row.mnemonic)) return undefined;
  const made = caseOf({ ...wish, target: STACK + 0x100n, canonical: true }, random);
  if (!made) return undefined;
  return { ...made, before: { ...made.before, registers: made.before.registers.with(RSP, target) } };
}
