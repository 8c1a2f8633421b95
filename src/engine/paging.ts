/** Linear to physical, and the accesses a translation cache cannot serve: misses and word ends. */
import { type Access, VECTOR, type Width } from '../isa/ops.ts';
import { MAXPHYADDR } from '../isa/state.ts';
import { CONTROL } from './layout.ts';
import type { MachineOps } from './machine-ops.ts';

/** How an access is described to `translate`: bits of one value. */
export const RIGHTS = { write: 1, system: 2, stackSegment: 4, execute: 8 } as const;

/** The rights of an access by kind. */
export const rightsOf = (access: Access, write: boolean): number =>
  (write ? RIGHTS.write : 0) |
  (access === 'system' || access === 'frame' ? RIGHTS.system : 0) |
  (access === 'stack' || access === 'frame' ? RIGHTS.stackSegment : 0);

/** Bits of a page-table entry (SDM vol 3, table 4-20). */
export const PTE = {
  present: 0,
  writable: 1,
  user: 2,
  accessed: 5,
  dirty: 6,
  large: 7,
  noExecute: 63,
} as const;
/** Address bits of an entry. */
export const FRAME_MASK = 0x000f_ffff_ffff_f000n;

/**
 * CR4 bits that change what a walk means and are not modelled (SDM vol 3, 4.6 and 4.6.2). CR4.CET does so with shadow
 * stacks only, which cannot be turned on.
 */
const UNMODELLED_CR4 = [
  [12, 'CR4.LA57'],
  [22, 'CR4.PKE'],
  [24, 'CR4.PKS'],
] as const;
const UNMODELLED_MASK = UNMODELLED_CR4.reduce((mask, [bit]) => mask | (1n << BigInt(bit)), 0n);
/** RFLAGS.AC: the supervisor means to touch user pages; a user wants alignment checked. */
const AC_BIT = 18;

/** Index bits of the four levels, outermost first, and the manual's names of their tables and of what they lead to. */
const LEVELS = [
  { shift: 39, name: 'PML4', next: 'PDPT' },
  { shift: 30, name: 'PDPT', next: 'PD' },
  { shift: 21, name: 'PD', next: 'PT' },
  { shift: 12, name: 'PT', next: 'page' },
] as const;
type Level = (typeof LEVELS)[number];

/** Address bits that no entry may have (SDM vol 3, table 4-15: reserved from MAXPHYADDR up). */
const RESERVED = ((1n << 52n) - 1n) & ~((1n << BigInt(MAXPHYADDR)) - 1n);
/** Reserved where an entry maps a page of 2^shift bytes: the address bits below it, but PAT (SDM vol 3, tables 4-16 and 4-18). */
const reservedIfLarge = (shift: number): bigint => (1n << BigInt(shift)) - 1n - 0x1fffn;

function requireCanonical<V>(m: MachineOps<V>, va: V, rights: V): void {
  m.when(m.isZero(m.isCanonical(va)), () => {
    m.raiseIf(m.part('stack_segment', rights, 2, 1), VECTOR.SS, m.word(0));
    m.raise(VECTOR.GP, m.word(0));
  });
}

/** An access as the walk asks of it; all are truths. */
interface Asked<V> {
  readonly write: V;
  readonly execute: V;
  readonly system: V;
  readonly user: V;
  readonly nxe: V;
  readonly smep: V;
  readonly smap: V;
}
function askedOf<V>(m: MachineOps<V>, rights: V): Asked<V> {
  const write = m.named('write', m.part('write', rights, 0, 1));
  const execute = m.named('execute', m.part('execute', rights, 3, 1));
  const system = m.named('system', m.part('system', rights, 1, 1));
  const user = m.named('user', m.and(m.isZero(system), m.eq(m.get('cpl'), m.word(3))));
  const nxe = m.named('nxe', m.part('NXE', m.get('efer'), CONTROL.noExecute, 1));
  const smep = m.named('smep', m.part('SMEP', m.get('cr4'), CONTROL.smep, 1));
  // SMAP spares explicit accesses while AC is set, and code fetches, which are SMEP's matter.
  const explicit = m.and(m.isZero(system), m.bit(m.get('rflagsRest'), AC_BIT));
  const smap = m.named(
    'smap',
    m.and(m.part('SMAP', m.get('cr4'), CONTROL.smap, 1), m.isZero(m.or(explicit, execute))),
  );
  return { write, execute, system, user, nxe, smep, smap };
}

/**
 * The physical address of `va`: canonical check, four-level walk, rights (SDM vol 3, 4.5 to 4.8).
 *
 * A non-canonical address raises #SS(0) for a stack access, else #GP(0). #PF sets CR2; its error code has
 * P, W, U, RSVD and I/D. Each entry that refers to a table is marked accessed as it is used, also when the
 * walk then raises; the entry that maps the page is marked accessed, and dirty for a write, only when the
 * access is granted. Marks are journalled stores: with one processor nothing comes between.
 */
