/** Units of a sweep spread over threads. What they say does not depend on how. */
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { sweepUnit, type Unit, type UnitReport } from '../../explore/merge.ts';
import type { Part, SweepAsk } from '../../explore/sweep.ts';

export interface Work {
  readonly ask: SweepAsk;
  readonly parts: readonly Part[];
  readonly units: readonly Unit[];
  /** Threads, if there is work for so many. */
  readonly jobs: number;
  /** Called for every unit that is done. */
  readonly done: (report: UnitReport) => void;
  /** Stops the work; units under way are given up. */
  readonly signal: AbortSignal;
}

/** Milliseconds of work that are not worth a thread, which takes as long to start. */
const SMALL = 200;

/** Does the work, or as much as there is time for. The result is one sentence if a thread failed. */
export async function spread({ ask, parts, units, jobs, done, signal }: Work): Promise<string | undefined> {
  const until = performance.now() + SMALL;
  const rest = [...units];
  for (let unit = rest[0]; unit && !signal.aborted; unit = rest[0]) {
    const report = sweepUnit(ask, parts, unit, () => performance.now() < until);
    if (!report) break;
    done(report);
    rest.shift();
    await setImmediate(); // a signal is seen only between two units
  }
  return rest.length === 0 || signal.aborted ? undefined : inThreads(ask, rest, jobs, done, signal);
}

function inThreads(
  ask: SweepAsk,
  rest: Unit[],
  jobs: number,
  done: Work['done'],
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const threads = new Set<Worker>();
    const end = (sentence?: string): void => {
      for (const thread of threads) void thread.terminate();
      threads.clear();
      resolve(sentence);
    };
    const begin = (): void => {
      const thread = new Worker(new URL('./worker.ts', import.meta.url), { workerData: ask });
      threads.add(thread);
      let under: Unit | undefined;
      const next = (): void => {
        under = rest.shift();
        if (under) {
          thread.postMessage(under);
          return;
        }
        threads.delete(thread);
        void thread.terminate();
        if (threads.size === 0) end();
      };
      thread.on('message', (report: UnitReport) => {
        if (!threads.has(thread)) return;
        done(report);
        next();
      });
      thread.on('error', (error) => {
        const where = under
          ? `part ${under.part + 1}, fork ${under.fork + 1} of ${under.forks}`
          : 'its start';
        if (threads.has(thread)) end(`failed thread: ${error.message} (at ${where})`);
      });
      next();
    };
    signal.addEventListener('abort', () => end(), { once: true });
    for (let n = Math.min(jobs, rest.length); n > 0; n--) begin();
  });
}
