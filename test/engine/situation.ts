/** Random situations: registers, flags, rights, words on the stack, and bytes to execute. */
import type { Encoding } from '../../src/isa/notation.ts';
import { type Field, GPR } from '../../src/isa/state.ts';
import {
  CS,
  DATA,
  DATA_TABLE,
  GDT,
  type Guest,
  HANDLERS,
  istTop,
  type Random,
  READ_ONLY,
  SS,
  STACK,
  STACK_TOP,
  TEXT,
  USER_CS,
  USER_DATA,
  USER_SS,
  USER_TEXT,
} from './guest.ts';

const START = TEXT + 0x100n;

/** An address: mostly mapped, often at a page end, sometimes where a fault waits. */
function address(random: Random): bigint {
  const page = random.pick([
    DATA,
    DATA,
    DATA + 0x1000n,
    STACK,
    STACK + 0x3000n,
    STACK - 0x1000n,
    DATA + 0x2000n,
    READ_ONLY,
    USER_DATA,
    DATA_TABLE,
    TEXT,
    istTop(1) - 0x1000n,
    0x0000_8000_0000_0000n,
    0xffff_7fff_ffff_f000n,
    0xffff_ffff_ffff_f000n,
  ]);
  const offset = random.pick([
    random.word() & 0xff8n,
    0x1000n - (random.word() % 12n),
    random.word() % 48n,
    random.word() & 0xfffn,
  ]);
  return BigInt.asUintN(64, page + offset);
}
function number(random: Random): bigint {
  const edge = random.pick([
    0n,
    1n,
    0x7fn,
    0x80n,
    0xffn,
    0x7fffn,
    0x8000n,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
    (1n << 63n) - 1n,
    1n << 63n,
  ]);
  return BigInt.asUintN(
    64,
    random.pick([edge, edge + (random.word() % 5n) - 2n, random.word(), random.word() & 0x3fn]),
  );
}
/** A selector of the tests' descriptor table, in either table, of any RPL; or one outside. */
const selector = (random: Random): bigint =>
  random.pick([CS, SS, USER_CS, USER_SS, 0n, 0x38n]) ^ random.pick([0n, 0n, 0n, 4n, random.word() & 7n]);
const value = (random: Random): bigint =>
  random.below(2) === 0 ? address(random) : random.below(6) === 0 ? selector(random) : number(random);

/** An encoding with random operands, small immediates and displacements; sometimes just bytes. */
export function code(random: Random, encoding: Encoding): Uint8Array {
  const found: number[] = [];
  const { prefix, rexW, addr32, vex, map, byte, plusRegister, modrm } = encoding;
  if (random.below(8) === 0) found.push(random.pick([0x66, 0x65, 0x64, 0xf0, 0x2e, 0x67]));
  if (addr32) found.push(0x67);
  if (random.below(2) === 0 && encoding.row.widths.includes(16)) found.push(0x66);
  if (vex) {
    const pp = ['none', 0x66, 0xf3, 0xf2].indexOf(prefix);
    const register = encoding.forms.some(({ place }) => place === 'vex') ? random.below(16) : 0;
    const payload = (random.below(2) << 7) | ((15 - register) << 3) | pp;
    found.push(0xc4, (random.below(8) << 5) | (map === 0x0f38 ? 2 : 3), payload);
  } else {
    if (typeof prefix === 'number') found.push(prefix);
    if (rexW || random.below(2) === 0)
      found.push(0x40 | random.below(8) | (rexW || random.below(2) === 0 ? 8 : 0));
    if (map !== 0) found.push(0x0f);
    if (map === 0x0f38 || map === 0x0f3a) found.push(map & 0xff);
  }
  found.push(byte + (plusRegister ? random.below(8) : 0));
  if (modrm === 'r') found.push(random.below(256));
  else if (modrm !== 'none' && 'byte' in modrm) found.push(modrm.byte);
  else if (modrm !== 'none') found.push((random.below(256) & 0xc7) | (modrm.digit << 3));
  for (let n = 0; n < 10; n++) found.push(random.pick([0, 0, 1, 8, 0xf8, random.below(256)]));
  return random.below(10) === 0 ? Uint8Array.from(found, () => random.below(256)) : Uint8Array.from(found);
}

