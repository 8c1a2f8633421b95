import { describe, expect, test } from 'vitest';
import { problemText } from '../../src/asm/source.ts';
import { symbolize } from '../../src/image/image.ts';
import { orcText } from '../../src/image/orc.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { designsOf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { checkStacks } from '../../src/unwind/objtool/objtool.ts';
import { build, problemsOf } from '../asm/pages.ts';

/** Rows as `+0x4 sp:...`, and warnings, of a text in `.text`. */
function check(text: string) {
  const { image, problems } = build(text);
  expect(problems.map(problemText)).toEqual([]);
  const { rows, warnings } = checkStacks(image);
  const at = (address: bigint) => `+${(address - 0xffffffff81000000n).toString(16)}`;
  return {
    rows: rows.map((row) => `${at(row.address)} ${orcText(row)}`),
    warnings: warnings.map(problemText),
  };
}
const rowsOf = (text: string) => {
  const { rows, warnings } = check(text);
  expect(warnings).toEqual([]);
  return rows;
};
const CALL = 'type:call signal:0';
const entry = (code: string) => `entry:\n\tUNWIND_HINT_IRET_REGS\n${code}\n\tiretq`;
const func = (code: string) => `f:\n${code}\n\t.size f, . - f`;

describe('functions', () => {
  test('one row for each change, with RBP as soon as it is saved', () => {
    expect(
      rowsOf(func('\tpush %rbp\n\tmov %rsp, %rbp\n\tsub $24, %rsp\n\tpush %rax\n\tleave\n\tret')),
    ).toEqual([
      `+0 sp:sp+8 bp:(und) ${CALL}`,
      `+1 sp:sp+16 bp:prevsp-16 ${CALL}`,
      `+4 sp:bp+16 bp:prevsp-16 ${CALL}`,
      `+a sp:sp+8 bp:(und) ${CALL}`,
      '+b type:undefined',
    ]);
  });

  test('without a frame pointer RSP is followed through pushes, adds and LEA', () => {
    expect(
      rowsOf(func('\tpush %rbx\n\tlea -32(%rsp), %rsp\n\tnop\n\tadd $32, %rsp\n\tpop %rbx\n\tret')),
    ).toEqual([
      `+0 sp:sp+8 bp:(und) ${CALL}`,
      `+1 sp:sp+16 bp:(und) ${CALL}`,
      `+6 sp:sp+48 bp:(und) ${CALL}`,
      `+b sp:sp+16 bp:(und) ${CALL}`,
      `+c sp:sp+8 bp:(und) ${CALL}`,
      '+d type:undefined',
    ]);
  });

  test('a stack that is aligned is told from the register that keeps it (DRAP)', () => {
    const text = `
	lea 8(%rsp), %r10
	and $-64, %rsp
	pushq -8(%r10)
	push %rbp
	mov %rsp, %rbp
	push %r10
	nop
	pop %r10
	pop %rbp
	lea -8(%r10), %rsp
	ret`;
    expect(rowsOf(func(text)).map((row) => row.replace(/ type.*/, ''))).toEqual([
      '+0 sp:sp+8 bp:(und)',
      '+9 sp:r10+0 bp:(und)',
      '+11 sp:r10+0 bp:bp+0',
      '+13 sp:(bp-8) bp:bp+0',
      '+16 sp:r10+0 bp:bp+0',
      '+17 sp:r10+0 bp:(und)',
      '+1b sp:sp+8 bp:(und)',
      '+1c',
    ]);
  });

  test('a switch to another stack, its old RSP on top: pushes behind it count (E7)', () => {
    const text = `
	push %rbp
	mov %rsp, (%rdi)
	mov %rdi, %rsp
	push %rbx
	pop %rbx
	pop %rsp
	pop %rbp
	ret`;
    const rows = rowsOf(func(text));
    expect(rows[2]).toBe(`+7 sp:(sp+16) bp:prevsp-16 ${CALL}`);
    expect(rows.at(-2)).toBe(`+b sp:sp+8 bp:(und) ${CALL}`);
  });

  test('found by .size, by .type, and by being called', () => {
    const text =
      '\t.type a, @function\na:\tcall b\n\tret\nb:\tpush %rbx\n\tpop %rbx\n\tret\nc:\tret\n\t.size c, . - c';
    expect(rowsOf(text)).toHaveLength(4);
  });
});

