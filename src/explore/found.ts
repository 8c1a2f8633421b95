/** What was found: breaks that look alike are one, told by their shortest recipe. */
import type { Invariant } from '../scenario/invariants.ts';

/** Breaks of one invariant that look alike, told by their shortest schedule, from whatever start. */
export interface Found {
  readonly invariant: Invariant;
  /** A scenario's text that runs, links and mails. */
  readonly recipe: string;
  /** Boundary at which it shows. */
  readonly step: number;
  readonly sentence: string;
  readonly start: string;
  readonly body: string;
  /** How many schedules break it so; of I6 and I12, at how many distinct states. */
  readonly schedules: number;
}

/** Whether a break is one of an unwinder: then states are counted, and not schedules. */
export const isOfUnwinder = (invariant: Invariant): boolean => invariant === 'I6' || invariant === 'I12';

/** Kinds of breaks that a report tells. */
const TOLD = 50;

/** What breaks that look alike have in common: places and numbers aside. */
export const likeness = (invariant: string, sentence: string): string =>
  `${invariant} ${sentence
    .replace(/\b(?:0x[\da-f]+(?:, \S+ stack)?|[\w.]+\+0x[\da-f]+|T(?:-\d+)?)\b/g, '')
    .replace(/\b(?:an NMI|\d+ NMIs)\b/g, 'NMIs')
    .replace(/\d+/g, '')}`;

/** The number of events in a recipe. */
const events = ({ recipe }: Found): number =>
  recipe.split('\n').filter((line) => line.startsWith('inject')).length;

/** Alike breaks of several parts or shards become one; the shortest first. */
export function shortest(found: readonly Found[]): readonly Found[] {
  const groups = new Map<string, Found>();
  const ordered = found.toSorted((a, b) => events(a) - events(b) || a.step - b.step);
  for (const one of ordered) {
    const name = likeness(one.invariant, one.sentence);
    const group = groups.get(name);
    groups.set(name, group ? { ...group, schedules: group.schedules + one.schedules } : one);
  }
  return [...groups.values()].slice(0, TOLD);
}
