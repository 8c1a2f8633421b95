/** Event delivery through the IDT in 64-bit mode. */
import { trackEntry } from '../../isa/endbranch.ts';
import { IF, NT, RF, TF } from '../../isa/flags.ts';
import { LOGGED, VECTOR } from '../../isa/ops.ts';
import {
  dplOf,
  isCode,
  isConforming,
  isDefault32,
  isLong,
  isPresent,
  loadDescriptor,
  markAccessed,
  selectorCode,
} from '../../isa/semantics/descriptors.ts';
import type { Event, MachineOps } from '../machine-ops.ts';
import { openDebugRegisters, postMet } from './debug.ts';
import { accept } from './pending.ts';

/** Vectors that push an error code (SDM vol 3, table 6-1): #DF #TS #NP #SS #GP #PF #AC #CP #VC #SX. */
export const WITH_ERROR_CODE = [8, 10, 11, 12, 13, 14, 17, 21, 29, 30];

/** Byte offsets in the 64-bit TSS (SDM vol 3, figure 8-11); IST n lies at 28 + 8 n. */
const TSS = { rsp0: 4, ist: 28 } as const;

/** SDM vol 3, 6.14 (64-bit mode: gate, stack frame, stack switch, IST); vol 2, INT n for the order of the checks. */
export function deliver<V>(m: MachineOps<V>, event: Event<V>): void {
  const { vector, errorCode, rip } = event;
  const cpl = m.get('cpl');

  m.heading('The gate lies within the IDT');
  const offset = m.named('offset', m.shl(vector, m.word(4)));
  const gateCode = m.named('gate_code', m.or(m.shl(vector, m.word(3)), m.word(2)));
  m.raiseIf(m.below(m.get('idtLimit'), m.add(offset, m.word(15))), VECTOR.GP, gateCode);
  const gate = m.named('gate', m.load(64, m.add(m.get('idtBase'), offset), 'system'));
  const high = m.named('gate_high', m.load(64, m.add(m.get('idtBase'), m.add(offset, m.word(8))), 'system'));

  m.heading('It is an interrupt gate (14) or a trap gate (15), open to software at this CPL, present');
  const type = m.named('type', m.part('type', gate, 40, 5));
  m.raiseUnless(m.or(m.eq(type, m.word(14)), m.eq(type, m.word(15))), VECTOR.GP, gateCode);
  m.raiseIf(m.and(event.software, m.below(dplOf(m, gate), cpl)), VECTOR.GP, gateCode);
  m.raiseUnless(isPresent(m, gate), VECTOR.NP, gateCode);

  m.heading('It names a present 64-bit code segment, no less privileged than now');
  const selector = m.named('selector', m.part('selector', gate, 16, 16));
  const code = m.named('selector_code', selectorCode(m, selector));
  m.raiseIf(m.isZero(code), VECTOR.GP, m.word(0));
  const segment = m.named('segment', loadDescriptor(m, selector, code));
  m.raiseUnless(isCode(m, segment), VECTOR.GP, code);
  m.raiseIf(m.below(cpl, dplOf(m, segment)), VECTOR.GP, code);
  m.raiseUnless(isPresent(m, segment), VECTOR.NP, code);
  m.raiseUnless(m.and(isLong(m, segment), m.isZero(isDefault32(m, segment))), VECTOR.GP, code);
  m.when(m.or(dplOf(m, segment), isConforming(m, segment)), () =>
    m.stop('not modelled: gate outside ring 0'),
  );

  m.heading(
    'The stack: an IST entry always, else RSP0 if the CPL changes, both within the TSS; else the current one; aligned to 16',
  );
  const ist = m.named('ist', m.part('IST', gate, 32, 3));
  const entry = m.named(
    'entry',
    m.select(ist, m.add(m.word(TSS.ist), m.shl(ist, m.word(3))), m.word(TSS.rsp0)),
  );
  const switches = m.named('switches', m.or(m.isZero(m.isZero(ist)), m.isZero(m.isZero(cpl))));
  const from = m.choose(
    switches,
    () => {
      const beyond = m.below(m.get('tssLimit'), m.add(entry, m.word(7)));
      m.raiseIf(beyond, VECTOR.TS, selectorCode(m, m.get('tr')));
      return m.load(64, m.add(m.get('tssBase'), entry), 'system');
    },
    () => m.get('rsp'),
  );
  const top = m.named('top', m.and(from, m.word(~15n)));

  m.heading('The handler has a canonical address, and the whole frame can be written');
  const target = m.named(
    'target',
    m.or(m.bits(gate, 0, 16), m.or(m.shl(m.bits(gate, 48, 16), m.word(16)), m.shl(high, m.word(32)))),
  );
  const hasCode = m.named('has_error_code', m.and(event.fault, m.isOneOf(vector, WITH_ERROR_CODE)));
  const bottom = m.named('bottom', m.sub(top, m.select(hasCode, m.word(48), m.word(40))));
  m.raiseUnless(m.isCanonical(m.sub(top, m.word(8))), VECTOR.SS, m.word(0));
  m.raiseUnless(m.isCanonical(target), VECTOR.GP, m.word(0));
  // The upper end first: CR2 tells the first push that would fail.
  m.probe(m.sub(top, m.word(8)), 8, 'frame');
  m.probe(bottom, 8, 'frame');
  markAccessed(m, selector, segment);

  m.heading('Five words always, then the error code if the vector has one; a fault sets RF in the image');
  const image = m.named('image', m.or(m.rflags(), m.shl(event.fault, m.word(16))));
  const words = [m.get('ss'), m.get('rsp'), image, m.get('cs'), rip];
  for (const [n, word] of words.entries()) m.store(64, m.sub(top, m.word(8 * (n + 1))), word, 'frame');
  m.when(hasCode, () => m.store(64, bottom, errorCode, 'frame'));

  m.together(() => {
    accept(m, event);
    m.heading('The new state; a data breakpoint that a push has met traps in front of the handler');
    postMet(m);
    openDebugRegisters(m, event);
    const slot = m.sub(top, m.word(40));
    m.logEvent(LOGGED.delivery, { vector, rip, slot, target, outerRsp: m.get('rsp') });
    m.set('rsp', bottom);
    // With the CPL alone (SDM vol 3, 6.14.4; Bochs, exception.cc, long_mode_int). Of a switch by IST 6.14.5 can be read so
    // too, and QEMU does: but an oops in the NMI handler of a Xeon says `RSP: 0018:fffffe000036ced0` (Linux 4.18 on a
    // PowerEdge R740, github.com/SCST-project/scst/issues/122), so SS stayed the kernel's on the stack of the IST.
    m.when(cpl, () => m.set('ss', m.word(0)));
    m.set('cs', code);
    m.set('cpl', m.word(0));
    m.set('shadow', m.word(0));
    m.setRflags(m.word(0), TF | NT | RF);
    m.when(m.eq(type, m.word(14)), () => m.setRflags(m.word(0), IF));
    trackEntry(m);
  });
  m.jump(target);
}