describe('entry code', () => {
  test('only the distance to the registers counts', () => {
    expect(rowsOf(entry('\tpush %rdx\n\tmov %rsp, %rbp\n\tpushq $0\n\tadd $8, %rsp\n\tpop %rdx'))).toEqual([
      '+0 sp:sp+0 bp:(und) type:regs-partial signal:1',
      '+1 sp:sp+8 bp:(und) type:regs-partial signal:1',
      '+6 sp:sp+16 bp:(und) type:regs-partial signal:1',
      '+a sp:sp+8 bp:(und) type:regs-partial signal:1',
      '+b sp:sp+0 bp:(und) type:regs-partial signal:1',
      '+d type:undefined',
    ]);
  });

  test('every parameter of a hint', () => {
    const row = (hint: string) => rowsOf(`e:\n\t${hint}\n1:\tjmp 1b`)[0]?.slice(3);
    expect(row('UNWIND_HINT_REGS')).toBe('sp:sp+0 bp:(und) type:regs signal:1');
    expect(row('UNWIND_HINT_REGS base=%rdi offset=16 signal=0')).toBe('sp:di+16 bp:(und) type:regs signal:0');
    expect(row('UNWIND_HINT_REGS indirect=1')).toBe('sp:(sp+0) bp:(und) type:regs signal:1');
    expect(row('UNWIND_HINT_REGS extra=0')).toBe('sp:sp+128 bp:(und) type:regs-partial signal:1');
    expect(row('UNWIND_HINT_REGS partial=1 base=%r10')).toBe('sp:r10+0 bp:(und) type:regs-partial signal:1');
    expect(row('UNWIND_HINT_IRET_REGS base=%rdx, offset=2*4')).toBe(
      'sp:dx+8 bp:(und) type:regs-partial signal:1',
    );
    expect(row('UNWIND_HINT_FUNC')).toBe('sp:sp+8 bp:(und) type:call signal:0');
    for (const name of ['END_OF_STACK', 'EMPTY', 'ENTRY'])
      expect(row(`UNWIND_HINT_${name}`)).toBe('type:end');
    expect(row('UNWIND_HINT_UNDEFINED')).toBe('type:undefined');
    expect(row('UNWIND_HINT sp_reg=ORC_REG_BP sp_offset=16 type=UNWIND_HINT_TYPE_CALL')).toBe(
      'sp:bp+16 bp:(und) type:call signal:0',
    );
  });

  test('no hint is shown among the code that runs', () => {
    const { code } = programOf(libraryOnDisk(), 'e4-switch-to', { without: ['as-a-function'] });
    // A line that was taken out is shown as taken out, whatever it was.
    const hints = code.filter(({ text }) => text.includes('UNWIND_HINT'));
    expect(hints.filter(({ kind }) => kind !== 'removed')).toEqual([]);
    expect(code.some(({ text }) => text.startsWith('pushq'))).toBe(true);
  });

  test('behind the general hint for a call, a pushed RBP is taken to lie where the return address does (E4)', () => {
    const rows = (hint: string) => rowsOf(`e:\t${hint}\n\tpush %rbp\n1:\tjmp 1b`)[1];
    expect(rows('UNWIND_HINT_FUNC')).toBe(`+1 sp:sp+16 bp:prevsp-16 ${CALL}`);
    expect(rows('UNWIND_HINT sp_reg=ORC_REG_SP sp_offset=8 type=UNWIND_HINT_TYPE_CALL')).toBe(
      `+1 sp:sp+16 bp:prevsp-8 ${CALL}`,
    );
  });

  test('a hint goes into a macro, and its mistakes have their place', () => {
    const text = '\t.macro regs at\n\tUNWIND_HINT_REGS offset=\\at\n\t.endm\ne:\tregs 24\n\tiretq';
    expect(rowsOf(text)[0]).toBe('+0 sp:sp+24 bp:(und) type:regs signal:1');
    expect(problemsOf('\tUNWIND_HINT_REGS base=%rsi')).toEqual([
      'page.mdx:10:24: invalid base: %rsi (%rsp, %rbp, %rdi, %rdx, %r10; indirect: %rsp)',
    ]);
    expect(problemsOf('\tUNWIND_HINT_FUNC offset=8')).toEqual([
      'page.mdx:10:19: unknown parameter: offset of UNWIND_HINT_FUNC',
    ]);
    expect(problemsOf('\tUNWIND_HINT_REGS 8')).toEqual(['page.mdx:10:19: unexpected text: 8']);
    expect(problemsOf('\tUNWIND_HINT_REGS base=%rdi indirect=1')[0]).toMatch(/invalid base: %rdi/);
    expect(problemsOf('\tUNWIND_HINT sp_reg=ORC_REG_SP type=CALL')[0]).toMatch(
      /invalid type: CALL \(UNWIND_HINT_TYPE_CALL\)/,
    );
    expect(problemsOf('\tUNWIND_HINT_FUNC sp_offset=8')).toEqual([
      'page.mdx:10:19: unknown parameter: sp_offset of UNWIND_HINT_FUNC',
    ]);
    expect(problemsOf('\tUNWIND_HINT_REG')[0]).toMatch(/unknown mnemonic/);
  });

  test('what was saved for a way back is put back', () => {
    const text = entry(
      '\tUNWIND_HINT_SAVE\n\tpush %rax\n\tmov %rcx, %rsp\n\tUNWIND_HINT_UNDEFINED\n\tnop\n\tmov %rax, %rsp\n\tUNWIND_HINT_RESTORE\n\tnop',
    );
    expect(check(text.replace('\tUNWIND_HINT_SAVE\n', '')).warnings).toEqual([
      'page.mdx:18:2: UNWIND_HINT_RESTORE without an UNWIND_HINT_SAVE that was walked before it',
    ]);
    expect(rowsOf(text).at(-2)).toBe('+8 sp:sp+0 bp:(und) type:regs-partial signal:1');
  });
});

