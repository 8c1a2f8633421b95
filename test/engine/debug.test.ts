/** Debug registers (SDM vol 3, 17.2 and 17.3.1). */
import { expect, test } from 'vitest';
import { DATA, istTop, STACK, TABLES, TEXT, TSS } from './guest.ts';
import { AS_USER, CS, DR6, dr7, IF, RF, Scene, TF } from './scene.ts';

const BS = 0x4000n;
/** What the #DB handler of a test does not matter. */
const HANDLER = '\non_1: nop; iretq\n';

// 17.3.1.1 Instruction breakpoints.
test('an instruction breakpoint is a fault, and leaves RF of the image as it is', () => {
  const scene = new Scene(`task: nop; inc %rax; nop${HANDLER}`, {
    state: { dr2: TEXT + 1n, dr7: 0x400n | (1n << 4n) },
  });
  expect(scene.step(2)).toEqual(['task', '=> 1 task+1']);
  expect(scene.get('dr6')).toBe(DR6 | 4n);
  expect(scene.frame(3)).toEqual([TEXT + 1n, CS, 2n]);
  expect(scene.get('rax')).toBe(0n);
  // Without RF the breakpoint is met again.
  expect(scene.step(3)).toEqual(['on_1', 'on_1+1', '=> 1 task+1']);
});

test('with RF in the frame the instruction is executed, and RF is gone behind it', () => {
  const scene = new Scene(`task: inc %rax; jmp task\non_1: orl $0x10000,16(%rsp); iretq`, {
    state: { dr0: TEXT, dr7: dr7([0]) },
  });
  expect(scene.step(6)).toEqual(['=> 1 task', 'on_1', 'on_1+8', 'task', 'task+3', '=> 1 task']);
  expect([scene.get('rax'), scene.pair.machine.rflags() & RF]).toEqual([1n, 0n]);
});

test('enabled locally or globally, at the first byte only, and only for execution', () => {
  for (const [word, at, met] of [
    [0x401n, TEXT, true],
    [0x402n, TEXT, true],
    [0x400n, TEXT, false],
    [0x404n, TEXT, false],
    [0x401n, TEXT + 1n, false],
    [dr7([1]), TEXT, false],
    [dr7([3]), TEXT, false],
    // A breakpoint on ports never fires: there are none.
    [0x2_0402n, TEXT, false],
  ] as const) {
    const scene = new Scene(`task: xor %eax,%eax${HANDLER}`, { state: { dr0: at, dr1: 5n, dr7: word } });
    expect(scene.step(1), `${word.toString(16)} at ${at}`).toEqual([met ? '=> 1 task' : 'task']);
  }
});

test('an instruction breakpoint comes behind NMI and interrupt, and before the fault of its fetch', () => {
  const scene = new Scene(`task: nop\non_1: nop\non_2: iretq\non_32: iretq`, {
    state: { dr0: TEXT, dr7: dr7([0]) },
    rflags: IF | 2n,
  });
  scene.inject('irq');
  scene.inject('nmi');
  expect(scene.step(5)).toEqual(['=> 2 task', 'on_2', '=> 32 task', 'on_32', '=> 1 task']);
  const absent = new Scene(`task: jmp *%rax\non_1: nop`, {
    state: { rax: DATA - 0x1000n, dr0: DATA - 0x1000n, dr7: dr7([0]) },
  });
  expect(absent.step(1)).toEqual(['task']);
  expect(absent.pair.do(({ machine }) => machine.step().vector)).toBe(1);
  expect(absent.get('cr2')).toBe(0n);
});

test('a breakpoint on a repeated string instruction is met once', () => {
  const scene = new Scene(`task: rep stosb; nop\non_1: orl $0x10000,16(%rsp); iretq`, {
    state: { dr0: TEXT, dr7: dr7([0]), rdi: STACK, rcx: 3n },
  });
  expect(scene.step(7)).toEqual([
    '=> 1 task',
    'on_1',
    'on_1+8',
    'task again',
    'task again',
    'task',
    'task+2',
  ]);
});

test('all four, several at one address, from user mode', () => {
  const at = AS_USER.rip;
  const scene = new Scene(`.section .user,"ax"\nuser: nop\n.text${HANDLER}`, {
    state: { ...AS_USER, dr0: at, dr1: at + 1n, dr2: at, dr3: at, dr7: dr7([0], [0], [0], [0]) },
  });
  expect(scene.step(1)).toEqual(['=> 1 user']);
  expect(scene.get('dr6')).toBe(DR6 | 13n);
});

