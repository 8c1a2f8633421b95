/** The state of a kernel's runs and sweeps, apart from how they look. The run itself is shown by the laboratory's own parts. */
import { batch, signal } from '@preact/signals';
import type { SweepMap } from '../../explore/map.ts';
import { runCommand, sweepCommand } from '../../scenario/vmlinux/kernel-command.ts';
import type { KernelEvent, KernelPath } from '../../scenario/vmlinux/kernel-paths.ts';
import type { KernelStrike } from '../../scenario/vmlinux/kernel-run.ts';
import { bake } from '../lab/bake.ts';
import type { Ask, Asker, OriginTold, Played } from '../lab/protocol.ts';
import { createState as createLab, type State as Lab } from '../lab/state.ts';
import type { Cell } from '../sweep/geometry.ts';
import { strikesOf } from '../sweep/state.ts';
import type { Message, Ran, Sweeping, Swept } from './protocol.ts';
import type { State as KernelState } from './state.ts';

/** `each` is every event alone. */
export type SweptFirst = KernelEvent | 'each';

export type SweepPhase =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly so: Sweeping | undefined }
  | { readonly kind: 'done'; readonly swept: Swept }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'refused'; readonly problem: string };

/** What was asked, as the command line takes it; FILE is the reader's own. */
const COMMAND = 'npm run -s lab -- kernel FILE';

const EMPTY: SweepMap = {
  start: '',
  body: '',
  given: [],
  last: 0,
  stretches: [],
  strips: [],
  pair: undefined,
  rows: [],
  columns: 0,
};

/** What interrupts what, in which text. */
interface Way {
  readonly path: KernelPath;
  readonly user: boolean;
  readonly features: readonly string[] | undefined;
}

export type Runs = ReturnType<typeof createRuns>;

