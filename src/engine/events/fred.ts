/**
 * Flexible return and event delivery (FRED): what CR4.FRED puts in the place of the IDT (SDM vol 3, chapter 8; Intel's
 * FRED specification 5.0, chapter 5).
 *
 * No emulator in Debian has FRED, so no peer has run against this: the rules are those of the manual, read beside
 * Bochs' `fred.cc` (commit 7a0d34c14 and later) and linux v6.9 `arch/x86/entry/entry_fred.c`, and the tests are
 * cases made by hand. Shadow stacks are not modelled, nor are enclaves and NMI source reporting.
 */
import { forgetSupervisorWait, supervisorWaits } from '../../isa/endbranch.ts';
import { LOGGED, VECTOR } from '../../isa/ops.ts';
import type { Event, MachineOps } from '../machine-ops.ts';
import { openDebugRegisters, postMet } from './debug.ts';
import { EVENT_TYPE, INFO } from './event-info.ts';
import { WITH_ERROR_CODE } from './idt.ts';
import { accept } from './pending.ts';

/** Fields of IA32_FRED_CONFIG (SDM vol 4). The red zone is counted in 64 bytes, so masked it is in bytes. */
const CONFIG = { level: 0, redZone: 0x1c0, interruptLevel: 9, page: ~0xfffn } as const;
/** Events of ring 0 enter so many bytes behind those of ring 3. */
const SUPERVISOR_ENTRY = 256;
const FRAME = 64;
/** What #DB tells of DR6: B0 to B3, BLD, BD, BS, RTM. */
const DEBUG_DATA = 0x1_680fn;
/** Every flag but bit 1, which is always set. */
export const FLAGS = 0xffff_fffdn;

/** Bits of the CS word above the selector, and of the SS word above its own (SDM vol 3, 8.3). */
export const CS_WORD = { level: 16, wfe: 18 } as const;
export const SS_WORD = { sti: 16, software: 17, nmi: 18, info: 32 } as const;

/** The current stack level. */
export const stackLevel = <V>(m: MachineOps<V>): V => m.part('CSL', m.get('fredConfig'), CONFIG.level, 2);
export const setStackLevel = <V>(m: MachineOps<V>, level: V): void =>
  m.set('fredConfig', m.or(m.and(m.get('fredConfig'), m.word(~3n)), level));

/** Exchange GS.base with IA32_KERNEL_GS_BASE. */
export function swapGsBase<V>(m: MachineOps<V>): void {
  const [user, kernel] = [m.get('gsBase'), m.get('kernelGsBase')];
  m.set('gsBase', kernel);
  m.set('kernelGsBase', user);
}

/** The stack of a level, from its MSR. */
function stackOf<V>(m: MachineOps<V>, level: V): V {
  const upper = m.select(m.bit(level, 0), m.get('fredRsp3'), m.get('fredRsp2'));
  const lower = m.select(m.bit(level, 0), m.get('fredRsp1'), m.get('fredRsp0'));
  return m.select(m.bit(level, 1), upper, lower);
}

