/**
 * What QEMU's translator does otherwise. Files are those of target/i386/tcg in QEMU's repository: `seg_helper.c` at
 * commit bb76f8e27570, `sysemu/seg_helper.c` at 0b6206b9c682, `sysemu/bpt_helper.c` at 20a96761793f,
 * `sysemu/misc_helper.c` at 24d84c7e4806, `sysemu/excp_helper.c` at 01bfc2e29599.
 */

import type { Vendor } from '../../../src/engine/vendor.ts';
import { RF } from '../../../src/isa/flags.ts';
import type { Peculiarities } from '../guest/compare.ts';

/**
 * `helper_iret_protected` unblocks NMIs behind its last check; nothing here looks at SS loads or STI for an NMI.
 * `helper_sysret` does not look at RCX, and SYSENTER is refused in long mode for a processor of AMD, as `-cpu max` is.
 */
export const QEMU_TCG: Vendor = {
  name: 'qemu',
  faultingIretUnblocksNmi: false,
  stiShadowHoldsNmi: false,
  movSsSuppressesBreakpoints: false,
  sysretChecksTarget: false,
  sysretForcesStackRpl: true,
  sysenterInLongMode: false,
};

/** Scenes that the guest leaves out for QEMU (`.if QEMU == 0`): it does not survive them. */
export const NOT_RUN = [
  'reserved_in_cr4: leaves for a host of SVM that is not there (sysemu/misc_helper.c, helper_write_crN)',
  'watch_delivery, watch_idt: crash when the words of a delivery meet a data breakpoint (7.2)',
];

const KERNEL_SS = 0x18n;

const ALLOWANCES: Peculiarities['allowances'] = [
  {
    why: 'an IST entry makes SS null although the CPL stays',
    source:
      'seg_helper.c, do_interrupt64; SDM vol 3, 6.14.5 reads so, but processors keep it: see engine/events/idt.ts',
    allows: (word, ours, theirs) => (word === 'ss' || word === 'r14') && ours === KERNEL_SS && theirs === 0n,
  },
  {
    why: 'the image that a fault pushes has no RF',
    source: 'seg_helper.c, do_interrupt64; SDM vol 3, 17.3.1.1',
    allows: (word, ours, theirs) =>
      (word === 'rflags' || word === 'r12') && (ours & RF) !== 0n && theirs === (ours & ~RF),
  },
];
/** These have the handler's error code in R9. */
const GATE_CODE: Peculiarities['allowances'][number] = {
  why: 'the error code for a gate is 16 times the vector, without EXT',
  source: 'seg_helper.c, do_interrupt64; SDM vol 3, 6.13: 8 times',
  allows: (word, ours, theirs) =>
    word === 'r9' && (ours & 2n) !== 0n && theirs === (((ours & ~7n) << 1n) | 2n),
};

const NOT_HELD = 'a load of SS does not hold back the trap of a data breakpoint';
const CODE_BREAKPOINT = 'a trap tells of an instruction breakpoint at the next instruction, too';

