/** Variants of the design, most of them broken: one cell with some lines changed. */
import { cellOf, type Library } from '../../src/scenario/library.ts';
import type { Edit } from '../../src/scenario/program.ts';

export interface Variant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** A cell in which each line that holds a text is replaced, by nothing if so said. */
export function change(
  pages: Library,
  block: string,
  ...changes: readonly (readonly [string, ...string[]])[]
): Edit {
  const cell = cellOf(pages, block);
  if (!cell) throw new Error(`missing cell: ${block}`);
  const lines = changes.reduce((before, [text, ...instead]) => {
    const after = before.flatMap((line) => (line.includes(text) ? instead : [line]));
    if (after.join() === before.join()) throw new Error(`missing line: ${text} in ${block}`);
    return after;
  }, cell.lines);
  return { block, lines: lines.map((line) => line.replaceAll('\t', '        ').trimEnd()) };
}

const NOP = 'nop';

/** Twenty of them and the design as it is. */
export const variants = (pages: Library): readonly Variant[] => {
  const of = (block: string, ...changes: readonly (readonly [string, ...string[]])[]): readonly Edit[] => [
    change(pages, block, ...changes),
  ];
  const design = 'linux-4.2';
  const around = 'kernel-4.2';
  return [
    { name: 'as it is', edits: [] },
    { name: 'test A always finds the kernel', edits: of(`${design}#entry`, ['testb', 'xorl %edx, %edx']) },
    { name: 'test A always finds user mode', edits: of(`${design}#entry`, ['jz', NOP]) },
    { name: 'without test B', edits: of(`${design}#test-b`, ['jb', NOP]) },
    {
      name: 'test B one byte short',
      edits: of(`${design}#test-b`, [
        'jb',
        'cmpq $end_repeat_nmi - repeat_nmi - 9, %rdx',
        'jb nested_nmi_out',
      ]),
    },
    { name: 'without test C', edits: of(`${design}#test-c`, ['je', NOP]) },
    { name: 'test C looks one word too low', edits: of(`${design}#test-c`, ['cmpl', 'cmpl $1, -16(%rsp)']) },
    { name: 'without test D', edits: of(`${design}#test-d-e`, ['ja', NOP]) },
    { name: 'test D is always negative', edits: of(`${design}#test-d-e`, ['ja', 'jmp first_nmi']) },
    { name: 'without test E', edits: of(`${design}#test-d-e`, ['jz', NOP]) },
    { name: 'the nested NMI writes no CS', edits: of(`${design}#nested`, ['KERNEL_CS', 'pushq $0']) },
    {
      name: 'the nested NMI does nothing',
      edits: of(`${design}#nested`, ['nested_nmi:', 'nested_nmi:', 'jmp nested_nmi_out']),
    },
    { name: 'the nested NMI forgets rdx', edits: of(`${design}#nested`, ['popq', 'addq $8, %rsp']) },
    {
      name: 'the saved rdx is popped',
      edits: of(`${design}#first`, ['movq', 'movq (%rsp), %rdx', 'movq $0, (%rsp)']),
    },
    { name: 'executing is never set', edits: of(`${design}#repeat`, ['$1, 2*RECORD', NOP]) },
    { name: 'executing is never cleared', edits: of(`${design}#repeat`, ['movq	$0', NOP]) },
    {
      name: 'executing is cleared before the direction flag is set',
      edits: of(`${design}#repeat`, ['std', NOP], ['movq	$0', 'movq $0, RECORD(%rsp)', 'std']),
    },
    { name: 'the direction flag is not set', edits: of(`${design}#repeat`, ['std', NOP]) },
    {
      name: 'the handler is called twice',
      edits: of(`${design}#repeat`, ['call', 'call do_nmi', 'call do_nmi']),
    },
    { name: 'a handler that is not re-entrant', edits: of(`${around}#handler`, ['jne	3f', NOP]) },
    { name: 'latched is forgotten', edits: of(`${around}#handler`, ['$2, %gs:NMI_STATE', '3:      nop']) },
    {
      name: 'a handler that never ends',
      edits: of(`${around}#handler`, ['decl', '2:      incl %gs:NMI_STATE']),
    },
    {
      name: 'a handler that eats the stack',
      edits: of(`${around}#handler`, ['do_nmi:', 'do_nmi:', 'pushq %rax', 'jmp do_nmi']),
    },
  ];
};