/** Where a breakpoint may be met: at what is executed, where registers point, on stacks. */
function watchable(random: Random, state: ReadonlyMap<Field, bigint>): bigint {
  const register = state.get(random.pick(['rip', 'rsp', 'rsp', 'rdi', 'rsi', 'rax', 'rbx'] as const)) ?? 0n;
  const near = register + (random.word() % 24n) - 12n;
  return BigInt.asUintN(64, random.pick([register, near, near, istTop(1) - 40n, address(random)]));
}

/** What else may wait for a boundary or hold it up: debug registers, shadows, a machine check, an interrupt. */
function events(random: Random, state: Map<Field, bigint>): void {
  if (random.below(3) === 0) {
    for (const name of ['dr0', 'dr1', 'dr2', 'dr3'] as const) state.set(name, watchable(random, state));
    state.set('dr7', 0x400n | (random.word() & 0xffff_23ffn & ~(random.below(8) > 0 ? 0x2000n : 0n)));
  }
  if (random.below(6) === 0) state.set('shadow', BigInt(random.below(4)));
  if (random.below(8) === 0) state.set('debugTrap', random.pick([1n, 4n, 0x4000n, 0x4002n]));
  if (random.below(4) === 0) state.set('irqPending', BigInt(16 + random.below(random.pick([16, 16, 240]))));
  if (random.below(4) === 0) state.set('cr8', BigInt(random.below(16)));
  if (random.below(16) === 0) state.set('mcPending', 1n);
  if (random.below(4) > 0) state.set('cr4', (state.get('cr4') ?? 0n) | 0x40n);
  if (random.below(16) === 0) state.set('mcgStatus', 4n);
  if (random.below(16) === 0) state.set('halted', 1n);
}

/** ERETS, ERETU: worth a situation in which they mean something. */
const isFredReturn = (bytes: Uint8Array): boolean => {
  const at = bytes.indexOf(0x0f);
  return bytes[at + 1] === 0x01 && bytes[at + 2] === 0xca;
};
/** How events are delivered, and what waits for ENDBR64. */
function entries(random: Random, state: Map<Field, bigint>, fred: boolean): void {
  const cr4 = state.get('cr4') ?? 0x20n;
  const stack = (): bigint => random.pick([STACK_TOP, istTop(1), istTop(2), STACK, address(random) & ~63n]);
  const cet = (): bigint =>
    random.below(8) === 0 ? random.pick([0x804n, 0x814n]) : random.pick([0n, 4n, 0x14n, 0x404n]);
  if (random.below(fred ? 1 : 3) === 0) {
    state.set('cr4', cr4 | (1n << 32n) | (random.below(3) === 0 ? 1n << 23n : 0n));
    state.set('fredConfig', (HANDLERS | (random.word() & 0x7c3n)) & ~random.pick([0n, 3n]));
    state.set('fredStklvls', random.pick([0n, random.word()]));
    for (const name of ['fredRsp0', 'fredRsp1', 'fredRsp2', 'fredRsp3'] as const) state.set(name, stack());
  } else if (random.below(4) === 0) state.set('cr4', cr4 | (1n << 23n));
  state.set('userCet', cet()).set('supervisorCet', cet());
  state.set('star', random.pick([0x0023_0010_0000_0000n, 0x0023_0010_0000_0000n, random.word()]));
  state
    .set('lstar', TEXT + 0x200n)
    .set('sysenterEip', TEXT + 0x240n)
    .set('sysenterEsp', STACK_TOP);
  state.set('sysenterCs', random.pick([CS, 0n]));
}

