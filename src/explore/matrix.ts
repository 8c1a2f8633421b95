/** Every way to enter an NMI under the same schedules: what each loses, and what it costs when nothing goes wrong. */
import { addressOf } from '../image/image.ts';
import { FRED_FRAME, RECORD_SIZE } from '../kernel/memory-map.ts';
import { INVARIANTS, type Invariant } from '../scenario/invariants.ts';
import { designsInOrder, type Library } from '../scenario/library.ts';
import { BUDGET, stage } from '../scenario/run.ts';
import type { Found } from './found.ts';
import { type SweepAsk, sweep } from './sweep.ts';

/** Schedules that every design can be asked for: they name nothing of any design. */
export interface Column {
  readonly name: string;
  readonly ask: Omit<SweepAsk, 'design' | 'starts' | 'bodies'> & {
    readonly start: string;
    readonly body: string;
  };
}

/** Two NMIs wherever they like, unless a column says otherwise. A short window: what strikes a task later strikes it again. */
const WINDOW = 2;
const NMIS = { events: ['nmi', 'nmi'], start: 'kernel-task', body: 'quiet' };
export const COLUMNS: readonly Column[] = [
  { name: 'two NMIs', ask: NMIS },
  { name: 'and a breakpoint', ask: { ...NMIS, body: 'int3' } },
  { name: 'and a page fault', ask: { ...NMIS, body: 'pf-fixup' } },
  { name: 'from user mode', ask: { ...NMIS, start: 'user-task', body: 'int3' } },
  { name: 'SYSCALL gap', ask: { ...NMIS, start: 'syscall-gap' } },
  { name: 'and a machine check', ask: { ...NMIS, events: ['mc', 'nmi'], given: ['nmi at task'] } },
];

/** What becomes of one design under one column; undefined where the design has no such start or body. */
export interface Cell {
  readonly schedules: number;
  /** Schedules that lose an NMI: no handler ever runs for it. */
  readonly lost: number;
  /** Schedules that break anything else. */
  readonly broken: number;
  readonly invariants: readonly Invariant[];
  /** The shortest schedule that breaks something. */
  readonly worst: Found | undefined;
}

/** What one NMI costs that meets nothing, from its delivery on. */
export interface Cost {
  /** Words on the stack when the handler's body begins, those of the hardware included. */
  readonly words: number;
  /** Instructions to the end, those of the handler included. */
  readonly instructions: number;
}

export interface Row {
  readonly design: string;
  readonly title: string;
  readonly cells: readonly (Cell | undefined)[];
  readonly cost: Cost | undefined;
}

const made = new WeakMap<Library, readonly Row[]>();

/** All NMI designs in reading order. Made once for a library. */
export function matrix(pages: Library): readonly Row[] {
  const known = made.get(pages);
  if (known) return known;
  const rows = designsInOrder(pages)
    .filter(({ neighbour = false }) => !neighbour)
    .map(
      ({ slug: design, title }): Row => ({
        design,
        title,
        cells: COLUMNS.map(({ ask }) => cellOf(design, ask, pages)),
        cost: costOf(design, pages),
      }),
    );
  made.set(pages, rows);
  return rows;
}

function cellOf(design: string, { start, body, ...ask }: Column['ask'], pages: Library): Cell | undefined {
  const report = sweep({ window: WINDOW, ...ask, design, starts: [start], bodies: [body] }, pages);
  if ('problems' in report || report.untold.length > 0) return undefined;
  const { schedules, violations } = report;
  const count = (some: readonly Found[]): number => some.reduce((sum, one) => sum + one.schedules, 0);
  const lost = count(violations.filter(({ invariant }) => invariant === 'I4'));
  const names = new Set(violations.map(({ invariant }) => invariant));
  return {
    schedules,
    lost,
    broken: count(violations) - lost,
    invariants: (Object.keys(INVARIANTS) as Invariant[]).filter((name) => names.has(name)),
    worst: violations[0],
  };
}

function costOf(design: string, pages: Library): Cost | undefined {
  const { start, body } = NMIS;
  const lines = [
    'scenario cost v0',
    `design ${design}`,
    `start ${start}`,
    `body ${body}`,
    'inject nmi at task',
  ];
  const ready = stage({ page: 'cost', name: 'cost', line: 1, lines }, pages);
  if ('problems' in ready) return undefined;
  const { execution, injections } = ready;
  const { machine } = execution.booted;
  const size = RECORD_SIZE + (execution.program.design.fred ? FRED_FRAME.above : 0n);
  const handler = addressOf(execution.image, `nmi_body_${body}`);
  let first = 0;
  let slot = 0n;
  let words = 0;
  const { boundary, end } = execution.run(injections, BUDGET, ({ boundary: at, live, passage }) => {
    if (passage?.event === 'NMI 1') first = at;
    if (live) slot = live.slot;
    if (machine.get('rip') === handler && words === 0)
      words = Number((slot + size - machine.get('rsp')) / 8n);
  });
  return end.kind === 'returned' ? { words, instructions: boundary - first } : undefined;
}
