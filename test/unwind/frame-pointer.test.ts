import { describe, expect, test } from 'vitest';
import { type FrameRules, walkByFramePointer } from '../../src/unwind/frame-pointer.ts';
import {
  at,
  BODY_SP,
  body,
  bodyView,
  DB_END,
  delivered,
  frame,
  nested,
  PROC,
  put,
  REGS,
  S,
  SYS,
  symbol,
  T,
  TASK_END,
  TOP,
  task,
  view,
  WORK,
} from './world.ts';

const names = ({ entries }: ReturnType<typeof walkByFramePointer>) =>
  entries.map(({ ip }) => symbol(ip).replace(/\+.*/, ''));
const RULES: readonly FrameRules[] = ['4.10', '4.13'];

describe.each(RULES)('by the rules of %s', (rules) => {
  test('S1: through the encoded registers to the user registers', () => {
    const trace = walkByFramePointer(rules, bodyView(body()));
    expect(names(trace)).toEqual([
      'nmi_body',
      'do_nmi',
      'end_repeat_nmi',
      'do_work',
      'process_one',
      'sys_work',
      'syscall_body',
    ]);
    expect(trace).toMatchObject({
      end: 'complete',
      reason: 'reaches the user registers',
      warning: undefined,
    });
    expect(trace.path).toEqual([
      { stack: 'NMI', sp: BODY_SP },
      { stack: 'TASK', sp: S },
    ]);
    expect(trace.entries[3]).toMatchObject({ slot: REGS + 128n, stack: 'NMI', guess: false });
  });

  test('a task in its own function', () => {
    const trace = walkByFramePointer(rules, view(task(), at('do_work'), S, WORK));
    expect(names(trace)).toEqual(['do_work', 'process_one', 'sys_work', 'syscall_body']);
    expect(trace.end).toBe('complete');
  });

  test('a kernel thread ends at its last frame', () => {
    const memory = task();
    memory.set(TOP + 136n, 0n);
    expect(walkByFramePointer(rules, view(memory, at('do_work'), S, WORK))).toMatchObject({
      end: 'complete',
      reason: 'reaches the first frame of a kernel thread',
    });
  });

  test('a last frame moved down by a word for alignment, with its return address twice, is the last too', () => {
    const memory = task();
    put(memory, SYS - 8n, 0xbb77n, at('syscall_body', 5), at('syscall_body', 5));
    memory.set(PROC, SYS - 8n);
    put(memory, PROC, SYS - 8n);
    memory.set(SYS - 8n, 0xdeadn);
    const shown = view(memory, at('do_work'), SYS - 8n, SYS - 8n);
    expect(walkByFramePointer(rules, shown)).toMatchObject({
      end: 'complete',
      reason: 'reaches the user registers',
    });
    memory.set(SYS, at('do_work'));
    expect(walkByFramePointer(rules, shown).end).not.toBe('complete');
  });

  test('S4: with RSP on the NMI stack and RBP still of the task, every frame is skipped', () => {
    const trace = walkByFramePointer(rules, view(delivered(), at('nmi'), T - 48n, WORK));
    expect(names(trace)).toEqual(['nmi']);
    expect(trace).toMatchObject({ end: 'stopped', warning: undefined });
    expect(trace.reason).toBe(
      'skips every frame, since RBP still leads to the task stack and RSP is on the NMI stack',
    );
  });

  test('an encoded RBP at the start is skipped with its registers', () => {
    const trace = walkByFramePointer(rules, view(body(), at('end_repeat_nmi'), REGS, REGS + 1n));
    expect(names(trace)).toEqual(['end_repeat_nmi']);
    expect(trace).toMatchObject({
      end: 'stopped',
      reason: 'skips every frame, since RBP leads to saved registers and no function has pushed it yet',
    });
    const none = walkByFramePointer(rules, view(task(), at('do_work'), TOP, PROC));
    expect(none).toMatchObject({ end: 'stopped', reason: 'finds no frame above RSP' });
  });

  test('frames below RSP, or on a stack that RSP has left, are skipped', () => {
    const later = walkByFramePointer(rules, view(body(), at('do_nmi'), REGS - 16n, BODY_SP));
    expect(names(later).slice(0, 3)).toEqual(['do_nmi', 'end_repeat_nmi', 'do_work']);
    const gone = walkByFramePointer(rules, view(body(), at('do_work'), S, BODY_SP));
    expect(names(gone)).toEqual(['do_work', 'process_one', 'sys_work', 'syscall_body']);
    expect(gone.end).toBe('complete');
  });

  test('before a function has pushed RBP its caller is skipped', () => {
    const trace = walkByFramePointer(rules, view(body(), at('nmi_body', 0), REGS - 24n, REGS - 16n));
    expect(names(trace).slice(0, 3)).toEqual(['nmi_body', 'end_repeat_nmi', 'do_work']);
  });

  test('a breakpoint on its own stack above the NMI', () => {
    const memory = body();
    frame(memory, DB_END - 40n, at('nmi_body', 0x14), BODY_SP);
    const regs = DB_END - 168n;
    put(memory, regs + 32n, BODY_SP);
    put(memory, regs - 16n, regs + 1n, at('int3_entry'));
    const trace = walkByFramePointer(rules, view(memory, at('do_int3'), regs - 16n, regs - 16n));
    expect(names(trace).slice(0, 5)).toEqual([
      'do_int3',
      'int3_entry',
      'nmi_body',
      'do_nmi',
      'end_repeat_nmi',
    ]);
    expect(trace.path.map(({ stack }) => stack)).toEqual(['#DB', 'NMI', 'TASK']);
    expect(trace.end).toBe('complete');
  });

  test('garbage in RBP at the start ends silently', () => {
    for (const rbp of [0n, 1n, 0xbb77n, T - 8n, T - 160n + 1n, TASK_END - 8n, 0xffff_ffff_ffff_ffffn]) {
      const trace = walkByFramePointer(rules, view(body(), at('nmi_body'), BODY_SP, rbp));
      expect(trace).toMatchObject({ end: 'stopped', warning: undefined });
      expect(names(trace)).toEqual(['nmi_body']);
    }
  });

  test.each([
    ['itself', BODY_SP, 'fffffe000000fed8'],
    ['a frame before', BODY_SP - 16n, 'fffffe000000fec8'],
    ['the middle of its own frame', BODY_SP + 8n, 'fffffe000000fee0'],
  ])('a saved RBP that leads to %s is bad', (_, saved, value) => {
    const memory = body();
    memory.set(BODY_SP, saved);
    const trace = walkByFramePointer(rules, bodyView(memory));
    expect(trace.end).toBe('warned');
    expect(trace.warning).toBe(
      `WARNING: kernel stack frame pointer at fffffe000000fed8 in task:1 has bad value ${value}`,
    );
    expect(names(trace)).toEqual(['nmi_body', 'do_nmi']);
  });

  test('a misaligned frame pointer is followed like any other', () => {
    const memory = body();
    memory.set(BODY_SP, BODY_SP + 20n);
    const trace = walkByFramePointer(rules, bodyView(memory));
    expect(trace).toMatchObject({ end: 'stopped', reason: 'finds no text address at T-268' });
  });

  test('NULL is printed as kernels before pointer hashing printed it', () => {
    const memory = body();
    memory.set(BODY_SP, 0n);
    expect(walkByFramePointer(rules, bodyView(memory)).warning).toBe(
      'WARNING: kernel stack frame pointer at fffffe000000fed8 in task:1 has bad value           (null)',
    );
  });

  test('a return address outside the text ends the walk', () => {
    const memory = body();
    memory.set(BODY_SP + 8n, 0x1234n);
    expect(walkByFramePointer(rules, bodyView(memory))).toMatchObject({
      end: 'stopped',
      reason: 'finds no text address at T-288',
    });
  });

  test('user mode has no kernel stack to walk', () => {
    expect(walkByFramePointer(rules, view(task(), 0x401000n, 0x7ffd_0000n, 5n, 3))).toMatchObject({
      end: 'complete',
      path: [],
    });
  });

  test('no contents of memory make it hang', () => {
    // A fixed linear congruence: frames that point anywhere on the stacks, encoded or not.
    let seed = 1n;
    const next = (): bigint => {
      seed = (seed * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn;
      return seed >> 33n;
    };
    for (let round = 0; round < 200; round++) {
      const read = (address: bigint): bigint => {
        const kind = (address * 2654435761n + BigInt(round)) % 5n;
        if (kind === 0n) return at('do_work');
        const end = kind === 1n ? TASK_END : kind === 2n ? DB_END : T;
        return end - ((address * 40503n + BigInt(round) * 7n) % 0x1000n);
      };
      const sp = T - (next() % 0x1000n);
      const trace = walkByFramePointer(rules, {
        ...view(new Map(), at('nmi'), sp, sp + (next() % 0x200n)),
        read,
      });
      expect(trace.entries.length).toBeLessThan(3000);
    }
  });
});

test('S2: 4.10 leaves the NMI stack in silence, 4.13 says that RBP in the registers is bad', () => {
  const shown = bodyView(nested());
  const reason =
    'leaves the NMI stack by end[-2], which holds T-296, in the NMI stack again: already visited';
  const listed = ['nmi_body', 'do_nmi', 'end_repeat_nmi', 'do_work'];
  const silent = walkByFramePointer('4.10', shown);
  expect(silent).toMatchObject({ end: 'stopped', reason, warning: undefined });
  expect(names(silent)).toEqual(listed);
  const loud = walkByFramePointer('4.13', shown);
  expect(names(loud)).toEqual(listed);
  expect(loud).toMatchObject({ end: 'warned', reason });
  expect(loud.warning).toBe(
    "WARNING: kernel stack regs at fffffe000000fef8 in task:1 has bad 'bp' value ffffc90000013f20",
  );
});

test('4.13 is silent where the registers were saved in entry code, or before the first push on the task stack', () => {
  const entry = nested();
  entry.set(REGS + 128n, at('first_nmi'));
  const isEntry = (ip: bigint) => ip === at('first_nmi');
  expect(walkByFramePointer('4.13', bodyView(entry), isEntry)).toMatchObject({
    end: 'stopped',
    warning: undefined,
  });
  const early = nested();
  early.set(REGS + 152n, TOP - 24n);
  expect(walkByFramePointer('4.13', bodyView(early))).toMatchObject({ end: 'stopped', warning: undefined });
  for (const sp of [TOP - 32n, TOP]) {
    early.set(REGS + 152n, sp);
    expect(walkByFramePointer('4.13', bodyView(early)).end).toBe('warned');
  }
});

test('registers whose RBP leads downwards are bad in 4.10 too, and the two print RBP differently', () => {
  const memory = body();
  memory.set(REGS + 32n, REGS - 199n);
  const [old, later] = RULES.map((rules) => walkByFramePointer(rules, bodyView(memory)).warning);
  expect(old).toBe(
    "WARNING: kernel stack regs at fffffe000000fef8 in task:1 has bad 'bp' value fffffe000000fe30",
  );
  expect(later).toBe(
    "WARNING: kernel stack regs at fffffe000000fef8 in task:1 has bad 'bp' value fffffe000000fe31",
  );
});

describe('by the rules of 4.9 and of 6.12', () => {
  /** A stack that no encoded pointer was put on: RBP of the task, as 4.9 kernels left it. */
  const plain = () => {
    const memory = body();
    put(memory, REGS - 16n, WORK);
    return memory;
  };
  test('4.9 follows frames: it misses what an event interrupted, since that has no frame on the stack', () => {
    const trace = walkByFramePointer('4.9', bodyView(plain()));
    expect(names(trace)).toEqual([
      'nmi_body',
      'do_nmi',
      'end_repeat_nmi',
      'process_one',
      'sys_work',
      'syscall_body',
    ]);
    expect(trace).toMatchObject({
      end: 'complete',
      reason: 'reaches the first frame of the task',
      warning: undefined,
    });
  });
  test('4.9 says nothing of a frame that leads down, and a circle is cut', () => {
    const memory = plain();
    memory.set(BODY_SP, BODY_SP);
    const trace = walkByFramePointer('4.9', bodyView(memory));
    expect(trace).toMatchObject({ end: 'stopped', reason: 'goes round in a circle', warning: undefined });
    expect(walkByFramePointer('4.9', view(memory, at('nmi_body'), BODY_SP + 8n, BODY_SP))).toMatchObject({
      end: 'stopped',
      reason: 'goes round in a circle',
    });
  });
  test('4.9 in S2 ends without a word', () => {
    const memory = nested();
    put(memory, REGS - 16n, WORK);
    expect(walkByFramePointer('4.9', bodyView(memory))).toMatchObject({ end: 'stopped', warning: undefined });
  });
  test('6.12 in S2 tells of the stack that came twice and of RBP, and is in error', () => {
    const trace = walkByFramePointer('6.12', bodyView(nested()));
    expect(trace).toMatchObject({ end: 'warned', error: true });
    expect(trace.warning?.split('\n')).toEqual([
      'WARNING: stack recursion on stack type 6',
      "WARNING: kernel stack regs at fffffe000000fef8 in task:1 has bad 'bp' value ffffc90000013f20",
    ]);
  });
  test('6.12 forgives a frame behind registers whose code is entry code; still an error', () => {
    const memory = body();
    memory.set(WORK, 0x1234n);
    memory.set(WORK + 8n, at('first_nmi'));
    const isEntry = (ip: bigint) => ip === at('first_nmi');
    expect(walkByFramePointer('6.12', bodyView(memory), isEntry)).toMatchObject({
      end: 'stopped',
      error: true,
      warning: undefined,
    });
    expect(walkByFramePointer('4.13', bodyView(memory), isEntry).end).toBe('warned');
  });
});
