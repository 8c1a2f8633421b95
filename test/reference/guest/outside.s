# Events from outside: each arrives at the label `at_NAME`, or while the processor is halted. The handler of a machine check
# shows IA32_MCG_STATUS and clears it.
scene check
        hook    18, checked
        nop
at_check:
        inc     %ecx
        nop
        end
scene check_with_interrupts_on
        hook    18, checked
        sti
        nop
at_check_with_interrupts_on:
        nop
        cli
        end
scene check_in_user_mode
        hook    18, checked
        to_user at_check_in_user_mode
scene check_in_repeat
        hook    18, checked
        lea     copy(%rip),%rdi
        mov     $5,%ecx
at_check_in_repeat:
        rep stosb
        nop
        end
# The IRET of the machine check unblocks NMIs inside the handler of one.
scene check_in_nmi
        hook    2, 1f
        hook    18, checked
        send_nmi
        nop
        end
1:      hook    2, next_scene
        send_nmi
        nop
at_check_in_nmi:
        nop
        jmp     leave
scene check_and_nmi
        hook    18, checked
        nop
at_check_and_nmi:
        nop
        nop
        end
scene check_halted
        hook    18, checked
        hlt
        nop
        end
scene nmi_from_outside
        nop
at_nmi_from_outside:
        nop
        end
scene nmi_in_repeat
        lea     copy(%rip),%rdi
        mov     $5,%ecx
at_nmi_in_repeat:
        rep stosb
        nop
        end
scene nmi_behind_mov_ss
        mov     %ss,%ecx
        mov     %ecx,%ss
at_nmi_behind_mov_ss:
        nop
        nop
        end
scene nmi_behind_sti
        sti
at_nmi_behind_sti:
        nop
        cli
        end
scene nmi_halted
        hlt
        nop
        end
# A machine check while another one is served.
scene check_in_check
        hook    18, 1f
        nop
at_check_in_check:
        nop
        end
1:      nop
at_check_in_check_again:
        nop
        end

checked:
        push    %rax
        push    %rcx
        push    %rdx
        mov     $0x17a,%ecx                     # IA32_MCG_STATUS
        rdmsr
        xor     %eax,%eax
        xor     %edx,%edx
        wrmsr
        pop     %rdx
        pop     %rcx
        pop     %rax
        jmp     leave

        .section .user
at_check_in_user_mode:
        nop
        nop
        int     $33
        .text
