# Page faults and the bits that the walk sets.
        .macro page_faults name
scene \name
        hook    14, resume
        .endm
        .macro faulting text:vararg
        lea     9f(%rip),%rbx
        \text
9:
        .endm
page_faults page_not_there
        faulting mov nothing,%rcx
        faulting mov %rcx,nothing + 8
        faulting incl nothing + 16
        faulting push nothing
        faulting mov nothing - 3,%ecx
        faulting mov %ecx,nothing - 2
        end
page_faults page_read_only
        mov     read_only,%rcx
        faulting mov %rcx,read_only
        faulting incl read_only + 4
        faulting cmpxchg %rcx,read_only
        faulting lock addl $1,read_only
        mov     $0x80040033,%eax
        mov     %cr0,%rcx
        btr     $16,%rcx
        mov     %rcx,%cr0
        mov     %rcx,read_only
        bts     $16,%rcx
        mov     %rcx,%cr0
        faulting mov %rcx,read_only
        end
page_faults page_reserved_bit
        mov     $reserved_bit,%rax
        faulting mov (%rax),%rcx
        faulting mov %rcx,(%rax)
        end
scene page_no_execute
        hook    14, 1f
        mov     $no_execute,%rax
        jmp     *%rax
1:      nop
        end
scene page_fetch_nothing
        hook    14, 1f
        mov     $nothing + 5,%rax
        jmp     *%rax
1:      nop
        end
scene page_fetch_across
        hook    14, 1f
        movw    $0xb848,data + 0xffd            # mov $imm64,%rax
        mov     $data + 0xffd,%rax
        jmp     *%rax
1:      nop
        end
scene page_user_text_is_no_secret
        mov     user_data,%rax
        mov     user_text,%rax
        end
scene page_smap
        hook    14, resume
        mov     $0x200060,%eax
        mov     %rax,%cr4
        faulting mov user_data,%rcx
        faulting mov %rcx,user_data
        stac
        mov     user_data,%rcx
        clac
        faulting mov user_data,%rcx
        end
scene page_smep
        hook    14, 1f
        mov     $0x100060,%eax
        mov     %rax,%cr4
        mov     $user_text,%eax
        jmp     *%rax
1:      nop
        end
scene page_user
        hook    14, resume
        to_user user_touches
scene page_user_fetch
        hook    14, 1f
        to_user no_execute_low
1:      nop
        end
scene page_accessed
        mov     unused_entry,%rax
        mov     unused,%rcx
        mov     unused_entry,%rax
        mov     %rcx,unused
        mov     unused_entry,%rax
        andl    $~0x60,unused_entry
        invlpg  unused
        mov     %rcx,unused
        mov     unused_entry,%rax
        andl    $~0x60,unused_entry
        invlpg  unused
        incl    unused
        mov     unused_entry,%rax
        andl    $~0x60,unused_entry
        invlpg  unused
        end
# What faults for want of a right sets no dirty bit.
scene page_accessed_and_fault
        hook    14, resume
        andl    $~0x62,unused_entry
        invlpg  unused
        faulting mov %rcx,unused
        mov     unused_entry,%rax
        mov     unused,%rcx
        mov     unused_entry,%rax
        orl     $2,unused_entry
        faulting mov %rcx,unused
        mov     unused_entry,%rax
        end
scene page_accessed_user
        to_user user_touches_unused
# A repeated string instruction that runs into a hole keeps what it has done.
scene page_repeat
        hook    14, 1f
        mov     $nothing - 3,%rdi
        mov     $9,%ecx
        rep stosb
1:      nop
        end
scene page_repeat_source
        hook    14, 1f
        mov     $nothing - 3,%rsi
        lea     copy(%rip),%rdi
        mov     $9,%ecx
        rep movsb
1:      nop
        end
scene page_stack
        hook    14, resume
        hook    8, 1f
        mov     $nothing + 8,%rsp
        push    %rax
1:      nop
        end
scene page_delivery_writes_across
        hook    14, 1f
        hook    8, 1f
        mov     $nothing + 0x1010,%rsp
        int3
1:      nop
        end
# NMIs and repeated string instructions: the first of three stores sends it.
scene repeat_and_nmi
        hook    2, count
        mov     $apic + 0x300,%rdi
        mov     $string_of_nmi,%rsi
        mov     $3,%ecx
        std
        rep movsl
        cld
        nop
        end
scene repeat_and_nmi_last
        hook    2, count
        mov     $apic + 0x300,%rdi
        mov     $0x4400,%eax
        mov     $1,%ecx
        rep stosl
        nop
        end
scene repeat_and_interrupt
        sti
        mov     $apic + 0x300,%rdi
        mov     $string_of_interrupt,%rsi
        mov     $3,%ecx
        std
        rep movsl
        cld
        nop
        cli
        end
        .balign 8
        .long   0, 0
string_of_nmi:
        .long   0x4400
        .long   0, 0
string_of_interrupt:
        .long   0x44020
        .set    unused_entry, pt + 8 * 0x56
        .set    user_unused_entry, pt + 8 * 0x57
        .set    no_execute_low, 0x54000

        .section .user
user_text:
user_touches:
        lea     1f(%rip),%rbx
        mov     word,%rax
1:      lea     1f(%rip),%rbx
        mov     %rax,word
1:      lea     1f(%rip),%rbx
        mov     %rax,user_touches
1:      lea     1f(%rip),%rbx
        mov     nothing,%rax
1:      mov     user_data,%rax
        mov     %rax,user_data
        int     $33
user_touches_unused:
        mov     user_unused,%rax
        mov     %rax,user_unused
        int     $33
        .text