export function translate<V>(m: MachineOps<V>, va: V, rights: V): V {
  m.heading('The address is canonical');
  const asked = askedOf(m, rights);
  const { write, execute, system, user, nxe, smep, smap } = asked;
  requireCanonical(m, va, rights);
  m.when(m.and(m.get('cr4'), m.word(UNMODELLED_MASK)), () => {
    for (const [bit, name] of UNMODELLED_CR4)
      m.when(m.bit(m.get('cr4'), bit), () => m.stop(`not modelled: ${name}`));
  });
  const fetched = m.and(execute, m.or(nxe, smep));
  const code = m.or(m.or(m.shl(write, m.word(1)), m.shl(user, m.word(2))), m.shl(fetched, m.word(4)));
  const access = m.named('access', code);
  const pageFault = (bits: number): void => {
    m.set('cr2', va);
    m.raise(VECTOR.PF, m.or(access, m.word(bits)));
  };

  /** An entry, present and without reserved bits. */
  const readEntry = ({ shift, name }: Level, table: V, place: V): V => {
    m.when(m.isZero(m.inMemory(table)), () => m.stop('not modelled: physical address outside memory'));
    m.walked(table);
    const entry = m.named(`${name}_entry`, m.loadPhysical(place));
    m.when(m.isZero(m.part('P', entry, PTE.present, 1)), () => pageFault(0));
    // In the top level bit 7 is reserved; without EFER.NXE bit 63 is (SDM vol 3, 4.5.4).
    const always = m.word(shift === 39 ? RESERVED | (1n << BigInt(PTE.large)) : RESERVED);
    const ifLarge = m.word(RESERVED | reservedIfLarge(shift));
    const mayBeLarge = shift === 30 || shift === 21;
    const mask = mayBeLarge ? m.select(m.part('PS', entry, PTE.large, 1), ifLarge, always) : always;
    const reserved = m.named('reserved', m.isZero(m.isZero(m.and(entry, mask))));
    const noNx = m.and(m.part('NX', entry, PTE.noExecute, 1), m.isZero(nxe));
    m.when(m.or(reserved, noNx), () => pageFault(9));
    return entry;
  };

  // Where an entry maps a large page, the levels below find that same entry again.
  let table = m.named('PML4', m.and(m.get('cr3'), m.word(FRAME_MASK)));
  let place = table;
  let leaf = table;
  let mapped = table;
  const entries: V[] = [];
  const large: { readonly is: V; readonly offset: V }[] = [];
  for (const level of LEVELS) {
    const { shift, name, next } = level;
    m.heading(`${name}: the entry is present and has no reserved bit`);
    const [outer, from, above] = [leaf, table, mapped];
    const at = m.named(`${name}_place`, m.add(from, m.shl(m.bits(va, shift, 9), m.word(3))));
    const here = (): V => readEntry(level, from, at);
    leaf =
      shift >= 30
        ? here()
        : m.named(
            `${name}_found`,
            m.choose(above, () => outer, here),
          );
    place = shift >= 30 ? at : m.named(`${name}_from`, m.select(above, place, at));
    entries.push(leaf);
    table = m.named(next, m.and(leaf, m.word(FRAME_MASK)));
    if (shift === 12) continue;
    const unmarked = m.isZero(m.part('A', leaf, PTE.accessed, 1));
    const mark = (): void => m.storePhysical(place, m.or(leaf, m.word(1 << PTE.accessed)));
    if (shift === 39) m.when(unmarked, mark);
    else {
      mapped = m.named(`${name}_maps`, m.part('PS', leaf, PTE.large, 1));
      large.push({ is: mapped, offset: m.word((1n << BigInt(shift)) - 1n) });
      m.when(m.and(m.isZero(mapped), unmarked), mark);
    }
  }

  m.heading('Every level grants the right');
  const every = (name: string, bit: number): V =>
    entries.map((entry) => m.part(name, entry, bit, 1)).reduce((all, one) => m.and(all, one));
  const canWrite = m.named('writable', every('W', PTE.writable));
  const canUse = m.named('user_page', every('U', PTE.user));
  const noFetch = m.named(
    'no_execute',
    entries.map((entry) => m.part('NX', entry, PTE.noExecute, 1)).reduce((any, one) => m.or(any, one)),
  );
  // The supervisor may write to a read-only page while CR0.WP is clear.
  const mayWrite = m.or(canWrite, m.isZero(m.or(user, m.part('WP', m.get('cr0'), CONTROL.writeProtect, 1))));
  m.when(m.and(user, m.isZero(canUse)), () => pageFault(1));
  m.when(m.and(write, m.isZero(mayWrite)), () => pageFault(1));
  const userPageOfSupervisor = m.and(m.isZero(user), canUse);
  m.when(m.and(smap, userPageOfSupervisor), () => pageFault(1));
  m.when(m.and(execute, m.or(noFetch, m.and(smep, userPageOfSupervisor))), () => pageFault(1));

  m.heading('The page, marked accessed, and dirty if this is a write');
  const within = large.reduceRight((rest, one) => m.select(one.is, one.offset, rest), m.word(0xfff));
  const offset = m.named('offset', within);
  const physical = m.or(m.and(table, m.not(offset)), m.and(va, offset));
  const frame = m.named('frame', m.and(physical, m.word(FRAME_MASK)));
  m.when(m.isZero(m.inMemory(frame)), () => m.stop('not modelled: physical address outside memory'));
  const marks = m.or(m.word(1 << PTE.accessed), m.shl(write, m.word(PTE.dirty)));
  m.when(m.isZero(m.eq(m.and(leaf, marks), marks)), () => m.storePhysical(place, m.or(leaf, marks)));
  // A page that is not dirty must not be written through a translation that is remembered.
  const dirty = m.or(write, m.part('D', leaf, PTE.dirty, 1));
  const writable = m.and(canWrite, dirty);
  m.translated({ va, frame, writable, user: canUse, executable: m.isZero(noFetch), system });
  return m.or(frame, m.and(va, m.word(0xfff)));
}

