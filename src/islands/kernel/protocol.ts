/** Messages between the island of a kernel and its worker. Plain data. */
import type { SweepMap } from '../../explore/map.ts';
import type { KernelSweep } from '../../explore/vmlinux/kernel-sweep.ts';
import type { Listing } from '../../image/vmlinux/listing.ts';
import type { Fact, FactTable } from '../../image/vmlinux/told.ts';
import type { KernelEvent, KernelPath } from '../../scenario/vmlinux/kernel-paths.ts';
import type { KernelStrike } from '../../scenario/vmlinux/kernel-run.ts';
import type { KernelTimeline } from '../../scenario/vmlinux/kernel-timeline.ts';
import type { Failed } from '../worker-client.ts';

/** A file to open; what was open before is forgotten. */
export interface OpenRequest {
  readonly kind: 'open';
  readonly id: number;
  readonly file: File;
}

/** A routine, as it was linked or patched for a processor with features. */
export interface ShowRequest {
  readonly kind: 'show';
  readonly id: number;
  readonly symbol: string;
  readonly features: readonly string[] | undefined;
}

/** Symbols whose names hold what was typed. */
export interface CompleteRequest {
  readonly kind: 'complete';
  readonly id: number;
  readonly text: string;
}

/** A capsule of routines: see `image/vmlinux/capsule.ts`. */
export interface CapsuleRequest {
  readonly kind: 'capsule';
  readonly id: number;
  readonly symbols: readonly string[];
}

/** What interrupts what, and the processor that text is patched for; text as linked without features. */
interface Interruption {
  readonly path: KernelPath;
  readonly user: boolean;
  readonly features: readonly string[] | undefined;
}

/** A run of the kernel's entry code. A sweep that is under way ends. */
export interface RunRequest extends Interruption {
  readonly kind: 'run';
  readonly id: number;
  readonly strikes: readonly KernelStrike[];
}

/** A sweep; a newer one, or a run, ends it. */
export interface SweepRequest extends Interruption {
  readonly kind: 'sweep';
  readonly id: number;
  readonly schedules: readonly (readonly KernelEvent[])[];
}

/** Ends the sweep that is under way. */
export interface StopRequest {
  readonly kind: 'stop';
  readonly id: number;
}

export type Request =
  | OpenRequest
  | ShowRequest
  | CompleteRequest
  | CapsuleRequest
  | RunRequest
  | SweepRequest
  | StopRequest;

/** What is done, and how many bytes of it, of how many where that is known. */
export interface Opening {
  readonly kind: 'opening';
  readonly id: number;
  readonly what: string;
  readonly done: number | undefined;
  readonly of: number | undefined;
}

/** What is known of an opened kernel. */
export interface Opened {
  readonly kind: 'opened';
  readonly id: number;
  readonly name: string;
  readonly buildId: string | undefined;
  readonly facts: readonly Fact[];
  readonly tables: readonly FactTable[];
  /** Entries and what they call, where this kernel has them. */
  readonly entries: readonly string[];
  /** Processors to choose from, as far as this kernel knows their features. */
  readonly processors: readonly Processor[];
}

export interface Processor {
  readonly name: string;
  readonly features: readonly string[];
}

export interface Shown {
  readonly kind: 'shown';
  readonly id: number;
  readonly listing: Listing;
  /** The same as lines. */
  readonly text: string;
}

export interface Completed {
  readonly kind: 'completed';
  readonly id: number;
  readonly names: readonly string[];
  /** All that hold the text. */
  readonly count: number;
}

/** The file of a capsule, gzipped. */
export interface Capsuled {
  readonly kind: 'capsuled';
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The file or the symbol cannot be shown, and why, in one sentence. */
export interface Refused {
  readonly kind: 'refused';
  readonly id: number;
  readonly problem: string;
}

/** A run with all that there is to see of it. */
export interface Ran extends KernelTimeline {
  readonly kind: 'ran';
  readonly id: number;
}

/** The map so far. */
export interface Sweeping {
  readonly kind: 'sweeping';
  readonly id: number;
  readonly map: SweepMap;
  /** Boundaries, and milliseconds since it began. */
  readonly done: number;
  readonly of: number;
  readonly elapsed: number;
}

export interface Swept {
  readonly kind: 'swept';
  readonly id: number;
  readonly map: SweepMap;
  readonly sweep: KernelSweep;
  readonly elapsed: number;
}

export type Message =
  | Opening
  | Opened
  | Shown
  | Completed
  | Capsuled
  | Ran
  | Sweeping
  | Swept
  | Refused
  | Failed;
