/** What a design with FRED declares: where events enter, which have a handler, and at what level they are. */
import type { Fred, Gate, InterruptStack } from './design.ts';
import { type Lookup, one, optional } from './lookup.ts';
import { PAGE_SIZE } from './memory-map.ts';
import { numberOf, Wrong } from './statement.ts';

/** Vectors that have a level of their own; those behind are interrupts. */
const LEVELS = 32;

/** An event with a handler in the code that is entered: a gate without a stack of its own, and its level. */
export type FredEvent = Gate & { readonly level: number };

/** An event that names no stack has level 0. */
export function readEvents(look: Lookup, stacks: readonly InterruptStack[]): readonly FredEvent[] {
  const seen = new Set<number>();
  return look.each('event', (said): readonly FredEvent[] => {
    const [number, handler] = said.values;
    if (!number || !handler) return [];
    const on = one(said, 'on');
    const vector = numberOf(number, 0, on ? LEVELS - 1 : 255);
    if (seen.has(vector)) throw new Wrong(`duplicate event: ${vector}`, number.place);
    seen.add(vector);
    const level = stacks.find(({ stack }) => stack.name === on?.text)?.level ?? 0;
    if (on && level === 0)
      throw new Wrong(`unknown level: ${on.text} (write stack ${on.text} level N)`, on.place);
    const address = optional(() => look.place(handler));
    return [{ vector, entry: handler.text, address, ist: 0, dpl: 0n, table: undefined, level }];
  });
}

export function readFred(look: Lookup, events: readonly FredEvent[]): Fred | undefined {
  const levels = events.reduce((all, { vector, level }) => all | (BigInt(level) << BigInt(2 * vector)), 0n);
  return look
    .each('fred', (said) => {
      const [label] = said.values;
      const zone = one(said, 'redzone');
      const entry = label && look.place(label);
      if (!label || entry === undefined) return [];
      if (entry % PAGE_SIZE !== 0n)
        throw new Wrong(`invalid label: ${label.text} (not at the beginning of a page)`, label.place);
      const redZone = BigInt(zone ? numberOf(zone, 0, 7 * 64) : 0);
      if (zone && redZone % 64n !== 0n)
        throw new Wrong(`invalid number: ${zone.text} (a multiple of 64)`, zone.place);
      return [{ entry, redZone, levels }];
    })
    .at(-1);
}
