/**
 * A run of a real kernel as a timeline: what the islands of code, stacks, words and traces show of a run of ours they show of it too.
 * Its code is what ran: text as it lies in memory, patched where it was patched.
 */
import type { ListingRow } from '../../asm/listing.ts';
import { bytesOf } from '../../engine/address-space.ts';
import type { Image, Line, SymbolEntry } from '../../image/image.ts';
import { type Listed, listBytes, routineEnd } from '../../image/vmlinux/routine.ts';
import type { KernelSymbol } from '../../image/vmlinux/symbols.ts';
import { PLACE } from '../../kernel/memory-map.ts';
import { USER_CODE } from '../../kernel/vmlinux/bring-up.ts';
import { pageReader } from '../page-reader.ts';
import { spansOf, stepsOf } from '../steps.ts';
import type { Outcome, Timeline } from '../timeline.ts';
import { runCommand } from './kernel-command.ts';
import type { KernelContext } from './kernel-course.ts';
import { designOfKernel, topOfRecord } from './kernel-design.ts';
import { KernelFrames, type KernelSpot } from './kernel-frames.ts';
import { ENTRY_OF, isIn, textBetween } from './kernel-paths.ts';
import type { KernelAsked, KernelBench, KernelRun } from './kernel-run.ts';

export interface KernelTimeline {
  readonly run: KernelRun;
  readonly timeline: Timeline;
  /** By boundary. */
  readonly spots: readonly KernelSpot[];
  /** Boundaries at which each word of a stack was written, by its address. */
  readonly writes: ReadonlyMap<bigint, readonly number[]>;
}

/** Of the kernel that runs, and of its text. */
export interface KernelTold {
  readonly version: string;
  /** As `--features` takes them; undefined for text as it was linked. */
  readonly features: readonly string[] | undefined;
}

/** A run with all that there is to see of it, or one sentence why there is none. */
export function kernelTimeline(
  bench: KernelBench,
  asked: KernelAsked,
  { version, features }: KernelTold,
): KernelTimeline | { readonly problem: string } {
  // Once to see where it comes by: its names and its code are of those routines only.
  const rips = new Set<bigint>();
  let first: KernelContext | undefined;
  let nmi: KernelContext | undefined;
  const { machine } = bench.up;
  const seen = bench.run(asked, ({ course }) => {
    rips.add(machine.get('rip'));
    first ??= course.live;
    if (course.live?.vector === 2) nmi ??= course.live;
  });
  if ('problem' in seen) return seen;
  const top = topOf(bench, (nmi ?? first)?.slot);
  const design = designOfKernel(bench.up, top, nmi !== undefined);
  const routines = routinesOf(bench, rips);
  const { code, lineOf } = codeOf(bench, routines, rips);
  const maker = new KernelFrames(bench, design, imageOf(bench, routines), lineOf);
  const run = bench.run(asked, (moment) => maker.add(moment));
  if ('problem' in run) return run;
  const { frames, marks, spots, writes } = maker;
  const last = frames.length - 1;
  const struck = run.struck.map(({ event, at, boundary }) => ({
    event,
    boundary,
    text: `${event} at ${at}`,
  }));
  const timeline: Timeline = {
    slug: '',
    version: 0,
    title: `${version}, text ${features ? `patched for ${features.join(', ') || 'none of the features'}` : 'as linked'}`,
    design: version,
    recipe: runCommand({ path: asked.path, user: asked.user, features }, run.struck),
    frames,
    steps: stepsOf(marks, last),
    code,
    rules: [{ id: 'orc', name: 'ORC' }],
    blocked: spansOf(last, (b) => frames[b]?.latch.blocked ?? false),
    pending: spansOf(last, (b) => frames[b]?.latch.pending ?? false),
    injections: struck,
    counts: {
      boundaries: last,
      deliveries: marks.filter(({ delivered }) => delivered).length,
      'nmi-served': marks.filter(({ delivered }) => delivered?.startsWith('NMI')).length,
      'nmi-merged': 0,
    },
    outcome: outcomeOf(run),
    broken: [],
    cursor: run.verdict === 'returned' ? Math.min(last, (struck[0]?.boundary ?? 0) + 1) : last,
    top,
    stacks: design.stacks,
    records: design.records,
    executing: design.executing?.index,
    safeguards: [],
    without: [],
    problems: [],
  };
  return { run, timeline, spots, writes };
}

/** The first byte above what the first event pushes; of a system call, above the task's registers. */
const topOf = (bench: KernelBench, slot: bigint | undefined): bigint =>
  slot === undefined ? bench.up.places.task.end : topOfRecord(slot);

