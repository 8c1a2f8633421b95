import { describe, expect, test } from 'vitest';
import { type OrcBase, type OrcRow, OrcTable, type OrcType, orcOrder } from '../../src/image/orc.ts';
import { type OrcRules, startOrc, walkByOrc } from '../../src/unwind/eras/orc.ts';
import { walkReliable } from '../../src/unwind/eras/reliable.ts';
import type { View } from '../../src/unwind/view.ts';
import {
  at,
  BODY_SP,
  body,
  bodyView,
  frame,
  type Memory,
  OUTERMOST,
  PROC,
  put,
  REGS,
  S,
  STACKS,
  SYS,
  symbol,
  T,
  TASK_END,
  TOP,
  task,
  view,
  WORK,
} from './world.ts';

const row = (
  address: bigint,
  type: OrcType,
  base: OrcBase = 'sp',
  offset = 8,
  bp: readonly [OrcBase, number] = ['undefined', 0],
  signal = type === 'regs' || type === 'regs-partial',
): OrcRow => ({ address, type, base, offset, bpBase: bp[0], bpOffset: bp[1], signal });
const FRAME: readonly [OrcBase, number] = ['prev-sp', -16];

/** Rows of the hand-made kernel: functions with a frame pointer behind their first bytes, and entry code of an NMI. */
const ROWS: readonly OrcRow[] = [
  row(at('syscall_body', 0), 'regs', 'sp', 0),
  row(at('sys_work', 0), 'call'),
  row(at('sys_work', 4), 'call', 'bp', 16, FRAME),
  row(at('process_one', 0), 'call', 'bp', 16, FRAME),
  row(at('do_work', 0), 'call', 'bp', 16, FRAME),
  row(at('nmi', 0), 'regs-partial', 'sp', 0),
  row(at('nmi', 1), 'regs-partial', 'sp', 8),
  row(at('end_repeat_nmi', 0), 'regs', 'sp', 0),
  row(at('do_nmi', 0), 'call', 'bp', 16, FRAME),
  row(at('nmi_body', 0), 'call', 'bp', 16, FRAME),
  row(at('int3_entry', 0), 'regs', 'sp', 0),
  row(at('mce_entry', 0), 'end'),
  row(at('mce_entry', 0x40), 'undefined'),
];
const table = (...rows: readonly OrcRow[]) => new OrcTable([...ROWS, ...rows].sort(orcOrder));
const shown = (of: View, ...rows: readonly OrcRow[]): View => ({
  ...of,
  orc: table(...rows),
  symbolize: symbol,
});
const names = ({ entries }: ReturnType<typeof walkByOrc>) =>
  entries.map(({ ip }) => symbol(ip).replace(/\+.*/, ''));
const RULES: readonly OrcRules[] = ['4.14', '5.2', '6.12'];
const TASK = ['do_work', 'process_one', 'sys_work', 'syscall_body'];

