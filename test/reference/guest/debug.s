# Debug exceptions: TF, the four breakpoints, RF, what DR6 tells; and what a load of SS and STI hold back.
        .macro step_on
        pushf
        orl     $0x100,(%rsp)
        popf
        .endm
        .macro step_off
        pushf
        andl    $~0x100,(%rsp)
        popf
        .endm
        .macro watch address, dr7
        mov     $\address,%rax
        mov     %rax,%dr0
        mov     $\dr7,%eax
        mov     %rax,%dr7
        .endm
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
        push    $KERNEL_SS
        push    $task_stack_top
        push    $0x102
        push    $KERNEL_CS
        push    $1f
        iretq
1:      nop
        push    $KERNEL_SS
        push    $task_stack_top
        push    $2
        push    $KERNEL_CS
        push    $1f
        iretq
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
        .if QEMU == 0                           # it waits for ever
scene step_hlt
        hook    1, count
        step_on
        hlt
        nop
        step_off
        end
        .endif
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
scene watch_write
        watch   word, 0x000d0402
        movq    $1,word
        nop
        mov     word,%rcx
        nop
        end
scene watch_access
        watch   word, 0x000f0402
        mov     word,%rcx
        nop
        movb    $1,word + 3
        movb    $1,word + 4
        movl    $1,word - 3
        movl    $1,word - 4
        nop
        end
scene watch_eight
        watch   word, 0x00090402
        movb    $1,word + 7
        movb    $1,word + 8
        movq    $1,word - 7
        nop
        end
scene watch_unaligned
        mov     $nowhere + 3,%rax
        mov     %rax,%dr0
        mov     $0x000d0402,%eax
        mov     %rax,%dr7
        movb    $1,nowhere
        nop
        movb    $1,nowhere + 3
        nop
        movb    $1,nowhere + 4
        nop
        end
scene watch_two
        mov     $word,%rax
        mov     %rax,%dr0
        inc     %rax
        mov     %rax,%dr2
        inc     %rax
        mov     %rax,%dr3
        mov     $0x11010422,%eax
        mov     %rax,%dr7
        movw    $1,word
        nop
        movl    $1,word
        nop
        end
scene watch_modify
        watch   word, 0x000d0402
        incl    word
        nop
        xchg    %rcx,word
        nop
        lock
        addl    $1,word
        nop
        end
scene watch_modify_access
        watch   word, 0x000f0402
        incl    word
        nop
        cmpl    $3,word
        nop
        end
scene watch_push
        mov     %rsp,%rax
        sub     $8,%rax
        mov     %rax,%dr0
        mov     $0x00090402,%eax
        mov     %rax,%dr7
        push    %rcx
        nop
        pop     %rcx
        call    1f
1:      pop     %rcx
        end
scene watch_and_step
        hook    1, count
        watch   word, 0x000d0402
        step_on
        movq    $1,word
        nop
        step_off
        end
scene watch_repeat
        hook    1, count
        watch   copy+2, 0x00010402
        lea     copy(%rip),%rdi
        mov     $5,%ecx
        rep stosb
        nop
        end
scene watch_repeat_source
        hook    1, count
        watch   string+2, 0x00030402
        lea     copy(%rip),%rdi
        lea     string(%rip),%rsi
        mov     $5,%ecx
        rep movsb
        nop
        end
scene watch_faulting_store
        hook    1, count
        hook    14, resume
        lea     1f(%rip),%rbx
        watch   read_only, 0x000d0402
        movq    $1,read_only
1:      nop
        end
# A breakpoint on the stack that a delivery pushes to.
        .if QEMU == 0                           # it crashes
scene watch_delivery
        hook    1, count
        mov     %rsp,%rax
        and     $-16,%rax
        sub     $8,%rax
        mov     %rax,%dr0
        mov     $0x00090402,%eax
        mov     %rax,%dr7
        int3
        nop
        end
scene watch_idt
        hook    1, count
        watch   idt+48, 0x000b0402
        int3
        nop
        end
        .endif
scene watch_not_enabled
        hook    1, count
        mov     $word,%rax
        mov     %rax,%dr0
        mov     %rax,%dr1
        mov     $0x00d50408,%eax
        mov     %rax,%dr7
        movq    $1,word
        nop
        end
scene watch_user
        hook    1, count
        mov     $user_data,%rax
        mov     %rax,%dr0
        mov     $0x000d0401,%eax
        mov     %rax,%dr7
        to_user user_writes
scene break
        hook    1, pass
        watch   1f, 0x00000402
        nop
1:      inc     %ecx
        nop
        end
scene break_second_byte
        hook    1, pass
        watch   1f+1, 0x00000402
        nop
1:      inc     %ecx
        nop
        end
scene break_local
        hook    1, pass
        watch   1f, 0x00000401
        nop