export interface Situation {
  readonly state: ReadonlyMap<Field, bigint>;
  readonly rflags: bigint;
  readonly words: readonly (readonly [bigint, bigint])[];
  readonly bytes: Uint8Array;
}
/** A situation for some bytes at RIP, or for an encoding with random operands. */
export function situation(random: Random, what: Uint8Array | Encoding): Situation {
  const state = new Map<Field, bigint>(GPR.map((name) => [name, value(random)]));
  const user = random.below(5) === 0;
  const rip = user ? USER_TEXT + 0x100n : START;
  if (random.below(4) > 0)
    state.set('rsp', random.pick([STACK, STACK + 0x1000n, STACK_TOP - 0x80n]) + (random.word() & 0x7fn));
  if (random.below(2) > 0) state.set('rcx', BigInt(random.pick([0, 1, 2, 3, 63, 64])));
  // A frame pushed over the page table that maps it would take its own page away.
  const rspPage = (state.get('rsp') ?? 0n) & ~0xfffn;
  if (rspPage === DATA_TABLE || rspPage === DATA_TABLE + 0x1000n) state.set('rsp', DATA);
  state
    .set('cpl', user ? 3n : 0n)
    .set('cs', user ? USER_CS : CS)
    .set('ss', user ? USER_SS : SS)
    .set('rip', rip);
  state.set('gsBase', random.pick([DATA, value(random)])).set('kernelGsBase', value(random));
  state.set('cr4', random.pick([0x20n, 0x20n, 0x1_0020n, 0x31_0020n]));
  entries(random, state, what instanceof Uint8Array && isFredReturn(what));
  if (random.below(4) === 0) state.set('idtLimit', random.pick([0n, 0x20n, 0xdfn, 0x1ffn]));
  if (random.below(8) === 0) state.set('tssBase', address(random));
  if (random.below(8) === 0) state.set('tssLimit', random.pick([0n, 10n, 42n, 0x67n]));
  // The local table is the global one once more.
  if (random.below(2) === 0) state.set('ldtBase', GDT).set('ldtLimit', random.pick([0x37n, 0x17n]));
  for (const name of ['ds', 'es', 'fs', 'gs'] as const)
    if (random.below(4) === 0) state.set(name, selector(random));
  state.set('dataPrivilege', random.word() & 0xfcfn).set('tr', 0x40n);
  state.set('nmiPending', random.below(4) === 0 ? 1n : 0n).set('nmiBlocked', BigInt(random.below(2)));
  events(random, state);
  const rsp = state.get('rsp') ?? 0n;
  const words: [bigint, bigint][] = [];
  // A frame for IRETQ, or behind an error code for ERETS and ERETU, often acceptable.
  const fred = (state.get('cr4') ?? 0n) >> 32n !== 0n;
  if (rsp >= STACK && rsp < STACK_TOP - 0x40n) {
    const outer = random.below(2) === 0;
    const frame = [
      random.pick([TEXT + 0x200n, address(random)]),
      random.pick([outer ? USER_CS : CS, outer ? USER_CS : CS, (outer ? USER_CS : CS) | 4n, 0n, SS, 0x40n]),
      fred ? (random.word() & (outer ? 0x3d_4fd5n : 0x3d_7fd5n)) | 2n : random.word(),
      address(random),
      random.pick([outer ? USER_SS : SS, outer ? USER_SS : SS, 0n, CS]),
    ];
    if (fred && random.below(4) > 0) {
      frame.unshift(random.word());
      frame[2] = (frame[2] ?? 0n) | (outer ? 0n : random.word() & 0x7_0000n);
      frame[5] = (frame[5] ?? 0n) | (random.word() & 0xffff_ffff_0007_0000n);
    } // For IRETQ, or for a far RET, which finds RSP and SS where this frame has the flags and RSP.
    else if (random.below(3) === 0) frame.splice(2, 1);
    for (const [n, word] of frame.entries()) words.push([rsp + BigInt(8 * n), word]);
  }
  return {
    state,
    rflags: random.word() & (random.below(3) === 0 ? ~0n : ~0x1_0100n),
    words,
    bytes: what instanceof Uint8Array ? what : code(random, what),
  };
}
export function enter({ machine, space }: Guest, { state, rflags, words, bytes }: Situation): void {
  for (const [va, word] of words) space.writeWords(va, [word]);
  const rip = state.get('rip') ?? START;
  space.write(rip, bytes);
  for (const [name, word] of state) machine.set(name, word);
  machine.setRflags(rflags);
}