function outcomeOf(run: KernelRun): Outcome {
  if (run.verdict === 'returned') return { verdict: 'returns' };
  const sentence = run.reason ?? '';
  return run.verdict === 'stopped'
    ? { verdict: 'not-modelled', name: sentence, sentence }
    : { verdict: run.invariant === 'progress' ? 'no-progress' : 'lost', sentence };
}

/** A routine that was run. */
interface Routine {
  readonly from: bigint;
  readonly to: bigint;
  readonly bytes: Uint8Array;
  readonly rows: readonly Listed[];
}

/** Bytes that are listed behind the last instruction that ran. */
const BEHIND = 48n;

/** The routines that control came by, in that order, each as far as it came there. */
function routinesOf({ up }: KernelBench, rips: ReadonlySet<bigint>): readonly Routine[] {
  const { kernel, space, machine } = up;
  const read = pageReader(machine, space);
  const cut = new Set(up.cut.map((name) => kernel.symbols.address(name)));
  const stretches: { readonly from: bigint; readonly end: bigint; last: bigint }[] = [];
  for (const rip of rips) {
    const known = stretches.find(({ from, end }) => rip >= from && rip < end);
    const from = rip >> 63n ? kernel.symbols.at(rip)?.address : PLACE.userText;
    if (known) known.last = rip > known.last ? rip : known.last;
    else if (from !== undefined)
      stretches.push({
        from,
        end: cut.has(from)
          ? from + 1n
          : from === PLACE.userText
            ? from + BigInt(USER_CODE.length)
            : routineEnd(kernel, from),
        last: rip,
      });
  }
  return stretches.map(({ from, end, last }) => {
    const to = last + BEHIND < end ? last + BEHIND : end;
    const words: bigint[] = [];
    for (let at = from & ~7n; at < to; at += 8n) words.push(read(at) ?? 0n);
    const bytes = bytesOf(words).subarray(Number(from & 7n), Number(from & 7n) + Number(to - from));
    return { from, to, bytes, rows: listBytes(kernel, bytes, from) };
  });
}

/** Names and text of these routines, as an image has them. */
function imageOf({ up: { kernel } }: KernelBench, routines: readonly Routine[]): Image {
  const { symbols } = kernel;
  const entry = textBetween(symbols, '__entry_text_start', '__entry_text_end');
  const entries = new Set(Object.values(ENTRY_OF).map((name) => name.replace(/^asm_/, '')));
  const entryOf = ({ name, address }: KernelSymbol): SymbolEntry => ({
    name,
    address,
    size: Number((symbols.after(address)?.address ?? address + 1n) - address),
    global: isIn(entry, address) || entries.has(name),
    comment: '',
  });
  const sorted = routines.toSorted((a, b) => (a.from < b.from ? -1 : 1));
  return {
    segments: sorted.map(({ from, bytes }) => ({
      name: '.text',
      address: from,
      bytes,
      writable: false,
      executable: true,
      user: false,
    })),
    symbols: sorted.flatMap(({ rows }) =>
      rows.flatMap(({ address }) => symbols.allAt(address).slice(0, 1).map(entryOf)),
    ),
    lines: sorted.flatMap(({ rows }) =>
      rows.map(
        ({ address, bytes, text }): Line => ({
          address,
          length: bytes.length,
          text: shortText(text),
          comment: '',
          origins: [{ page: '', line: 1, column: 1 }],
        }),
      ),
    ),
  };
}

/** A target by its name alone. */
const shortText = (text: string): string => text.replace(/\b[\da-f]+ <([^>]+)>/g, '$1');

/** Instructions that are listed before and behind what ran. */
const AROUND = 3;

/** The listing of these routines: what ran, and what stands near it. */
function codeOf({ up }: KernelBench, routines: readonly Routine[], rips: ReadonlySet<bigint>) {
  const cut = new Set(up.cut.map((name) => up.kernel.symbols.address(name)));
  const code: ListingRow[] = [];
  const lineOf = new Map<bigint, number>();
  const row = (kind: ListingRow['kind'], text: string, address: bigint, comment = ''): void => {
    code.push({ kind, text, comment, address, block: '', page: '', line: 0, depth: 0 });
  };
  for (const { from, rows } of routines) {
    const near = rows.map((_, n) =>
      rows.slice(Math.max(0, n - AROUND), n + AROUND + 1).some(({ address }) => rips.has(address)),
    );
    let left = 0;
    rows.forEach(({ address, labels, text }, n) => {
      if (!near[n]) {
        left++;
        return;
      }
      if (left > 0) row('directive', '', address, `${left} instructions that did not run`);
      left = 0;
      for (const label of labels) row('label', `${label}:`, address);
      lineOf.set(address, code.length);
      const [plain = '', ...notes] = shortText(text).split(' # ');
      const isCut = address === from && cut.has(from);
      row('instruction', plain, address, isCut ? 'cut: returns at once' : notes.join(', '));
    });
  }
  return { code, lineOf };
}
