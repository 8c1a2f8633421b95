/** What the worker answers about the past and the next step of a boundary. Loaded when first asked. */
import { Printer } from '../../engine/backends/print.ts';
import { printDelivery, printFredDelivery } from '../../engine/pseudocode.ts';
import { INTEL } from '../../engine/vendor.ts';
import { segmentAt, symbolize } from '../../image/image.ts';
import { familyOf } from '../../isa/family.ts';
import { print } from '../../isa/print.ts';
import { CR4 } from '../../isa/state.ts';
import { DESCRIPTIONS } from '../../isa/table/descriptions.ts';
import type { StackRange } from '../../kernel/memory-map.ts';
import type { Library } from '../../scenario/library.ts';
import { originOf, type Spot, type Writing } from '../../scenario/origin.ts';
import { replayOf } from '../../scenario/record.ts';
import type { Replay } from '../../scenario/replay.ts';
import { TAPED } from '../../scenario/tape.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import { BEFORE, place } from '../../scenario/words.ts';
import type {
  Failed,
  OriginAsk,
  OriginTold,
  PseudoAsk,
  PseudoTold,
  TrailStep,
  TravelAsk,
  Travelled,
  WordsAsk,
  WordsTold,
} from './protocol.ts';
import { runOf } from './runs.ts';
import { tail } from './words.ts';

function asked(
  { recipe, pick, boundary }: OriginAsk | WordsAsk | TravelAsk | PseudoAsk,
  pages: Library,
): { readonly timeline: Timeline; readonly replay: Replay } | Failed {
  const timeline = runOf(recipe, pick, pages);
  const replay = replayOf(timeline);
  if (!replay || !(boundary >= 0 && boundary <= replay.tape.last))
    return { kind: 'failed', reason: `invalid boundary: ${boundary}` };
  return { timeline, replay };
}

/** Where a value comes from. */
export function answerOrigin(ask: OriginAsk, pages: Library): OriginTold | Failed {
  const found = asked(ask, pages);
  if ('kind' in found) return found;
  const { timeline, replay } = found;
  const spot = spotOf(ask.spot, timeline);
  if (!spot) return { kind: 'failed', reason: `unknown register: ${ask.spot}` };
  const { value, trail, next } = originOf(replay, spot, ask.boundary);
  const named = (one: Spot) => placeOf(one, timeline);
  return {
    kind: 'origin',
    place: named(spot),
    value,
    trail: trail.map((one) => stepOf(one, named)),
    end: endOf(trail.at(-1)),
    next,
  };
}

/** What lies in words of any stack. */
export function answerWords(ask: WordsAsk, pages: Library): WordsTold | Failed {
  const found = asked(ask, pages);
  if ('kind' in found) return found;
  const { timeline, replay } = found;
  replay.seek(ask.boundary);
  const { machine, image } = replay;
  const pointed = (value: bigint): string => {
    if (segmentAt(image, value)?.executable) return place(image, value);
    const stack = timeline.stacks.find(({ begin, end }) => value >= begin && value < end);
    return stack ? `${titleOf(stack)} ${tail(value)}` : '';
  };
  const words = ask.spots.map((index) => {
    const address = timeline.top + 8n * BigInt(index);
    const value = machine.read(address, 64) ?? 0n;
    const author = replay.author(address, ask.boundary) ?? BEFORE;
    return {
      index,
      value,
      meaning: pointed(value),
      author,
      changed: ask.boundary > 0 && author.boundary === ask.boundary,
    };
  });
  return { kind: 'words', words };
}

function spotOf(spot: number | string, { top }: Timeline): Spot | undefined {
  if (typeof spot === 'number') return { kind: 'word', address: top + 8n * BigInt(spot) };
  const name = ([...TAPED, 'rip'] as const).find((one) => one === spot);
  return name && { kind: 'register', name };
}

const titleOf = ({ name }: StackRange): string => (name === 'TASK' ? 'task' : name);

function placeOf(spot: Spot, { top, stacks, frames }: Timeline): string {
  if (spot.kind === 'register') return spot.name;
  const index = Number((spot.address - top) / 8n);
  const role = frames[0]?.words.find((word) => word.index === index)?.role;
  if (role !== undefined) return `q(${index}) ${role}`;
  const stack = stacks.find(({ begin, end }) => spot.address >= begin && spot.address < end);
  const where = stack ? `${titleOf(stack)} stack` : 'memory';
  return `${where}, ${spot.address.toString(16)}`;
}

function stepOf({ spot, boundary, kind, by, text, from }: Writing, named: (spot: Spot) => string): TrailStep {
  const copied = from ? `, copied from ${named(from)}` : '';
  const word = spot.kind === 'word';
  const how =
    kind === 'earlier'
      ? 'there before this run'
      : kind === 'hardware'
        ? `${word ? 'pushed' : 'loaded'} by the CPU, delivering ${by}${copied}`
        : `${word ? 'stored' : 'loaded'} by ${by}: ${text}${copied}`;
  return { place: named(spot), boundary, kind, how };
}

function endOf(last: Writing | undefined): string {
  if (!last || last.kind === 'earlier') return 'It was there before this run.';
  if (last.from) return 'The trail goes on from there.';
  return last.kind === 'hardware' ? 'The CPU made it.' : 'That instruction made it.';
}

/** Where the moves lead. */
export function answerTravel(ask: TravelAsk, pages: Library): Travelled | Failed {
  const found = asked(ask, pages);
  if ('kind' in found) return found;
  const { tape } = found.replay;
  return {
    kind: 'travelled',
    over: tape.over(ask.boundary),
    backOver: tape.backOver(ask.boundary),
    nextEvent: tape.nextDelivery(ask.boundary),
    previousEvent: tape.previousDelivery(ask.boundary),
  };
}

/** What the transition that leads on from a boundary does, printed from the functions that run it. */
export function answerPseudo(ask: PseudoAsk, pages: Library): PseudoTold | Failed {
  const found = asked(ask, pages);
  if ('kind' in found) return found;
  const { replay } = found;
  replay.seek(ask.boundary);
  const { machine, image } = replay;
  if (machine.eventDue) {
    const fred = ((machine.get('cr4') >> BigInt(CR4.fred)) & 1n) !== 0n;
    const to = Math.min(ask.boundary + 1, replay.tape.last);
    return {
      kind: 'pseudo',
      title: `delivery of ${replay.tape.delivery(to) ?? 'an event'}`,
      manual: fred ? 'SDM volume 3, section 8.3' : 'SDM volume 3, section 6.14; volume 2, "INT n"',
      lines: fred ? printFredDelivery() : printDelivery(),
    };
  }
  const rip = machine.get('rip');
  const instruction = machine.instructionAt(rip);
  if (!instruction) return { kind: 'failed', reason: 'no instruction can be fetched here' };
  const { row, shape } = instruction;
  const printer = new Printer(INTEL, { a: shape.b.kind === '-' ? 'operand' : 'dst', b: 'src', c: 'src2' });
  row.semantics(printer, shape);
  return {
    kind: 'pseudo',
    title: print(instruction, rip, (address) => symbolize(image, address)),
    manual: DESCRIPTIONS.get(familyOf(row))?.manual ?? '',
    lines: printer.text(),
  };
}
