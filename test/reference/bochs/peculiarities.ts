/** What Bochs does otherwise. Files are those of bochs/cpu in its repository at commit c9c341609, version 2.7. */

import { INTEL, type Vendor } from '../../../src/engine/vendor.ts';
import { RF } from '../../../src/isa/flags.ts';
import type { Peculiarities } from '../guest/compare.ts';

/** `handleAsyncEvent` holds NMIs back behind STI as well; `iret64` unblocks them before its checks. */
export const BOCHS: Vendor = { ...INTEL, name: 'bochs', stiShadowHoldsNmi: true };

const withoutRf = (ours: bigint, theirs: bigint): boolean => (ours & RF) !== 0n && theirs === (ours & ~RF);
const REPEATED = /^(step_|watch_)?repeat/;

export const PECULIARITIES: Peculiarities = {
  allowances: [
    {
      why: 'RF is cleared when text is fetched, in front of the instruction that it is for',
      source: 'cpu.cc, prefetch',
      allows: (word, ours, theirs) => word === 'rflags' && withoutRf(ours, theirs),
    },
    {
      why: 'what comes between two iterations of a repeated string instruction pushes no RF',
      source: 'exception.cc, exception; SDM vol 3, 17.3.1.1: it does',
      allows: (word, ours, theirs, scene) =>
        word === 'r12' && REPEATED.test(scene) && withoutRf(ours, theirs),
    },
    {
      why: 'the fault of a debug register that is guarded pushes no RF',
      source:
        'exception.cc, exception: no #DB does; SDM vol 3, 17.3.1.1: all faults but instruction breakpoints',
      allows: (word, ours, theirs, scene) =>
        word === 'r12' && scene === 'general_detect' && withoutRf(ours, theirs),
    },
  ],
  partings: [
    {
      why: 'a #DB clears bit 15 of DR6',
      source: 'exception.cc, exception; SDM vol 3, 17.2.3: bits but the lowest four stay',
      scenes: { dr6_sticks: 'shown+38: rbp ffffeff0 ffff6ff0' },
    },
    {
      why: 'a breakpoint that is not enabled is told when an enabled one is met, which SDM vol 3, 17.2.3 allows',
      source: 'crregs.cc, hwdebug_compare',
      scenes: {
        watch_two: 'shown+38: rbp ffff0ff5 ffff0ffd',
        watch_not_enabled: 'shown+38: rbp ffff0ff2 ffff0ff3',
      },
    },
    {
      why: 'reading a gate meets a data breakpoint, which the manual leaves open',
      source: 'access.cc, system_read_qword; paging.cc, access_read_linear',
      scenes: { watch_idt: 'scene_watch_idt+30: rip on_3 on_1' },
    },
    {
      why: 'a trap tells of an instruction breakpoint at the next instruction, too',
      source: 'event.cc, handleAsyncEvent; so does QEMU, but no AMD EPYC: see events/boundary.ts',
      scenes: {
        break_and_step: 'shown+38: rbp ffff4ff0 ffff4ff1',
        break_and_watch: 'shown+38: rbp ffff0ff1 ffff0ff3',
      },
    },
    {
      why: 'a software interrupt drops the trap that a load of SS held back',
      source:
        'exception.cc, interrupt; Linux v6.12, tools/testing/selftests/x86/mov_ss_trap.c: it comes in the handler',
      scenes: {
        mov_ss_watch_int3: 'scene_mov_ss_watch_int3+46: rip on_1 on_3',
        mov_ss_watch_int: 'scene_mov_ss_watch_int+58: rip on_1 on_33',
        mov_ss_watch_int3_user: 'user_mov_ss_int3+7: rip on_1 on_3',
      },
    },
    {
      why: 'an IRET to a stack segment that is not present is #NP',
      source: 'iret.cc, iret64; SDM vol 2, IRET, and vol 3, 6.15, "Interrupt 11": #SS',
      scenes: { iret_ss_absent: 'scene_iret_ss_absent+41: rip on_12 on_11' },
    },
  ],
};
