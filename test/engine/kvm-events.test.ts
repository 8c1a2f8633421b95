/**
 * The cases of kvm-unit-tests x86/eventinj.c (commit 0396353fbba6) and x86/idt_test.c (commit 2b934609604d) that are
 * about 64-bit processors, told anew: which handlers run, how often, and with which RF. There an event is delivered
 * through pages that a hypervisor has just dropped; here it counts that each is delivered once.
 */
import { expect, test } from 'vitest';
import { DATA, TABLES } from './guest.ts';
import { CS, IF, RF, Scene } from './scene.ts';

const HANDLERS = `
on_0: movl $10,(%rdi); iretq
on_2: incq %r12; iretq
on_3: incq %r13; iretq
on_6: hlt
on_13: hlt
on_32: test %r15,%r15; je 1f; incq %r15; 1: iretq
on_33: incq %r15; iretq
on_62: incq %r14; iretq
`;
const until = (scene: Scene, limit = 200): string[] => {
  const seen: string[] = [];
  for (let n = 0; n < limit; n++) {
    const [step = ''] = scene.step(1);
    if (/^(=>|#)/.test(step)) seen.push(step);
    if (step.startsWith('halted')) return seen;
  }
  throw new Error('never ends');
};

test('#DE: the handler repairs the divisor, and the division begins again', () => {
  const scene = new Scene(`task: xor %edx,%edx; mov $1500,%eax\ndivide: divl (%rdi); hlt\n${HANDLERS}`, {
    state: { rdi: DATA },
  });
  expect(until(scene)).toEqual(['#0 divide', '=> 0 divide']);
  expect(scene.get('rax')).toBe(150n);
});

test('INT $3 as a software exception: once', () => {
  const scene = new Scene(`task: int $3; hlt\n${HANDLERS}`);
  expect(until(scene)).toEqual(['=> 3 task']);
  expect(scene.get('r13')).toBe(1n);
});

test('an interrupt: once, when the window opens', () => {
  const scene = new Scene(`task: nop; sti; nop; cli; hlt\n${HANDLERS}`);
  scene.inject('irq', { vector: 33 });
  expect(until(scene)).toEqual(['=> 33 task+3']);
  expect(scene.get('r15')).toBe(1n);
});

test('INT $33: once', () => {
  const scene = new Scene(`task: int $33; hlt\n${HANDLERS}`);
  until(scene);
  expect(scene.get('r15')).toBe(1n);
});

test('two interrupts, the second as soon as the first is being served: two', () => {
  const scene = new Scene(`task: sti; nop; nop; cli; hlt\n${HANDLERS}`, { state: { r15: 0n } });
  scene.inject('irq', { vector: 33 });
  expect(scene.step(3)).toEqual(['task', 'task+1', '=> 33 task+2']);
  expect(scene.inject('irq', { vector: 32 })).toBe('pending');
  expect(until(scene)).toEqual(['=> 32 task+2']);
  expect(scene.get('r15')).toBe(2n);
});

test('an interrupt in the shadow of STI, and INT $33 in it: the software interrupt first', () => {
  const scene = new Scene(`task: sti; int $33; cli; hlt\n${HANDLERS}`);
  scene.inject('irq', { vector: 32 });
  // 32 counts only if it is not the first.
  expect(until(scene)).toEqual(['=> 33 task+1', '=> 32 task+3']);
  expect(scene.get('r15')).toBe(2n);
});

test('the task priority holds an interrupt back until it falls', () => {
  const scene = new Scene(`task: sti; nop; nop\nfalls: mov %rax,%cr8; nop; cli; hlt\n${HANDLERS}`, {
    state: { cr8: 15n, rax: 2n },
  });
  scene.inject('irq', { vector: 62 });
  expect(scene.step(4)).toEqual(['task', 'task+1', 'task+2', 'falls']);
  expect(until(scene)).toEqual(['=> 62 falls+4']);
  expect(scene.get('r14')).toBe(1n);
});

test('a fault while INT $33 is delivered: the handler of #NP repairs the gate, both run once', () => {
  const text = `task: int $33; hlt\n${HANDLERS}
    on_11: incq %r15; add $8,%rsp; lock; btsq $47,(%rdi); iretq`;
  const scene = new Scene(text, { absent: [33], state: { rdi: TABLES + 33n * 16n } });
  expect(until(scene)).toEqual(['#11 task', '=> 11 task', '=> 33 task']);
  expect(scene.get('r15')).toBe(2n);
});

test('an NMI inside an NMI handler waits for its IRET', () => {
  const scene = new Scene(`task: nop; nop; hlt\n${HANDLERS}`);
  scene.inject('nmi');
  expect(scene.step(1)).toEqual(['=> 2 task']);
  expect(scene.inject('nmi')).toBe('latched');
  expect(scene.step(3)).toEqual(['on_2', 'on_2+3', '=> 2 task']);
  expect(scene.get('r12')).toBe(1n);
  until(scene);
  expect(scene.get('r12')).toBe(2n);
});

test('an IRET inside the NMI handler unblocks: the waiting NMI comes in front of what it returned to', () => {
  const text = `task: nop; hlt\n${HANDLERS.replace('on_2: incq %r12; iretq', '')}
    on_2: incq %r12; cmp $1,%r12; jne 1f
          mov %rsp,%rdx; push $0x18; push %rdx; pushf; push %rcx; lea inner(%rip),%rax; push %rax; iretq
    inner: nop
    1:    iretq`;
  const scene = new Scene(text, { state: { rcx: CS } });
  scene.inject('nmi');
  scene.step(1);
  scene.inject('nmi');
  expect(until(scene)).toEqual(['=> 2 inner']);
  expect(scene.get('r12')).toBe(2n);
});

// idt_test: RF in the image of a fault.
test.each([
  ['mov %rax,%cr4', 13, 0xffff_ffffn],
  ['ud2', 6, 0n],
] as const)('%s is fault %i with RF in its image', (code, vector, rax) => {
  const scene = new Scene(`task: ${code}; hlt\n${HANDLERS}`, { state: { rax }, rflags: IF | 2n });
  expect(scene.step(2)).toEqual([`#${vector} task`, `=> ${vector} task`]);
  const image = scene.frame(vector === 13 ? 6 : 5)[vector === 13 ? 3 : 2];
  expect(image).toBe(RF | IF | 2n);
});