1:      inc     %ecx
        dec     %eax
        test    %ecx,%ecx
        nop
        end
# A handler that does not return with RF set meets it again.
scene break_again
        hook    1, 2f
        watch   1f, 0x00000402
1:      nop
        end
2:      inc     %rcx
        cmp     $3,%ecx
        je      pass
        andl    $0xfffeffff,32(%rsp)
        jmp     leave
scene break_and_fault
        hook    1, pass
        hook    6, resume
        lea     2f(%rip),%rbx
        watch   1f, 0x00000402
1:      ud2
2:      nop
        end
# RF stays over a fault: the fixed instruction is not met again.
scene break_and_page_fault
        hook    1, pass
        hook    14, 3f
        mov     $nothing,%edi
        watch   1f, 0x00000402
        mov     $nothing,%rdi
1:      mov     (%rdi),%rcx
        nop
        end
3:      mov     $word,%rdi
        jmp     leave
scene break_and_step
        hook    1, pass
        watch   1f, 0x00000402
        step_on
        nop
1:      inc     %ecx
        nop
        step_off
        end
scene break_on_repeat
        hook    1, pass
        watch   1f, 0x00000402
        lea     copy(%rip),%rdi
        mov     $3,%ecx
1:      rep stosb
        nop
        end
scene break_and_watch
        hook    1, pass
        mov     $1f,%rax
        mov     %rax,%dr1
        watch   word, 0x000d040a
        movq    $1,word
1:      nop
        nop
        end
scene break_on_handler
        hook    1, 2f
        watch   on_3, 0x00000402
        int3
        nop
        end
2:      mov     16(%rsp),%rcx
        jmp     pass
scene break_behind_mov_ss
        hook    1, pass
        mov     %ss,%ecx
        watch   1f, 0x00000402
        mov     %ecx,%ss
1:      nop
        nop
        end
scene break_behind_sti
        hook    1, pass
        watch   1f, 0x00000402
        sti
1:      nop
        cli
        end
scene break_user
        hook    1, pass
        mov     $user_plain + 1,%rax
        mov     %rax,%dr0
        mov     $0x00000402,%eax
        mov     %rax,%dr7
        to_user user_plain
scene iret_with_rf
        hook    1, pass
        watch   1f, 0x00000402
        push    $KERNEL_SS
        push    $task_stack_top
        push    $0x10002
        push    $KERNEL_CS
        push    $1f
        iretq
1:      nop
        nop
        end
scene general_detect
        hook    1, 2f
        mov     $0x2400,%eax
        mov     %rax,%dr7
        nop
        mov     %dr6,%rcx
1:      nop
        end
2:      addq    $3,16(%rsp)
        jmp     leave
scene mov_ss_watch
        hook    1, count
        mov     %ss,%ecx
        mov     %ecx,word
        watch   word, 0x000f0402
        mov     word,%ss
        nop
        nop
        end
scene mov_ss_watch_int3
        hook    1, count
        mov     %ss,%ecx
        mov     %ecx,word
        watch   word, 0x000f0402
        mov     word,%ss
        int3
        nop
        end
scene mov_ss_watch_int
        hook    1, count
        hook    33, leave
        mov     %ss,%ecx
        mov     %ecx,word
        watch   word, 0x000f0402
        mov     word,%ss
        int     $33
        nop
        end
scene mov_ss_watch_fault
        hook    1, count
        hook    6, resume
        lea     1f(%rip),%rbx
        mov     %ss,%ecx
        mov     %ecx,word
        watch   word, 0x000f0402
        mov     word,%ss
        ud2
1:      nop
        end
scene mov_ss_watch_step
        hook    1, count
        mov     %ss,%ecx
        mov     %ecx,word
        watch   word, 0x000f0402
        step_on
        mov     word,%ss
        nop
        nop
        step_off
        end
scene mov_ss_watch_syscall
        hook    1, count
        mov     $USER_SS,%ecx
        mov     %ecx,user_data
        mov     $user_data,%eax
        mov     %rax,%dr0
        mov     $0x000f0402,%eax
        mov     %rax,%dr7
        to_user user_mov_ss_syscall
scene mov_ss_watch_int3_user
        hook    1, count
        mov     $USER_SS,%ecx
        mov     %ecx,user_data
        mov     $user_data,%eax
        mov     %rax,%dr0
        mov     $0x000f0402,%eax
        mov     %rax,%dr7
        to_user user_mov_ss_int3

        .section .user
user_plain:
        nop
        inc     %ecx
        nop
        int     $33
user_writes:
        movl    $1,user_data
        nop
        movl    $1,user_data + 4
        nop
        int     $33
user_mov_ss_syscall:
        mov     user_data,%ss
        syscall
user_mov_ss_int3:
        mov     user_data,%ss
        int3
        nop
        int     $33
        .text