/** Deliver an event to one of the two entry points, with a frame of eight words. */
export function deliverByFred<V>(m: MachineOps<V>, event: Event<V>): void {
  const { vector, errorCode, rip } = event;
  const config = m.get('fredConfig');

  m.heading(
    'What the frame will say of the event: its type, whether it is nested, the length of an instruction',
  );
  const user = m.named('from_user', m.eq(m.get('cpl'), m.word(3)));
  const asType = (one: keyof typeof EVENT_TYPE): V => m.word(EVENT_TYPE[one] << INFO.type);
  const isDebug = m.eq(vector, m.symbol('#DB', VECTOR.DB));
  const outside = m.select(
    event.nmi,
    asType('nmi'),
    m.select(m.or(isDebug, event.machineCheck), asType('exception'), asType('interrupt')),
  );
  const info = m.named('info', m.select(m.get('pendingKind'), m.get('pendingInfo'), outside));
  const type = m.named('type', m.part('type', info, INFO.type, 4));
  const isType = (one: keyof typeof EVENT_TYPE): V => m.eq(type, m.symbol(one, EVENT_TYPE[one]));
  const software = m.named('software', m.or(isType('softwareInterrupt'), isType('other')));
  const isException = (one: number, name: string): V =>
    m.and(isType('exception'), m.eq(vector, m.symbol(name, one)));

  m.heading('The entry point: the page in FRED_CONFIG, or 256 bytes behind it for an event of ring 0');
  const page = m.and(config, m.word(CONFIG.page));
  const target = m.named('target', m.select(user, page, m.add(page, m.word(SUPERVISOR_ENTRY))));
  m.raiseUnless(m.isCanonical(target), VECTOR.GP, m.word(0));

  m.heading('The level of the event: 0 for software and, unless nested or a double fault, for ring 3');
  const plain = m.isZero(m.or(m.part('nested', info, INFO.nested, 1), isException(VECTOR.DF, '#DF')));
  const byVector = m.bits(m.shr(m.get('fredStklvls'), m.shl(m.and(vector, m.word(31)), m.word(1))), 0, 2);
  const byType = m.select(isType('interrupt'), m.bits(config, CONFIG.interruptLevel, 2), byVector);
  const level = m.named('level', m.select(m.or(software, m.and(user, plain)), m.word(0), byType));

  m.heading(
    'The stack level never falls; ring 3 has none. A new level takes its stack, the old one goes on below',
  );
  const old = m.named('old_level', m.select(user, m.word(0), stackLevel(m)));
  const next = m.named('new_level', m.select(m.below(old, level), level, old));
  const from = m.select(
    m.or(user, m.below(old, next)),
    stackOf(m, next),
    m.sub(m.get('rsp'), m.and(config, m.word(CONFIG.redZone))),
  );
  const top = m.named('top', m.and(from, m.word(~63n)));

  m.heading('The whole frame can be written; it lies in 64 aligned bytes');
  m.probe(m.sub(top, m.word(8)), 8, 'frame');

  m.heading(
    'Eight words: zero, event data, SS, RSP, RFLAGS, CS, RIP, error code; a fault sets RF in the image',
  );
  const debugData = m.and(errorCode, m.word(DEBUG_DATA));
  const data = m.named(
    'event_data',
    m.select(
      isException(VECTOR.PF, '#PF'),
      m.get('cr2'),
      m.select(isException(VECTOR.DB, '#DB'), debugData, m.word(0)),
    ),
  );
  const at = (bit: V, n: number): V => m.shl(bit, m.word(n));
  const told = m.or(m.or(info, vector), m.word(1 << INFO.longMode));
  const marks = m.or(
    at(m.part('STI', m.get('shadow'), 0, 1), SS_WORD.sti),
    m.or(at(software, SS_WORD.software), at(event.nmi, SS_WORD.nmi)),
  );
  const ss = m.named('SS_word', m.or(m.or(m.get('ss'), marks), at(told, SS_WORD.info)));
  const waited = supervisorWaits(m);
  const cs = m.named('CS_word', m.or(m.get('cs'), m.or(at(old, CS_WORD.level), at(waited, CS_WORD.wfe))));
  const image = m.named('image', m.or(m.rflags(), at(event.fault, 16)));
  const hasCode = m.named('has_error_code', m.and(event.fault, m.isOneOf(vector, WITH_ERROR_CODE)));
  const code = m.select(hasCode, errorCode, m.word(0));
  const words = [m.word(0), data, ss, m.get('rsp'), image, cs, rip, code];
  for (const [n, word] of words.entries()) m.store(64, m.sub(top, m.word(8 * (n + 1))), word, 'frame');

  m.together(() => {
    accept(m, event);
    m.heading(
      'The new state: all flags clear; from ring 3 the segments that STAR names and the other GS base',
    );
    postMet(m);
    openDebugRegisters(m, event);
    const slot = m.sub(top, m.word(FRAME - 8));
    m.logEvent(LOGGED.delivery, { vector, rip, slot, target, outerRsp: m.get('rsp') });
    m.set('rsp', m.sub(top, m.word(FRAME)));
    m.when(user, () => {
      const base = m.bits(m.get('star'), 32, 16);
      m.set('cs', m.and(base, m.word(0xfffc)));
      m.set('ss', m.truncate(16, m.add(base, m.word(8))));
      swapGsBase(m);
      m.set('cpl', m.word(0));
    });
    setStackLevel(m, next);
    m.set('shadow', m.word(0));
    m.setRflags(m.word(0), FLAGS);
    forgetSupervisorWait(m);
  });
  m.jump(target);
}
