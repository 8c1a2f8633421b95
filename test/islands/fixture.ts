/**
 * A timeline of the shape the engine makes, for tests of the islands alone: one NMI, a breakpoint in its
 * handler, a second NMI in the wake. Values are symbols with made-up addresses; nothing here is evidence.
 */
import type { CodeLine, Frame, Group, Step, Timeline, Word } from '../../src/scenario/timeline.ts';
import type { Judgement } from '../../src/unwind/view.ts';

interface Value {
  readonly bits: bigint;
  readonly meaning: string;
}
const value = (bits: bigint, meaning: string): Value => ({ bits, meaning });

const S = value(0xffffc90000013e48n, 'S, task stack');
const A = value(0xffffffff81095e10n, 'A, do_work+0x1c');
const OLD_S = value(0xffffc90000013f10n, 'S0, task stack');
const OLD_A = value(0xffffffff81432aa5n, 'A0, sys_work+0x31');
const R = value(0xfffffe000000fda8n, "R', NMI stack");
const H = value(0xffffffff8101a2b3n, "H', nmi_body+0x13");
const T136 = value(0xfffffe000000ff78n, 'T-136, NMI stack');
const REPEAT = value(0xffffffff81601b2cn, 'repeat_nmi');
const SEGMENT = value(0x18n, 'kernel');
const FLAGS = value(0x246n, 'IF ZF PF');
const NO = value(0n, 'no');
const YES = value(1n, 'yes');

const LISTING = `nmi:
 pushq %rdx # q(-6)
 testb $3, 16(%rsp) # A: user?
 jnz from_user
 leaq repeat_nmi(%rip), %rdx # B: window?
 cmpq 8(%rsp), %rdx
 ja 1f
 leaq end_repeat_nmi(%rip), %rdx
 cmpq 8(%rsp), %rdx
 ja nested_nmi_out
1:
 cmpl $1, -8(%rsp) # C: q(-7) is 1?
 je nested_nmi
 leaq 48(%rsp), %rdx # D: this stack?
 cmpq %rdx, 32(%rsp)
 ja first_nmi
nested_nmi:
 subq $8, %rsp # skip q(-7)
 leaq -80(%rsp), %rdx # T-136
 pushq $KERNEL_DS # SS of iret
 pushq %rdx # RSP of iret
 pushfq # RFLAGS of iret
 pushq $KERNEL_CS # CS of iret
 leaq repeat_nmi(%rip), %rdx
 pushq %rdx # RIP of iret
 addq $48, %rsp # T-48
nested_nmi_out:
 popq %rdx
 iretq # from original
first_nmi:
 movq (%rsp), %rdx # keep q(-6)
 pushq $0 # q(-7)
 subq $40, %rsp
 .rept 5
 pushq 88(%rsp) # to outermost
 .endr
repeat_nmi:
 movq $1, 80(%rsp) # q(-7)
 addq $80, %rsp # T-56
 .rept 5
 pushq -48(%rsp) # to iret
 .endr
 subq $40, %rsp # T-136
end_repeat_nmi:
 pushq $-1 # orig_ax, q(-18)
 call save_regs # T-264
 movq %rsp, %rdi
 call do_nmi
 call restore_regs
nmi_out:
 addq $48, %rsp # T-96
 std
 movq $0, 40(%rsp) # q(-7)
 iretq # from iret
nmi_body:
 incq ticks(%rip)
 int3 # at H
 movq %rbx, %rax # at H'
 ret`;

const CODE: readonly CodeLine[] = LISTING.split('\n').map((line, i) => {
  const [text = '', comment = ''] = line.trim().split(' # ');
  const kind = text.endsWith(':') ? 'label' : text.startsWith('.') ? 'directive' : 'instruction';
  const address = kind === 'instruction' ? 0xffffffff81601a00n + BigInt(i * 4) : undefined;
  return {
    kind,
    text,
    comment,
    address,
    block: 'entry',
    page: 'notebooks/designs/linux-4.2.mdx',
    line: 100 + i,
    depth: 0,
  };
});
const lineOf = (text: string, from = 0): number =>
  CODE.findIndex((line, i) => i >= from && line.text.startsWith(text));

