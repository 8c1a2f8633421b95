# Instruction breakpoints, RF, general detect.
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
# A handler that returns without RF meets it again.
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
# RF stays over a fault: the instruction that begins again is not met.
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
