import { expect, test } from 'vitest';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { scenarioOf } from '../../src/scenario/library.ts';
import { originOf, type Spot } from '../../src/scenario/origin.ts';
import { replayOf } from '../../src/scenario/record.ts';
import { play } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();
const source = scenarioOf(pages, 'nested-nmi');
const run = play(source ?? { name: '', page: '', line: 1, lines: [] }, pages);
const replay = replayOf(run);
if (!replay) throw new Error('nothing was recorded');
const at = (checkpoint: string) => run.steps.find((step) => step.checkpoint === checkpoint)?.boundary ?? -1;
const q = (index: number): Spot => ({ kind: 'word', address: run.top + 8n * BigInt(index) });
const told = (spot: Spot, boundary: number) =>
  originOf(replay, spot, boundary).trail.map(({ spot: one, boundary: b, kind, by, text }) => {
    const name = one.kind === 'register' ? one.name : `q(${(one.address - run.top) / 8n})`;
    return `${name} b${b ?? ''} ${kind === 'software' ? `${by}: ${text}` : `${kind} ${by}`}`;
  });

test('the RSP of the iret record is followed through two copies to the RSP that the CPU pushed', () => {
  expect(told(q(-9), at('end_repeat_nmi'))).toEqual([
    'q(-9) b29 repeat_nmi+0x12: push -0x30(%rsp)',
    'q(-14) b22 first_nmi+0xf: push 0x58(%rsp)',
    'q(-2) b3 hardware NMI 1',
    'rsp b earlier before this run',
  ]);
});

test('a register that was popped comes from the word, and that from the register that was pushed', () => {
  const [pop = '', word = '', push = ''] = told({ kind: 'register', name: 'rdx' }, at('nested_nmi_out') + 2);
  expect([pop, word]).toEqual(['rdx b145 nested_nmi_out: pop %rdx', 'q(-6) b126 nmi: push %rdx']);
  expect(push).toMatch(/^rdx b/);
});

test('what was there before the run says so, and what is computed ends the trail', () => {
  expect(told(q(-2), 0)).toEqual(['q(-2) b earlier before this run']);
  const [, ...rest] = told({ kind: 'register', name: 'rsp' }, at('first_nmi'));
  expect(rest).toEqual([]);
});

test('each copy has the value of what it was copied from, wherever one asks', () => {
  const value = (spot: Spot, boundary: number) => {
    replay.seek(boundary);
    const { machine } = replay;
    if (spot.kind === 'word') return machine.read(spot.address, 64);
    return (spot.name === 'rflags' ? machine.rflags() : machine.get(spot.name)) & 0xffff_ffff_fffe_ffffn;
  };
  let copies = 0;
  for (let boundary = 5; boundary < run.frames.length; boundary += 50)
    for (const spot of [-2, -9, -14, -17, -20].map(q)) {
      const origin = originOf(replay, spot, boundary);
      expect(origin.value).toBe(value(spot, boundary));
      for (const { boundary: b, from } of origin.trail) {
        if (b === undefined || !from) continue;
        copies++;
        expect((value(from, b - 1) ?? 0n) & 0xffff_ffff_fffe_ffffn).toBe(
          origin.value & 0xffff_ffff_fffe_ffffn,
        );
      }
    }
  expect(copies).toBeGreaterThan(20);
});

test('over an event and back over it; deliveries one by one', () => {
  const { tape } = replay;
  const struck = at('nmi') - 1;
  expect(tape.over(struck)).toBe(run.frames.length - 1);
  expect(tape.backOver(tape.over(struck))).toBe(struck);
  const nested = at('nmi-2') - 1;
  const after = tape.over(nested);
  expect(run.steps.find(({ boundary }) => boundary === after)?.name).toBe('IRETQ');
  expect(tape.backOver(after)).toBe(nested);
  expect(tape.over(0)).toBe(1);
  expect(tape.backOver(1)).toBe(0);
  expect([tape.nextDelivery(0), tape.nextDelivery(at('nmi-2')), tape.previousDelivery(at('nmi'))]).toEqual([
    at('nmi'),
    undefined,
    undefined,
  ]);
});
