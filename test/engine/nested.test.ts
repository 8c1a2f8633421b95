/**
 * Two NMIs at every pair of boundaries. The handler leaves its IST stack at once: it copies saved registers and
 * frame to a private stack, so that the IRET of its own INT3 may unblock NMIs. It is not safe: an NMI after the
 * private stack has been given back, and before the IRET, overwrites the copy still in use.
 */
import { expect, test } from 'vitest';
import { wasm } from '../../src/engine/backends/wasm/backend.ts';
import type { Machine, MachineOptions } from '../../src/engine/machine.ts';
import { bytes, DATA, gate, guest, IRETQ, istTop, NOP, TABLES, TEXT } from './guest.ts';

/** mov $6,%ebx; 1: push %rbx; call 2f; pop %rbx; dec %rbx; jne 1b; hlt; 2: push %rbp; mov %rsp,%rbp; movzbl %bh,%eax; lea 3(%rdx,%rbx,4),%rdx; xor %edx,%eax; leave; ret */
const TASK =
  'bb 06 00 00 00 53 e8 07 00 00 00 5b 48 ff cb 75 f4 f4 55 48 89 e5 0f b6 c7 48 8d 54 9a 03 31 d0 c9 c3';
/** push %rax %rsi %rdi %rcx; mov %gs:0,%rdi; sub $72,%rdi; mov %rdi,%gs:0; mov %rsp,%rsi; mov $9,%ecx; cld; rep movsq; mov %gs:0,%rsp; incq %gs:8; int3; incq %gs:16; addq $72,%gs:0 */
const BODY = `50 56 57 51 65 48 8b 3c 25 00 00 00 00 48 83 ef 48 65 48 89 3c 25 00 00 00 00 48 89 e6 b9 09 00 00 00 fc f3 48 a5
  65 48 8b 24 25 00 00 00 00 65 48 ff 04 25 08 00 00 00 cc 65 48 ff 04 25 10 00 00 00 65 48 83 04 25 00 00 00 00 48`;
/** pop %rcx %rdi %rsi %rax; iretq */
const EXIT = '59 5f 5e 58 48 cf';
const HANDLER = TEXT + 0x400n;
const GIVEN_BACK = HANDLER + BigInt(bytes(BODY).length);

function start(options: MachineOptions): Machine {
  const { machine, space } = guest({
    ...options,
    text: TASK,
    handlers: { 3: `${NOP} ${IRETQ}` },
    state: { gsBase: DATA, rdx: 5n },
  });
  space.write(HANDLER, bytes(`${BODY} ${EXIT}`));
  space.writeWords(TABLES + 32n, gate(HANDLER, 1, 0n));
  space.writeWords(DATA, [DATA + 0x1800n]);
  machine.keyframe();
  return machine;
}

/** Everything there is to say about a run with NMIs at two boundaries. */
function outcome(machine: Machine, first: number, second: number) {
  const mark = machine.mark();
  machine.run(first);
  machine.injectNmi();
  machine.run(second);
  machine.injectNmi();
  const made = machine.run(2000);
  const log = [...machine.log()];
  const deliveries = log.filter(({ kind, vector }) => kind === 'delivery' && vector === 2);
  const text = machine.describe();
  const ended = made < 2000 && machine.stopReason === 'halted' && machine.get('rbx') === 0n;
  const [entries, completions] = [machine.read(DATA + 8n, 64), machine.read(DATA + 16n, 64)];
  machine.undo(mark);
  return { made, log, deliveries, text, ended, entries, completions };
}

test('1,600 schedules: the same on every backend, and exactly the unsafe window loses a frame', {
  timeout: 120_000,
}, () => {
  const [cached, walking] = [start({ cached: true }), start({ cached: false })];
  const interpreted = start({ backend: wasm() });
  let lost = 0;
  for (let first = 0; first < 20; first++) {
    for (let second = 0; second < 80; second++) {
      const one = outcome(cached, first, second);
      expect(outcome(interpreted, first, second)).toEqual(one);
      if (second % 8 === 0) expect(outcome(walking, first, second)).toEqual(one);
      const at = one.deliveries[1]?.rip ?? 0n;
      const unsafe = at >= GIVEN_BACK && at < GIVEN_BACK + 6n;
      expect(one.ended, `${first}+${second}`).toBe(!unsafe);
      if (!unsafe) expect([one.entries, one.completions]).toEqual([one.entries, one.entries]);
      if (unsafe) lost++;
      for (const { rsp } of one.deliveries) expect(rsp).toBe(istTop(1) - 40n);
    }
  }
  expect(lost).toBe(100);
});

test.each([{}, { backend: wasm() }])('60 steps forwards, 60 undos backwards', (options) => {
  const machine = start(options);
  machine.run(10);
  machine.injectNmi();
  const past = Array.from({ length: 60 }, () => {
    const moment = { mark: machine.mark(), text: machine.describe() };
    machine.step();
    return moment;
  });
  for (const { mark, text } of past.reverse()) {
    machine.undo(mark);
    expect(machine.describe()).toBe(text);
  }
});
