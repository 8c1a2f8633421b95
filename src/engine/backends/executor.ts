/** What runs transitions on a linear memory that it was made with. */
import type { Vendor } from '../vendor.ts';
import type { BigintBackend } from './bigint.ts';

export interface Executor {
  /** At most `budget` transitions; returns how many were made. Why it stopped early is in the state block. */
  run(budget: number): number;
  /** Forget what is cached of translations: the state block or guest memory was changed from outside. */
  flush(): void;
  /** Bytes at a guest physical address were changed from outside. */
  changed(pa: number, length: number): void;
  /** Sum up the attention word again, after one of its causes was changed from outside. */
  refreshAttention(): void;
  /** Copy the state block to a place in linear memory. */
  mark(place: number): void;
  /** Take back what was journalled since the state block at a place, and that state block. */
  undo(place: number): void;
}

/** What an executor is made for. */
export interface Executed {
  readonly memory: WebAssembly.Memory;
  readonly frames: number;
  readonly vendor: Vendor;
  /** Reads and decodes for the machine, whatever runs it. */
  readonly reader: BigintBackend;
}

/** Makes an executor: `wasm(...)` of `backends/wasm/backend.ts`, say. */
export type Backend = (executed: Executed) => Executor;