describe('warnings: a place and a sentence', () => {
  test.each([
    [
      'paths that meet and disagree',
      func('\ttest %eax, %eax\n\tjz 1f\n\tpush %rbx\n1:\tret'),
      [
        'page.mdx:14:4: return with modified stack frame: RSP or a saved register is not as it was at the beginning',
        'page.mdx:14:4: stack state mismatch: one path arrives with sp+16, another with sp+8',
      ],
    ],
    [
      'a register that is saved on one path only',
      func('\ttest %eax, %eax\n\tjz 1f\n\tpush %rbp\n\tjmp 2f\n1:\tpush %rax\n2:\tpop %rbp\n\tret'),
      ['page.mdx:16:4: stack state mismatch: %rbp is saved on one path and not so on another'],
    ],
    [
      'a return with a frame in place',
      func('\tpush %rbx\n\tret'),
      [
        'page.mdx:12:2: return with modified stack frame: RSP or a saved register is not as it was at the beginning',
      ],
    ],
    [
      'code that nothing leads to',
      `${func('\tret')}\n\tpush %rax\n\tpop %rax`,
      ['page.mdx:13:2: unreachable instruction: no function and no hint leads here'],
    ],
    [
      'one function that runs into another',
      `${func('\tnop')}\ng:\tret\n\t.size g, . - g`,
      ['page.mdx:11:2: f runs on into the function g'],
    ],
    [
      'an IRET in a function',
      func('\tiretq'),
      ['page.mdx:11:2: unsupported instruction in a function: iretq'],
    ],
    [
      'RSP from elsewhere',
      func('\tmov %gs:0, %rsp\n\tret'),
      [
        'page.mdx:11:2: unsupported change of the stack pointer: RSP is loaded from elsewhere, and no hint behind it says where the frame is now',
      ],
    ],
    [
      'RSP that is aligned and kept nowhere',
      func('\tand $-16, %rsp\n\tret'),
      [
        'page.mdx:11:2: unsupported change of the stack pointer: RSP is aligned, and no register keeps where it was',
      ],
    ],
    [
      'a jump to a function with a frame in place',
      `${func('\tpush %rbx\n\tjmp g')}\ng:\tret\n\t.size g, . - g`,
      ['page.mdx:12:2: a jump to the function g with a stack frame in place'],
    ],
    ['the end of the code', func('\tnop'), ['page.mdx:11:2: control runs off the end of the code']],
    [
      'a stack that nobody knows',
      func('\tUNWIND_HINT_FUNC\n\tmov %rax, %rsp\n\tpush %rbx\n\tret'),
      ['page.mdx:13:2: undefined stack state: a function changes a stack that nobody knows'],
    ],
  ])('%s', (_, text, warnings) => {
    expect(check(text).warnings).toEqual(warnings);
  });

  test('a hint behind it says where the frame is', () => {
    expect(check(func('\tmov %gs:0, %rsp\n\tUNWIND_HINT_FUNC\n\tret')).warnings).toEqual([]);
  });

  test('in a macro, both places are told', () => {
    const text = '\t.macro leave_it\n\tpush %rbx\n\tret\n\t.endm\nf:\tleave_it\n\t.size f, . - f';
    expect(check(text).warnings[0]).toBe(
      'page.mdx:12:2: return with modified stack frame: RSP or a saved register is not as it was at the beginning\npage.mdx:14:4: used here',
    );
  });
});

