/** From the arguments of `lab sweep`, and a file to go on from, to the units that are to be explored. */
import { problemText } from '../../asm/source.ts';
import { cut, type Heading, inShard, type Unit, type UnitReport } from '../../explore/merge.ts';
import { type Part, partsOf, type SweepAsk } from '../../explore/sweep.ts';
import type { Edit } from '../../scenario/program.ts';
import { openerOnDisk } from '../commands/opened.ts';
import { askOf, type Wishes } from './ask.ts';
import { askOfFile, difference, readSweep, type SweepFile } from './file.ts';

export interface Plan {
  readonly ask: SweepAsk;
  readonly parts: readonly Part[];
  readonly heading: Heading;
  readonly edits: readonly Edit[];
  /** `2/4`, counted from 1. */
  readonly shard: string | undefined;
  /** Units of the whole sweep. */
  readonly of: number;
  /** Those of this shard; of the whole sweep without one. */
  readonly own: readonly Unit[];
  /** Those of them that were done before, and the milliseconds that they took. */
  readonly before: readonly UnitReport[];
  readonly spentMs: number;
  /** The file that was to go on, if there is nothing left to do. */
  readonly finished: SweepFile | undefined;
}

const MOST_SHARDS = 10_000;

/**
 * The plan, or sentences that say why there is none.
 *
 * @param what the design or scenario; undefined to take everything from the file `resume`
 */
export function planOf(
  what: string | undefined,
  wishes: Wishes & { readonly shard?: string | undefined },
  resume: string | undefined,
): Plan | { readonly problems: readonly string[] } {
  const refused = (problem: string) => ({ problems: [problem] });
  const begun = resume === undefined ? undefined : readSweep(resume);
  if (begun && 'problem' in begun) return refused(begun.problem);
  const shard = wishes.shard ?? begun?.shard;
  const share = shard === undefined ? undefined : shardOf(shard);
  if (typeof share === 'string') return refused(share);

  const opener = openerOnDisk();
  const alone = Object.values(wishes).every((wish) => wish === undefined);
  if (what === undefined && !(begun && alone))
    return refused('missing design: lab sweep DESIGN --events nmi,nmi');
  const asked = what === undefined && begun ? { ask: askOfFile(begun) } : askOf(what ?? '', wishes, opener);
  if ('problems' in asked) return asked;
  const { ask } = asked;
  const ready = partsOf(ask, opener.pages);
  if ('problems' in ready) {
    const all = ready.problems.map((one) => (one.page === 'sweep' ? one.message : problemText(one)));
    return { problems: [...new Set(all)] };
  }

  const { parts } = ready;
  const { heading, units } = cut(ask, parts);
  const { edits = [] } = ask;
  const own = units.filter((_, place) => !share || inShard(place, share));
  const before = begun?.units?.done ?? [];
  if (begun) {
    const other =
      difference(begun, { ...heading, edits }, 'this') ??
      (begun.shard === shard ? undefined : `shard ${begun.shard ?? 'none'}; this has ${shard}`);
    if (other) return refused(`invalid file: ${resume} is of another sweep (${other})`);
    if (!before.every((one) => own.some((unit) => same(one, unit))))
      return refused(`invalid file: ${resume} has units that this sweep has not`);
  }
  const finished = begun?.partial ? undefined : begun;
  const spentMs = begun?.elapsedMs ?? 0;
  return { ask, parts, heading, edits, shard, of: units.length, own, before, spentMs, finished };
}

/** Whether two are the same unit. */
export const same = (a: Pick<Unit, 'part' | 'fork'>, b: Pick<Unit, 'part' | 'fork'>): boolean =>
  a.part === b.part && a.fork === b.fork;

/** `2/4`; a text is what is wrong with it. */
function shardOf(text: string): { readonly index: number; readonly of: number } | string {
  const [, index = 0, of = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  return index >= 1 && index <= of && of <= MOST_SHARDS
    ? { index, of }
    : `invalid shard: ${text} (I/N, I from 1 to N)`;
}
