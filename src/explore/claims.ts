/**
 * What a design's page claims of sweeps, made into sweeps: a promise must find nothing, a documented hole must find
 * something. A page has only to bear the marks; whoever goes through these checks it.
 */
import { type Design, type Sweep, startNamed } from '../kernel/design.ts';
import type { Library } from '../scenario/library.ts';
import { programOf } from '../scenario/program.ts';
import { parse } from '../scenario/recipe.ts';
import type { Found } from './found.ts';
import type { SweepAsk, SweepReport } from './sweep.ts';

export interface Claim {
  readonly kind: 'promises' | 'breaks';
  readonly sweep: Sweep;
  /** As the page says it: `breaks nmi, mc bound 3 from kernel-task with quiet`. */
  readonly text: string;
  /** Each is made by itself. Of a promise all must be clean; of a hole, some from each start with each body must find it. */
  readonly asks: readonly SweepAsk[];
}

/** Limits for those who cannot wait. */
export interface Limits {
  /** Events of one run of a promise; the page's own bound is taken where it is smaller. */
  readonly most?: number;
  /** See `SweepAsk`. */
  readonly window?: number;
}

/** What a sweep has to say for a claim to be judged. */
export type Told = Pick<SweepReport, 'schedules' | 'untold'> & {
  readonly violations: readonly Pick<Found, 'invariant' | 'sentence' | 'recipe'>[];
};

/** The claims of a design, in the order of its page. */
export function claimsOf(slug: string, pages: Library, limits: Limits = {}): readonly Claim[] {
  const { design } = programOf(pages, slug);
  return (['promises', 'breaks'] as const).flatMap((kind) =>
    design[kind].map((sweep) => claimOf(slug, kind, sweep, limits, shownOf(design, sweep.starts))),
  );
}

/** Transitions that runs from these starts show where nothing strikes: the most of all. A single event may be tried that long. */
export const shownOf = (design: Design, starts: readonly string[]): number =>
  Math.max(...starts.map((start) => startNamed(design, start)?.idle ?? 0));

function claimOf(
  design: string,
  kind: Claim['kind'],
  sweep: Sweep,
  { most, window: limit }: Limits,
  shown: number,
): Claim {
  const { events, bound, starts, bodies, without, judge, right } = sweep;
  const list = (names: readonly string[]): string => names.join(', ');
  const said = (word: string, names: readonly string[]): string =>
    names.length > 0 ? ` ${word} ${list(names)}` : '';
  const tail = said('without', without) + said('judge', judge) + (right ? ' right' : '');
  const text = `${kind} ${list(events)} bound ${bound} from ${list(starts)} with ${list(bodies)}${tail}`;
  const window = kind === 'breaks' && bound <= 1 ? shown : limit;
  const narrow = {
    ...(window === undefined ? {} : { window }),
    ...(without.length > 0 ? { without } : {}),
    ...(judge.length > 0 ? { judge, right } : {}),
  };
  const promised = kind === 'promises';
  const chosen = choices(events, promised && most !== undefined ? Math.min(most, bound) : Math.max(bound, 1));
  const asks = promised
    ? chosen.map((these): SweepAsk => ({ design, events: these, starts, bodies, ...narrow }))
    : starts.flatMap((start) =>
        bodies.flatMap((body) =>
          chosen
            .filter((these) => events.every((event) => these.includes(event)))
            .map(
              (these): SweepAsk => ({ design, events: these, starts: [start], bodies: [body], ...narrow }),
            ),
        ),
      );
  return { kind, sweep, text, asks };
}

/** Every way to take so many of some kinds of events: a sweep of each also has all with fewer. */
export function choices<T>(kinds: readonly T[], count: number): readonly (readonly T[])[] {
  const [kind, ...others] = kinds;
  if (count === 0) return [[]];
  if (kind === undefined) return [];
  return [...choices(kinds, count - 1).map((rest) => [kind, ...rest]), ...choices(others, count)];
}

/**
 * What speaks against a claim, a sentence each; nothing if it holds.
 *
 * @param reports what the sweeps of `claim.asks` said, in that order; of a hole some may be left out, see `shows`
 */
export function against(
  { kind, sweep, asks }: Claim,
  reports: readonly (Told | undefined)[],
): readonly string[] {
  const told = asks.map((ask, n) => ({ ask, report: reports[n] }));
  if (kind === 'breaks') return unfound(sweep, told);
  // What strikes only in the wake of another kind of event may find nothing to strike without it.
  const whole = told.filter(({ ask }) => sweep.events.every((event) => ask.events.includes(event)));
  const missing = whole.flatMap(({ ask, report }) =>
    report && report.schedules > (ask.starts?.length ?? 0) * (ask.bodies?.length ?? 0)
      ? []
      : [`${ask.events} from ${ask.starts} with ${ask.bodies}: nothing struck`],
  );
  return [
    ...missing,
    ...told.flatMap(({ report }) => report?.untold ?? []).map(({ name }) => `not modelled: ${name}`),
    ...told
      .flatMap(({ report }) => report?.violations ?? [])
      .map(({ invariant, sentence, recipe }) => `${invariant}: ${sentence}\n${recipe}`),
  ];
}

/** Whether a sweep has found a hole: then no other from that start with that body need be made. */
export const shows = ({ sweep }: Pick<Claim, 'sweep'>, report: Told): boolean =>
  report.violations.some(({ recipe }) => usesAll(recipe, sweep));

/** From where a hole was not found. A sweep that was not made has found nothing. */
function unfound(
  sweep: Sweep,
  told: readonly { readonly ask: SweepAsk; readonly report: Told | undefined }[],
): readonly string[] {
  const places = new Map<string, boolean>();
  for (const { ask, report } of told) {
    const place = `from ${ask.starts} with ${ask.bodies}`;
    const found = report !== undefined && shows({ sweep }, report);
    places.set(place, (places.get(place) ?? false) || found);
  }
  return [...places].filter(([, found]) => !found).map(([place]) => `${place}: nothing breaks`);
}

/** Whether every kind of event has a part in a recipe, or none where none is needed: a hole of two kinds is not one that either makes alone. */
function usesAll(recipe: string, { events, bound }: Sweep): boolean {
  const read = parse({ page: 'found', name: 'found', line: 1, lines: recipe.trimEnd().split('\n') });
  if (bound === 0) return read.recipe?.injects.length === 0;
  return events.every((event) => read.recipe?.injects.some((inject) => inject.event === event));
}