// 17.2.5 lengths and alignment, 17.3.1.2 data breakpoints.
test.each([
  // rw, length, breakpoint, access, met
  [1, 1, 0, 'movb %al,(%rdi)', true],
  [1, 1, 1, 'movb %al,(%rdi)', false],
  [1, 1, 7, 'mov %rax,(%rdi)', true],
  [1, 1, 8, 'mov %rax,(%rdi)', false],
  [1, 2, 1, 'movb %al,(%rdi)', true],
  [1, 2, 2, 'movw %ax,(%rdi)', false],
  [1, 2, 3, 'mov %ax,1(%rdi)', true],
  [1, 4, 7, 'movb %al,4(%rdi)', true],
  [1, 4, 7, 'mov %eax,(%rdi)', false],
  [1, 8, 7, 'movb %al,(%rdi)', true],
  [1, 8, 0, 'movb %al,5(%rdi)', true],
  [1, 4, 0, 'movb %al,4(%rdi)', false],
  [1, 8, 8, 'mov %rax,1(%rdi)', true],
  [1, 8, 8, 'mov %rax,(%rdi)', false],
  [1, 8, 0, 'mov (%rdi),%rax', false],
  [3, 8, 0, 'mov (%rdi),%rax', true],
  [3, 8, 0, 'mov %rax,(%rdi)', true],
  [3, 1, 3, 'cmpb $0,3(%rdi)', true],
  [1, 1, 3, 'cmpb $0,3(%rdi)', false],
  [1, 4, 0, 'incl (%rdi)', true],
  [1, 4, 0, 'lock; xadd %eax,(%rdi)', true],
  [1, 8, 0, 'lea (%rdi),%rax', false],
  [3, 8, 0, 'lea (%rdi),%rax', false],
  [3, 8, 0, 'prefetcht0 (%rdi)', false],
  [0, 1, 0, 'mov (%rdi),%rax', false],
  // Into the next page, from either side of its end.
  [1, 1, 0x1000, 'mov %rax,0xffd(%rdi)', true],
  [3, 1, 0xffd, 'mov 0xffd(%rdi),%rax', true],
  [1, 8, 0x1000, 'mov %rax,0xff8(%rdi)', false],
  // The stack is data as well.
  [1, 8, 0x7f8, 'push %rax', true],
  [3, 8, 0x800, 'pop %rax', true],
  [1, 8, 0x800, 'pop %rax', false],
  [1, 8, 0x7f8, 'call 1f; 1:', true],
] as const)('RW %i, length %i at +%i: %s is met: %s', (rw, length, at, code, met) => {
  const scene = new Scene(`task: ${code}\nnext: nop${HANDLER}`, {
    state: {
      rdi: DATA,
      rsp: DATA + 0x800n,
      dr0: 1n,
      dr1: DATA + BigInt(at),
      dr7: dr7([1], [rw, length]),
    },
    // The handler's frame would overwrite nothing that matters, but let it lie elsewhere.
    ist: { 1: 1 },
  });
  expect(scene.step(2)).toEqual(['task', met ? '=> 1 next' : 'next']);
  expect(scene.get('dr6')).toBe(met ? DR6 | 2n : DR6);
});

test('a trap with the state behind the instruction; TF and a data breakpoint make one #DB', () => {
  const scene = new Scene(`task: incq (%rdi); nop${HANDLER}`, {
    state: { rdi: DATA, dr3: DATA, dr7: dr7([0], [0], [0], [1, 8]) | 0n },
    rflags: TF | 2n,
  });
  expect(scene.step(2)).toEqual(['task', '=> 1 task+3']);
  expect([scene.word(DATA), scene.get('dr6')]).toEqual([1n, DR6 | BS | 8n]);
  expect(scene.frame(3)[2]).toBe(TF | 2n);
  // The handler runs without TF.
  expect(scene.step(1)).toEqual(['on_1']);
});

test('an instruction that faults has met nothing', () => {
  // The source is watched and read, the destination is absent.
  const scene = new Scene(`task: movsq\n${HANDLER}on_14: nop`, {
    state: { rsi: DATA, rdi: DATA - 8n, dr0: DATA, dr7: dr7([3, 8]) },
  });
  expect(scene.step(3)).toEqual(['#14 task', '=> 14 task', 'on_14']);
  expect([scene.get('dr6'), scene.get('debugTrap'), scene.get('metBreakpoints')]).toEqual([DR6, 0n, 0n]);
});

