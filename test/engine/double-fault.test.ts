/** What becomes of a fault while an event is delivered: SDM vol 3, 6.15 "Interrupt 8", tables 6-4 and 6-5. */
import { expect, test } from 'vitest';
import { TABLES, TSS } from './guest.ts';
import { IF, Scene } from './scene.ts';

const BENIGN = [1, 3, 4, 5, 6, 7, 9, 16, 17, 18, 19];
const CONTRIBUTORY = [0, 10, 11, 12, 13, 21];

/** What the delivery of the first event raises. None raises #TS in 64-bit mode. */
const raised = [
  ['#NP', 11],
  ['#SS', 12],
  ['#GP', 13],
  ['#PF', 14],
] as const;
const HANDLERS = Array.from({ length: 34 }, (_, vector) => `on_${vector}: hlt`).join('\n');

/** A guest in which the delivery of `first` raises `second`. */
function spoilt(first: number, second: number, rflags = 2n): Scene {
  const stack = { 12: 1, 14: 2 }[second];
  const scene = new Scene(`task: nop; nop\n${HANDLERS}`, {
    ist: stack ? { [first]: stack } : {},
    absent: second === 11 ? [first] : [],
    rflags,
  });
  // IST 1 is not canonical, IST 2 not mapped, each for the event under test alone.
  if (second === 12) scene.put(TSS + 36n, [(1n << 47n) + 0x1000n]);
  if (second === 14) scene.put(TSS + 44n, [0x1000n]);
  if (second === 13) scene.put(TABLES + BigInt(16 * first), [0n, 0n]);
  return scene;
}

test.each(raised)('a benign fault, then %s: one after the other', (_, second) => {
  for (const first of BENIGN) {
    const scene = spoilt(first, second);
    post(scene, first);
    expect(scene.step(2), `${first}`).toEqual([`#${second} task`, `=> ${second} task`]);
  }
});

test.each(raised)('a contributory fault, then %s: #DF, unless that is a page fault', (_, second) => {
  for (const first of CONTRIBUTORY) {
    const scene = spoilt(first, second);
    post(scene, first);
    expect(scene.step(1), `${first}`).toEqual([second === 14 ? '#14 task' : '#8 task']);
    expect(scene.get('pendingCode')).toBe(second === 14 ? 2n : 0n);
  }
});

test.each(raised)('a page fault, then %s: #DF', (_, second) => {
  const scene = spoilt(14, second);
  post(scene, 14);
  expect(scene.step(2)).toEqual(['#8 task', '=> 8 task']);
  // Its error code is zero, and the frame is that of the first fault.
  expect(scene.frame(2)).toEqual([0n, scene.at('task')]);
});

test.each(raised)('#DF, then %s: a shutdown, which changes nothing', (_, second) => {
  const scene = spoilt(8, second);
  post(scene, 8);
  const before = scene.pair.machine.describe();
  expect(scene.step(1)).toEqual(['shutdown task']);
  expect(scene.pair.machine.describe()).toBe(before);
});

test('an event that is no fault is benign, whatever its vector', () => {
  for (const [, second] of raised) {
    for (const [event, vector] of [
      ['nmi', 2],
      ['mc', 18],
      ['db', 1],
      ['bp', 3],
    ] as const) {
      const scene = spoilt(vector, second);
      scene.inject(event);
      expect(scene.step(1), event).toEqual([`#${second} task`]);
    }
    const interrupt = spoilt(21, second, IF | 2n);
    interrupt.inject('irq', { vector: 21 });
    expect(interrupt.step(1)).toEqual([`#${second} task`]);
  }
  const software = new Scene(`task: int $13\n${HANDLERS}`, { absent: [13] });
  expect(software.step(3)).toEqual(['task', '#11 task', '=> 11 task']);
  expect(software.frame(1)[0]).toBe(13n * 8n + 2n);
});

test('a fault after the first instruction of a handler is a new fault', () => {
  const scene = new Scene('task: ud2\non_6: ud2\non_8: hlt');
  expect(scene.step(5)).toEqual(['#6 task', '=> 6 task', '#6 on_6', '=> 6 on_6', '#6 on_6']);
});

test('a page fault in the delivery of a page fault leaves the second address in CR2', () => {
  const scene = spoilt(14, 14);
  scene.inject('pf', { address: 0x5555n });
  scene.step(1);
  expect(scene.get('cr2')).toBe(0xff8n);
});

test('EXT is set in the error code of a second fault unless software asked for the first (6.13)', () => {
  for (const [event, vector, external] of [
    ['nmi', 2, 1n],
    ['bp', 3, 0n],
    ['db', 1, 1n],
    ['mc', 18, 1n],
  ] as const) {
    const scene = spoilt(vector, 11);
    scene.inject(event);
    scene.step(1);
    expect(scene.get('pendingCode'), event).toBe(BigInt(vector * 8 + 2) | external);
  }
});

/** As if the instruction at RIP had raised a vector. */
function post(scene: Scene, vector: number): void {
  scene.set('pendingKind', 1n);
  scene.set('pendingVector', BigInt(vector));
  scene.set('pendingRip', scene.at('task'));
}
