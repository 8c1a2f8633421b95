/** Messages between the island of a kernel and its worker. Plain data. */
import type { Listing } from '../../image/vmlinux/listing.ts';
import type { Fact, FactTable } from '../../image/vmlinux/told.ts';
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

export type Request = OpenRequest | ShowRequest | CompleteRequest | CapsuleRequest;

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

export type Message = Opening | Opened | Shown | Completed | Capsuled | Refused | Failed;