const FIELDS = ['SS', 'RSP', 'RFLAGS', 'CS', 'RIP'];
const REGS = 'orig_ax di si dx cx ax r8 r9 r10 r11 bx bp r12 r13 r14 r15'.split(' ');
const groupOf = (index: number): Group =>
  index >= -5
    ? 'original'
    : index >= -7
      ? 'kept'
      : index >= -12
        ? 'iret'
        : index >= -17
          ? 'outermost'
          : 'regs';
function fieldOf(index: number): string {
  const group = groupOf(index);
  if (group === 'kept') return index === -6 ? 'rdx' : 'executing';
  if (group === 'regs') return REGS[-18 - index] ?? '';
  return FIELDS[group === 'original' ? -1 - index : group === 'iret' ? -8 - index : -13 - index] ?? '';
}

/** Index of the instruction after a line. */
const nextOf = (line: number): number => CODE.findIndex((one, i) => i > line && one.kind === 'instruction');

/** Runs the story and keeps a frame for each boundary. */
class Story {
  readonly frames: Frame[] = [];
  readonly steps: Step[] = [];
  private readonly words = new Map<number, Omit<Word, 'index' | 'role' | 'group' | 'field'>>();
  private depth: number | undefined;
  private blocked = false;
  private pending = false;
  private nested = false;
  private wrote: number[] = [];

