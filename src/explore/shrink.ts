/** From a schedule that breaks something to the text of a scenario that shows it. */
import type { Execution } from '../scenario/execution.ts';
import { print } from '../scenario/recipe.ts';
import type { Claim, Position } from '../scenario/recipe-types.ts';
import type { Outcome } from './outcomes.ts';
import type { Part, SweepAsk } from './sweep.ts';

/**
 * The recipe of an outcome. Its positions are said by label where one is near, as a reader would; a run of it breaks
 * the same invariant.
 *
 * @param seen what else is to be expected of it, by the position of a boundary
 */
export function recipeOf(
  { design, without = [], edits = [], anywhere = false }: SweepAsk,
  { start, body, execution, given, kinds, bounds }: Part,
  { schedule, end }: Pick<Outcome, 'schedule' | 'end'>,
  seen: (positionAt: (boundary: number) => Position) => readonly Claim[] = () => [],
): string {
  const strikes = schedule.map(({ kind, boundary }) => ({ event: kinds[kind]?.event ?? 'nmi', boundary }));
  const all = [...given, ...strikes].toSorted((a, b) => a.boundary - b.boundary);
  const rips: bigint[] = [];
  execution.run(all, bounds.budget, () => rips.push(execution.booted.machine.get('rip')), bounds.window);
  return print({
    slug: 'found',
    version: 0,
    notes: [],
    design,
    sets: anywhere ? [{ name: 'impossible', value: 'allow' }] : [],
    without,
    start,
    body,
    injects: all.map(({ event, boundary }) => ({ event, position: positionOf(execution, rips, boundary) })),
    edits,
    expects: [
      ...(end.kind === 'violated' ? [{ kind: 'violates', invariant: end.invariant } as const] : []),
      ...seen((boundary) => positionOf(execution, rips, boundary)),
    ],
  });
}

/** So far behind a label a position is still said by it. */
const NEAR = 40;

/** A boundary by the label that control came by last. */
export function positionOf({ image }: Execution, rips: readonly bigint[], boundary: number): Position {
  const labels = new Map(image.symbols.map(({ name, address }) => [address, name]));
  for (let at = boundary; at >= Math.max(0, boundary - NEAR); at--) {
    const rip = rips[at];
    const label = rip === undefined ? undefined : labels.get(rip);
    if (label === undefined || rips[at - 1] === rip) continue;
    const occurrence = rips.slice(0, at + 1).filter((one, n) => one === rip && rips[n - 1] !== one).length;
    return { kind: 'label', label, occurrence, steps: boundary - at, bytes: 0 };
  }
  return { kind: 'boundary', n: boundary };
}