test('an instruction that stops has met nothing either', () => {
  // The source is watched and read, the destination lies outside guest memory.
  const scene = new Scene(`task: movsq; nop${HANDLER}`, {
    state: { rsi: DATA, rdi: 0x7000n, dr0: DATA, dr7: dr7([3, 8]) },
  });
  for (const { space } of scene.pair.both) space.map(0x7000n, 1, { writable: true }, 0x100_0000);
  expect(scene.step(1)).toEqual(['not modelled: physical address outside memory task']);
  expect(scene.get('metBreakpoints')).toBe(0n);
});

test('REP: a trap behind the iteration, with RF in the image; the rest goes on', () => {
  const scene = new Scene(`task: rep stosb; nop${HANDLER}`, {
    state: { rdi: DATA, rcx: 4n, rax: 0x55n, dr0: DATA + 1n, dr7: dr7([1]) },
  });
  expect(scene.step(3)).toEqual(['task again', 'task again', '=> 1 task']);
  expect([scene.get('rcx'), scene.frame(3)[2]]).toEqual([2n, RF | 2n]);
  expect(scene.step(5)).toEqual(['on_1', 'on_1+1', 'task again', 'task', 'task+2']);
});

// 17.2.3: the bits of the four are those of the last #DB, the others only software clears.
test('DR6 gathers BS, and replaces the bits of the four', () => {
  const scene = new Scene(`task: mov %rax,(%rdi); mov %rax,8(%rdi); nop\non_1: iretq`, {
    state: { rdi: DATA, dr0: DATA, dr1: DATA + 8n, dr7: dr7([1], [1]), dr6: DR6 | BS },
  });
  expect(scene.step(2)).toEqual(['task', '=> 1 task+3']);
  expect(scene.get('dr6')).toBe(DR6 | BS | 1n);
  expect(scene.step(3)).toEqual(['on_1', 'task+3', '=> 1 task+7']);
  expect(scene.get('dr6')).toBe(DR6 | BS | 2n);
});

// 17.2.4 and 17.3.1.3 general detect.
test('DR7.GD: an access to a debug register is a #DB before it, with BD and RF, and GD is clear in the handler', () => {
  for (const code of ['mov %dr0,%rax', 'mov %rax,%dr6', 'mov %dr7,%rax', 'mov %rax,%db4']) {
    const scene = new Scene(`task: ${code.replace('%db4', '%dr4')}; nop\non_1: mov %dr7,%rbx; iretq`, {
      state: { dr7: 0x2400n, rax: 0xf0n },
    });
    expect(scene.step(3), code).toEqual(['#1 task', '=> 1 task', 'on_1']);
    expect([scene.get('dr6'), scene.get('rbx'), scene.get('rax')]).toEqual([DR6 | 0x2000n, 0x400n, 0xf0n]);
    expect(scene.frame(3).slice(0, 3)).toEqual([TEXT, CS, RF | 2n]);
    expect(scene.step(2)[1]).toBe('task');
  }
});

test('GD stays set when the #DB cannot be delivered', () => {
  const scene = new Scene(`task: mov %dr0,%rax\non_1: nop\non_11: nop`, {
    state: { dr7: 0x2400n },
    absent: [1],
  });
  expect(scene.step(3)).toEqual(['#1 task', '#11 task', '=> 11 task']);
  expect(scene.get('dr7')).toBe(0x2400n);
});

test('any #DB from hardware clears GD, INT $1 does not', () => {
  for (const [text, rflags, left] of [
    ['nop', TF | 2n, 0x400n],
    ['.byte 0xf1', 2n, 0x400n],
    ['int $1', 2n, 0x2400n],
  ] as const) {
    const scene = new Scene(`task: ${text}${HANDLER}`, { rflags, state: { dr7: 0x2400n } });
    scene.step(2);
    expect(scene.get('dr7'), text).toBe(left);
  }
});

