/**
 * The cases of kvm-unit-tests x86/debug.c (commit 027ea799b859), told anew: what a processor is expected to do with
 * debug exceptions, and how often. Left out: what is emulated by a hypervisor there (CPUID, IN), bus locks.
 */
import { expect, test } from 'vitest';
import type { Field } from '../../src/isa/state.ts';
import { DATA, TEXT } from './guest.ts';
import { AS_USER, DR6, IF, Scene } from './scene.ts';

const BS = 0x4000n;
const BD = 0x2000n;
/** Sets TF by POPF: the instruction behind it is the first to be stepped. */
const STEP = 'pushf; pop %rax; or $0x100,%rax; push %rax; popf';
/** Clears TF again, in three instructions of 6, 1 and 1 bytes. */
const STOP = 'and $~0x100,%rax; push %rax; popf';
const EXTRA = '.byte 0x2e';

interface Seen {
  readonly rip: string;
  readonly dr6: bigint;
}
/** Every #DB until the task is halted: where it returns to, and DR6, which no handler here clears. */
function traps(scene: Scene): readonly Seen[] {
  const seen: Seen[] = [];
  for (let n = 0; n < 100; n++) {
    const [step = ''] = scene.step(1);
    if (step.startsWith('=> 1 ')) seen.push({ rip: scene.returnsTo, dr6: scene.get('dr6') });
    if (step.startsWith('halted')) return seen;
  }
  throw new Error('never ends');
}
/** In ring 0, up to a HLT. */
const run = (text: string, state: Readonly<Partial<Record<Field, bigint>>> = {}): readonly Seen[] =>
  traps(new Scene(`task: ${text}\nhlt\non_1: iretq`, { state }));
/** In ring 3 with IOPL 3, up to the #GP of a HLT. */
const runAsUser = (text: string): readonly Seen[] =>
  traps(
    new Scene(`on_1: iretq\non_13: hlt\n.section .user,"ax"\n${text}\nend: hlt`, {
      state: AS_USER,
      rflags: 0x3002n,
    }),
  );
const steps = (...at: readonly string[]): readonly Seen[] => at.map((rip) => ({ rip, dr6: DR6 | BS }));

test('DR4 is DR6 while CR4.DE is clear, and #UD while it is set', () => {
  const text = 'xor %eax,%eax; mov %rax,%dr4; mov $0x4002,%eax; mov %rax,%dr6; mov %dr4,%rbx; nop';
  const scene = new Scene(`task: ${text}`);
  scene.step(5);
  expect(scene.get('rbx')).toBe(DR6 | BS | 2n);
  const reserved = new Scene('task: mov %dr4,%rbx\non_6: hlt', { state: { cr4: 0x68n } });
  expect(reserved.step(2)).toEqual(['#6 task', '=> 6 task']);
});

test('INT3 returns behind itself', () => {
  const scene = new Scene('task: int3\nbehind: nop\non_3: iretq');
  expect(scene.step(2)).toEqual(['task', '=> 3 task']);
  expect(scene.returnsTo).toBe('behind');
});

test('a breakpoint on execution: once, and DR6 tells it; BS stays as software left it, B1 goes', () => {
  // The handler sets RF, so that the instruction is executed when it returns.
  const text = 'task: nop\nhit: nop; hlt\non_1: orl $0x10000,16(%rsp); iretq';
  for (const [before, after] of [
    [0n, 4n],
    [BS | 2n, BS | 4n],
  ] as const) {
    const state = { dr2: TEXT + 1n, dr7: 0x400n | (2n << 4n), dr6: DR6 | before };
    expect(traps(new Scene(text, { state }))).toEqual([{ rip: 'hit', dr6: DR6 | after }]);
  }
});