  constructor() {
    for (let index = -1; index >= -33; index--) {
      const field = fieldOf(index);
      const old = field === 'RSP' ? OLD_S : field === 'RIP' ? OLD_A : field === 'executing' ? NO : SEGMENT;
      this.words.set(index, {
        value: old.bits,
        meaning: old.meaning,
        author: { kind: 'earlier', name: 'an earlier NMI', boundary: undefined },
        changed: false,
        before: undefined,
      });
    }
  }
  private write(index: number, { bits, meaning }: Value, kind: 'hardware' | 'software', name: string): void {
    this.words.set(index, {
      value: bits,
      meaning,
      author: { kind, name, boundary: this.frames.length },
      changed: true,
      before: this.words.get(index)?.meaning,
    });
    this.wrote.push(index);
  }
  private valueAt(index: number): Value {
    const word = this.words.get(index);
    return value(word?.value ?? 0n, word?.meaning ?? '');
  }
  /** Ends a transition. */
  frame(sentence: string, at: string, line: number): void {
    const boundary = this.frames.length;
    const words = [...this.words].map(([index, word]): Word => {
      const changed = this.wrote.includes(index);
      const group = groupOf(index);
      const field = fieldOf(index);
      const role = group === 'kept' ? field : `${group}.${field.toLowerCase()}`;
      return { ...word, index, role, group, field, changed, before: changed ? word.before : undefined };
    });
    this.wrote = [];
    const { depth } = this;
    const judgements = [-2, -9, -14].map((index) => this.judge(index));
    const pointer: Judgement = depth === undefined ? 'not-asked' : this.nested ? 'wrong-and-says' : 'right';
    const all = [...judgements, pointer];
    const chain = [
      ...(depth === undefined ? [] : [{ text: `${at}+0x0`, stack: 'NMI' }]),
      ...(this.nested && depth !== undefined
        ? ['nmi_body+0x13/0x2c', 'do_nmi+0x4b/0x90', 'end_repeat_nmi+0xe'].map((text) => ({
            text,
            stack: 'NMI',
          }))
        : []),
      ...['do_work+0x1c/0x40', 'process_one+0x2a/0x60', 'sys_work+0x31/0x50', 'entry_SYSCALL_64+0x7e'].map(
        (text) => ({ text, stack: 'TASK' }),
      ),
    ];
    this.frames.push({
      boundary,
      sentence,
      at,
      rip: BigInt(boundary),
      line,
      registers: { rsp: BigInt(0x10000 - 8 * (depth ?? 0)), rdx: 0n },
      changed: [],
      stack:
        depth === undefined
          ? { name: 'TASK', text: 'S', depth }
          : { name: 'NMI', text: `T-${depth * 8}`, depth },
      latch: { blocked: this.blocked, pending: this.pending },
      flags: depth === undefined ? 'IF ZF PF' : 'ZF PF',
      words,
      truth: chain.map(({ text, stack }, i) => ({
        text,
        stack,
        how: i === 0 ? 'current' : 'return',
        slot: i === 0 ? undefined : BigInt(0x10000 - 8 * i),
        sp: BigInt(0x10000 - 8 * (depth ?? 0)),
        found: all.map((judgement, rule) => {
          if (judgement === 'right' || judgement === 'not-asked' || i === 0) return 'listed';
          if (judgement === 'wrong-and-says')
            return stack === 'NMI' ? 'listed' : i === 4 ? 'lost' : 'missing';
          return judgement === 'wrong-silently' && text.startsWith('sys') && rule < 3 ? 'listed' : 'missing';
        }),
      })),
      lost: false,
      verdicts: RULES.map(({ id }, i) => ({
        unwinder: id,
        judgement: all[i] ?? 'not-asked',
        reason: REASONS[all[i] ?? 'not-asked'],
        end: all[i] === 'right' ? 'complete' : 'stopped',
        printed: [' <NMI>', ` [<ffffffff81601a00>] ${at}+0x0`, ' <EOE>'],
      })),
      digest: `k3v9qd${boundary}`,
    });
  }
  private judge(index: number): Judgement {
    if (this.depth === undefined) return 'not-asked';
    const { meaning } = this.valueAt(index);
    if (meaning === S.meaning) return 'right';
    return meaning === OLD_S.meaning ? 'wrong-silently' : 'stops-early-silently';
  }
  step(kind: Step['kind'], name: string, sentence: string): void {
    const checkpoint = name.toLowerCase().replace(/\W+/g, '-');
    const before = this.steps.filter((one) => one.checkpoint.replace(/-\d+$/, '') === checkpoint).length;
    this.steps.push({
      boundary: this.frames.length - 1,
      name,
      kind,
      checkpoint: before ? `${checkpoint}-${before + 1}` : checkpoint,
      sentence,
    });
  }
  deliver(name: string, rsp: Value, rip: Value): void {
    [SEGMENT, rsp, FLAGS, SEGMENT, rip].forEach((one, i) => {
      this.write(-1 - i, one, 'hardware', name);
    });
    this.depth = 5;
    this.blocked = true;
    this.pending = false;
    this.nested = rsp === R;
    this.frame(
      `${name} is delivered: the CPU loads RSP with T and pushes the {original}.`,
      'nmi',
      lineOf('pushq %rdx'),
    );
  }
  /** Runs the instructions from a label to the next stop, in order. */
  run(label: string, until: string): void {
    const from = lineOf(`${label}:`);
    const to = lineOf(until, from + 1);
    let times = 1;
    for (let i = from; i <= to; i++) {
      const { kind, text } = CODE[i] ?? { kind: 'label', text: '' };
      if (kind === 'directive') times = Number(/\d+/.exec(text)?.[0] ?? 1);
      if (kind === 'instruction') for (let n = 0; n < times; n++) this.execute(label, text, i);
    }
  }
  private execute(label: string, text: string, line: number): void {
    const depth = this.depth ?? 0;
    const number = Number(/\$?(-?\d+)/.exec(text)?.[1] ?? 0);
    if (text.startsWith('push')) {
      const source = /^pushq (-?\d+)\(/.test(text) ? this.valueAt(-depth + number / 8) : undefined;
      const pushed =
        source ??
        (label === 'nested_nmi' ? this.nestedValue(depth + 1) : depth === 5 ? value(2n, 'old rdx') : NO);
      this.depth = depth + 1;
      this.write(-this.depth, pushed, 'software', label);
    } else if (text.startsWith('subq')) this.depth = depth + number / 8;
    else if (text.startsWith('addq')) this.depth = depth - number / 8;
    else if (text.startsWith('movq $')) this.write(-7, number ? YES : NO, 'software', label);
    else if (text.startsWith('popq')) this.depth = depth - 1;
    else if (text.startsWith('call save_regs')) {
      for (let index = -19; index >= -33; index--)
        this.write(index, value(BigInt(-index), 'task'), 'software', label);
      this.depth = 33;
    } else if (text.startsWith('call restore')) this.depth = 18;
    this.frame(`${text} runs.`, label, nextOf(line));
  }
  private nestedValue(index: number): Value {
    return { 9: T136, 12: REPEAT }[index] ?? SEGMENT;
  }
  /** Other transitions: C code, returns. */
  other(
    sentence: string,
    at: string,
    line: number,
    change: Partial<{ depth: number | undefined; blocked: boolean; pending: boolean; nested: boolean }> = {},
  ): void {
    if ('depth' in change) this.depth = change.depth;
    this.blocked = change.blocked ?? this.blocked;
    this.pending = change.pending ?? this.pending;
    this.nested = change.nested ?? this.nested;
    this.frame(sentence, at, line);
  }
}

const RULES = [
  { id: 'end-2', name: 'end[-2]' },
  { id: 'end-9', name: 'end[-9]' },
  { id: 'end-14', name: 'end[-14]' },
  { id: 'frame-pointer', name: 'frame pointer' },
];
const REASONS: Readonly<Record<Judgement, string>> = {
  right: 'leads to S, the task.',
  'stops-early-and-says': 'holds a word of this stack and warns.',
  'stops-early-silently': 'leads into the NMI stack again: already visited, so the walk ends.',
  'wrong-and-says': 'leaves the NMI stack by end[-2], gets lost, and since 4.10 warns: bad bp value.',
  'wrong-silently':
    "is not written yet and holds the last NMI's S0: two functions vanish, and nothing shows it.",
  'not-asked': 'RSP is not on the NMI stack: no rule is asked.',
};

const body = (story: Story, at: string, line: number, count: number, depth: number) => {
  for (let i = 0; i < count; i++) story.other(`${at} runs its C code.`, at, line, { depth: depth + (i % 5) });
};

/** The whole run. */
export function nestedNmi(): Timeline {
  const story = new Story();
  const h = lineOf('int3');
  story.other('The task runs. An earlier NMI has left its words on the NMI stack.', 'do_work', -1);
  story.step(
    'start',
    'start',
    'The task runs. An earlier NMI has left its words on the NMI stack; nothing there is alive.',
  );
  story.other('The task goes on.', 'do_work', -1);
  story.deliver('NMI 1', S, A);
  story.step(
    'nmi',
    'NMI 1',
    'NMI 1 interrupts the task at A. The CPU loads RSP with T from the TSS and pushes five words: the {original}.',
  );
  story.run('nmi', 'ja first_nmi');
  story.step(
    'label',
    'first_nmi',
    "Entry code has kept the task's rdx at q(-6) and asked its questions. All say: not nested.",
  );
  story.run('first_nmi', '.endr');
  story.step(
    'label',
    'repeat_nmi',
    'first_nmi has copied the five words eleven slots down. The {outermost} exists from here on.',
  );
  story.run('repeat_nmi', 'subq');
  story.step(
    'label',
    'end_repeat_nmi',
    'repeat_nmi has set "NMI executing" and copied the {outermost} up into the {iret}. All three say S and A.',
  );
  story.run('end_repeat_nmi', 'call do_nmi');
  body(story, 'do_nmi', -1, 20, 40);
  story.step('label', 'nmi_body', 'The handler runs.');
  story.other('incq ticks(%rip) runs.', 'nmi_body', h, { depth: 75, pending: true });
  story.other('int3 is delivered at H: the CPU pushes five words on the #DB stack.', 'int3', -1, {
    depth: undefined,
  });
  story.step(
    'event',
    'int3',
    'The handler meets an int3 at H. NMI 2 has arrived and is pending: NMIs are still blocked.',
  );
  body(story, 'do_int3', -1, 8, 0);
  for (let i = 0; i < 4; i++) story.other('do_int3 runs its C code.', 'do_int3', -1, { depth: undefined });
  story.other('IRETQ returns to H and unblocks NMIs.', 'nmi_body', h + 1, { depth: 75, blocked: false });
  story.step(
    'return',
    'IRETQ',
    'The breakpoint handler ends in IRETQ. Any IRET unblocks NMIs, so the latch opens in the middle of the NMI handler.',
  );
  story.deliver('NMI 2', R, H);
  story.step(
    'nmi',
    'NMI 2',
    "NMI 2 is delivered at H'. RSP starts again at T, so the CPU writes over the {original}: it now leads back into the NMI stack.",
  );
  story.run('nmi', 'je nested_nmi');
  story.step('label', 'nested_nmi', 'Test C finds "NMI executing" set.');
  story.run('nested_nmi', 'addq');
  story.step(
    'label',
    'nested_nmi_out',
    'The nested stub has written only the {iret}: return to repeat_nmi with RSP = T-136. The {outermost} still says S.',
  );
  story.run('nested_nmi_out', 'popq');
  story.other("IRETQ returns to H' through the {original} and unblocks NMIs.", 'nmi_body', h + 1, {
    depth: 75,
    blocked: false,
  });
  story.step(
    'return',
    'IRETQ',
    'The nested stub returns through the {original} into the handler. It never called C.',
  );
  body(story, 'nmi_body', h + 1, 20, 40);
  story.run('nmi_out', 'movq');
  story.step(
    'label',
    'nmi_out',
    'The handler is done. RSP = T-96, direction flag set, "NMI executing" cleared. One instruction is left.',
  );
  story.other('IRETQ reads the {iret} and lands on repeat_nmi.', 'repeat_nmi', lineOf('repeat_nmi:') + 1, {
    depth: 17,
    nested: false,
  });
  story.step('return', 'IRETQ', 'That IRETQ reads the {iret} and lands on repeat_nmi.');
  story.run('repeat_nmi', 'subq');
  story.step('label', 'end_repeat_nmi', 'The {iret} is copied afresh from the {outermost}: S and A again.');
  story.run('end_repeat_nmi', 'call do_nmi');
  body(story, 'do_nmi', -1, 30, 40);
  story.other('call restore_regs returns.', 'nmi_out', lineOf('addq $48, %rsp', lineOf('nmi_out:')), {
    depth: 18,
  });
  story.run('nmi_out', 'movq');
  story.step(
    'label',
    'nmi_out',
    "The second run of the handler has served NMI 2. The {original} is stale and still holds R' and H'.",
  );
  story.other('IRETQ returns to the task at A with RSP = S.', 'do_work', -1, { depth: undefined });
  story.step('end', 'end', 'IRETQ returns to the task at A with RSP = S. Every register is what it was.');

  const { frames, steps } = story;
  const spans = (test: (frame: Frame) => boolean) => {
    const found: { from: number; to: number }[] = [];
    for (const frame of frames.filter(test)) {
      const open = found.at(-1);
      if (open && open.to === frame.boundary - 1) open.to = frame.boundary;
      else found.push({ from: frame.boundary, to: frame.boundary });
    }
    return found;
  };
  const second = steps.findIndex(({ name }) => name === 'NMI 2');
  return {
    slug: 'nested-nmi',
    version: 1,
    title: 'A second NMI in the wake of a breakpoint',
    design: 'linux-4.2',
    recipe: `scenario nested-nmi v1
title   "A second NMI in the wake of a breakpoint"
design  linux-4.2
start   kernel-task
body    int3
inject  nmi at task+2
inject  nmi at nmi-body.after-int3
cursor  nested_nmi_out
expect  verdict returns
expect  unwind end-14 right at cursor
`,
    frames,
    steps,
    stacks: [],
    code: CODE,
    rules: RULES,
    blocked: spans(({ latch }) => latch.blocked),
    pending: spans(({ latch }) => latch.pending),
    injections: [
      { event: 'nmi', boundary: 1, text: 'nmi at task+2' },
      { event: 'nmi', boundary: (steps[second]?.boundary ?? 1) - 1, text: 'nmi at nmi-body.after-int3' },
    ],
    counts: { boundaries: frames.length - 1, 'nmi-served': 2, 'nmi-merged': 0, deliveries: 3 },
    outcome: { verdict: 'returns' },
    broken: [],
    cursor: steps.find(({ name }) => name === 'nested_nmi_out')?.boundary ?? 0,
    top: 0xfffffe0000010000n,
    records: [
      { name: 'original', group: 'original', rsp: -2, rip: -5 },
      { name: 'iret', group: 'iret', rsp: -9, rip: -12 },
      { name: 'outermost', group: 'outermost', rsp: -14, rip: -17 },
    ],
    executing: -7,
    safeguards: [
      { name: 'test-b', about: 'the repeat window' },
      { name: 'test-c', about: 'the flag' },
    ],
    without: [],
    problems: [],
  };
}
