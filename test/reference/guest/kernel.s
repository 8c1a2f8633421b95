# The guest: tables, handlers, and the way from scene to scene. It lies at IMAGE_AT in RAM; all of the first 2 MiB is
# mapped at 0 and at HIGH. One page table serves both, so a page has the same rights in both places.
        .text
origin:
        .set HIGH, 0xffffffff80000000
# 32-bit mode still, with paging off.
        mov     $0x60,%eax                      # PAE, MCE
        mov     %rax,%cr4
        mov     $pml4 - origin + IMAGE_AT,%eax
        mov     %rax,%cr3
        mov     $0xc0000080,%ecx                # EFER: SCE, LME, NXE
        mov     $0x901,%eax
        mov     $0,%edx
        wrmsr
        mov     $0x80050033,%eax                # PE, MP, ET, NE, WP, AM, PG
        mov     %rax,%cr0
        .byte 0x0f, 0x01, 0x15                  # lgdtl low_gdt_register
        .long low_gdt_register - origin + IMAGE_AT
        .byte 0xea                              # ljmp $KERNEL_CS,$1f
        .long 1f - origin + IMAGE_AT
        .word KERNEL_CS
1:      mov     $begin,%rax
        jmp     *%rax

# The comparison starts here.
        .balign 16
begin:  lgdt    gdt_register(%rip)
        lidt    idt_register(%rip)
        mov     $TSS_SELECTOR,%eax
        ltr     %ax
        mov     $KERNEL_SS,%eax
        mov     %eax,%ss
        mov     $task_stack_top,%rsp
        xor     %eax,%eax
        mov     %eax,%ds
        mov     %eax,%es
        mov     %eax,%fs
        mov     %eax,%gs
        movl    $0x1ff,apic + 0xf0              # the local APIC is on, its LINT1 an NMI
        movl    $0x400,apic + 0x360
        mov     $0xc0000081,%ecx                # STAR, LSTAR, SFMASK
        xor     %eax,%eax
        mov     $0x00230010,%edx
        wrmsr
        mov     $0xc0000082,%ecx
        mov     $on_syscall,%rax
        mov     %rax,%rdx
        shr     $32,%rdx
        wrmsr
        mov     $0xc0000084,%ecx
        mov     $0x47700,%eax                   # TF IF DF IOPL NT AC
        xor     %edx,%edx
        wrmsr
        push    $KERNEL_SS
        push    $task_stack_top
        push    $2
        push    $KERNEL_CS
        push    $next_scene
        iretq

# To the next scene: everything as at the first. The first IRET unblocks NMIs, and one that waits is served here.
        .balign 16
next_scene:
        xor     %eax,%eax
        mov     %rax,%dr7
        mov     $0xffff0ff0,%eax
        mov     %rax,%dr6
        mov     $0x60,%eax
        mov     %rax,%cr4
        xor     %eax,%eax
        mov     %rax,%cr2
        mov     %eax,%ds
        mov     %eax,%es
        mov     $default_hooks,%rsi
        mov     $hooks,%rdi
        mov     $(hooks_end - hooks) / 8,%ecx
        cld
1:      mov     (%rsi),%rax
        mov     %rax,(%rdi)
        add     $8,%rsi
        add     $8,%rdi
        dec     %ecx
        jnz     1b
        mov     $KERNEL_SS,%eax
        mov     %eax,%ss
        mov     $task_stack_top,%rsp
        push    $KERNEL_SS
        push    $task_stack_top
        push    $2
        push    $KERNEL_CS
        push    $1f
        iretq
1:      nop
        movl    $32,budget(%rip)
        mov     scene(%rip),%rax
        addq    $8,scene(%rip)
        mov     (%rax),%rax
        push    $KERNEL_SS
        push    $task_stack_top
        push    $2
        push    $KERNEL_CS
        push    %rax
        xor     %eax,%eax
        xor     %ebx,%ebx
        xor     %ecx,%ecx
        xor     %edx,%edx
        xor     %esi,%esi
        xor     %edi,%edi
        xor     %ebp,%ebp
        mov     %rax,%r8
        mov     %rax,%r9
        mov     %rax,%r10
        mov     %rax,%r11
        mov     %rax,%r12
        mov     %rax,%r13
        mov     %rax,%r14
        mov     %rax,%r15
to_scene:
        iretq

# Every handler shows what was pushed, CR2 and DR6 in registers, and goes to the hook of its vector. R8 to R15 and RBP
# are the handlers' own. A scene ends after so many events as `budget` says.
        .macro handler vector
        .balign 16
