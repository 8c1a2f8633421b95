/** The list of a boundary (SDM vol 3, 6.9) and what comes from outside. */
import { expect, test } from 'vitest';
import { istTop, STACK_TOP, TEXT } from './guest.ts';
import { AS_USER, CS, DR6, IF, RF, Scene, TF } from './scene.ts';

/** A task of NOPs; each handler is one NOP and an IRETQ. */
const IDLE = `
task: nop; nop; nop; nop; nop; nop
on_1: nop; iretq
on_2: nop; iretq
on_3: nop; iretq
on_18: nop; iretq
on_13: add $8,%rsp; iretq
on_14: add $8,%rsp; iretq
on_32: nop; iretq
on_33: nop; iretq
`;

test('all at one boundary: #MC, then NMI, then the interrupt; the debug trap was discarded', () => {
  const scene = new Scene(IDLE, { rflags: IF | 2n });
  for (const event of ['irq', 'nmi', 'db', 'mc'] as const) expect(scene.inject(event)).toBe('pending');
  expect(scene.step(10)).toEqual([
    '=> 18 task',
    '=> 2 on_18',
    'on_2',
    'on_2+1',
    'on_18',
    'on_18+1',
    '=> 32 task',
    'on_32',
    'on_32+1',
    'task',
  ]);
  expect(scene.get('dr6')).toBe(DR6);
});

test('without a machine check: #DB, the NMI in front of its handler, the interrupt last', () => {
  const scene = new Scene(IDLE, { rflags: IF | 2n });
  for (const event of ['irq', 'nmi', 'db'] as const) scene.inject(event);
  expect(scene.step(7)).toEqual(['=> 1 task', '=> 2 on_1', 'on_2', 'on_2+1', 'on_1', 'on_1+1', '=> 32 task']);
  expect(scene.get('dr6')).toBe(DR6 | 1n);
});

test('what an instruction has raised comes before everything', () => {
  const scene = new Scene(`task: ud2\n${IDLE.replace('task:', '')} on_6: nop`, { rflags: IF | 2n });
  expect(scene.step(1)).toEqual(['#6 task']);
  for (const event of ['irq', 'nmi', 'mc'] as const) scene.inject(event);
  expect(scene.step(3)).toEqual(['=> 6 task', '=> 18 on_6', '=> 2 on_18']);
});

// SDM vol 3, 15.3.1.2 (IA32_MCG_STATUS) and 6.15 "Interrupt 18".
test('a machine check: no error code, MCIP and RIPV, whatever IF and the NMI latch say', () => {
  const scene = new Scene(IDLE, { ist: { 18: 3 }, state: { nmiBlocked: 1n } });
  expect(scene.inject('mc')).toBe('pending');
  expect(scene.inject('mc')).toBe('merged');
  expect(scene.step(1)).toEqual(['=> 18 task']);
  expect(scene.get('rsp')).toBe(istTop(3) - 40n);
  expect(scene.frame().slice(0, 3)).toEqual([TEXT, CS, 2n]);
  expect(scene.get('mcgStatus')).toBe(5n);
  expect([scene.get('nmiBlocked'), scene.get('nmiPending'), scene.get('mcPending')]).toEqual([1n, 0n, 0n]);
  // Its IRET unblocks NMIs like any other.
  expect(scene.step(2)).toEqual(['on_18', 'on_18+1']);
  expect(scene.get('nmiBlocked')).toBe(0n);
});

test('neither shadow holds a machine check back', () => {
  for (const first of ['mov %eax,%ss', 'sti']) {
    const scene = new Scene(`task: ${first}; nop; nop\non_18: nop`, { state: { rax: 0x18n } });
    scene.step(1);
    scene.inject('mc');
    expect(scene.step(2)).toEqual([`=> 18 task+${first === 'sti' ? 1 : 2}`, 'on_18']);
    expect(scene.get('shadow')).toBe(0n);
  }
});

test('a machine check while MCIP is set, or without CR4.MCE, is a shutdown that changes nothing', () => {
  for (const state of [{ mcgStatus: 4n }, { cr4: 0x20n }]) {
    const scene = new Scene(IDLE, { state });
    scene.inject('mc');
    const before = scene.pair.machine.describe();
    expect(scene.step(2)).toEqual(['shutdown task', 'shutdown task']);
    expect(scene.pair.machine.describe()).toBe(before);
  }
});

test('the handler clears MCIP by WRMSR, and the next machine check is served; reserved bits are #GP', () => {
  const text = `
    task: nop; nop
    on_18: mov $0x17a,%ecx; rdmsr; mov %eax,%ebx; xor %eax,%eax; xor %edx,%edx; wrmsr; iretq
    bad: mov $0x10,%eax; wrmsr
    on_13: hlt`;
  const scene = new Scene(text);
  for (let n = 0; n < 2; n++) {
    scene.inject('mc');
    expect(scene.step(8)[0]).toBe('=> 18 task');
    expect([scene.get('rbx'), scene.get('mcgStatus')]).toEqual([5n, 0n]);
  }
  scene.set('rip', scene.at('bad'));
  expect(scene.step(2)).toEqual(['bad', '#13 bad+5']);
});