for (const user of [false, true]) {
  const under = user ? runAsUser : (text: string) => run(text);
  const mode = user ? 'in user mode' : 'in ring 0';

  test(`three steps from the instruction behind POPF to the POPF that ends it, ${mode}`, () => {
    expect(under(`${STEP}; and $~0x100,%rax\nstart: push %rax; popf; nop`)).toEqual(
      steps('start', 'start+1', 'start+2'),
    );
  });

  test(`STI holds no step back, ${mode}`, () => {
    expect(under(`cli; ${STEP}; sti\nstart: ${STOP}; nop`)).toEqual(
      steps('start', 'start+6', 'start+7', 'start+8'),
    );
  });

  test(`MOV SS takes no step, ${mode}`, () => {
    const text = `pushf; pop %rax; or $0x100,%rax; push %rax; mov %ss,%eax; mov %eax,%ecx; popf; mov %ecx,%ss; and $~0x100,%rax
      start: push $0x2; popf; nop`;
    expect(under(text)).toEqual(steps('start', 'start+2', 'start+3'));
  });

  test(`MOV SS and INT1: the step of MOV SS is not told with it, ${mode}`, () => {
    const text = `pushf; orl $0x100,(%rsp); mov %ss,%ecx; popf; mov %ecx,%ss; .byte 0xf1\nstart: .byte 0xf1; ${STOP.replace('push %rax', 'push $2')}; nop`;
    expect(under(text)).toEqual([
      { rip: 'start', dr6: DR6 },
      { rip: 'start+1', dr6: DR6 },
      ...steps('start+7', 'start+9', 'start+10'),
    ]);
  });
}

test('MOV SS does not hold back general detect; then the access is made and stepped', () => {
  // DR6 is written with zero by the instruction that was kept from it.
  const text = `xor %ebx,%ebx; pushf; orl $0x100,(%rsp); mov %ss,%ecx; popf; mov %ecx,%ss
    start: mov %rbx,%dr6; and $~0x100,%rax; push $2; popf; nop`;
  expect(run(text, { dr7: 0x2400n })).toEqual([
    { rip: 'start', dr6: DR6 | BD },
    ...steps('start+3', 'start+9', 'start+11', 'start+12'),
  ]);
});

test('STI and HLT under TF: five steps, the one of HLT wakes it', () => {
  expect(run(`cli; ${STEP}; sti\nstart: hlt; ${STOP}; nop`)).toEqual(
    steps('start', 'start+1', 'start+7', 'start+8', 'start+9'),
  );
});

test('a data breakpoint on writes: behind the store, BS neither cleared nor set', () => {
  const text = 'mov $42,%eax; mov %rax,(%rdi)\nhit: nop';
  const state = { rdi: DATA, dr1: DATA, dr7: 0xd0_040an };
  expect(run(text, { ...state, dr6: DR6 | BS })).toEqual([{ rip: 'hit', dr6: DR6 | BS | 2n }]);
  expect(run(text, state)).toEqual([{ rip: 'hit', dr6: DR6 | 2n }]);
});

test('INT1 alone: once, behind itself, DR6 without a cause', () => {
  expect(run('.byte 0xf1\nbehind: nop')).toEqual([{ rip: 'behind', dr6: DR6 }]);
});

// A load of SS from watched memory, and what comes in its wake.
const state = { rdi: DATA, dr1: DATA, dr7: 0xf0_040an };
const watched = (next: string) => {
  const scene = new Scene(`task: mov (%rdi),%ss; ${next}\nbehind: hlt\non_1: nop; iretq\non_3: nop; iretq`, {
    state,
  });
  scene.put(DATA, [0x18n]);
  return scene.step(14).filter((step) => step.startsWith('=>'));
};

test('MOV SS + watchpoint + INT1: one #DB', () => {
  expect(watched(`${EXTRA}; ${EXTRA}; .byte 0xf1`)).toEqual(['=> 1 task+2']);
});

test('MOV SS + watchpoint + INT $1: two, the second in front of the handler', () => {
  expect(watched('int $1')).toEqual(['=> 1 task+2', '=> 1 on_1']);
});

test('MOV SS + watchpoint + INT3: #BP and #DB once each, however long the INT3', () => {
  expect(watched(`.fill 11,1,0x2e; int3`)).toEqual(['=> 3 task+2', '=> 1 on_3']);
});

test('an interrupt during STI; HLT under TF comes behind the step of HLT', () => {
  const scene = new Scene('task: sti; hlt; nop\non_1: iretq\non_32: iretq', { rflags: 0x102n });
  scene.inject('irq');
  expect(scene.step(8)).toEqual([
    'task',
    '=> 1 task+1',
    'on_1',
    '=> 32 task+1',
    'on_32',
    'task+1',
    '=> 1 task+2',
    'on_1',
  ]);
  expect(scene.pair.machine.rflags() & IF).toBe(IF);
});
