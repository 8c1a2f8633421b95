/** A scenario, and more events anywhere in its run. */
import { USUAL_SETUP } from '../kernel/boot.ts';
import type { Design } from '../kernel/design.ts';
import { printPosition } from '../scenario/recipe-position.ts';
import type { Recipe } from '../scenario/recipe-types.ts';
import { KINDS, type Strikes } from './events.ts';
import type { SweepAsk } from './sweep.ts';

/** What strikes beside the scenario's own events, and what is changed about it. */
export interface More {
  readonly events: readonly string[];
  /** Safeguards that are taken away; the scenario's own, unless told. */
  readonly without?: readonly string[];
  /** The scenario's own, unless told. */
  readonly start?: string;
  readonly body?: string;
  readonly window?: number;
}

/**
 * The ask for a scenario with more events: its own events strike in any case, the others anywhere. What it expects is
 * not looked at.
 */
export function around(recipe: Recipe, { events, ...more }: More): SweepAsk {
  return {
    design: recipe.design ?? '',
    events,
    given: recipe.injects.map(({ event, position }) => `${event} at ${printPosition(position)}`),
    without: more.without ?? recipe.without,
    edits: recipe.edits,
    starts: [more.start ?? recipe.start ?? USUAL_SETUP.start],
    bodies: [more.body ?? recipe.body ?? USUAL_SETUP.body],
    ...(recipe.sets.some(({ name }) => name === 'impossible') ? { anywhere: true } : {}),
    ...(more.window === undefined ? {} : { window: more.window }),
  };
}

/** Every kind of event, and whether it has a cause in a design, and a gate where it needs one. */
export function eventsOf({
  absent,
  patchable,
  watched,
  intercepted,
  gates,
}: Design): readonly (Strikes & { readonly possible: boolean })[] {
  const hasGate = (from: number, to = from): boolean =>
    gates.some(({ vector }) => vector >= from && vector <= to);
  const possible: Readonly<Record<Strikes['event'], boolean>> = {
    nmi: true,
    mc: hasGate(18),
    pf: absent.length > 0,
    bp: patchable.length > 0,
    db: watched.length > 0,
    irq: hasGate(32, 255),
    gp: false,
    vc: intercepted.length > 0,
  };
  // An NMI is what these maps are about: it is offered first.
  return KINDS.map((kind) => ({ ...kind, possible: possible[kind.event] })).toReversed();
}
