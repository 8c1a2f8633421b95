/** Debug registers: which breakpoints are met, and what a #DB tells of them (SDM vol 3, 17.2 and 17.3.1). */
import { VECTOR } from '../../isa/ops.ts';
import type { Event, MachineOps } from '../machine-ops.ts';
import { RIGHTS } from '../paging.ts';

/** Bits of DR6 (SDM vol 3, 17.2.3); those of the four breakpoints are the lowest. */
export const DR6 = { breakpoints: 15n, accessDetected: 1n << 13n, singleStep: 1n << 14n } as const;
/** DR7.GD: the next access to a debug register is a #DB (SDM vol 3, 17.2.4). */
const GENERAL_DETECT = 1n << 13n;

const RF_BIT = 16;
const NUMBERS = [0, 1, 2, 3] as const;
const FIELD = ['dr0', 'dr1', 'dr2', 'dr3'] as const;

/**
 * DR7 says of a breakpoint: enabled locally or globally; 0 execution, 1 writes, 2 I/O, 3 reads and writes. In
 * 64-bit mode nothing tells local from global, and LE and GE mean nothing. There is no I/O here to watch.
 */
const isEnabled = <V>(m: MachineOps<V>, n: number): V => m.isZero(m.isZero(m.bits(m.get('dr7'), 2 * n, 2)));
const typeOf = <V>(m: MachineOps<V>, n: number): V => m.part(`RW${n}`, m.get('dr7'), 16 + 4 * n, 2);
const isData = <V>(m: MachineOps<V>, n: number): V => m.part(`RW${n}`, m.get('dr7'), 16 + 4 * n, 1);

const any = <V>(m: MachineOps<V>, of: (n: number) => V): V =>
  NUMBERS.map((n) => m.and(isEnabled(m, n), of(n))).reduce((some, one) => m.or(some, one));
const bitsOf = <V>(m: MachineOps<V>, of: (n: number) => V): V =>
  NUMBERS.map((n) => m.shl(of(n), m.word(n))).reduce((some, one) => m.or(some, one));

/** Sum up DR7: what is not armed costs nothing while instructions run. */
export function armBreakpoints<V>(m: MachineOps<V>): void {
  const execution = any(m, (n) => m.isZero(typeOf(m, n)));
  const data = any(m, (n) => isData(m, n));
  m.set('armedBreakpoints', m.or(execution, m.shl(data, m.word(1))));
  m.refreshAttention();
}

/**
 * DR6 bits of the instruction breakpoints at RIP (SDM vol 3, 17.3.1.1): only the first byte counts. RF
 * suppresses them for one instruction, and so does a load of SS just before where the vendor has it so.
 * With a LEN other than 0 the manual leaves the outcome open; it is not looked at here.
 */
export function executionBreakpoints<V>(m: MachineOps<V>): V {
  const resumed = m.bit(m.get('rflagsRest'), RF_BIT);
  const suppressed = m.vendor.movSsSuppressesBreakpoints
    ? m.or(resumed, m.part('MOV_SS', m.get('shadow'), 1, 1))
    : resumed;
  const armed = m.part('execution', m.get('armedBreakpoints'), 0, 1);
  const meets = (n: number): V => {
    const enabled = m.and(isEnabled(m, n), m.isZero(typeOf(m, n)));
    return m.named(`met${n}`, m.and(enabled, m.eq(m.get(FIELD[n] as 'dr0'), m.rip())));
  };
  return m.choose(
    m.and(armed, m.isZero(suppressed)),
    () => bitsOf(m, meets),
    () => m.word(0),
  );
}

/** The addresses a breakpoint covers begin at a multiple of its length: 1, 2, 8 or 4 bytes (SDM vol 3, 17.2.5). */
function startOf<V>(m: MachineOps<V>, n: number): readonly [start: V, length: V] {
  const code = m.part(`LEN${n}`, m.get('dr7'), 18 + 4 * n, 2);
  const mask = m.select(m.eq(code, m.word(2)), m.word(7), code);
  const start = m.and(m.get(FIELD[n] as 'dr0'), m.not(mask));
  return [m.named(`start${n}`, start), m.named(`length${n}`, m.add(mask, m.word(1)))];
}