describe.each(RULES)('by the rules of %s', (rules) => {
  const walk = (of: View, ...rows: readonly OrcRow[]) => walkByOrc(rules, shown(of, ...rows));

  test('through registers, stacks and frames to the user', () => {
    const trace = walk(bodyView(body()));
    expect(names(trace)).toEqual(['nmi_body', 'do_nmi', 'end_repeat_nmi', ...TASK]);
    expect(trace).toMatchObject({
      end: 'complete',
      reason: 'reaches the user registers',
      warning: undefined,
      error: false,
    });
    expect(trace.path).toEqual([
      { stack: 'NMI', sp: BODY_SP },
      { stack: 'TASK', sp: WORK + 8n },
    ]);
    expect(trace.entries[3]).toMatchObject({ slot: REGS + 128n, stack: 'NMI' });
    expect(trace.entries[4]).toMatchObject({ slot: WORK + 8n, stack: 'TASK' });
  });

  test('an iret frame alone', () => {
    const memory = task();
    frame(memory, T - 40n, at('do_work', 0x1c), S);
    const trace = walk(view(memory, at('nmi', 1), T - 48n, WORK));
    expect(names(trace)).toEqual(['nmi', ...TASK]);
    expect(trace.end).toBe('complete');
    expect(trace.entries[1]?.slot).toBe(T - 40n);
  });

  test('a return address is looked up one byte earlier, an interrupted one where it is', () => {
    // A call as the last instruction of sys_work returns to where another function begins.
    const memory = task();
    put(memory, PROC + 8n, at('process_one', 0));
    const wrong = row(at('process_one', 0), 'end');
    const rows = [
      ...ROWS.filter(({ address }) => address !== at('process_one', 0)),
      wrong,
      row(at('process_one', 1), 'call', 'bp', 16, FRAME),
    ].sort(orcOrder);
    const trace = walkByOrc(rules, {
      ...view(memory, at('do_work'), S, WORK),
      orc: new OrcTable(rows),
      symbolize: symbol,
    });
    expect(names(trace)).toEqual(['do_work', 'process_one', 'process_one', 'syscall_body']);
    const interrupted = walkByOrc(rules, {
      ...view(memory, at('process_one', 0), S, WORK),
      orc: new OrcTable(rows),
    });
    expect(interrupted.reason).toMatch(/^reaches 0x.*, where a stack is said to end$/);
  });

  test.each<readonly [OrcBase, keyof NonNullable<View['registers']>]>([
    ['r10', 'r10'],
    ['r13', 'r13'],
    ['di', 'rdi'],
    ['dx', 'rdx'],
  ])('a frame told by %s, from the registers of the dump', (base, name) => {
    const of = { ...view(task(), at('mce_entry', 8), S - 64n, 0n), registers: { [name]: WORK + 16n } };
    const trace = walk(of, row(at('mce_entry', 8), 'call', base, 0, FRAME));
    expect(names(trace)).toEqual(['mce_entry', 'process_one', 'sys_work', 'syscall_body']);
  });

  /** So in every kernel read, up to 6.17; asm_exc_nmi has `base=%rdx offset=8`, and its user path is unwound 8 bytes too low there. */
  test('an offset to such a register is not added', () => {
    const of = { ...view(task(), at('mce_entry', 8), S - 64n, 0n), registers: { rdx: WORK + 16n } };
    expect(walk(of, row(at('mce_entry', 8), 'call', 'dx', 8, FRAME))).toEqual(
      walk(of, row(at('mce_entry', 8), 'call', 'dx', 0, FRAME)),
    );
  });

  test('and a warning where they are not known', () => {
    const trace = walk(
      view(task(), at('mce_entry', 8), S - 64n, 0n),
      row(at('mce_entry', 8), 'call', 'r10', 0),
    );
    expect(trace).toMatchObject({ end: 'warned', error: true });
    expect(trace.warning).toBe(
      rules === '6.12'
        ? 'WARNING: missing R10 value at mce_entry+0x8/0x40'
        : 'WARNING: missing regs for base reg R10 at ip mce_entry+0x8/0x40',
    );
  });

  test('the word on top of a stack leads to the other; the offset counts before or behind it', () => {
    const memory = task();
    const top = T - 8n;
    put(memory, top, WORK);
    const offset = rules === '6.12' ? 16 : 8;
    // 6.12: what lies at RSP, and 16 on. Before: what lies 8 above RSP.
    put(memory, T - 16n, WORK);
    if (rules !== '6.12') put(memory, top, WORK + 16n);
    const of = view(memory, at('mce_entry', 8), T - 16n, 0n);
    const trace = walk(of, row(at('mce_entry', 8), 'call', 'sp-indirect', offset, FRAME));
    expect(names(trace)).toEqual(['mce_entry', 'process_one', 'sys_work', 'syscall_body']);
  });

  test('a frame told by the word behind RBP (DRAP)', () => {
    const memory = task();
    put(memory, S, WORK + 16n);
    const of = view(memory, at('mce_entry', 8), S, S + 8n);
    const trace = walk(of, row(at('mce_entry', 8), 'call', 'bp-indirect', -8, FRAME));
    expect(names(trace)).toEqual(['mce_entry', 'process_one', 'sys_work', 'syscall_body']);
  });

  test('down on the same stack: a warning, and an error', () => {
    const memory = body();
    frame(memory, BODY_SP, at('do_work', 0x1c), BODY_SP - 8n);
    const trace = walk(view(memory, at('nmi', 0), BODY_SP, WORK));
    expect(trace).toMatchObject({ end: 'warned', reason: 'goes down instead of up', error: true });
    expect(trace.warning).toBe(
      `WARNING: stack going in the wrong direction? ${rules === '6.12' ? 'at ' : 'ip='}nmi+0x0/0x40`,
    );
  });

  test('registers that lie on no stack', () => {
    const trace = walk(view(body(), at('end_repeat_nmi'), T - 160n, 0n));
    expect(trace.reason).toBe('finds no room for registers at T-160');
    expect(trace.warning).toMatch(
      rules === '6.12'
        ? /can't access registers at end_repeat_nmi/
        : /can't dereference registers at fffffe000000ff60 for ip/,
    );
  });

  test('an undefined row is an error, the end of a stack is none', () => {
    const of = view(task(), at('mce_entry', 8), S, 0n);
    expect(walk(of)).toMatchObject({ end: 'complete', error: false });
    expect(walk(of, row(at('mce_entry', 8), 'undefined'))).toMatchObject({
      end: 'stopped',
      error: true,
      warning: undefined,
    });
  });

  test('no tables (E10), RSP on no stack (E9): 6.12 calls both an error', () => {
    const error = rules === '6.12';
    expect(walkByOrc(rules, view(task(), at('do_work'), S, WORK))).toMatchObject({
      end: 'stopped',
      error,
      reason: 'finds no ORC tables',
    });
    expect(walk(view(task(), at('do_work'), 0x1234n, WORK))).toMatchObject({
      end: 'stopped',
      error,
      reason: 'starts with RSP on no known stack',
    });
  });

  test('RSP that has run over into the page below a stack begins with that stack', () => {
    const below = TASK_END - 0x4000n - 8n;
    const trace = walk(view(task(), at('do_work'), below, WORK));
    expect(names(trace)).toEqual(TASK);
    expect(trace.error).toBe(rules === '6.12');
  });

  test('user mode, and user registers of the dump itself', () => {
    expect(walk(view(task(), 0x401000n, 0x7ffd_0000n, 5n, 3))).toMatchObject({ end: 'complete', path: [] });
  });
});

