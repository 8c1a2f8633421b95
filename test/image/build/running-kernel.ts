/** A kernel of our own that runs: entry code of a page's length, assembled, and packed as a vmlinux with symbols and ORC rows. */
import { assemble } from '../../../src/asm/assemble.ts';
import { problemText } from '../../../src/asm/source.ts';
import type { Image } from '../../../src/image/image.ts';
import { type Kernel, openKernel } from '../../../src/image/kernel-file.ts';
import type { OrcRow } from '../../../src/image/orc.ts';
import { isProblem } from '../../../src/image/reading.ts';
import { checkStacks } from '../../../src/unwind/objtool/objtool.ts';
import { cell } from '../../asm/pages.ts';
import { ascii, joined, little } from './bytes.ts';
import { elf } from './elf.ts';

const SAVED = 'rdi rsi rdx rcx rax r8 r9 r10 r11 rbx rbp r12 r13 r14 r15'.split(' ');
const SAVE = SAVED.map((name) => `\tpush %${name}\n`).join('');
const RESTORE = SAVED.toReversed()
  .map((name) => `\tpop %${name}\n`)
  .join('');

/** An entry that is not prepared for being interrupted while GS is the user's: the gap that the sweeps must find. */
const entry = (name: string, code: boolean): string => `
asm_${name}:
	UNWIND_HINT_IRET_REGS ${code ? 'offset=8' : ''}
${code ? '' : '\tpushq $-1\n'}${SAVE}	UNWIND_HINT_REGS
	testb $3, 136(%rsp)
	jz 1f
	swapgs
1:	mov %rsp, %rdi
	call ${name}
	testb $3, 136(%rsp)
	jz 2f
	swapgs
2:
${RESTORE}	add $8, %rsp
	iretq
`;

const func = (name: string, code: string): string => `
	.type ${name}, @function
${name}:
${code}
	.size ${name}, . - ${name}
`;

/** Gates: vector, IST, entry. */
const GATES = [
  [1, 3, 'exc_debug'],
  [2, 2, 'exc_nmi'],
  [14, 0, 'exc_page_fault'],
  [18, 4, 'exc_machine_check'],
] as const;

export const KERNEL_TEXT = `
	.section .entry.text
__entry_text_start:
${GATES.map(([vector, , name]) => entry(name, vector === 14)).join('')}
entry_SYSCALL_64:
	UNWIND_HINT_ENTRY
	swapgs
	mov %rsp, %gs:user_rsp
	mov %gs:cpu_current_top_of_stack, %rsp
	pushq $0x2b
	pushq %gs:user_rsp
	push %r11
	pushq $0x33
	push %rcx
	UNWIND_HINT_IRET_REGS
	push %rax
${SAVE}	UNWIND_HINT_REGS
	mov %rsp, %rdi
	call do_syscall_64
${RESTORE}	add $8, %rsp
	mov 0(%rsp), %rcx
	mov 16(%rsp), %r11
	mov 24(%rsp), %rsp
	UNWIND_HINT_ENTRY
syscall_exit:
	swapgs
	sysretq
__entry_text_end:
_etext:
	.section .text
_stext:
__noinstr_text_start:
${func('exc_nmi', '\tincl %gs:irq_stat+4\n\tret')}
${func('exc_machine_check', '\tcall do_machine_check\n\tret')}
${func('exc_debug', '\tret')}
${func('exc_page_fault', '\tret')}
__noinstr_text_end:
${func('do_machine_check', '\tud2')}
${func('do_syscall_64', '\txor %eax, %eax\n\tret')}
	.section .data
init_task:
	.quad 0
__per_cpu_offset:
	.quad 0
def_idts:
${GATES.map(([vector, ist, name]) => `\t.long ${vector}, 0x10\n\t.quad 0x8e0${ist}, asm_${name}\n`).join('')}
def_idts_end:
	.section .data..percpu
	.skip 64
cpu_current_top_of_stack:
	.quad 0
user_rsp:
	.quad 0
irq_stat:
	.skip 16
irq_stat_end:
	.skip 4096 - 96
gdt_page:
	.quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0x00cff3000000ffff, 0x00affb000000ffff
	.skip 4096 - 56
cpu_tss_rw:
	.skip 0x5000
`;

const SECTIONS = [
  ['.text', 0xffff_ffff_8100_0000n, 'x'],
  ['.entry.text', 0xffff_ffff_8101_0000n, 'x'],
  ['.data', 0xffff_ffff_8102_0000n, 'w'],
  ['.data..percpu', 0n, 'w'],
] as const;
const ORC = 0xffff_ffff_8103_0000n;

const REGISTERS = [
  'undefined',
  'prev-sp',
  'dx',
  'di',
  'bp',
  'sp',
  'r10',
  'r13',
  'bp-indirect',
  'sp-indirect',
];
const TYPES = ['undefined', 'end', 'call', 'regs', 'regs-partial'];
const orcRow = ({ base, offset, bpBase, bpOffset, type, signal }: OrcRow): readonly number[] => [
  ...little(offset, 2),
  ...little(bpOffset, 2),
  ...little(
    REGISTERS.indexOf(base) |
      (REGISTERS.indexOf(bpBase) << 4) |
      (TYPES.indexOf(type) << 8) |
      (Number(signal) << 11),
    2,
  ),
];

const assembled = (text: string): Image => {
  const sections = SECTIONS.map(([name, address, flag]) => ({
    name,
    address,
    writable: flag === 'w',
    executable: flag === 'x',
    user: false,
    limit: 0x10000,
  }));
  const { image, problems } = assemble([cell(text)], { sections, symbols: {} });
  if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));
  return image;
};

/** The vmlinux of a text; `KERNEL_TEXT` unless told. */
export function runningKernel(text = KERNEL_TEXT): Uint8Array {
  const image = assembled(text);
  const { rows } = checkStacks(image);
  const names = joined([0], ...image.symbols.map(({ name }) => [...ascii(name), 0]));
  let at = 1;
  const symbols = image.symbols.flatMap(({ name, address }) => {
    const isCode = image.segments.some(
      (one) => one.executable && address >= one.address && address < one.address + BigInt(one.bytes.length),
    );
    const row = [
      ...little(at, 4),
      isCode ? 0x12 : 0x11,
      0,
      ...little(1, 2),
      ...little(address, 8),
      ...little(0, 8),
    ];
    at += name.length + 1;
    return row;
  });
  return elf([
    ...image.segments.map(({ name, address, bytes, writable, executable }) => ({
      name,
      address,
      bytes,
      flags: `a${writable ? 'w' : ''}${executable ? 'x' : ''}`,
    })),
    { name: '.orc_header', address: ORC - 32n, bytes: new Uint8Array(20).fill(1), flags: 'a' },
    {
      name: '.orc_unwind_ip',
      address: ORC,
      bytes: Uint8Array.from(rows.flatMap(({ address }, n) => little(address - (ORC + BigInt(4 * n)), 4))),
      flags: 'a',
    },
    { name: '.orc_unwind', address: ORC + 0x1000n, bytes: Uint8Array.from(rows.flatMap(orcRow)), flags: 'a' },
    { name: '.symtab', bytes: joined(new Uint8Array(24), symbols), type: 2 },
    { name: '.strtab', bytes: names, type: 3 },
  ]);
}

/** The same, opened. */
export async function openRunning(text?: string): Promise<Kernel> {
  const kernel = await openKernel(runningKernel(text), {});
  if (isProblem(kernel)) throw new Error(kernel.problem);
  return kernel;
}
