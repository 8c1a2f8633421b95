/** The state of a sweep's island, apart from how it looks: what is asked, how far it is, what came of it. */
import { batch, computed, signal } from '@preact/signals';
import type { Door } from '../../explore/door.ts';
import type { Found } from '../../explore/found.ts';
import { DUMP, type SweepMap } from '../../explore/map.ts';
import type { SweepAsk, SweepReport } from '../../explore/sweep.ts';
import type { createClient } from './client.ts';
import { type Cell, lettersOf } from './geometry.ts';
import type { Message, ShownRun, Struck, Swept } from './protocol.ts';

/** What the page shows before any script has run. */
export interface Baked {
  readonly ask: SweepAsk;
  readonly map: SweepMap;
  readonly report: SweepReport;
  /** Links from `/s/` on to what was found, in the order of the report. */
  readonly doors: readonly Door[];
}

/** A scenario whose events strike in any case. */
export interface Base {
  readonly slug: string;
  readonly title: string;
  readonly given: readonly string[];
  readonly start: string;
  readonly body: string;
}

/** What a reader may choose. */
export interface Choices {
  readonly bases: readonly Base[];
  readonly starts: readonly string[];
  readonly bodies: readonly string[];
  /** Kinds of events, and whether each has a cause in this design. */
  readonly kinds: readonly { readonly event: string; readonly possible: boolean }[];
  readonly safeguards: readonly { readonly name: string; readonly about: string }[];
  /** Unwinders that can be asked. */
  readonly unwinders: readonly string[];
}