on_\vector:
        .if ((0x60227d00 >> \vector) & 1) == 0
        push    $0
        .endif
        push    $\vector
        jmp     shown
        .endm
        .irp vector, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        handler \vector
        .endr
# Vector 32 is an interrupt of the local APIC, 33 is open to users, 34 has a gate that is not present.
on_32:  push    $0
        push    $32
        movl    $0,apic + 0xb0
        jmp     shown
on_33:  push    $0
        push    $33
        jmp     shown

        .balign 16
shown:  mov     (%rsp),%r8
        mov     8(%rsp),%r9
        mov     16(%rsp),%r10
        mov     24(%rsp),%r11
        mov     32(%rsp),%r12
        mov     40(%rsp),%r13
        mov     48(%rsp),%r14
        mov     %cr2,%r15
        mov     %dr6,%rbp
        mov     $0xffff0ff0,%r15d
        mov     %r15,%dr6
        mov     %dr7,%r15
        mov     hooks(,%r8,8),%r15
        decl    budget(%rip)
        js      next_scene
        jmp     *%r15
# Hooks: go on where it happened; at the address in RBX; count in RDX and go on; to the next scene.
leave:  add     $16,%rsp
        iretq
resume: mov     %rbx,16(%rsp)
        jmp     leave
count:  inc     %rdx
        jmp     leave
# Past an instruction breakpoint, by RF.
pass:   inc     %rdx
        orl     $0x10000,32(%rsp)
        jmp     leave

# SYSCALL ends a scene, or goes where R9 says.
on_syscall:
        mov     %ss,%r8d
        mov     %cs,%r10d
        mov     %rsp,%r13
        mov     $task_stack_top,%rsp
        test    %r9,%r9
        jz      next_scene
        jmp     *%r9

        .balign 8
scene:  .quad   first_scene
budget: .quad   0
default_hooks:
        .quad next_scene, leave, leave, leave, leave, next_scene, next_scene, next_scene
        .quad next_scene, next_scene, next_scene, next_scene, next_scene, next_scene, next_scene, next_scene
        .quad next_scene, next_scene, leave, next_scene, next_scene, next_scene, next_scene, next_scene
        .quad next_scene, next_scene, next_scene, next_scene, next_scene, next_scene, next_scene, next_scene
        .quad leave, next_scene
hooks:  .skip 34 * 8
hooks_end:

# Vectors with a stack of their own: 1 for NMI, 2 for #DB, 3 for #DF, 4 for #MC.
        .macro gate handler, ist=0, access=0x8e
        .word   (\handler - origin + IMAGE_AT) & 0xffff
        .word   KERNEL_CS
        .byte   \ist, \access
        .word   ((\handler - origin + IMAGE_AT) >> 16) + 0x8000
        .quad   0xffffffff
        .endm
        .balign 16
idt:    gate on_0
        gate on_1, 2
        gate on_2, 1
        gate on_3, 0, 0xee
        gate on_4, 0, 0xee
        .irp vector, 5,6,7
        gate on_\vector
        .endr
        gate on_8, 3
        .irp vector, 9,10,11,12,13,14,15,16,17
        gate on_\vector
        .endr
        gate on_18, 4
        .irp vector, 19,20,21,22,23,24,25,26,27,28,29,30,31
        gate on_\vector
        .endr
        gate on_32
        gate on_33, 0, 0xef
        gate on_33, 0, 0x6e
idt_end:
idt_register:
        .word   idt_end - idt - 1
        .quad   idt
        .word   0, 0, 0

        .set KERNEL_CS, 0x10
        .set KERNEL_SS, 0x18
        .set USER_SS, 0x2b
        .set USER_CS, 0x33
        .set ABSENT_SS, 0x3b
        .set TSS_SELECTOR, 0x40
gdt:    .quad   0, 0
        .quad   0x00af9b000000ffff              # 10 kernel code
        .quad   0x00cf93000000ffff              # 18 kernel data
        .quad   0                               # 20
        .quad   0x00cff3000000ffff              # 28 user data
        .quad   0x00affb000000ffff              # 30 user code
        .quad   0x00cf73000000ffff              # 38 user data, not present
        .word   0x67                            # 40 the TSS
        .word   (tss - origin + IMAGE_AT) & 0xffff
        .byte   (tss - origin + IMAGE_AT) >> 16, 0x89, 0, 0x80
        .quad   0xffffffff
        .quad   0x00af9a000000ffff | (1 << 40)  # 50 kernel code, once more
        .quad   0x00a07b000000ffff              # 58 user code, not present