// SDM vol 3, 6.8.1: IF; vol 2, STI; 6.8.3: MOV SS; 10.8.3.1: the task priority.
test('a maskable interrupt waits for IF, and behind STI and MOV SS for one instruction more', () => {
  const scene = new Scene(`task: nop; sti; nop; nop\non_32: nop`);
  scene.inject('irq');
  expect(scene.step(4)).toEqual(['task', 'task+1', 'task+2', '=> 32 task+3']);
  expect(scene.pair.machine.rflags() & IF).toBe(0n);
  const loading = new Scene(`task: mov %eax,%ss; nop; nop\non_32: nop`, {
    state: { rax: 0x18n },
    rflags: IF | 2n,
  });
  loading.step(1);
  loading.inject('irq');
  expect(loading.step(2)).toEqual(['task+2', '=> 32 task+3']);
});

test('STI with IF set already makes no shadow, CLI behind STI closes the window', () => {
  const again = new Scene(`task: sti; nop\non_32: nop`, { rflags: IF | 2n });
  again.step(1);
  again.inject('irq');
  expect(again.step(1)).toEqual(['=> 32 task+1']);
  const closed = new Scene(`task: sti; cli; nop; nop\non_32: nop`);
  closed.inject('irq');
  expect(closed.step(4)).toEqual(['task', 'task+1', 'task+2', 'task+3']);
});

test('POPF and IRETQ open the window at once', () => {
  const scene = new Scene(`task: popf; nop\non_32: nop`);
  scene.put(scene.get('rsp'), [IF | 2n]);
  scene.inject('irq');
  expect(scene.step(2)).toEqual(['task', '=> 32 task+1']);
  const returned = new Scene(`task: iretq; nop\nthere: nop\non_32: nop`);
  returned.put(returned.get('rsp'), [returned.at('there'), CS, IF | 2n, STACK_TOP, 0x18n]);
  returned.inject('irq');
  expect(returned.step(2)).toEqual(['task', '=> 32 there']);
});

test('an interrupt waits until its class is above CR8', () => {
  const scene = new Scene(`task: nop; mov %rax,%cr8; nop\non_33: nop`, {
    rflags: IF | 2n,
    state: { cr8: 2n, rax: 1n },
  });
  scene.inject('irq', { vector: 33 });
  expect(scene.step(3)).toEqual(['task', 'task+1', '=> 33 task+5']);
});

test('one interrupt is remembered; vectors below 16 are refused', () => {
  const scene = new Scene(IDLE);
  expect(scene.inject('irq', { vector: 33 })).toBe('pending');
  expect(scene.inject('irq', { vector: 32 })).toBe('merged');
  expect(scene.get('irqPending')).toBe(33n);
  expect(scene.inject('irq', { vector: 15 })).toEqual({ problem: 'invalid vector: 15' });
  expect(scene.inject('irq', { vector: 256 })).toEqual({ problem: 'invalid vector: 256' });
});

test('an interrupt with the vector of an exception pushes no error code and makes no double fault', () => {
  const scene = new Scene(`${IDLE} on_17: nop\non_21: nop\non_11: nop`, { rflags: IF | 2n, absent: [21] });
  scene.inject('irq', { vector: 17 });
  scene.step(1);
  expect(scene.frame()[0]).toBe(TEXT);
  scene.set('rflagsRest', IF | 2n);
  scene.inject('irq', { vector: 21 });
  expect(scene.step(2)).toEqual(['#11 on_17', '=> 11 on_17']);
  // EXT and IDT are set: the event came from outside (SDM vol 3, 6.13).
  expect(scene.frame(6)[0]).toBe(21n * 8n + 3n);
});

// SDM vol 2, HLT.
test('HLT waits; what is held back does not wake it', () => {
  const text = `task: hlt; nop; nop\n${IDLE.replace('task:', '')}`;
  const scene = new Scene(text, { state: { nmiBlocked: 1n } });
  expect(scene.step(2)).toEqual(['task', 'halted task+1']);
  expect(scene.inject('irq')).toBe('pending');
  expect(scene.inject('nmi')).toBe('latched');
  expect(scene.step(1)).toEqual(['halted task+1']);
  scene.inject('mc');
  expect(scene.step(4)).toEqual(['=> 18 task+1', 'on_18', 'on_18+1', '=> 2 task+1']);
  expect(scene.get('halted')).toBe(0n);
  expect(scene.step(3)).toEqual(['on_2', 'on_2+1', 'task+1']);
});