export type Phase =
  | { readonly kind: 'done'; readonly elapsed: number | undefined }
  | { readonly kind: 'running'; readonly done: number; readonly of: number; readonly paths: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export type State = ReturnType<typeof createState>;

/** Sweeps that took less than this are made again at once when something changes. */
export const AT_ONCE = 1_000;
/** Milliseconds that a sweep of so many events is expected to take before one has been made. */
const EXPECTED = [0, 100, 800, 6_000];
export const MOST_EVENTS = EXPECTED.length - 1;
/** So long a cell is looked at before its run is made. */
const REST = 160;

/** Folder of the site, without a slash at the end. */
export const BASE = import.meta.env.BASE_URL.replace(/\/$/, '');

const same = (a: SweepAsk, b: SweepAsk): boolean => JSON.stringify(a) === JSON.stringify(b);

export function createState(baked: Baked, start: typeof createClient, title: string) {
  const ask = signal<SweepAsk>(baked.ask);
  /** Of the map in view. */
  const swept = signal<SweepAsk>(baked.ask);
  const map = signal(baked.map);
  /** Undefined while the map is not of a sweep that was finished. */
  const report = signal<SweepReport | undefined>(baked.report);
  const doors = signal<readonly (Door | undefined)[]>(baked.doors);
  const phase = signal<Phase>({ kind: 'done', elapsed: undefined });
  const live = signal(false);
  const cell = signal<Cell | undefined>(undefined);
  const shown = signal<ShownRun | undefined>(undefined);
  /** The run of the cell is to be opened as soon as its link is here. */
  let opens = false;

  const took = new Map<number, number>();
  const expected = computed(() => {
    const count = ask.value.events.length;
    return took.get(count) ?? EXPECTED[count] ?? Number.POSITIVE_INFINITY;
  });
  const strayed = computed(() => !same(ask.value, swept.value) || report.value === undefined);

  let sweeping = 0;
  let showing = 0;
  /** Requests for doors, by id: the place of what was found. */
  const opening = new Map<number, number>();
  /** Those who wait for a mail, by id. */
  const mails = new Map<number, (text: string) => void>();
  const client = start(hear);

  function hear(message: Message): void {
    const { kind, id } = message;
    if (kind === 'going' && id === sweeping) {
      batch(() => {
        map.value = message.map;
        phase.value = { kind: 'running', done: message.done, of: message.of, paths: message.paths };
      });
    } else if (kind === 'swept' && id === sweeping) finished(message);
    else if (kind === 'shown' && id === showing) {
      shown.value = message.run;
      if (opens) follow(message.run);
    } else if (kind === 'opened') {
      const n = opening.get(id);
      opening.delete(id);
      if (n === undefined) return;
      doors.value = doors.value.with(n, message.door);
      openFound(n + 1);
    } else if (kind === 'mailed' || (kind === 'failed' && mails.has(id))) {
      mails.get(id)?.(kind === 'mailed' ? message.text : message.reason);
      mails.delete(id);
    } else if (kind === 'refused' && id === sweeping)
      phase.value = { kind: 'refused', problems: message.problems };
    else if (kind === 'failed' && (id === sweeping || phase.value.kind === 'running'))
      phase.value = { kind: 'refused', problems: [message.reason] };
  }

  function finished(message: Swept): void {
    took.set(message.report.events.length, message.elapsed);
    batch(() => {
      map.value = message.map;
      report.value = message.report;
      doors.value = message.report.violations.map(() => undefined);
      phase.value = { kind: 'done', elapsed: message.elapsed };
    });
    openFound(0);
  }

  /** Links come one after the other: each is a run of its own. */
  function openFound(n: number): void {
    const found: Found | undefined = report.value?.violations[n];
    if (!found || n >= LINKED) return;
    opening.set(client.ask({ kind: 'open', recipe: found.recipe, boundary: found.step }), n);
  }

  function stop(): void {
    client.cancel();
    opening.clear();
    sweeping = 0;
    showing = 0;
    for (const [, wait] of mails) wait('');
    mails.clear();
  }

  function run(): void {
    opening.clear();
    batch(() => {
      swept.value = ask.value;
      report.value = undefined;
      cell.value = undefined;
      shown.value = undefined;
      phase.value = { kind: 'running', done: 0, of: 0, paths: 0 };
    });
    sweeping = client.ask({ kind: 'sweep', ask: ask.value });
  }

  /** Changes what is asked; what is quick is run at once. */
  function change(part: Partial<SweepAsk>): void {
    ask.value = { ...ask.value, ...part };
    if (expected.value < AT_ONCE) run();
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  function select(to: Cell | undefined): void {
    clearTimeout(timer);
    opens = false;
    batch(() => {
      cell.value = to;
      shown.value = undefined;
    });
    if (to && phase.value.kind !== 'running') timer = setTimeout(lookAt, REST);
  }

  function lookAt(): void {
    clearTimeout(timer);
    const at = cell.value;
    const strikes = at && strikesOf(map.value, at);
    if (strikes) showing = client.ask({ kind: 'show', ask: swept.value, cell: at, strikes });
  }

  function follow({ link }: ShownRun): void {
    opens = false;
    if (link !== undefined) location.assign(BASE + link);
  }

  let warmed = false;

  return {
    ...{ title, ask, swept, map, report, doors, phase, live, cell, shown, expected, strayed },
    run,
    change,
    /** Asks what an address says; a problem is one sentence. */
    take(said: SweepAsk | { readonly problem: string }): void {
      stop();
      if ('problem' in said)
        batch(() => {
          report.value = undefined;
          phase.value = { kind: 'refused', problems: [said.problem] };
        });
      else if (!same(said, ask.value)) change(said);
    },
    /** Starts the worker and fetches what pictures are drawn with, once. */
    warm(): void {
      if (warmed) return;
      warmed = true;
      client.ask({ kind: 'warm', ask: ask.value });
      void import('./live.ts');
    },
    select,
    /** Opens the run of the chosen cell, as soon as it can be. */
    open(): void {
      if (shown.value) follow(shown.value);
      else {
        opens = true;
        lookAt();
      }
    },
    /** The block for a mail about a boundary of a run; a sentence if there is none. */
    mail: (recipe: string, boundary: number): Promise<string> =>
      new Promise((resolve) => {
        const site = location.origin + BASE;
        mails.set(client.ask({ kind: 'mail', recipe, boundary, site }), resolve);
      }),
    /** Ends the sweep. What is drawn stays, and nothing is claimed of it. */
    cancel(): void {
      stop();
      if (phase.value.kind === 'running') phase.value = { kind: 'cancelled' };
    },
    /** Back to what the page was built with. */
    reset(): void {
      stop();
      batch(() => {
        ask.value = baked.ask;
        swept.value = baked.ask;
        map.value = baked.map;
        report.value = baked.report;
        doors.value = baked.doors;
        cell.value = undefined;
        shown.value = undefined;
        phase.value = { kind: 'done', elapsed: undefined };
      });
    },
  };
}

/** What was found is linked so far down the list. */
export const LINKED = 6;

/** The events of a cell; undefined where no schedule is. */
export function strikesOf(map: SweepMap, { row, column }: Cell): readonly Struck[] | undefined {
  const letter = lettersOf(map, row).charAt(column);
  if (!/[a-zA-Z]/.test(letter)) return undefined;
  const strip = map.strips[map.strips.length + row];
  if (row < 0) return strip && (strip.event === DUMP ? [] : [{ event: strip.event, boundary: column }]);
  if (map.pair?.[1] === DUMP) return [{ event: map.pair[0], boundary: row }];
  return (
    map.pair && [
      { event: map.pair[0], boundary: row },
      { event: map.pair[1], boundary: column },
    ]
  );
}
