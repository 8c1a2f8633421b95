/**
 * ERETS and ERETU: the returns of FRED (SDM vol 3, 8.4.1 and 8.4.2; vol 2, ERETS and ERETU, whose order this keeps).
 * NMIs are unblocked if bit 18 of the SS word asks for it, and only then: see `fred.ts` for who has run this.
 */
import { resumeWait } from '../../isa/endbranch.ts';
import { LOGGED, VECTOR } from '../../isa/ops.ts';
import {
  markAccessed,
  probeAccessed,
  returnCode,
  returnStack,
  rplOf,
} from '../../isa/semantics/descriptors.ts';
import { SHADOW } from '../../isa/state.ts';
import type { MachineOps } from '../machine-ops.ts';
import { DR6 } from './debug.ts';
import { CS_WORD, FLAGS, SS_WORD, setStackLevel, stackLevel, swapGsBase } from './fred.ts';

/** Bits that a word must have clear, beside what it is compared with (SDM vol 2, ERETS and ERETU). */
const SUPERVISOR = { cs: 0xffff_ffff_fff8_ffffn, rflags: 0xffff_ffff_ffc2_802an, ss: 0xfff8_ffffn } as const;
const USER = { cs: 0xffff_ffff_ffff_0003n, rflags: 0xffff_ffff_ffc2_b02an, ss: 0xfff8_0003n } as const;

interface Popped<V> {
  readonly rip: V;
  readonly cs: V;
  readonly image: V;
  readonly rsp: V;
  readonly ss: V;
}

/** The five words behind the error code. */
function pop<V>(m: MachineOps<V>): Popped<V> {
  m.heading('Five words behind the error code');
  const word = (name: string, n: number): V =>
    m.named(name, m.load(64, m.add(m.get('rsp'), m.word(8 * n)), 'stack'));
  const [rip, cs, image] = [word('new_rip', 1), word('CS_word', 2), word('image', 3)];
  return { rip, cs, image, rsp: word('new_rsp', 4), ss: word('SS_word', 5) };
}
const gpUnless = <V>(m: MachineOps<V>, condition: V): void => m.raiseUnless(condition, VECTOR.GP, m.word(0));
const masked = <V>(m: MachineOps<V>, value: V, mask: bigint, expected: V): V =>
  m.eq(m.and(value, m.word(mask)), expected);

/** RIP, RFLAGS with RF, RSP; then what the marks in the SS word ask for. */
function restore<V>(m: MachineOps<V>, { rip, image, rsp, ss }: Popped<V>): void {
  m.logEvent(LOGGED.iret, {
    vector: m.word(0),
    rip: m.rip(),
    slot: m.add(m.get('rsp'), m.word(8)),
    target: rip,
    outerRsp: rsp,
  });
  m.setRflags(image, FLAGS);
  m.set('rsp', rsp);
  m.heading('An event of software pends a single step if TF is set now; an NMI ends the blocking of NMIs');
  m.when(m.and(m.part('software', ss, SS_WORD.software, 1), m.bit(image, 8)), () =>
    m.set('debugTrap', m.or(m.get('debugTrap'), m.word(DR6.singleStep))),
  );
  m.when(m.part('nmi', ss, SS_WORD.nmi, 1), () => m.set('nmiBlocked', m.word(0)));
}

/** ERETS: back to ring 0, at the same stack level or a lower one. */
export function returnToSupervisor<V>(m: MachineOps<V>): void {
  const popped = pop(m);
  const { rip, cs, image, ss } = popped;
  m.heading('RIP is canonical, CS and SS are what they are, RFLAGS has no reserved bit and no VM');
  gpUnless(m, m.isCanonical(rip));
  gpUnless(m, masked(m, cs, SUPERVISOR.cs, m.get('cs')));
  gpUnless(m, masked(m, image, SUPERVISOR.rflags, m.word(2)));
  gpUnless(m, masked(m, ss, SUPERVISOR.ss, m.get('ss')));

  m.heading('The new state; the stack level does not rise');
  const level = m.named('level', m.part('level', cs, CS_WORD.level, 2));
  const current = stackLevel(m);
  m.together(() => {
    setStackLevel(m, m.select(m.below(level, current), level, current));
    restore(m, popped);
    m.heading('An STI holds interrupts back once more, an indirect branch waits once more');
    const held = m.and(m.part('sti', ss, SS_WORD.sti, 1), m.bit(image, 9));
    const fresh = m.isZero(m.part('STI', m.get('shadow'), 0, 1));
    m.when(m.and(held, fresh), () => m.set('shadow', m.word(SHADOW.sti)));
    resumeWait(m, m.part('WFE', cs, CS_WORD.wfe, 1));
  });
  m.jump(rip);
}

/**
 * ERETU: to ring 3, from stack level 0. DS, ES, FS and GS stay what they are, whatever their DPL, unlike with IRET: that
 * rests on Bochs alone (commit 783b58fd6, fred.cc, ERETU).
 */
export function returnToUser<V>(m: MachineOps<V>): void {
  m.heading('The stack level is 0');
  gpUnless(m, m.isZero(stackLevel(m)));
  const popped = pop(m);
  const { rip, ss } = popped;
  const [code, stack] = [m.bits(popped.cs, 0, 16), m.bits(ss, 0, 16)];
  m.heading('CS and SS are of ring 3, RFLAGS has no reserved bit, no VM and IOPL 0');
  gpUnless(m, masked(m, popped.cs, USER.cs, m.word(3)));
  gpUnless(m, masked(m, popped.image, USER.rflags, m.word(2)));
  gpUnless(m, masked(m, ss, USER.ss, m.word(3)));

  m.heading(
    'The segments that STAR names are taken without a look at their descriptors; others as IRET does',
  );
  const base = m.bits(m.get('star'), 48, 16);
  const is = (selector: V, distance: number): V =>
    m.eq(selector, m.truncate(16, m.add(base, m.word(distance))));
  const standard = m.named('standard', m.and(is(code, 16), is(stack, 8)));
  const compatible = m.and(is(code, 0), is(stack, 8));
  m.when(
    standard,
    () => gpUnless(m, m.isCanonical(rip)),
    () => {
      m.when(compatible, () => m.stop('not modelled: return to compatibility mode'));
      const rpl = m.named('rpl', rplOf(m, code));
      const codeDescriptor = returnCode(m, code, rpl, 'ERETU');
      const stackDescriptor = m.named('ss_descriptor', returnStack(m, stack, rpl));
      gpUnless(m, m.isCanonical(rip));
      probeAccessed(m, code, codeDescriptor);
      markAccessed(m, stack, stackDescriptor);
      markAccessed(m, code, codeDescriptor);
    },
  );

  m.heading('The new state, with the other GS base');
  m.together(() => {
    m.set('cs', code);
    m.set('ss', stack);
    m.set('cpl', m.word(3));
    swapGsBase(m);
    restore(m, popped);
  });
  m.jump(rip);
}
