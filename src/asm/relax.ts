/** Sizes of branches and gaps, and with them every address. */
import { Mistake } from './clause.ts';
import { type Expression, evaluate } from './expression.ts';
import type { Item, Section } from './section.ts';
import type { Value, View } from './symbol.ts';

/** What is known while text is read: distances within runs of settled bytes. */
export const viewOfReading = (): View => ({
  stamp: 0,
  final: false,
  locate: ({ section, anchor, offset }): Value => ({ section, anchor, number: BigInt(offset) }),
});

/** What is known when everything has an address. The anchor of a value is the item it lies at. */
const viewOfLayout = (): View => ({
  stamp: 0,
  final: true,
  locate: ({ section, item, into }): Value => {
    const address = (section.items[item]?.address ?? section.end) + BigInt(into);
    return { section, anchor: item, number: BigInt.asIntN(64, address) };
  },
});

/** Passes until branches grow ahead of need, and until sizes that go up and down are given up. */
const PATIENCE = 100;
const MAX_PASSES = 200;

/**
 * Finds the sizes: every branch starts short and grows when its target is out of reach, until nothing changes.
 * Passes go as those of GNU as (2.40, `relax_segment` and `relax_frag` in write.c), so that code with alignment, for
 * which there is more than one answer, comes out the same. `stuck` holds what never came to rest.
 */
export function layout(sections: readonly Section[]): {
  readonly view: View;
  readonly stuck: readonly Item[];
} {
  const view = viewOfLayout();
  const plans = sections.map(planOf);
  for (const { section } of plans) {
    // Out of the section nothing is ever near.
    for (const item of section.items)
      if (item.branch && isElsewhere(item.branch.target, section, view)) item.size = item.branch.long;
  }
  for (const { section } of plans) section.place();
  let stuck: readonly Item[] = [];
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    stuck = plans.flatMap((plan) => relax(plan, view, pass < PATIENCE ? 128n : 64n));
    if (stuck.length === 0) break;
  }
  for (const { section } of plans) section.place();
  view.stamp++;
  return { view, stuck: stuck.filter((item) => item.count) };
}

function isElsewhere(target: Expression, section: Section, view: View): boolean {
  try {
    return evaluate(target, view)?.section !== section;
  } catch (mistake) {
    if (mistake instanceof Mistake) return false;
    throw mistake;
  }
}

interface Plan {
  readonly section: Section;
  /** For each item, and the end: how many alignments lie before it. */
  readonly regions: readonly number[];
  /** First item whose size may change; what lies before it never moves. */
  readonly first: number;
}

function planOf(section: Section): Plan {
  let region = 0;
  const regions = section.items.map((item) => (item.fit ? region++ : region));
  const first = section.items.findIndex((item) => item.fit || item.count || item.branch);
  return { section, regions: [...regions, region], first: first < 0 ? section.items.length : first };
}

/** One pass over a section: items move by what those before them have grown. Gives the items whose size changed. */
function relax(plan: Plan, view: View, reach: bigint): readonly Item[] {
  const { section, first } = plan;
  const changed: Item[] = [];
  let stretch = 0;
  for (let n = first; n < section.items.length; n++) {
    const item = section.items[n] as Item;
    if (stretch !== 0) item.address += BigInt(stretch);
    const size = sizeOf(plan, n, item, view, stretch, reach);
    if (size === item.size) continue;
    stretch += size - item.size;
    item.size = size;
    changed.push(item);
  }
  section.end += BigInt(stretch);
  return changed;
}

function sizeOf(plan: Plan, n: number, item: Item, view: View, stretch: number, reach: bigint): number {
  if (item.fit) return item.fit(item.address);
  if (!item.branch && !item.count) return item.size;
  view.stamp++;
  try {
    return item.branch
      ? lengthOf(plan, n, item, item.branch, view, stretch, reach)
      : (item.count?.(view) ?? 0);
  } catch (mistake) {
    // What is wrong with the expression is said when its bytes are written; until then the size stays.
    if (mistake instanceof Mistake) return item.size;
    throw mistake;
  }
}

function lengthOf(
  { section, regions }: Plan,
  n: number,
  item: Item,
  { target, short, long }: NonNullable<Item['branch']>,
  view: View,
  stretch: number,
  reach: bigint,
): number {
  if (item.size === long) return long;
  const value = evaluate(target, view);
  if (value?.section !== section) return long;
  let distance = BigInt.asIntN(64, value.number - item.address - BigInt(short));
  if (stretch !== 0 && value.anchor > n) {
    // A target not reached in this pass will move as this branch did, unless alignment takes the growth up.
    if (stretch < 0 || regions[value.anchor] === regions[n]) distance += BigInt(stretch);
    else if (distance + BigInt(short) < 0n) return short;
  }
  return distance >= -reach && distance < reach ? short : long;
}
