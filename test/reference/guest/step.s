# Single steps: what traps, behind what, and what DR6 tells.
scene step
        hook    1, count
        step_on
        nop
        mov     $1,%eax
        add     %eax,%eax
        push    %rax
        pop     %rcx
        jmp     1f
        nop
1:      call    2f
        step_off
        end
2:      ret
scene step_pushf
        hook    1, count
        step_on
        pushf
        pop     %rcx
        step_off
        end
scene step_int3
        hook    1, count
        hook    3, count
        step_on
        int3
        nop
        int     $3
        nop
        step_off
        end
scene step_fault
        hook    1, count
        hook    6, resume
        lea     1f(%rip),%rbx
        step_on
        ud2
1:      nop
        step_off
        end
scene step_iret
        hook    1, count
        to_kernel 1f, 0x102
1:      nop
        to_kernel 1f
1:      nop
        end
scene step_mov_ss
        hook    1, count
        mov     %ss,%ecx
        step_on
        mov     %ecx,%ss
        nop
        nop
        step_off
        end
scene step_two_mov_ss
        hook    1, count
        mov     %ss,%ecx
        step_on
        mov     %ecx,%ss
        mov     %ecx,%ss
        nop
        nop
        step_off
        end
scene step_sti
        hook    1, count
        step_on
        sti
        nop
        cli
        step_off
        end
scene step_repeat
        hook    1, count
        lea     copy(%rip),%rdi
        mov     $3,%ecx
        step_on
        rep stosb
        nop
        step_off
        end
scene step_repeat_none
        hook    1, count
        lea     copy(%rip),%rdi
        xor     %ecx,%ecx
        step_on
        rep stosb
        nop
        step_off
        end
scene step_repeat_compare
        hook    1, count
        lea     copy(%rip),%rdi
        lea     string(%rip),%rsi
        mov     $3,%ecx
        step_on
        repe cmpsb
        nop
        step_off
        end
scene step_mov_dr
        hook    1, count
        step_on
        mov     %dr7,%rax
        mov     %rax,%dr7
        nop
        step_off
        end
scene step_user
        hook    1, count
        to_user user_plain, 0x102
scene dr6_sticks
        hook    1, 1f
        step_on
        nop
        step_off
        end
1:      mov     %rdi,%dr6
        mov     $0xffffeff0,%edi
        add     $16,%rsp
        iretq

        .section .user
user_plain:
        nop
        inc     %ecx
        nop
        int     $33
        .text
