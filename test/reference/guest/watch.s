# Data breakpoints: which accesses meet them; and what a load of SS holds back.
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
# A breakpoint on the stack that a delivery pushes to, and on a gate.
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