/**
 * An access has been translated: note which data breakpoints it touches (SDM vol 3, 17.3.1.2). They become a
 * trap when the transition is complete. An instruction that reads what it will write meets those on writes.
 *
 * Which of a processor's own accesses count, the manual does not say. Here the words that event delivery
 * pushes do, and reads of descriptors and of the TSS do not; page walks use physical addresses. Linux counts on
 * the pushes: it refuses breakpoints on its exception stacks, where they would recur for ever. It refuses them
 * on GDT, IDT and TSS as well, without saying what processors do there ("x86/hw_breakpoint: Prevent data
 * breakpoints on cpu_entry_area", in v5.8).
 */
export function meetBreakpoints<V>(m: MachineOps<V>, va: V, bytes: V, rights: V): void {
  const isTable = m.eq(m.and(rights, m.word(RIGHTS.system | RIGHTS.stackSegment)), m.word(RIGHTS.system));
  const armed = m.part('data', m.get('armedBreakpoints'), 1, 1);
  m.when(m.and(armed, m.isZero(isTable)), () => {
    const write = m.part('write', rights, 0, 1);
    const meets = (n: number): V => {
      const [start, length] = startOf(m, n);
      const touched = m.or(m.below(m.sub(va, start), length), m.below(m.sub(start, va), bytes));
      const type = m.or(m.eq(typeOf(m, n), m.word(3)), m.and(write, m.eq(typeOf(m, n), m.word(1))));
      return m.named(`met${n}`, m.and(m.and(isEnabled(m, n), touched), type));
    };
    m.set('metBreakpoints', m.or(m.get('metBreakpoints'), bitsOf(m, meets)));
  });
}

/** Whether a data breakpoint lies on the page of an address: a translation of it must not be cached. */
export function isWatched<V>(m: MachineOps<V>, va: V): V {
  const pageOf = (a: V): V => m.shr(a, m.word(12));
  const onPage = (n: number): V => m.and(isData(m, n), m.eq(pageOf(m.get(FIELD[n] as 'dr0')), pageOf(va)));
  return m.choose(
    m.part('data', m.get('armedBreakpoints'), 1, 1),
    () => any(m, onPage),
    () => m.word(0),
  );
}

/** The breakpoints that this transition has met join the debug trap that waits. */
export function postMet<V>(m: MachineOps<V>): void {
  const met = m.get('metBreakpoints');
  m.when(met, () => {
    m.set('debugTrap', m.or(m.get('debugTrap'), met));
    m.set('metBreakpoints', m.word(0));
  });
}

/**
 * DR6 tells the cause of a #DB. The bits of the four breakpoints are those of this #DB, all others stay until
 * software clears them (SDM vol 3, 17.2.3 says that some of them "may" clear the four; kvm-unit-tests x86/debug.c
 * expects it of processors). A breakpoint that is not enabled is never told, which the manual allows.
 */
export function tellDebug<V>(m: MachineOps<V>, bits: V): void {
  m.set('dr6', m.or(m.and(m.get('dr6'), m.word(~DR6.breakpoints)), bits));
  m.set('debugTrap', m.word(0));
}

/**
 * The handler of a #DB may touch the debug registers: DR7.GD is cleared as it is entered (SDM vol 3, 17.2.4). We
 * take this to hold for INT1 as well, which the manual calls a #DB; Bochs leaves GD alone there. INT 1 is none.
 */
export function openDebugRegisters<V>(m: MachineOps<V>, { vector, software }: Event<V>): void {
  const isDebug = m.and(m.eq(vector, m.symbol('#DB', VECTOR.DB)), m.isZero(software));
  m.when(isDebug, () => m.set('dr7', m.and(m.get('dr7'), m.word(~GENERAL_DETECT))));
}