describe('alternatives lie over the code they stand for', () => {
  const rowsWith = (hex: string) => {
    const { image } = build(func('\tpush %rbx\n\tnop\n\tnop\n\tnop\n\tpop %rbx\n\tret'));
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const { rows, warnings } = checkStacks({
      ...image,
      alternatives: [{ address: 0xffffffff81000001n, length: 3, bytes }],
    });
    return {
      rows: rows.map((row) => `+${row.address & 0xffn} ${orcText(row)}`),
      warnings: warnings.map(problemText),
    };
  };
  test('where they agree byte for byte, there is one row for each change', () => {
    expect(rowsWith('909090')).toEqual(rowsWith('9090'));
    expect(rowsWith('909090').warnings).toEqual([]);
    // One NOP of three bytes: no instruction of it begins where the others do.
    expect(rowsWith('0f1f00').warnings).toEqual([]);
  });

  test('pushes where the other has none do not agree', () => {
    expect(rowsWith('9c9d').warnings).toEqual([
      'page.mdx:13:2: stack layout conflict in alternatives: one path arrives with sp+16, another with sp+24',
    ]);
  });

  test('pushes at bytes where the other begins no instruction do', () => {
    const { image } = build(func('\tpush %rbx\n\tnopl 4(%rax)\n\tpop %rbx\n\tret'));
    const alternatives = [
      { address: 0xffffffff81000001n, length: 4, bytes: Uint8Array.from([0x9c, 0x9d, 0x90, 0x90]) },
    ];
    const { rows, warnings } = checkStacks({ ...image, alternatives });
    expect(warnings).toEqual([]);
    expect(rows.map((row) => `+${row.address & 0xffn} ${row.offset}`)).toEqual([
      '+0 8',
      '+1 16',
      '+2 24',
      '+3 16',
      '+6 8',
      '+7 0',
    ]);
  });
});