test('INT1 leaves DR6 and the NMI latch alone, whatever the gate says', () => {
  const scene = new Scene(`.section .user,"ax"\nuser: .byte 0xf1\n.text${HANDLER}`, {
    state: { ...AS_USER, nmiBlocked: 1n, dr6: DR6 | 3n },
  });
  expect(scene.step(2)).toEqual(['user', '=> 1 user']);
  expect([scene.get('dr6'), scene.get('nmiBlocked')]).toEqual([DR6 | 3n, 1n]);
  expect(scene.frame()[0]).toBe(AS_USER.rip + 1n);
});

// What the processor itself touches.
test('the pushes of a delivery meet data breakpoints: #DB in front of the handler', () => {
  const scene = new Scene(`task: nop\non_1: nop; iretq\non_2: nop`, {
    ist: { 1: 1, 2: 2 },
    state: { dr0: istTop(2) - 40n, dr7: dr7([1, 8]) },
  });
  scene.inject('nmi');
  expect(scene.step(5)).toEqual(['=> 2 task', '=> 1 on_2', 'on_1', 'on_1+1', 'on_2']);
  expect(scene.get('dr6')).toBe(DR6 | 1n);
});

test('a breakpoint on the stack of #DB itself recurs for ever', () => {
  const scene = new Scene(`task: nop; nop\non_1: nop; iretq`, {
    ist: { 1: 1 },
    state: { dr0: istTop(1) - 8n, dr7: dr7([1, 8]) },
    rflags: TF | 2n,
  });
  expect(scene.step(5)).toEqual(['task', '=> 1 task+1', '=> 1 on_1', '=> 1 on_1', '=> 1 on_1']);
});

test('descriptors, gates and the TSS are read without meeting one', () => {
  for (const at of [TABLES + 32n, TABLES + 0xc10n, TSS + 44n]) {
    const scene = new Scene(`task: nop\non_1: nop\non_2: nop`, {
      ist: { 2: 2 },
      state: { dr0: at, dr7: dr7([3, 8]) },
    });
    scene.inject('nmi');
    expect(scene.step(2)).toEqual(['=> 2 task', 'on_2']);
  }
});

test('a push that fails has met nothing', () => {
  const scene = new Scene(`task: nop\non_1: nop\non_2: nop\non_14: nop`, {
    ist: { 14: 3 },
    state: { rsp: STACK + 0x10n, dr0: STACK, dr7: dr7([1, 8]) },
  });
  scene.inject('nmi');
  expect(scene.step(3)).toEqual(['#14 task', '=> 14 task', 'on_14']);
});

// What the interpreter caches.
test('translations that were cached before DR7 was written do not hide an access', () => {
  const text = `task: mov %rax,(%rdi); mov %rcx,%dr7; mov %rax,(%rdi)
    back: mov %rdx,%dr7; mov %rax,(%rdi); nop; nop\non_1: nop; iretq`;
  const scene = new Scene(text, { state: { rdi: DATA, dr0: DATA, rcx: dr7([1]), rdx: 0x400n } });
  for (const { machine } of scene.pair.both) machine.markSlot(0);
  const whole = ['task', 'task+3', 'task+6', '=> 1 back', 'on_1', 'on_1+1', 'back', 'back+3', 'back+6'];
  expect(scene.step(9)).toEqual(whole);
  for (const { machine } of scene.pair.both) machine.undoSlot(0);
  expect(scene.run(9)).toBe(9);
});

test('neither do those of an undone time', () => {
  // Its translation has a place in the cache that no table of the delivery takes.
  const AT = DATA + 0x1000n;
  const text = `task: mov %rcx,%dr7\narmed: mov %rdx,%dr7; mov %rax,(%rdi)
    on_1: nop\non_2: mov %rax,(%rdi); nop`;
  const scene = new Scene(text, { state: { rdi: AT, dr0: AT, rcx: dr7([1]), rdx: 0x400n } });
  expect(scene.step(1)).toEqual(['task']);
  for (const { machine } of scene.pair.both) machine.markSlot(0);
  const back = (): void => {
    for (const { machine } of scene.pair.both) machine.undoSlot(0);
  };
  const armed = (): bigint => {
    scene.inject('nmi');
    expect(scene.run(2)).toBe(2);
    return scene.get('debugTrap');
  };
  // Once before, so that every page table on the way is known: a new one would flush the cache.
  expect(armed()).toBe(1n);
  back();
  // Not armed any more: the page is cached.
  expect(scene.run(2)).toBe(2);
  back();
  expect(armed()).toBe(1n);
});
