# Exceptions and software interrupts: what is pushed, on which stack, with which RF.
scene int3
        int3
        stc
        int     $3
        end
scene int_open
        int     $33
        end
scene int_open_returns
        hook    33, leave
        std
        int     $33
        nop
        cld
        end
scene int_not_present
        hook    11, resume
        lea     1f(%rip),%rbx
        int     $34
1:      nop
        end
scene int_beyond_the_table
        hook    13, resume
        lea     1f(%rip),%rbx
        int     $200
1:      nop
        end
scene misaligned_stack
        sub     $3,%rsp
        int3
        hook    6, resume
        lea     1f(%rip),%rbx
        ud2
1:      add     $3,%rsp
        end
scene invalid_opcode
        hook    6, resume
        lea     1f(%rip),%rbx
        sub     %eax,%eax
        ud2
1:      nop
        end
scene divide_by_zero
        hook    0, resume
        lea     1f(%rip),%rbx
        mov     $7,%eax
        cmp     $8,%eax
        div     %ecx
1:      end
scene divide_overflow
        hook    0, resume
        lea     1f(%rip),%rbx
        mov     $7,%edx
        mov     $3,%ecx
        test    %ecx,%ecx
        div     %ecx
1:      end
scene not_canonical
        hook    13, resume
        hook    12, resume
        lea     1f(%rip),%rbx
        mov     $0x8000000000000000,%rax
        mov     (%rax),%rcx
1:      lea     1f(%rip),%rbx
        mov     %rcx,(%rax)
1:      lea     1f(%rip),%rbx
        mov     %rax,%rbp
        mov     8(%rbp),%rcx
1:      lea     1f(%rip),%rbx
        jmp     *%rax
1:      lea     1f(%rip),%rbx
        call    *%rax
1:      nop
        end
scene return_to_nowhere
        hook    13, resume
        lea     1f(%rip),%rbx
        mov     $0x800000000000,%rax
        push    %rax
        ret
1:      nop
        end
scene null_selectors
        hook    13, resume
        lea     1f(%rip),%rbx
        xor     %eax,%eax
        mov     %eax,%ss
1:      mov     %eax,%ds
        mov     $0x2b,%eax
        mov     %eax,%es
        lea     1f(%rip),%rbx
        mov     $0x78,%eax
        mov     %eax,%ds
1:      lea     1f(%rip),%rbx
        mov     $0x10,%eax
        mov     %eax,%ss
1:      hook    12, resume
        lea     1f(%rip),%rbx
        mov     $0x38,%eax
        mov     %eax,%ss
1:      lea     1f(%rip),%rbx
        hook    11, resume
        mov     $0x38,%eax
        mov     %eax,%ds
1:      nop
        end
        .if QEMU == 0                           # it leaves for a host of SVM that is not there, and hangs
scene reserved_in_cr4
        hook    13, resume
        lea     1f(%rip),%rbx
        mov     $0x10000000060,%rax
        mov     %rax,%cr4
1:      nop
        end
        .endif
scene reserved_in_dr7
        hook    13, resume
        lea     1f(%rip),%rbx
        mov     $0x10000000400,%rax
        mov     %rax,%dr7
1:      nop
        end
scene reserved_in_dr6
        hook    13, resume
        lea     1f(%rip),%rbx
        mov     $0x100000000,%rax
        mov     %rax,%dr6
1:      mov     $0,%eax
        mov     %rax,%dr6
        mov     %dr6,%rcx
        mov     $-1,%eax
        mov     %rax,%dr6
        mov     %dr6,%rcx
        end
scene reserved_in_cr8
        hook    13, resume
        lea     1f(%rip),%rbx
        mov     $16,%eax
        mov     %rax,%cr8
1:      nop
        end
scene msr_not_canonical
        hook    13, resume
        lea     1f(%rip),%rbx
        mov     $0xc0000101,%ecx
        mov     $0x8000,%edx
        wrmsr
1:      nop
        end
        .macro take_gate vector                 # no more present; RAX has what it was
        mov     idt + \vector * 16,%rax
        mov     %rax,%rcx
        btr     $47,%rcx
        mov     %rcx,idt + \vector * 16
        .endm
        .macro put_gate vector
        mov     %rax,idt + \vector * 16
        .endm
# A gate that is not present, met while a #GP is delivered: contributory on contributory.
scene double_fault_contributory
        hook    8, 1f
        take_gate 13
        mov     $0x8000000000000000,%rcx
        mov     (%rcx),%rdx
1:      put_gate 13
        end
# A #PF while #PF is delivered: the stack is not there.
scene double_fault_stack
        hook    8, 1f
        mov     $nothing + 0x800,%rsp
        mov     nothing,%rax
1:      nop
        end
# A #PF while #GP is delivered is no double fault, but it has no stack either, so the second #PF makes one.
scene double_fault_benign_first
        hook    8, 1f
        mov     $nothing + 0x800,%rsp
        ud2
1:      nop
        end
# #UD is benign: what its delivery raises is delivered on its own.
scene fault_after_benign
        hook    11, 1f
        take_gate 6
        ud2
1:      put_gate 6
        end
scene fault_of_a_breakpoint
        hook    11, 1f
        take_gate 3
        int3
1:      put_gate 3
        end
scene hook_of_an_nmi_is_absent
        hook    11, 1f
        take_gate 2
        send_nmi
        nop
1:      put_gate 2
        end
scene flags_of_popf
        push    $0x47fd7
        popf
        pushf
        pop     %rax
        push    $2
        popf
        push    $0x10202
        popf
        pushf
        pop     %rax
        cli
        end