export function createRuns(kernel: KernelState) {
  const path = signal<KernelPath>('nmi');
  const user = signal(false);
  const strikes = signal<readonly KernelStrike[]>([]);
  const ran = signal<Ran | undefined>(undefined);
  /** Whether a run is under way. */
  const busy = signal(false);
  const problem = signal('');
  /** What shows the run; undefined until there is one. */
  const lab = signal<Lab | undefined>(undefined);
  /** Counts runs that were opened from elsewhere: the reader is led to each. */
  const opened = signal(0);
  const first = signal<SweptFirst>('each');
  const second = signal<KernelEvent | ''>('');
  const phase = signal<SweepPhase>({ kind: 'none' });
  const map = signal<SweepMap>(EMPTY);
  const cell = signal<Cell | undefined>(undefined);
  /** What the map in view was asked for. */
  let swept: Way = { path: 'nmi', user: false, features: undefined };
  let running = 0;
  let sweeping = 0;
  /** Whether the next run is to be looked at from its beginning. */
  let anew = true;

  function hear(message: Message): void {
    const { kind, id } = message;
    if (id === running && running > 0) {
      if (kind === 'ran') show(message);
      else if (kind === 'refused') problem.value = message.problem;
      else if (kind === 'failed') problem.value = message.reason;
      busy.value = false;
    } else if (id === sweeping && sweeping > 0) {
      if (kind === 'sweeping' || kind === 'swept')
        batch(() => {
          map.value = message.map;
          phase.value =
            kind === 'swept' ? { kind: 'done', swept: message } : { kind: 'running', so: message };
        });
      else if (kind === 'refused') phase.value = { kind, problem: message.problem };
      else if (kind === 'failed') phase.value = { kind: 'refused', problem: message.reason };
    }
  }
  kernel.forward(hear);

  const played = ({ timeline }: Ran): Played => ({ kind: 'played', timeline, standing: { state: 'draft' } });

  /** The laboratory's parts ask as they ask their own worker. What a kernel has no answer to fails, and they go without. */
  const answer = async (question: Ask): Promise<unknown> => {
    const current = ran.value;
    if (!current) return { kind: 'failed', reason: 'nothing ran' };
    if (question.kind === 'play') return played(current);
    if (question.kind === 'origin' && typeof question.spot === 'number')
      return originOf(current, question.spot, question.boundary);
    return { kind: 'failed', reason: 'not of a kernel' };
  };

  function show(message: Ran): void {
    ran.value = message;
    problem.value = '';
    // Places as the run found them: a boundary by its number becomes one by its symbol.
    strikes.value = message.run.struck.map(({ event, at }) => ({ event, at }));
    const known = lab.value;
    const baked = bake(message.timeline);
    if (known && anew) void known.openPasted({ recipe: message.timeline.recipe, link: undefined });
    else if (known) void known.play(message.timeline.recipe);
    else if (baked) {
      const made: Lab = {
        ...createLab(baked, answer as Asker, { standing: { state: 'draft' }, pick: undefined, link: '' }),
        fire: async (event, at) => strike(event as KernelEvent, at),
      };
      made.live.value = true;
      lab.value = made;
      void made.load();
    }
  }

  function run(from: 'beginning' | 'here' = 'beginning'): void {
    anew = from === 'beginning';
    if (phase.value.kind === 'running') phase.value = { kind: 'cancelled' };
    busy.value = true;
    const features = kernel.features.value;
    running = kernel.ask({
      kind: 'run',
      path: path.value,
      user: user.value,
      features,
      strikes: strikes.value,
    });
  }

  /** One more event, at a boundary of the run in view. */
  function strike(event: KernelEvent, at = lab.value?.boundary.value ?? 0): void {
    const before = ran.value?.run.struck ?? [];
    strikes.value = [...before, { event, at: `b${at}`, boundary: at }]
      .toSorted((a, b) => a.boundary - b.boundary)
      .map((one) => ({ event: one.event, at: one.at }));
    run('here');
  }

  const schedules = (): readonly (readonly KernelEvent[])[] => {
    const one = first.value;
    const two = second.value;
    if (one === 'each') return [['nmi'], ['mc'], ['db'], ['pf']];
    if (two === '') return [[one]];
    return one === two ? [[one, two]] : [[one, two], [two]];
  };

  function openRun(events: readonly KernelStrike[], way = swept): void {
    batch(() => {
      path.value = way.path;
      user.value = way.user;
      strikes.value = events;
    });
    if (way.features?.join() !== kernel.features.value?.join()) patch(way.features);
    run();
    opened.value++;
  }

  /** Another processor, for the routine in view as well. */
  function patch(features: readonly string[] | undefined): void {
    const symbol = kernel.view.value?.listing.symbol;
    kernel.features.value = features;
    if (symbol) kernel.show(symbol, features);
  }

  const command = (text: string): string => `${COMMAND} ${text}`;

  return {
    kernel,
    ...{ path, user, strikes, ran, busy, problem, lab, opened },
    run,
    strike,
    /** The run without the n-th of its events. */
    unstrike(n: number): void {
      strikes.value = strikes.value.toSpliced(n, 1);
      run('here');
    },
    /** Another way; what struck on the one before means nothing on it. */
    change(to: { readonly path?: KernelPath; readonly user?: boolean }): void {
      batch(() => {
        path.value = to.path ?? path.value;
        user.value = path.value === 'syscall' || (to.user ?? user.value);
        strikes.value = [];
      });
      run();
    },
    /** Text for another processor, or as it was linked. */
    choose(features: readonly string[] | undefined): void {
      patch(features);
      run('here');
    },
    get runLine(): string {
      return command(
        runCommand(
          { path: path.value, user: user.value && path.value !== 'syscall', features: kernel.features.value },
          strikes.value,
        ),
      );
    },

    ...{ first, second, phase, map, cell, live: kernel.live, title: 'Sweep of your kernel' },
    sweep(): void {
      swept = { path: path.value, user: user.value, features: kernel.features.value };
      batch(() => {
        map.value = { ...EMPTY };
        cell.value = undefined;
        phase.value = { kind: 'running', so: undefined };
      });
      sweeping = kernel.ask({
        kind: 'sweep',
        ...swept,
        schedules: schedules(),
      });
    },
    cancel(): void {
      sweeping = 0;
      kernel.ask({ kind: 'stop' });
      phase.value = { kind: 'cancelled' };
    },
    get sweepLine(): string {
      return command(sweepCommand(swept, schedules()));
    },
    select(to: Cell | undefined): void {
      cell.value = to;
    },
    /** Opens the run of the chosen cell. */
    open(): void {
      const at = cell.value;
      const events = at && phase.value.kind !== 'running' ? strikesOf(map.value, at) : undefined;
      if (events)
        openRun(events.map(({ event, boundary }) => ({ event: event as KernelEvent, at: `b${boundary}` })));
    },
    openRun,
  };
}

/** The last write of a word, by its distance from T. */
function originOf({ timeline, writes }: Ran, spot: number, boundary: number): OriginTold {
  const address = timeline.top + 8n * BigInt(spot);
  const all = writes.get(address) ?? [];
  const at = all.findLast((one) => one <= boundary);
  const place = `q(${spot})`;
  const how = at === undefined ? 'it was there before the run' : (timeline.frames[at]?.sentence ?? '');
  return {
    kind: 'origin',
    place,
    value: 0n,
    trail: [{ place, boundary: at, kind: at === undefined ? 'earlier' : 'software', how }],
    end: '',
    next: all.find((one) => one > boundary),
  };
}
