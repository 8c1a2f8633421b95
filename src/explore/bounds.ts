/** What an exploration is asked for, and how far it has come. */
import type { Strikes } from './events.ts';
import type { Path, Remaining } from './path.ts';

export interface Bounds {
  /** What may strike and where; a schedule has at most `counts[n]` of `kinds[n]`. */
  readonly kinds: readonly Strikes[];
  readonly counts: Remaining;
  /** Transitions of the task, with nothing alive, during which something may still strike. */
  readonly window: number;
  /** Transitions after which a run is taken to go on for ever. */
  readonly budget: number;
  /** Whether paths join; without it every schedule is run to its end. */
  readonly pruned: boolean;
  /** Whether events strike where they have no cause, too. */
  readonly anywhere: boolean;
  /** Which forks of the first path are explored: all, unless this is a shard. */
  readonly takes?: (fork: number) => boolean;
  /** Whether the states of the first path are counted for unwinders that are judged; true unless told. */
  readonly countsFirst?: boolean;
  /** Called wherever an event may strike; what it throws ends the exploration, which then cannot go on. */
  readonly watch?: () => void;
}

/** How far an exploration has come. */
export interface Progress {
  /** Boundary of the first path, and its last one as far as known. */
  readonly boundary: number;
  readonly last: number;
  /** Paths that were run. */
  readonly paths: number;
  /** The first path as far as it has come; what its forks lead to is complete. */
  readonly root: Path;
}