test('STI; HLT has no window: an interrupt that waits comes behind HLT', () => {
  const scene = new Scene(`task: sti; hlt; nop\non_32: iretq`);
  scene.inject('irq');
  expect(scene.step(5)).toEqual(['task', 'task+1', '=> 32 task+2', 'on_32', 'task+2']);
});

test('a single step wakes HLT', () => {
  const scene = new Scene(`task: hlt; nop\non_1: nop`, { rflags: TF | 2n });
  expect(scene.step(2)).toEqual(['task', '=> 1 task+1']);
  expect(scene.get('halted')).toBe(0n);
});

test('bp: as an INT3 in front of the next instruction', () => {
  const scene = new Scene(IDLE, { rflags: 0x46n });
  scene.step(1);
  expect(scene.inject('bp')).toBe('pending');
  expect(scene.step(4)).toEqual(['=> 3 task+1', 'on_3', 'on_3+1', 'task+1']);
  const user = new Scene(`.section .user,"ax"\nuser: nop\n.text\n${IDLE}`, { state: AS_USER, open: [] });
  user.inject('bp');
  expect(user.step(2)).toEqual(['#13 user', '=> 13 user']);
  // The gate is closed to users: vector and IDT, without EXT.
  expect(user.frame(6).slice(0, 2)).toEqual([3n * 8n + 2n, user.at('user')]);
});

test('pf: CR2, the error code, RF in the image; the instruction begins again', () => {
  const scene = new Scene(IDLE, { rflags: 0x46n });
  scene.step(2);
  expect(scene.inject('pf', { address: 0x1234n, code: 6n })).toBe('pending');
  expect(scene.get('cr2')).toBe(0x1234n);
  expect(scene.step(1)).toEqual(['=> 14 task+2']);
  expect(scene.frame(4)).toEqual([6n, TEXT + 2n, CS, RF | 0x46n]);
  expect(scene.step(3)).toEqual(['on_14', 'on_14+4', 'task+2']);
  expect(scene.pair.machine.rflags()).toBe(0x46n);
});

test('gp: the error code, RF in the image', () => {
  const scene = new Scene(IDLE);
  scene.inject('gp', { code: 0x28n });
  scene.step(1);
  expect(scene.frame(4)).toEqual([0x28n, TEXT, CS, RF | 2n]);
});

test('vc: the exit code as error code, on the stack of its gate, and the instruction begins again', () => {
  const scene = new Scene(`${IDLE} on_29: add $8,%rsp; iretq`, { ist: { 29: 5 }, rflags: 0x46n });
  scene.step(1);
  expect(scene.inject('vc', { code: 0x72n })).toBe('pending');
  expect(scene.step(1)).toEqual(['=> 29 task+1']);
  expect(scene.get('rsp')).toBe(istTop(5) - 48n);
  expect(scene.frame(4)).toEqual([0x72n, TEXT + 1n, CS, RF | 0x46n]);
  expect(scene.step(3)).toEqual(['on_29', 'on_29+4', 'task+1']);
});

test('an injected fault takes part in double faults', () => {
  const scene = new Scene(`${IDLE} on_8: nop\non_11: nop`, { absent: [13] });
  scene.inject('gp');
  expect(scene.step(2)).toEqual(['#8 task', '=> 8 task']);
});

test('bp, pf, gp and vc are refused where another event comes first, and in a halted processor', () => {
  const scene = new Scene(`task: hlt\n${IDLE.replace('task:', '')}`, { state: { nmiBlocked: 0n } });
  scene.inject('nmi');
  for (const event of ['bp', 'pf', 'gp', 'vc'] as const)
    expect(scene.inject(event)).toEqual({ problem: `invalid ${event}: another event comes first` });
  const halted = new Scene('task: hlt');
  halted.step(1);
  expect(halted.inject('pf')).toEqual({ problem: 'invalid pf: the processor is halted' });
});

test('db: two merge, and bits that are no breakpoint or step are refused', () => {
  const scene = new Scene(IDLE);
  expect(scene.inject('db', { dr6: 4n })).toBe('pending');
  expect(scene.inject('db', { dr6: 0x4000n })).toBe('merged');
  for (const dr6 of [0n, 0x2000n, 0x1_0000_0000n])
    expect(scene.inject('db', { dr6 })).toEqual({ problem: `invalid bits of dr6: 0x${dr6.toString(16)}` });
  scene.step(1);
  expect(scene.get('dr6')).toBe(DR6 | 0x4004n);
});

test('what waits is undone with the state', () => {
  const scene = new Scene(IDLE, { rflags: IF | 2n });
  for (const { machine } of scene.pair.both) machine.markSlot(0);
  for (const event of ['irq', 'mc', 'db', 'nmi'] as const) scene.inject(event);
  scene.run(3);
  for (const { machine } of scene.pair.both) machine.undoSlot(0);
  scene.pair.expectSame('undone');
  expect(scene.step(2)).toEqual(['task', 'task+1']);
});