/** Where events have their cause in the guest. */
export const ALONE: Peculiarities = {
  allowances: [...ALLOWANCES, GATE_CODE],
  partings: [
    {
      why: 'a stack access that is not canonical is #GP',
      source: 'all such accesses are; SDM vol 1, 3.3.7.1: #SS',
      scenes: { not_canonical: 'scene_not_canonical+64: rip on_12 on_13' },
    },
    {
      why: 'where a jump, RET or IRET goes is not looked at before it is there',
      source: 'seg_helper.c, helper_ret_protected; SDM vol 2, IRET',
      scenes: {
        return_to_nowhere: 'shown+9: r10 scene_return_to_nowhere+30 800000000000',
        iret_rip_not_canonical: 'scene_iret_rip_not_canonical+44: rsp ffffffff80031fa0 ffffffff80033fd0',
        iret_rip_not_canonical_kernel:
          'scene_iret_rip_not_canonical_kernel+44: rsp ffffffff80031fa0 ffffffff80031fc0',
      },
    },
    {
      why: 'CR8 and base registers take any value, DR6 keeps bit 12',
      source: 'sysemu/misc_helper.c, helper_write_crN, helper_wrmsr; sysemu/bpt_helper.c, helper_set_dr',
      scenes: {
        reserved_in_dr6: 'scene_reserved_in_dr6+48: dr6 ffffefff ffffffff',
        reserved_in_cr8: 'scene_reserved_in_cr8+24: rip on_13 scene_reserved_in_cr8+28',
        msr_not_canonical: 'scene_msr_not_canonical+29: rip on_13 scene_msr_not_canonical+31',
      },
    },
    {
      why: 'the second of two loads of SS holds back a step, which SDM vol 3, 6.8.3 leaves open',
      source: 'observed',
      scenes: { step_two_mov_ss: 'scene_step_two_mov_ss+25: rip on_1 scene_step_two_mov_ss+27' },
    },
    {
      why: 'an STI that opens a shadow does not trap a step',
      source: 'observed; kvm-unit-tests x86/debug.c, "STI blocking", expects the trap',
      scenes: {
        step_sti: 'scene_step_sti+21: rip on_1 scene_step_sti+22',
        interrupt_and_step: 'scene_interrupt_and_step+41: rip on_1 scene_interrupt_and_step+42',
      },
    },
    {
      why: 'the address of a data breakpoint is not aligned to its length, which SDM vol 3, 17.2.5 leaves open',
      source: 'sysemu/bpt_helper.c, hw_breakpoint_insert',
      scenes: { watch_unaligned: 'scene_watch_unaligned+18: rip on_1 scene_watch_unaligned+26' },
    },
    {
      why: 'an access tells of one data breakpoint only',
      source: 'sysemu/bpt_helper.c, check_hw_breakpoints',
      scenes: { watch_two: 'scene_watch_two+30: dr6 ffff0ff5 ffff0ff1' },
    },
    {
      why: 'a data breakpoint and a step are two #DB',
      source: 'observed; SDM vol 3, 17.2.3: DR6 tells of both',
      scenes: { watch_and_step: 'shown+9: r10 scene_watch_and_step+51 on_1' },
    },
    {
      why: CODE_BREAKPOINT,
      source:
        'sysemu/bpt_helper.c, check_hw_breakpoints; so does Bochs, but no AMD EPYC: see events/boundary.ts',
      scenes: {
        break_and_step: 'scene_break_and_step+39: dr6 ffff4ff0 ffff4ff1',
        break_and_watch: 'scene_break_and_watch+40: dr6 ffff0ff1 ffff0ff3',
      },
    },
    {
      why: 'RF ends with the first iteration of a repeated string instruction',
      source: 'observed; SDM vol 3, 17.3.1.1: with the last',
      scenes: { break_on_repeat: 'scene_break_on_repeat+42: rip scene_break_on_repeat+42 on_1' },
    },
    {
      why: 'DR7.GD does nothing',
      source: 'sysemu/bpt_helper.c, helper_set_dr and helper_get_dr',
      scenes: { general_detect: 'scene_general_detect+21: rip on_1 scene_general_detect+24' },
    },
    {
      why: NOT_HELD,
      source: 'sysemu/bpt_helper.c, breakpoint_handler; SDM vol 3, 6.8.3',
      scenes: {
        mov_ss_watch: 'scene_mov_ss_watch+39: rip scene_mov_ss_watch+46 on_1',
        mov_ss_watch_int3: 'scene_mov_ss_watch_int3+39: rip scene_mov_ss_watch_int3+46 on_1',
        mov_ss_watch_int: 'scene_mov_ss_watch_int+51: rip scene_mov_ss_watch_int+58 on_1',
        mov_ss_watch_fault: 'scene_mov_ss_watch_fault+58: rip scene_mov_ss_watch_fault+65 on_1',
        mov_ss_watch_step: 'scene_mov_ss_watch_step+48: rip scene_mov_ss_watch_step+55 on_1',
        mov_ss_watch_syscall: 'user_mov_ss_syscall: rip user_mov_ss_syscall+7 on_1',
        mov_ss_watch_int3_user: 'user_mov_ss_int3: rip user_mov_ss_int3+7 on_1',
      },
    },
    {
      why: 'SYSCALL clears the arithmetic flags',
      source: 'sysemu/seg_helper.c, helper_syscall: they are not in env->eflags; SDM vol 2, SYSCALL',
      scenes: {
        syscall: 'user_syscall+1: rflags 8d7 2',
        syscall_and_back: 'user_syscall_twice+13: rflags 46 2',
      },
    },
    {
      why: 'SYSRET loads RF',
      source: 'seg_helper.c, helper_sysret; SDM vol 2, SYSRET: it is cleared',
      scenes: { sysret_with_rf: 'scene_sysret_with_rf+11: rflags 2 10002' },
    },
    {
      why: 'an IRET to a stack segment that is not present is #NP',
      source: 'seg_helper.c, helper_ret_protected; SDM vol 3, 6.15, "Interrupt 11": a load of SS raises #SS',
      scenes: { iret_ss_absent: 'scene_iret_ss_absent+41: rip on_12 on_11' },
    },
    {
      why: 'a load of SS right behind STI holds nothing back',
      source: 'observed; Bochs holds back as we do',
      scenes: {
        interrupt_sti_mov_ss: 'scene_interrupt_sti_mov_ss+14: rip scene_interrupt_sti_mov_ss+16 on_32',
      },
    },
    {
      why: 'an instruction that reads what it writes faults as a read',
      source: 'observed; SDM vol 3, 4.7: W/R tells of a write',
      scenes: { page_not_there: 'shown+4: r9 2 0' },
    },
    {
      why: 'a reserved bit in an entry is told without P',
      source: 'sysemu/excp_helper.c, mmu_translate; SDM vol 3, 4.7: RSVD only with P',
      scenes: { page_reserved_bit: 'shown+4: r9 9 8' },
    },
  ],
};

/** Where events come from outside. */
export const OUTSIDE: Peculiarities = {
  allowances: ALLOWANCES,
  partings: [
    {
      why: 'an NMI comes before a machine check',
      source: 'sysemu/seg_helper.c, x86_cpu_exec_interrupt; SDM vol 3, 6.9: the machine check',
      scenes: { check_and_nmi: 'scene_check_and_nmi+12: rip on_2 on_18' },
    },
    {
      why: 'a load of SS does not hold back an NMI',
      source: 'sysemu/seg_helper.c, x86_cpu_exec_interrupt; SDM vol 3, 6.8.3',
      scenes: { nmi_behind_mov_ss: 'scene_nmi_behind_mov_ss+2: rip at_nmi_behind_mov_ss on_2' },
    },
  ],
};
