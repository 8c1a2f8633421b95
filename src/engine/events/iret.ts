/** IRETQ in 64-bit mode, to the same or an outer ring. */
import { AC, AF, CF, DF, ID, IF, IOPL, NT, OF, PF, RF, SF, TF, ZF } from '../../isa/flags.ts';
import { LOGGED, VECTOR } from '../../isa/ops.ts';
import type { MachineOps } from '../machine-ops.ts';
import {
  dplOf,
  isCode,
  isConforming,
  isDefault32,
  isLong,
  isPresent,
  isWritableData,
  loadDescriptor,
  selectorCode,
} from './descriptors.ts';

/** VIF and VIP: loaded at CPL 0 only. */
const VIRTUAL = (1n << 19n) | (1n << 20n);
const ALWAYS = CF | PF | AF | ZF | SF | TF | DF | OF | NT | RF | AC | ID;

/**
 * IRET unblocks NMIs, and on Intel even when it faults, before the fault's handler runs (SDM vol 2, IRET).
 * Said in both outcomes and not first, so that a stop changes nothing.
 */
export function returnFromInterrupt<V>(m: MachineOps<V>): void {
  m.attempt(
    () => popAndSwitch(m),
    () => {
      if (m.vendor.faultingIretUnblocksNmi) {
        m.heading('If that raised, NMIs are unblocked all the same');
        unblockNmis(m);
      } else m.heading('If that raised, NMIs stay blocked');
      m.reraise();
    },
  );
}

function unblockNmis<V>(m: MachineOps<V>): void {
  m.set('nmiBlocked', m.word(0));
  m.refreshAttention();
}

/** SDM vol 2, IRET: IA-32e mode, in the manual's order. */
function popAndSwitch<V>(m: MachineOps<V>): void {
  const cpl = m.get('cpl');
  m.heading('No nested task');
  m.raiseIf(m.bit(m.get('rflagsRest'), 14), VECTOR.GP, m.word(0));

  m.heading('Five words always, whatever ring is returned to');
  const slot = m.get('rsp');
  const popped = (n: number): V => m.load(64, m.add(slot, m.word(8 * n)), 'stack');
  const rip = m.named('new_rip', popped(0));
  const cs = m.named('new_cs', m.bits(popped(1), 0, 16));
  const image = m.named('image', popped(2));
  const rsp = m.named('new_rsp', popped(3));
  const ss = m.named('new_ss', m.bits(popped(4), 0, 16));

  m.heading('CS: not null, in the table, not more privileged than now, 64-bit code of that ring, present');
  const csCode = m.named('cs_code', selectorCode(m, cs));
  const rpl = m.named('rpl', m.part('RPL', cs, 0, 2));
  m.raiseIf(m.isZero(csCode), VECTOR.GP, m.word(0));
  const code = m.named('code_segment', loadDescriptor(m, cs, csCode));
  m.raiseUnless(isCode(m, code), VECTOR.GP, csCode);
  m.raiseIf(m.below(rpl, cpl), VECTOR.GP, csCode);
  const wrongRing = m.select(
    isConforming(m, code),
    m.below(rpl, dplOf(m, code)),
    m.isZero(m.eq(dplOf(m, code), rpl)),
  );
  m.raiseIf(wrongRing, VECTOR.GP, csCode);
  m.raiseIf(m.and(isLong(m, code), isDefault32(m, code)), VECTOR.GP, csCode);
  m.raiseUnless(isPresent(m, code), VECTOR.NP, csCode);
  m.when(m.isZero(isLong(m, code)), () => m.stop('not modelled: return to compatibility mode'));

  m.heading('SS: null for ring 0 to 2 only; else writable data of the new ring, present');
  const ssCode = m.named('ss_code', selectorCode(m, ss));
  m.when(
    m.isZero(ssCode),
    () => m.raiseIf(m.eq(rpl, m.word(3)), VECTOR.GP, m.word(0)),
    () => {
      m.raiseUnless(m.eq(m.part('RPL', ss, 0, 2), rpl), VECTOR.GP, ssCode);
      const data = m.named('stack_segment', loadDescriptor(m, ss, ssCode));
      m.raiseUnless(isWritableData(m, data), VECTOR.GP, ssCode);
      m.raiseUnless(m.eq(dplOf(m, data), rpl), VECTOR.GP, ssCode);
      m.raiseUnless(isPresent(m, data), VECTOR.SS, ssCode);
    },
  );
  m.heading('The address to return to is canonical');
  m.raiseUnless(m.isCanonical(rip), VECTOR.GP, m.word(0));
  const outer = m.named('outer', m.below(cpl, rpl));
  // A selector with RPL 3 was loaded from a segment of ring 3, which stays; another one would become null.
  const inner = (['ds', 'es', 'fs', 'gs'] as const)
    .map((name) =>
      m.and(
        m.isZero(m.isZero(selectorCode(m, m.get(name)))),
        m.isZero(m.eq(m.part('RPL', m.get(name), 0, 2), m.word(3))),
      ),
    )
    .reduce((any, one) => m.or(any, one));
  m.when(m.and(outer, inner), () => m.stop('not modelled: return that makes a data segment null'));

  m.heading('The new state: NMIs unblocked, flags as far as the old CPL may change them');
  m.together(() => {
    unblockNmis(m);
    const mayInterrupt = m.isZero(m.below(m.bits(m.get('rflagsRest'), 12, 2), cpl));
    m.setRflags(image, ALWAYS);
    m.when(mayInterrupt, () => m.setRflags(image, IF));
    m.when(m.isZero(cpl), () => m.setRflags(image, IOPL | VIRTUAL));
    m.set('rsp', rsp);
    m.set('cs', cs);
    m.set('ss', ss);
    m.set('cpl', rpl);
  });
  m.logEvent(LOGGED.iret, { vector: m.word(0), rip: m.rip(), slot, target: rip, outerRsp: rsp });
  m.jump(rip);
}