describe('linux-4.2', () => {
  const { image, problems } = programOf(libraryOnDisk(), 'linux-4.2');
  const { rows, warnings } = checkStacks(image);
  /** `first_nmi+0x6` to what is in force there. */
  const at = (label: string): string => {
    const row = rows.findLast(({ address }) => address <= addressAt(label));
    return row ? orcText(row).replace('bp:(und) ', '').replace(' signal:1', '') : '';
  };
  const addressAt = (label: string): bigint => {
    const [, name, offset] = /^(\w+)(?:\+0x([\da-f]+))?$/.exec(label) ?? [];
    return (image.symbols.find((one) => one.name === name)?.address ?? 0n) + BigInt(`0x${offset ?? 0}`);
  };
  /** Boundaries of `label` and the instructions behind it. */
  const from = (label: string, count: number): readonly string[] => {
    const lines = image.lines.filter(({ address }) => address >= addressAt(label)).slice(0, count);
    return lines.map(({ address }) => at(symbolize(image, address).replace(/\/.*/, '')));
  };
  const partial = (offset: number) => `sp:sp${offset < 0 ? offset : `+${offset}`} type:regs-partial`;
  const regs = (offset: number) => `sp:sp${offset < 0 ? offset : `+${offset}`} type:regs`;

  test('every path agrees, and everything is reached', () => {
    expect(problems).toEqual([]);
    expect(warnings.map(problemText)).toEqual([]);
    expect(rows.length).toBeGreaterThan(250);
  });

  /**
   * Section 6.4 of the dossier on unwinders, for the kernel path of asm_exc_nmi in 6.12. What is not here, differs: 6.12 has
   * CLAC and CLD before the first push, which change no row; it calls paranoid_entry, whose rows (CALL+8, then REGS+8) and blind
   * spot the 4.2 page has not, since it writes it out in place; and it has no row between the fifteen pushes and the
   * registers, which that call does, where the 4.2 page has one for each push.
   */
  test('the rows are those of the table by hand', () => {
    expect(from('nmi', 2)).toEqual([partial(0), partial(8)]);
    expect(new Set(from('nmi_from_kernel', 14))).toEqual(new Set([partial(8)]));
    // Two LEA, then the pushes of a made-up iret record: with rdx and the step over q(-7), k words below the frame.
    expect(from('nested_nmi', 9)).toEqual([8, 8, 16, 24, 32, 40, 48, 48, 56].map(partial));
    expect(from('nested_nmi_out', 2)).toEqual([8, 0].map(partial));
    // rdx, "NMI executing", room for iret; then five copies. Behind the fifth, a hint: the outermost record.
    expect(from('first_nmi', 8)).toEqual([8, 8, 16, 56, 64, 72, 80, 88].map(partial));
    // Below RSP: the outermost record lies under the words that are written.
    expect(from('repeat_nmi', 8)).toEqual([0, 0, -80, -72, -64, -56, -48, -40].map(partial));
    expect(from('end_repeat_nmi', 2)).toEqual([0, 8].map(partial));
    const pops = image.lines.filter(({ address }) => address >= addressAt('end_repeat_nmi'));
    const first = pops.findIndex(({ text }) => text === 'popq %r15');
    const rowsAt = pops
      .slice(first - 2, first + 19)
      .map(({ address }) => at(symbolize(image, address).replace(/\/.*/, '')));
    // Around the call, one by one less, and behind the skip of 48 bytes: the registers in memory, whose tail is the outermost record.
    expect(rowsAt).toEqual(
      [0, 0, ...Array.from({ length: 15 }, (_, k) => -8 * k), -120, -168, -168, -168].map(regs),
    );
  });

  test('the user path: by RDX while two stacks are in play, then on the task stack', () => {
    const code = image.lines.filter(({ address }) => address >= addressAt('nmi'));
    const back = code.findIndex(({ text }) => text === 'pushq 40(%rdx)');
    const found = code
      .slice(back - 1, back + 7)
      .map(({ address }) => at(symbolize(image, address).replace(/\/.*/, '')));
    const byRdx = 'sp:dx+8 type:regs-partial';
    expect(found).toEqual([partial(8), byRdx, byRdx, byRdx, byRdx, byRdx, partial(0), partial(8)]);
  });

  test('every safeguard can be taken out, and the walk still ends', () => {
    for (const { name } of programOf(libraryOnDisk(), 'linux-4.2').safeguards) {
      const variant = programOf(libraryOnDisk(), 'linux-4.2', { without: [name] });
      const found = checkStacks(variant.image).warnings.map(({ message }) => message.replace(/:.*/, ''));
      // Without the test of the stack, that of the direction flag behind it is never asked; nor is the user path ever taken, or "latched".
      expect([name, [...new Set(found)]]).toEqual([
        name,
        ['test-d', 'user-stack-switch', 'nmi-state'].includes(name) ? ['unreachable instruction'] : [],
      ]);
    }
  });
});

describe('every design', () => {
  const pages = libraryOnDisk();
  test.each(designsOf(pages))('%s: hints enough, and all paths agree', (design) => {
    const { image, problems } = programOf(pages, design);
    expect(problems).toEqual([]);
    const { rows, warnings } = checkStacks(image);
    expect(warnings.map(problemText)).toEqual([]);
    expect(rows.length).toBeGreaterThan(pages.get(design)?.bug ? 20 : 50);
  });

  /** E3, 1fb143634a38: on the way back to the user the row still said that the registers lie at RSP, on another stack. */
  test('linux-4.15 without the hint behind its switch of stacks is told so', () => {
    const cell = pages.get('linux-4.15')?.asm.find(({ name }) => name === 'user-path');
    const lines = (cell?.lines ?? []).filter((line) => !line.includes('UNWIND_HINT_EMPTY'));
    expect(lines.length).toBe((cell?.lines.length ?? 0) - 1);
    const { image } = programOf(pages, 'linux-4.15', { edits: [{ block: 'linux-4.15#user-path', lines }] });
    expect(checkStacks(image).warnings.map(({ message }) => message)).toEqual([
      'unsupported change of the stack pointer: RSP is loaded from elsewhere, and no hint behind it says where the frame is now',
    ]);
  });
});
