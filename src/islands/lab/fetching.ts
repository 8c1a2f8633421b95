/** Frames of a long run, fetched as the playhead comes near them: those around it stay, far ones go again. */
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Frame, Span } from '../../scenario/timeline.ts';
import type { Failed, Framed } from './protocol.ts';

/** Boundaries that are fetched at once on each side of the playhead. */
const AROUND = 24;
/** Frames that are fetched and kept at most, beside those that came with the run and those in view: each is some 10 kB. */
const MOST = 100;
/** The longest stretch that is fetched as a whole. */
export const STRETCH = 400;

interface Fetched {
  /** Of the run in view; filled in place. */
  readonly frames: ReadonlySignal<readonly Frame[]>;
  readonly boundary: ReadonlySignal<number>;
  /** The stretch in view, if it is not the whole run. */
  readonly window: ReadonlySignal<Span | undefined>;
  /** Raised when frames have come. */
  readonly came: Signal<number>;
  readonly ask: (from: number, to: number) => Promise<Framed | Failed>;
}

export function createFetching({ frames, boundary, window, came, ask }: Fetched) {
  let busy = false;
  let run: readonly Frame[] | undefined;
  let fetched: number[] = [];

  function take(into: readonly Frame[], list: readonly Frame[]): void {
    if (into !== frames.value) return;
    if (run !== into) [run, fetched] = [into, []];
    const all = into as Frame[];
    for (const frame of list) {
      if (all[frame.boundary]) continue;
      all[frame.boundary] = frame;
      fetched.push(frame.boundary);
    }
    const { from, to } = window.value ?? { from: Infinity, to: -Infinity };
    const inView = (b: number): boolean => (b >= from && b <= to) || Math.abs(b - boundary.value) <= AROUND;
    let excess = fetched.length - MOST;
    fetched = fetched.filter((b) => {
      if (excess <= 0 || inView(b)) return true;
      excess--;
      delete all[b];
      return false;
    });
    came.value++;
  }

  async function fetch(from: number, to: number): Promise<boolean> {
    const into = frames.value;
    const answer = await ask(from, to);
    if (answer.kind === 'failed') return false;
    take(into, answer.frames);
    return answer.frames.length > 0;
  }

  /** Fetches what the playhead needs: first the frame under it, then those around. */
  async function need(): Promise<void> {
    if (busy) return;
    busy = true;
    try {
      for (;;) {
        const at = boundary.value;
        const all = frames.value;
        const last = all.length - 1;
        if (last < 0) return;
        if (!all[at]) {
          if (!(await fetch(at, at))) return;
          continue;
        }
        const missing = (from: number, to: number, step: number): number => {
          for (let b = from; step > 0 ? b <= to : b >= to; b += step) if (!all[b]) return b;
          return -1;
        };
        const ahead = missing(at, Math.min(last, at + AROUND / 2), 1);
        const behind = missing(at, Math.max(0, at - AROUND / 2), -1);
        if (ahead >= 0) {
          if (!(await fetch(ahead, Math.min(last, ahead + AROUND)))) return;
        } else if (behind >= 0) {
          if (!(await fetch(Math.max(0, behind - AROUND), behind))) return;
        } else return;
      }
    } finally {
      busy = false;
    }
  }

  return {
    need: () => void need(),
    /** Fetches a stretch, unless it is too long. */
    async stretch({ from, to }: Span): Promise<void> {
      if (to - from > STRETCH) return;
      for (let b = from; b <= to; b++) if (!frames.value[b]) return void (await fetch(from, to));
    },
  };
}
