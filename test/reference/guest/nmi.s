# NMIs, from the guest's own local APIC: latched, nested, unblocked by IRETs that succeed or fault.
scene nmi
        send_nmi
        nop
        nop
        end
scene nmi_on_its_own_stack
        sub     $5,%rsp
        send_nmi
        nop
        end
scene nmi_with_interrupts_on
        sti
        nop
        send_nmi
        nop
        cli
        end
# The handler sends the next one, which waits for its IRET.
scene nmi_latched
        hook    2, 1f
        mov     $3,%ecx
        send_nmi
        nop
        end
1:      dec     %ecx
        jz      leave
        send_nmi
        send_nmi
        nop
        jmp     leave
# An INT3 in the handler: its IRET unblocks, and the next NMI overwrites the frame of the first.
scene nmi_unblocked_by_int3
        hook    2, 1f
        send_nmi
        nop
        end
1:      inc     %ecx
        cmp     $2,%ecx
        jae     2f
        send_nmi
        int3
        nop
2:      inc     %edx
        cmp     $4,%edx
        ja      next_scene
        jmp     leave
scene nmi_unblocked_by_a_fault
        hook    2, 1f
        hook    6, resume
        send_nmi
        nop
        end
1:      hook    2, next_scene
        send_nmi
        lea     2f(%rip),%rbx
        ud2
2:      nop
        end
# The IRET of the handler faults while the next NMI waits.
scene nmi_faulting_iret
        hook    2, 1f
        hook    13, 2f
        send_nmi
        nop
        end
1:      hook    2, leave
        send_nmi
        add     $16,%rsp
        movq    $0x78,8(%rsp)
        iretq
2:      nop
        nop
        end
# The frame of the next one comes to lie where the repaired IRET reads.
scene nmi_faulting_iret_repaired
        hook    2, 1f
        hook    13, 2f
        send_nmi
        nop
        end
1:      hook    2, next_scene
        send_nmi
        add     $16,%rsp
        movq    $0x78,8(%rsp)
        iretq
2:      nop
        movq    $KERNEL_CS,ist1_top - 32
        jmp     leave
# A page fault of the IRET itself.
scene nmi_iret_page_fault
        hook    2, 1f
        hook    14, 2f
        send_nmi
        nop
        end
1:      hook    2, leave
        send_nmi
        mov     $nothing + 0x800,%rsp
        iretq
2:      nop
        end
scene nmi_in_user_mode
        to_user user_nmi
scene nmi_in_user_mode_latched
        hook    2, 1f
        to_user user_nmi
1:      hook    2, count
        send_nmi
        jmp     leave
scene nmi_before_single_step
        hook    2, count
        push    $0x102
        popf
        send_nmi
        nop
        push    $2
        popf
        end
# MOV SS sits right behind the store that sends the NMI, and holds back nothing that came before it.
scene nmi_then_mov_ss
        mov     %ss,%eax
        send_nmi
        mov     %eax,%ss
        nop
        end
scene nmi_unblocked_in_front_of_mov_ss
        hook    2, 1f
        mov     %ss,%eax
        send_nmi
        nop
        end
1:      hook    2, leave
        send_nmi
        lea     2f(%rip),%rbx
        jmp     resume
2:      mov     %eax,%ss
        nop
        end

        .section .user
user_nmi:
        movl    $0x4400,user_apic + 0x300
        nop
        nop
        int     $33
        .text
