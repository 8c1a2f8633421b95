/** IRET in 64-bit mode, to the same or an outer ring. */
import { AC, AF, CF, DF, ID, IF, IOPL, NT, OF, PF, RF, SF, TF, ZF } from '../../isa/flags.ts';
import { LOGGED, VECTOR, type Width } from '../../isa/ops.ts';
import {
  dropInnerSegments,
  markAccessed,
  probeAccessed,
  returnCode,
  returnStack,
  rplOf,
} from '../../isa/semantics/descriptors.ts';
import type { MachineOps } from '../machine-ops.ts';

/** VIF and VIP: loaded at CPL 0 only. */
const VIRTUAL = (1n << 19n) | (1n << 20n);
const ALWAYS = CF | PF | AF | ZF | SF | TF | DF | OF | NT | RF | AC | ID;

/**
 * IRET unblocks NMIs, and on Intel even when it faults, before the fault's handler runs (SDM vol 2, IRET). Under FRED
 * as well, where it can only stay in its ring: that rests on Bochs alone (commit 783b58fd6, ctrl_xfer64.cc, IRET64).
 * Said in both outcomes and not first, so that a stop changes nothing.
 */
export function returnFromInterrupt<V>(m: MachineOps<V>, width: Width): void {
  m.attempt(
    () => popAndSwitch(m, width),
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

/**
 * SDM vol 2, IRET: IA-32e mode, in the manual's order. Words of 16 and 32 bits are zero-extended, and one of
 * 16 leaves the upper half of the flags; SS:RSP is popped in every case (SDM vol 3, 6.14.3).
 */
function popAndSwitch<V>(m: MachineOps<V>, width: Width): void {
  const cpl = m.get('cpl');
  m.heading('No nested task');
  m.raiseIf(m.bit(m.get('rflagsRest'), 14), VECTOR.GP, m.word(0));

  m.heading('Five words always, whatever ring is returned to');
  const slot = m.get('rsp');
  const popped = (n: number): V => m.load(width, m.add(slot, m.word((width / 8) * n)), 'stack');
  const rip = m.named('new_rip', popped(0));
  const cs = m.named('new_cs', m.bits(popped(1), 0, 16));
  const image = m.named('image', popped(2));
  const rsp = m.named('new_rsp', popped(3));
  const ss = m.named('new_ss', m.bits(popped(4), 0, 16));

  m.heading('CS: not null, in the table, not more privileged than now, 64-bit code of that ring, present');
  const rpl = m.named('rpl', rplOf(m, cs));
  const code = returnCode(m, cs, rpl);

  m.heading('SS: null for ring 0 to 2 only; else writable data of the new ring, present');
  const stack = m.named('ss_descriptor', returnStack(m, ss, rpl));
  m.heading('The address to return to is canonical');
  m.raiseUnless(m.isCanonical(rip), VECTOR.GP, m.word(0));
  m.heading('Both segments are marked accessed; an outer ring loses the data segments it may not have');
  probeAccessed(m, cs, code);
  markAccessed(m, ss, stack);
  markAccessed(m, cs, code);
  m.when(m.below(cpl, rpl), () => dropInnerSegments(m, rpl));

  m.heading('The new state: NMIs unblocked, flags as far as the old CPL may change them');
  m.together(() => {
    unblockNmis(m);
    const mayInterrupt = m.isZero(m.below(m.bits(m.get('rflagsRest'), 12, 2), cpl));
    const popping = width === 16 ? 0xffffn : ~0n;
    m.setRflags(image, ALWAYS & popping);
    m.when(mayInterrupt, () => m.setRflags(image, IF));
    m.when(m.isZero(cpl), () => m.setRflags(image, (IOPL | VIRTUAL) & popping));
    m.set('rsp', rsp);
    m.set('cs', cs);
    m.set('ss', ss);
    m.set('cpl', rpl);
  });
  m.logEvent(LOGGED.iret, { vector: m.word(0), rip: m.rip(), slot, target: rip, outerRsp: rsp });
  m.jump(rip);
}
