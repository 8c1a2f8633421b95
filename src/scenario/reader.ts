/** A timeline as a page speaks of it: frames by checkpoint, words by role, verdicts by rule. */
import { type Library, scenarioOf } from './library.ts';
import { play } from './run.ts';
import type { Frame, Timeline } from './timeline.ts';

/** A boundary by number, or by the name of a checkpoint: `repeat_nmi`, `nmi_iret-2`. */
export type At = number | string;

export class Run {
  readonly timeline: Timeline;

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  /** Number of the last boundary. */
  get last(): number {
    return this.timeline.frames.length - 1;
  }

  /** `returns`, `lost`, ... */
  get verdict(): string {
    return this.timeline.outcome.verdict;
  }

  /** Boundary of a checkpoint. Throws `unknown checkpoint` with the ones there are. */
  boundary(at: At): number {
    if (typeof at === 'number') return at;
    const step = this.timeline.steps.find(({ checkpoint }) => checkpoint === at);
    if (step) return step.boundary;
    const names = this.timeline.steps.map(({ checkpoint }) => checkpoint);
    throw new Error(`unknown checkpoint: ${at} (${this.timeline.slug} has ${names.join(', ')})`);
  }

  at(at: At): Frame {
    const frame = this.timeline.frames[this.boundary(at)];
    if (!frame) throw new Error(`unknown boundary: ${at} (${this.timeline.slug} has 0 to ${this.last})`);
    return frame;
  }

  /** Meaning of a word of the NMI stack, by role: `word('outermost.rsp', 'repeat_nmi')` is `S, task stack`. */
  word(role: string, at: At): string {
    const word = this.at(at).words.find((one) => one.role === role);
    if (!word) throw new Error(`unknown role: ${role}`);
    return word.meaning;
  }

  /** Saved RSP and RIP of a record in short, `S / A`; `earlier` for what an earlier NMI has left. */
  record(name: string, at: At): string {
    const words = [`${name}.rsp`, `${name}.rip`].map((role) =>
      this.at(at).words.find((word) => word.role === role),
    );
    if (words.every((word) => word?.author.kind === 'earlier')) return 'earlier';
    return words.map((word) => word?.meaning.split(',')[0] ?? '').join(' / ');
  }

  /** `blocked`, `open`, each also `+ pending`. */
  latch(at: At): string {
    const { blocked, pending } = this.at(at).latch;
    return `${blocked ? 'blocked' : 'open'}${pending ? ' + pending' : ''}`;
  }

  /** Who wrote a word: `NMI 2`, `repeat_nmi+0x8`. */
  author(role: string, at: At): string {
    return this.at(at).words.find((one) => one.role === role)?.author.name ?? '';
  }

  /** Judgement of an unwinder: `right`, `stops-early-silently`, ... */
  judged(unwinder: string, at: At): string {
    const verdict = this.at(at).verdicts.find((one) => one.unwinder === unwinder);
    if (!verdict) throw new Error(`unknown unwinder: ${unwinder}`);
    return verdict.judgement;
  }

  /** The lines that a kernel would print for an unwinder. Throws `unknown unwinder`. */
  printed(unwinder: string, at: At): readonly string[] {
    this.judged(unwinder, at);
    return this.at(at).verdicts.find((one) => one.unwinder === unwinder)?.printed ?? [];
  }

  /** Boundaries, in order, at which an unwinder is judged so. */
  where(unwinder: string, judgement: string): readonly number[] {
    return this.timeline.frames.flatMap(({ boundary }) =>
      this.judged(unwinder, boundary) === judgement ? [boundary] : [],
    );
  }
}

/** A scenario of any page, with more unwinders of kernels than it names. Throws `unknown scenario: SLUG`. */
export function runOf(pages: Library, slug: string, unwinders: readonly string[] = []): Run {
  const source = scenarioOf(pages, slug);
  if (!source) throw new Error(`unknown scenario: ${slug}`);
  return new Run(play(source, pages, { unwinders }));
}

/** A run of a design with lines of a recipe that stand on no page: `runOfText(pages, 'naive-ist', 'inject nmi at task')`. Throws the first problem. */
export function runOfText(pages: Library, design: string, ...statements: readonly string[]): Run {
  const lines = ['scenario here v0', `design ${design}`, ...statements];
  const timeline = play({ page: 'here', name: 'here', line: 1, lines }, pages);
  const [problem] = timeline.problems;
  if (problem) throw new Error(problem.message);
  return new Run(timeline);
}