gdt_end:
low_gdt_register:
        .word   gdt_end - gdt - 1
        .long   gdt - origin + IMAGE_AT
gdt_register:
        .word   gdt_end - gdt - 1
        .quad   gdt
        .word   0, 0, 0
tss:    .long   0
        .quad   kernel_stack_top, 0, 0, 0
        .quad   ist1_top, ist2_top, ist3_top, ist4_top, 0, 0, 0
        .quad   0
        .word   0, 0x68

# What scenes read and write.
        .balign 64
word:   .quad   0
other:  .quad   0x1122334455667788
nowhere:
        .quad   0, 0, 0, 0
string: .skip   64
copy:   .skip   64

# Page tables. An entry is frame | NX | D A U W P.
        .balign 4096
pml4:   .quad   pdpt - origin + IMAGE_AT + 0x27
        .quad   pdpt - origin + IMAGE_AT + 0xa7 # bit 7 is reserved here
        .skip   509 * 8
        .quad   pdpt - origin + IMAGE_AT + 0x27
pdpt:   .quad   pd - origin + IMAGE_AT + 0x27
        .skip   509 * 8
        .quad   pd - origin + IMAGE_AT + 0x27, 0
pd:     .quad   pt - origin + IMAGE_AT + 0x27
        .skip   511 * 8
pt:
        .set frame, 0
        .macro page rights
        .quad   (frame << 12) | (\rights)
        .set frame, frame + 1
        .endm
        .macro hole
        .quad   0
        .set frame, frame + 1
        .endm
        .rept   0x10                            # the first 64 KiB: not there
        hole
        .endr
        .rept   0x20                            # 10 to 2f: the image
        page    0x63
        .endr
        .rept   0x10                            # 30 to 4f: stacks, each above a hole
        hole
        page    0x63
        .endr
                .quad   IMAGE_AT + 0xe000 + 0x25        # 50: user text
        .set frame, frame + 1
        page    0x67 | (1 << 63)                # 51: user data
        page    0x67 | (1 << 63)                # 52: user stack
        page    0x21                            # 53: read only
        page    0x63 | (1 << 63)                # 54: no execution
        hole                                    # 55
        page    0x03                            # 56: never used
        page    0x07                            # 57: never used, for users
apic_entries:
        .quad   0xfee0007b                      # 58: the local APIC, not cached
        .quad   0xfee0007f                      # 59: for users, too
        .set frame, frame + 2
        page    0x63                            # 5a: data
        hole                                    # 5b: nothing
        .skip   4096 - (. - pt)

        .set task_stack_top, HIGH + 0x32000 - 8
        .set kernel_stack_top, HIGH + 0x34000
        .set ist1_top, HIGH + 0x36000
        .set ist2_top, HIGH + 0x38000
        .set ist3_top, HIGH + 0x3a000
        .set ist4_top, HIGH + 0x3c000
        .set user_data, 0x51000
        .set user_stack_top, 0x53000 - 8
        .set read_only, HIGH + 0x53000
        .set no_execute, HIGH + 0x54000
        .set reserved_bit, 0x8000050000
        .set unused, HIGH + 0x56000
        .set user_unused, 0x57000
        .set apic, HIGH + 0x58000
        .set user_apic, 0x59000
        .set data, HIGH + 0x5a000
        .set nothing, HIGH + 0x5b000

# The words scenes are written in. The table of scenes is a section of its own.
        .section .scenes
first_scene:
        .text
        .macro scene name
        .section .scenes
        .quad   scene_\name
        .text
        .balign 16
scene_\name:
        .endm
        .macro hook vector, target
        movq    $\target,hooks + 8 * \vector
        .endm
        .macro send_nmi
        movl    $0x4400,apic + 0x300
        .endm
        .macro send_interrupt
        movl    $0x44020,apic + 0x300
        .endm
        .macro to_kernel label, flags=2, cs=KERNEL_CS
        push    $KERNEL_SS
        push    $task_stack_top
        push    $\flags
        push    $\cs
        push    $\label
        iretq
        .endm
        .macro to_user label, flags=2
        push    $USER_SS
        push    $user_stack_top
        push    $\flags
        push    $USER_CS
        push    $\label
        iretq
        .endm
        .macro end
        jmp     next_scene
        .endm
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
