/** How long it takes to unwind, and to judge what was unwound. */
import { type OrcRow, OrcTable } from '../../image/orc.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';
import { FrameMaker } from '../../scenario/frames.ts';
import { stage } from '../../scenario/run.ts';
import { breaksI6 } from '../../unwind/eras/gaps.ts';
import { walkByOrc } from '../../unwind/eras/orc.ts';
import { KERNEL_UNWINDERS } from '../../unwind/eras/unwinders.ts';
import { judge } from '../../unwind/judge.ts';
import type { View } from '../../unwind/view.ts';
import type { Figure } from './sweep.ts';

const FRAMES = 20;
const TEXT = 0xffff_ffff_8100_0000n;
const FUNCTION = 64n;
const END = 0xffff_c900_0001_4000n;
const WALKS = 100_000;

/** Twenty calls deep on a task's stack, each function with a frame pointer and three rows, user registers at the top. */
function deep(): View {
  const words = new BigUint64Array(2048);
  const begin = END - BigInt(words.length) * 8n;
  const put = (address: bigint, value: bigint): void => {
    words[Number(address - begin) >> 3] = value;
  };
  const regs = END - 168n;
  put(regs + 136n, 0x33n);
  let bp = 0n;
  let sp = regs;
  const rows: OrcRow[] = [];
  const row = (at: bigint, base: 'sp' | 'bp', offset: number, saved: boolean): void => {
    rows.push({
      address: at,
      base,
      offset,
      bpBase: saved ? 'prev-sp' : 'undefined',
      bpOffset: saved ? -16 : 0,
      type: 'call',
      signal: false,
    });
  };
  rows.push({
    address: TEXT,
    base: 'sp',
    offset: 0,
    bpBase: 'undefined',
    bpOffset: 0,
    type: 'regs',
    signal: true,
  });
  for (let n = 1n; n < BigInt(FRAMES); n++) {
    const from = TEXT + n * FUNCTION;
    row(from, 'sp', 8, false);
    row(from + 1n, 'sp', 16, true);
    row(from + 4n, 'bp', 16, true);
    put(sp - 8n, from - FUNCTION + 32n);
    put(sp - 16n, bp);
    bp = sp - 16n;
    sp = bp - 24n;
  }
  rows.push({
    address: TEXT + BigInt(FRAMES) * FUNCTION,
    base: 'undefined',
    offset: 0,
    bpBase: 'undefined',
    bpOffset: 0,
    type: 'undefined',
    signal: false,
  });
  return {
    rip: TEXT + BigInt(FRAMES - 1) * FUNCTION + 32n,
    rsp: sp,
    rbp: bp,
    cpl: 0,
    read: (address) => words[Number(address - begin) >> 3],
    stacks: [{ name: 'TASK', begin, end: END }],
    isText: (address) => address >= TEXT && address < TEXT + 0x10000n,
    orc: new OrcTable(rows),
  };
}

/** Milliseconds of `clock` for 100,000 ORC unwinds of twenty frames: 500 are five microseconds each. */
function unwinds(rounds: number, clock: () => number): Figure {
  const view = deep();
  const { entries, end } = walkByOrc('6.12', view);
  if (entries.length !== FRAMES || end !== 'complete')
    throw new Error(`unwound ${entries.length} frames, ${end}`);
  const ms: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const from = clock();
    for (let n = 0; n < WALKS; n++) walkByOrc('6.12', view);
    // The first round warms up.
    if (round > 0) ms.push(clock() - from);
  }
  return { what: `${WALKS} ORC unwinds, ${FRAMES} frames`, ms, barMs: 500, made: '' };
}

/**
 * Two NMIs in linux-4.2, the second at every boundary: milliseconds of `clock` for these runs alone, and with every unwinder asked and
 * judged at every state that was not judged before.
 */
function judged(rounds: number, clock: () => number): readonly Figure[] {
  const lines = ['scenario bench v0', 'design linux-4.2', 'start kernel-task', 'body int3'];
  const staged = stage({ page: 'bench', name: 'bench', line: 1, lines }, libraryOnDisk());
  if ('problems' in staged) throw new Error(staged.problems.map(({ message }) => message).join('\n'));
  const { execution } = staged;
  const { machine } = execution.booted;
  const first = { event: 'nmi', boundary: 2 } as const;
  const { boundary: last } = execution.run([first], 5000);
  const [bare, whole]: [number[], number[]] = [[], []];
  let made = '';
  for (let round = 0; round < rounds; round++) {
    for (const asked of [[], KERNEL_UNWINDERS]) {
      const maker = new FrameMaker(execution, []);
      const seen = new Set<string>();
      let traces = 0;
      const from = clock();
      for (let boundary = first.boundary; boundary <= last; boundary++)
        execution.run([first, { event: 'nmi', boundary }], 5000, ({ truth }) => {
          if (asked.length === 0) return;
          const view = maker.view();
          const live = truth.truth(view.rip, view.rsp, view.stacks);
          const key = `${live.entries.map(({ ip, sp }) => `${ip} ${sp}`).join()} ${view.rbp} ${machine.get('rdx')}`;
          if (seen.has(key)) return;
          seen.add(key);
          for (const { id, unwind } of asked) {
            const trace = unwind(view);
            breaksI6(id, judge(trace, live, view, String, true), trace, live, view);
            traces++;
          }
        });
      (asked.length === 0 ? bare : whole).push(clock() - from);
      made = `${seen.size} states, ${traces} traces`;
    }
  }
  const what = `two NMIs, ${last - first.boundary + 1} runs`;
  return [
    { what, ms: bare, barMs: 5000, made: '' },
    { what: `${what}, judged`, ms: whole, barMs: 10_000, made },
  ];
}

export const unwindFigures = (rounds: number, clock: () => number): readonly Figure[] => [
  unwinds(rounds, clock),
  ...judged(rounds, clock),
];
