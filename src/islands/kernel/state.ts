/** The state of a kernel's island, apart from how it looks: which file is open, what of it is shown, what was typed. */
import { batch, signal } from '@preact/signals';
import type { Listing } from '../../image/vmlinux/listing.ts';
import type { WorkerClient } from '../worker-client.ts';
import { buildOf, type Place } from './address.ts';
import type { Message, Opened, Opening, Request } from './protocol.ts';

export type Phase =
  | { readonly kind: 'empty' }
  | { readonly kind: 'opening'; readonly name: string; readonly so: Opening | undefined }
  | { readonly kind: 'open' }
  | { readonly kind: 'cancelled'; readonly name: string }
  | { readonly kind: 'refused'; readonly name: string; readonly problem: string };

/** A routine in view. */
export interface View {
  readonly listing: Listing;
  readonly text: string;
}

export type State = ReturnType<typeof createState>;

/** @param go is told what comes into view: it belongs into the address */
export function createState(
  start: (hear: (message: Message) => void) => WorkerClient<Request>,
  go: (place: Place) => void,
) {
  const live = signal(false);
  const phase = signal<Phase>({ kind: 'empty' });
  const kernel = signal<Opened | undefined>(undefined);
  const view = signal<View | undefined>(undefined);
  /** Features of the processor that text is patched for, also those that no routine in view asks for; undefined as linked. */
  const features = signal<readonly string[] | undefined>(undefined);
  /** Why the symbol that was asked for is not in view. */
  const problem = signal('');
  const completions = signal<{ readonly names: readonly string[]; readonly count: number }>(NONE);
  /** What the address asked for before there was a kernel. */
  const wanted = signal<Place | undefined>(undefined);
  /** Routines that were in view, in that order: a capsule is made of them. */
  const seen = signal<readonly string[]>([]);
  const client = start(hear);
  let opening = 0;
  let showing = 0;
  let completing = 0;
  /** Who hears what is not for this island's own parts. */
  let others: ((message: Message) => void) | undefined;
  let packing:
    | { readonly id: number; readonly done: (made: Uint8Array<ArrayBuffer> | string) => void }
    | undefined;

  function hear(message: Message): void {
    const { kind, id } = message;
    if (id === opening) {
      const name = phase.value.kind === 'opening' ? phase.value.name : '';
      if (kind === 'opening') phase.value = { kind, name, so: message };
      else if (kind === 'opened') opened(message);
      else if (kind === 'refused') phase.value = { kind, name, problem: message.problem };
      else if (kind === 'failed') phase.value = { kind: 'refused', name, problem: message.reason };
    } else if (id === showing) {
      if (kind === 'shown')
        batch(() => {
          view.value = message;
          problem.value = '';
          const { symbol } = message.listing;
          if (!seen.value.includes(symbol)) seen.value = [...seen.value, symbol];
        });
      else if (kind === 'refused') problem.value = message.problem;
      else if (kind === 'failed') problem.value = message.reason;
    } else if (id === completing && kind === 'completed') completions.value = message;
    else if (id === packing?.id) {
      if (kind === 'capsuled') packing.done(message.bytes);
      else if (kind === 'refused') packing.done(message.problem);
      else if (kind === 'failed') packing.done(message.reason);
      packing = undefined;
    } else if (kind === 'failed' && phase.value.kind === 'opening')
      phase.value = { kind: 'refused', name: phase.value.name, problem: message.reason };
    else others?.(message);
  }

  function opened(message: Opened): void {
    batch(() => {
      kernel.value = message;
      phase.value = { kind: 'open' };
    });
    const place = wanted.value;
    const first = message.entries[0];
    if (place) follow(place);
    else if (first) show(first);
  }

  /** Asks for a routine; the address follows. */
  function show(symbol: string, patched = features.value): void {
    const place = { symbol, features: patched, build: buildOf(kernel.value?.buildId) };
    features.value = patched;
    wanted.value = place;
    showing = client.ask({ kind: 'show', symbol, features: patched });
    go(place);
  }

  /** What an address asks for: at once, or as soon as a kernel is open. */
  function follow(place: Place): void {
    wanted.value = place;
    features.value = place.features;
    if (kernel.value) showing = client.ask({ kind: 'show', symbol: place.symbol, features: place.features });
  }

  return {
    live,
    phase,
    kernel,
    view,
    features,
    problem,
    completions,
    wanted,
    seen,
    ask: client.ask,
    /** Runs and sweeps have a state of their own, which comes with the first of them. */
    forward(hear: (message: Message) => void): void {
      others = hear;
    },
    show,
    follow,
    /** A capsule of what was seen, or a sentence why not. */
    capsule: (): Promise<Uint8Array<ArrayBuffer> | string> =>
      new Promise((done) => {
        packing = { id: client.ask({ kind: 'capsule', symbols: seen.value }), done };
      }),
    open(file: File): void {
      client.cancel();
      batch(() => {
        kernel.value = undefined;
        view.value = undefined;
        problem.value = '';
        completions.value = NONE;
        seen.value = [];
        phase.value = { kind: 'opening', name: file.name, so: undefined };
      });
      opening = client.ask({ kind: 'open', file });
    },
    cancel(): void {
      client.cancel();
      if (phase.value.kind === 'opening') phase.value = { kind: 'cancelled', name: phase.value.name };
      opening = 0;
    },
    complete(text: string): void {
      completing = client.ask({ kind: 'complete', text });
    },
    completed(): void {
      completing = 0;
      completions.value = NONE;
    },
  };
}

const NONE: { readonly names: readonly string[]; readonly count: number } = { names: [], count: 0 };
