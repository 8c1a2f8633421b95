/** What a load of SS does to debug exceptions, interrupts and breakpoints (SDM vol 3, 6.8.3; CVE-2018-8897). */
import { expect, test } from 'vitest';
import { AMD } from '../../src/engine/vendor.ts';
import { DATA, TEXT, USER_DATA } from './guest.ts';
import { AS_USER, CS, DR6, dr7, Scene, TF } from './scene.ts';

const SS = 0x18n;

// 6.8.3 and 17.3.1.1; Linux v6.12, tools/testing/selftests/x86/mov_ss_trap.c tells what follows a watched load of SS.
const LOAD = { rdi: DATA, dr0: DATA, dr7: dr7([3, 2]) };
const ALL = `\non_1: nop; iretq\non_3: nop; iretq\non_6: nop\non_13: nop\non_14: nop\non_2: nop; iretq`;
const loading = (next: string, options: ConstructorParameters<typeof Scene>[1] = {}): Scene => {
  const scene = new Scene(`task: mov (%rdi),%ss\nnext: ${next}\nafter: nop; nop${ALL}`, {
    ...options,
    state: { ...LOAD, ...options.state },
  });
  scene.put(DATA, [SS]);
  return scene;
};

test('a data breakpoint met by MOV SS waits for the end of the next instruction', () => {
  const scene = loading('nop');
  expect(scene.step(3)).toEqual(['task', 'next', '=> 1 after']);
  expect(scene.get('dr6')).toBe(DR6 | 1n);
});

test.each(['int3', 'int $3'])('MOV SS; %s: #BP first, and #DB in front of its handler', (next) => {
  const scene = loading(next);
  expect(scene.step(4)).toEqual(['task', 'next', '=> 3 next', '=> 1 on_3']);
  expect(scene.get('dr6')).toBe(DR6 | 1n);
  expect(scene.step(5)).toEqual(['on_1', 'on_1+1', 'on_3', 'on_3+1', 'after']);
});

test('MOV SS; INT3 in user mode: the #DB is taken in ring 0 with the handler as its return address', () => {
  const scene = new Scene(`.section .user,"ax"\nuser: mov (%rdi),%ss\nnext: int3\n.text${ALL}`, {
    state: { ...AS_USER, ...LOAD, rdi: USER_DATA, dr0: USER_DATA },
    ist: { 1: 1 },
  });
  scene.put(USER_DATA, [0x2bn]);
  expect(scene.step(4)).toEqual(['user', 'next', '=> 3 next', '=> 1 on_3']);
  expect(scene.frame(2)).toEqual([scene.at('on_3'), CS]);
});

test('MOV SS; INT1: one #DB, and DR6 says nothing', () => {
  const scene = loading('.byte 0xf1');
  expect(scene.step(4)).toEqual(['task', 'next', '=> 1 next', 'on_1']);
  expect(scene.get('dr6')).toBe(DR6);
});

test.each([
  ['ud2', 6],
  ['mov (%rbx),%rax', 14],
  ['mov %rax,%cr4', 13],
] as const)('MOV SS; %s: the fault drops the #DB', (next, vector) => {
  const scene = loading(next, { state: { ...LOAD, rbx: DATA - 8n } });
  expect(scene.step(4)).toEqual(['task', `#${vector} next`, `=> ${vector} next`, `on_${vector}`]);
  expect([scene.get('dr6'), scene.get('debugTrap')]).toEqual([DR6, 0n]);
});

test('a breakpoint right behind MOV SS is suppressed by Intel, and met by AMD', () => {
  const state = { dr1: TEXT + 2n, dr7: dr7([3, 2], [0]) };
  expect(loading('nop', { state }).step(3)).toEqual(['task', 'next', '=> 1 after']);
  const other = loading('nop', { state, vendor: AMD });
  expect(other.step(2)).toEqual(['task', '=> 1 next']);
});

test('the single step of MOV SS is suppressed, not put off', () => {
  // INT3 is no step; were the step of MOV SS only late, it would come in front of the handler.
  const scene = loading('int3', { rflags: TF | 2n, state: { dr7: 0x400n } });
  expect(scene.step(5)).toEqual(['task', 'next', '=> 3 next', 'on_3', 'on_3+1']);
  expect(scene.get('dr6')).toBe(DR6);
  // The second of two loads is stepped.
  const twice = loading('mov (%rdi),%ss', { rflags: TF | 2n, state: { dr7: 0x400n } });
  expect(twice.step(3)).toEqual(['task', 'next', '=> 1 after']);
});

test('an NMI waits behind MOV SS, too, and comes behind the #DB', () => {
  const scene = loading('nop');
  scene.step(1);
  scene.inject('nmi');
  expect(scene.step(3)).toEqual(['next', '=> 1 after', '=> 2 on_1']);
});

test('db obeys the shadow, and is dropped by a fault or a machine check', () => {
  const scene = loading('nop', { state: { dr7: 0x400n } });
  scene.step(1);
  scene.inject('db', { dr6: 2n });
  expect(scene.step(2)).toEqual(['next', '=> 1 after']);
  expect(scene.get('dr6')).toBe(DR6 | 2n);
  for (const [event, vector] of [
    ['pf', 14],
    ['mc', 18],
  ] as const) {
    const dropped = new Scene(`task: mov %eax,%ss; nop\non_${vector}: nop`, { state: { rax: SS } });
    dropped.step(1);
    dropped.inject('db');
    dropped.inject(event);
    expect(dropped.step(2)).toEqual([`=> ${vector} task+2`, `on_${vector}`]);
    expect(dropped.get('dr6')).toBe(DR6);
  }
});

test('a bp in the shadow of MOV SS ends it, and the #DB comes in front of its handler', () => {
  const scene = new Scene(`task: mov %eax,%ss; nop${ALL}`, { state: { rax: SS } });
  scene.step(1);
  scene.inject('db');
  scene.inject('bp');
  expect(scene.get('shadow')).toBe(0n);
  expect(scene.step(2)).toEqual(['=> 3 task+2', '=> 1 on_3']);
});
