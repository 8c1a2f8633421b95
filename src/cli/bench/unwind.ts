/** How long it takes to unwind, and to judge what was unwound. */
import { type SweepAsk, type SweepReport, sweep } from '../../explore/sweep.ts';
import { type OrcRow, OrcTable } from '../../image/orc.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';
import { walkByOrc } from '../../unwind/eras/orc.ts';
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
 * A sweep of two NMIs over linux-4.2, alone and with ORC and frame pointers judged at every state: milliseconds of `clock`. What
 * judging costs is told as their ratio.
 */
function judged(rounds: number, clock: () => number): readonly Figure[] {
  const ask = { design: 'linux-4.2', events: ['nmi', 'nmi'], starts: ['kernel-task'], bodies: ['int3'] };
  const judge = ['orc-6.12', 'frame-pointer-6.12'];
  const pages = libraryOnDisk();
  const took = (one: SweepAsk): { readonly ms: number; readonly report: SweepReport } => {
    const from = clock();
    const report = sweep(one, pages);
    if ('problems' in report) throw new Error(report.problems.map(({ message }) => message).join('\n'));
    return { ms: clock() - from, report };
  };
  took(ask);
  const [bare, whole]: [number[], number[]] = [[], []];
  const ratios: number[] = [];
  let states = 0;
  for (let round = 0; round < rounds; round++) {
    const alone = took(ask).ms;
    const { ms, report } = took({ ...ask, judge });
    bare.push(alone);
    whole.push(ms);
    ratios.push(ms / alone);
    states = Object.values(report.judged?.[0]?.states ?? {}).reduce((sum, n) => sum + n, 0);
  }
  const ratio = ratios.toSorted((a, b) => a - b)[rounds >> 1] ?? 0;
  const made = `${states} states, ${judge.length} unwinders, ${ratio.toFixed(1)} times the sweep alone`;
  return [
    { what: 'two NMIs, not judged', ms: bare, barMs: 1000, made: '' },
    { what: 'two NMIs, judged', ms: whole, barMs: 10_000, made },
  ];
}

export const unwindFigures = (rounds: number, clock: () => number): readonly Figure[] => [
  unwinds(rounds, clock),
  ...judged(rounds, clock),
];
