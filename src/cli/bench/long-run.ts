/** A run of almost 200,000 boundaries: the nested NMI counts down before it does anything. */

/** Transitions of the count are twice so many. */
export const TURNS = 98_000;

/** A recipe for it; without an end, `turns` of 0 counts through all values of a register. */
export const longRun = (turns = TURNS): string =>
  `scenario nested-nmi v0
design  linux-4.2
body    int3
inject  nmi at task+2
inject  nmi at int3_entry
cursor  nested_nmi_out
edit    linux-4.2#nested
| nested_nmi:
| 	movl	$${turns}, %edx
| 1:	decl	%edx
| 	jnz	1b
| 	leaq	-88(%rsp), %rdx
| 	leaq	-8(%rsp), %rsp
| 	pushq	$KERNEL_DS
| 	pushq	%rdx
| 	pushfq
| 	pushq	$KERNEL_CS
| 	leaq	repeat_nmi(%rip), %rdx
| 	pushq	%rdx
| 	addq	$48, %rsp
| 	.globl	nested_nmi_out
| nested_nmi_out:
| 	popq	%rdx
| 	iretq
`.replaceAll('\t', '        ');