describe('what changed', () => {
  const unknown = (memory: Memory) => ({
    ...shown(view(memory, 0xffffffffa0000000n, S, WORK)),
    isText: () => true,
  });
  test('code in no table: the end, until a frame pointer is tried; from then on nothing is reliable', () => {
    expect(walkByOrc('5.2', unknown(task()))).toMatchObject({ end: 'stopped', error: true });
    const trace = walkByOrc('6.12', unknown(task()));
    expect(names(trace).slice(1)).toEqual(TASK.slice(1));
    expect(trace).toMatchObject({ end: 'complete', error: true });
    expect(
      walkReliable(shown(view(task(), at('do_work'), S, WORK)), startOrc('6.12')(unknown(task())), false)
        .reliable,
    ).toBe(false);
  });

  test('a call of NULL goes back to its caller since 5.1', () => {
    const memory = task();
    put(memory, S - 8n, at('do_work', 0x1c));
    const of = shown(view(memory, 0n, S - 8n, WORK));
    expect(names(walkByOrc('5.2', of)).slice(1)).toEqual(TASK);
    expect(walkByOrc('4.14', of).entries).toHaveLength(1);
  });

  /** E1, 81b67439d147: IRQ entry has saved an iret frame only; the frame below is told by R10, which the NMI before it saved. */
  test('registers that the frame before has saved count, since 5.7', () => {
    const memory = body();
    // The NMI interrupted IRQ entry code, which had just interrupted a function that tells its frame by R10.
    put(memory, REGS + 56n, WORK + 16n);
    frame(memory, OUTERMOST, at('nmi', 0), S - 40n);
    frame(memory, S - 40n, at('mce_entry', 8), S);
    const rows = [row(at('mce_entry', 8), 'call', 'r10', 0, FRAME)];
    const of = bodyView(memory);
    expect(names(walkByOrc('6.12', shown(of, ...rows)))).toEqual([
      'nmi_body',
      'do_nmi',
      'end_repeat_nmi',
      'nmi',
      'mce_entry',
      'process_one',
      'sys_work',
      'syscall_body',
    ]);
    expect(walkByOrc('5.2', shown(of, ...rows))).toMatchObject({
      end: 'warned',
      warning: 'WARNING: missing regs for base reg R10 at ip mce_entry+0x8/0x40',
    });
  });

  test('after an error not a word more is printed in 6.12', () => {
    const of = unknown(task());
    const memory = task();
    put(memory, WORK + 8n, at('mce_entry', 0x10));
    const bad = {
      ...of,
      read: (address: bigint) => memory.get(address),
      orc: table(row(at('mce_entry', 8), 'call', 'r13', 0)),
    };
    expect(walkByOrc('6.12', bad)).toMatchObject({ end: 'stopped', error: true, warning: undefined });
  });
});

describe('the reliable walk', () => {
  const of = shown(bodyView(body()));
  test('registers of the kernel are a refusal for frame pointers only', () => {
    expect(walkReliable(of, startOrc('6.12')(of), false)).toMatchObject({
      reliable: true,
      reason: 'reaches the user registers',
    });
    expect(walkReliable(of, startOrc('6.12')(of), true)).toEqual({
      reliable: false,
      entries: [at('do_nmi', 0x21), at('end_repeat_nmi', 0x20)],
      reason: 'finds registers of the kernel on the stack',
    });
  });
  test('an error is a refusal', () => {
    const memory = body();
    memory.set(SYS + 8n, 0n);
    memory.set(TOP - 8n, 0x1234n);
    const broken = shown(bodyView(memory));
    expect(walkReliable(broken, startOrc('6.12')(broken), false)).toMatchObject({
      reliable: false,
      reason: expect.stringMatching(/^finds no text address/),
    });
    const lost = shown({ ...of, stacks: STACKS.filter(({ name }) => name !== 'TASK') });
    expect(walkReliable(lost, startOrc('6.12')(lost), false)).toMatchObject({ reliable: false });
  });
});
