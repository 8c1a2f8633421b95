# Reset to 64-bit mode. This page of the ROM ends at 4 GiB; the rest of the ROM is what lies in RAM later. The processor
# begins in real mode at the last sixteen bytes. Where a mode other than 64-bit needs other bytes they are spelled out;
# every other instruction here has the same bytes in 32-bit mode.
        .section .boot
boot16: .byte 0xfa                              # cli
        .byte 0x66, 0x2e, 0x0f, 0x01, 0x16      # lgdtl %cs:boot_gdt_register
        .word boot_gdt_register - boot16 + 0xf000
        .byte 0x0f, 0x20, 0xc0                  # mov %cr0,%eax
        .byte 0x0c, 0x01                        # or $1,%al
        .byte 0x0f, 0x22, 0xc0                  # mov %eax,%cr0
        .byte 0x66, 0xea                        # ljmpl $8,$boot32
        .long boot32 - boot16 + 0xfffff000
        .word 8
boot32: mov     $0x10,%eax
        mov     %eax,%ds
        mov     %eax,%es
        mov     %eax,%ss
        xor     %eax,%eax
        .byte 0x0f, 0x00, 0xd0                  # lldt %ax
        mov     $0xffff0000,%esi                # the ROM, 60 KiB of it
        mov     $IMAGE_AT,%edi
        mov     $0xf000 / 4,%ecx
        rep movsl
        mov     $0xff,%eax                      # no interrupt comes from the two 8259s
        .byte 0xe6, 0x21, 0xe6, 0xa1            # out %al,$0x21; out %al,$0xa1
        .byte 0xea                              # ljmp $8,$long_mode
        .long IMAGE_AT
        .word 8

        .balign 8
boot_gdt:
        .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
boot_gdt_register:
        .word 31
        .long boot_gdt - boot16 + 0xfffff000

        .skip 0xff0 - (. - boot16), 0xf4
        .byte 0xe9                              # jmp boot16
        .word boot16 - (. + 2)
        .skip 0x1000 - (. - boot16), 0xf4