/** Sizes of what #AC wants aligned, in bytes (SDM vol 3, table 6-7). */
export const ALIGNED: readonly number[] = [2, 4, 8];

/** Whether a user has its accesses checked: CR0.AM, RFLAGS.AC and CPL 3. */
export const checksAlignment = <V>(m: MachineOps<V>): V =>
  m.and(
    m.eq(m.get('cpl'), m.word(3)),
    m.and(m.bit(m.get('rflagsRest'), AC_BIT), m.bit(m.get('cr0'), CONTROL.alignmentMask)),
  );

/**
 * #AC(0) for a word, doubleword or quadword that does not lie on a multiple of its size (SDM vol 3, 6.15, "Interrupt
 * 17"); never for what the processor reads for itself, as descriptors. An operand in parts, as a far
 * pointer, is checked by its parts. It comes before any page is looked up: the manual does not order it against #PF,
 * Bochs has it so (cpu/paging.cc, access_read_linear), and an AMD EPYC does.
 */
function requireAligned<V>(m: MachineOps<V>, va: V, bytes: number, rights: V): void {
  if (!ALIGNED.includes(bytes)) return;
  const explicit = m.isZero(m.part('system', rights, 1, 1));
  m.when(m.and(m.and(explicit, checksAlignment(m)), m.isZero(m.isZero(m.and(va, m.word(bytes - 1))))), () => {
    requireCanonical(m, va, rights);
    m.raise(VECTOR.AC, m.word(0));
  });
}

/** Both ends are translated before a byte is touched, so that half an access is never seen. */
export function ends<V>(m: MachineOps<V>, va: V, bytes: number, rights: V): readonly [first: V, last: V] {
  // All of an access is canonical before a page of it is looked up.
  const end = m.add(va, m.word(bytes - 1));
  requireCanonical(m, end, rights);
  requireAligned(m, va, bytes, rights);
  const first = m.translate(va, rights);
  const crosses = m.below(m.word(0x1000 - bytes), m.and(va, m.word(0xfff)));
  // A fault of the second page reports its first byte.
  const second = (): V => m.or(m.translate(m.and(end, m.word(~0xfffn)), rights), m.and(end, m.word(0xfff)));
  const last = m.choose(crosses, second, () => m.add(first, m.word(bytes - 1)));
  return [first, last];
}

/** How far into its aligned word an access begins, in bits, and whether it ends in the next word. */
function placeOf<V>(m: MachineOps<V>, width: Width, va: V): { readonly shift: V; readonly crosses: V } {
  const offset = m.and(va, m.word(7));
  return { shift: m.shl(offset, m.word(3)), crosses: m.below(m.word(8 - width / 8), offset) };
}

const aligned = <V>(m: MachineOps<V>, pa: V): V => m.and(pa, m.word(~7n));

/** A load of any alignment from aligned words. */
export function loadSlow<V>(m: MachineOps<V>, width: Width, va: V, rights: V): V {
  const [first, last] = ends(m, va, width / 8, rights);
  m.meetBreakpoints(va, width / 8, rights);
  const { shift, crosses } = placeOf(m, width, va);
  const low = m.shr(m.loadPhysical(aligned(m, first)), shift);
  const both = (): V => m.or(low, m.shl(m.loadPhysical(aligned(m, last)), m.sub(m.word(64), shift)));
  return m.truncate(
    width,
    m.choose(crosses, both, () => low),
  );
}

/** A store of any alignment, as one or two stores of aligned words. */
export function storeSlow<V>(m: MachineOps<V>, width: Width, va: V, value: V, rights: V): void {
  const [first, last] = ends(m, va, width / 8, rights);
  m.meetBreakpoints(va, width / 8, rights);
  const { shift, crosses } = placeOf(m, width, va);
  const mask = m.truncate(width, m.word(-1));
  const bits = m.and(value, mask);
  const merge = (pa: V, where: V, what: V): void => {
    const at = aligned(m, pa);
    m.storePhysical(at, m.or(m.and(m.loadPhysical(at), m.not(where)), what));
  };
  merge(first, m.shl(mask, shift), m.shl(bits, shift));
  m.when(crosses, () => {
    const rest = m.sub(m.word(64), shift);
    merge(last, m.shr(mask, rest), m.shr(bits, rest));
  });
}
