# Between the rings: SYSCALL, SYSRET, IRET with every check, maskable interrupts and their shadows.
scene syscall
        to_user user_syscall, 0xcd7
scene syscall_and_back
        to_user user_syscall_twice, 2
scene sysret_flags
        mov     $user_end,%ecx
        mov     $0x47fd7 & ~0x7100,%r11d
        sysretq
scene sysret_with_rf
        mov     $user_end,%ecx
        mov     $0x10002,%r11d
        sysretq
scene sysret_not_canonical
        hook    13, 1f
        mov     $0x800000000000,%rcx
        mov     $2,%r11d
        sysretq
1:      nop
        end
scene sysret_in_user_mode
        hook    13, 1f
        to_user user_sysret
1:      nop
        end
scene syscall_without_sce
        hook    6, 1f
        mov     $0xc0000080,%ecx
        rdmsr
        btr     $0,%eax
        wrmsr
        to_user user_syscall
1:      mov     $0xc0000080,%ecx
        rdmsr
        bts     $0,%eax
        wrmsr
        end
scene user_faults
        hook    13, resume
        to_user user_privileged
scene user_interrupts
        hook    13, resume
        to_user user_closed_gate
scene user_flags
        to_user user_popf
scene user_stack_aligned
        to_user user_odd_stack
# An IRET that faults says so in front of what it would have returned to.
        .macro faulting_iret name, vector, rip, cs, flags, rsp, ss
scene \name
        hook    \vector, 1f
        push    $\ss
        mov     $\rsp,%rax
        push    %rax
        push    $\flags
        push    $\cs
        mov     $\rip,%rax
        push    %rax
        mov     $USER_SS,%eax
        mov     %eax,%ds
        iretq
1:      nop
        end
        .endm
        faulting_iret iret_cs_null, 13, user_plain, 0, 2, user_stack_top, USER_SS
        faulting_iret iret_cs_null_rpl, 13, user_plain, 3, 2, user_stack_top, USER_SS
        faulting_iret iret_cs_outside, 13, user_plain, 0x78, 2, user_stack_top, USER_SS
        faulting_iret iret_cs_ldt, 13, user_plain, 0x37, 2, user_stack_top, USER_SS
        faulting_iret iret_cs_data, 13, user_plain, 0x2b, 2, user_stack_top, USER_SS
        faulting_iret iret_cs_wrong_rpl, 13, user_plain, 0x13, 2, user_stack_top, USER_SS
        faulting_iret iret_cs_absent, 11, user_plain, 0x5b, 2, user_stack_top, USER_SS
        faulting_iret iret_ss_null_user, 13, user_plain, USER_CS, 2, user_stack_top, 3
        faulting_iret iret_ss_wrong_rpl, 13, user_plain, USER_CS, 2, user_stack_top, 0x18
        faulting_iret iret_ss_code, 13, user_plain, USER_CS, 2, user_stack_top, 0x33
        faulting_iret iret_ss_outside, 13, user_plain, USER_CS, 2, user_stack_top, 0x7b
        faulting_iret iret_ss_absent, 12, user_plain, USER_CS, 2, user_stack_top, ABSENT_SS
        faulting_iret iret_rip_not_canonical, 13, 0x800000000000, USER_CS, 2, user_stack_top, USER_SS
        faulting_iret iret_rip_not_canonical_kernel, 13, 0x800000000000, KERNEL_CS, 2, task_stack_top, KERNEL_SS
        faulting_iret iret_nt_image, 6, user_plain, USER_CS, 0x4002, user_stack_top, USER_SS
scene iret_nt
        hook    13, 1f
        push    $0x4002
        popf
        to_kernel 1f
1:      nop
        end
scene iret_ss_null_kernel
        push    $0
        push    $task_stack_top
        push    $2
        push    $KERNEL_CS
        push    $1f
        iretq
1:      nop
        int3
        end
scene iret_stack_not_canonical
        push    $KERNEL_SS
        mov     $0x8000000000000000,%rax
        push    %rax
        push    $2
        push    $KERNEL_CS
        push    $1f
        iretq
1:      mov     $task_stack_top,%rsp
        end
scene iret_from_not_canonical
        hook    12, 1f
        hook    8, 1f
        mov     $0x8000000000000000,%rsp
        iretq
1:      nop
        end
scene iret_flags
        to_kernel 1f, 0x257fd7 & ~0x4300
1:      pushf
        pop     %rax
        end
scene iret_to_another_code_segment
        to_kernel 1f, 2, 0x50
1:      int3
        end
scene interrupt
        sti
        nop
        send_interrupt
        nop
        cli
        end
scene interrupt_waits_for_sti
        send_interrupt
        nop
        sti
        inc     %ecx
        inc     %ecx
        cli
        end
scene interrupt_sti_cli
        send_interrupt
        sti
        cli
        nop
        sti
        sti
        nop
        cli
        end
scene interrupt_sti_hlt
        send_interrupt
        sti
        hlt
        cli
        end
scene interrupt_sti_mov_ss
        mov     %ss,%ecx
        send_interrupt
        sti
        mov     %ecx,%ss
        nop
        nop
        cli
        end
scene interrupt_popf
        send_interrupt
        push    $0x202
        popf
        nop
        cli
        end
scene interrupt_iret
        send_interrupt
        to_kernel 1f, 0x202
1:      nop
        cli
        end
scene interrupt_task_priority
        mov     $2,%eax
        mov     %rax,%cr8
        send_interrupt
        sti
        nop
        nop
        xor     %eax,%eax
        mov     %rax,%cr8
        nop
        cli
        end
scene interrupt_in_user_mode
        send_interrupt
        to_user user_plain, 0x202
scene interrupt_and_nmi
        send_interrupt
        send_nmi
        sti
        nop
        nop
        cli
        end
scene interrupt_and_step
        hook    1, count
        hook    32, leave
        send_interrupt
        push    $0x102
        popf
        sti
        nop
        nop
        cli
        push    $2
        popf
        end
scene interrupt_then_int3
        send_interrupt
        sti
        int3
        nop
        cli
        end

        .section .user
user_end:
        pushf
        pop     %rax
        nop
        int     $33
user_syscall:
        stc
        syscall
        nop
user_syscall_twice:
        mov     $sysret_again,%r9
        syscall
        nop
        xor     %r9d,%r9d
        syscall
user_sysret:
        sysretq
user_privileged:
        lea     1f(%rip),%rbx
        hlt
1:      lea     1f(%rip),%rbx
        cli
1:      lea     1f(%rip),%rbx
        mov     %cr0,%rax
1:      lea     1f(%rip),%rbx
        mov     %dr7,%rax
1:      lea     1f(%rip),%rbx
        rdmsr
1:      lea     1f(%rip),%rbx
        swapgs
1:      lea     1f(%rip),%rbx
        lidt    user_data
1:      lea     1f(%rip),%rbx
        ltr     %ax
1:      lea     1f(%rip),%rbx
        mov     $0x18,%eax
        mov     %eax,%ds
1:      int     $33
user_closed_gate:
        lea     1f(%rip),%rbx
        int     $2
1:      lea     1f(%rip),%rbx
        int     $1
1:      lea     1f(%rip),%rbx
        int     $34
1:      int3
        int     $3
        int     $33
user_popf:
        push    $0x47ed7
        popf
        pushf
        pop     %rax
        push    $2
        popf
        int     $33
user_odd_stack:
        sub     $3,%rsp
        int3
        int     $33
        .text
sysret_again:
        sysretq
