/** What a recipe says must be seen, held against what was seen. */
import type { Problem } from '../asm/source.ts';
import type { Image, Place } from '../image/image.ts';
import type { Design } from '../kernel/design.ts';
import { INVARIANTS } from './invariants.ts';
import { addressAt, locate } from './positions.ts';
import { printPosition } from './recipe-position.ts';
import type { Claim, Position } from './recipe-types.ts';
import type { Frame, Timeline } from './timeline.ts';
import { fromTop, place } from './words.ts';

/** A run and what is needed to read positions and names in it. */
export interface Seen {
  readonly timeline: Timeline;
  readonly image: Image;
  readonly design: Design;
  readonly rips: readonly bigint[];
  /** A and S: what the first NMI interrupted. */
  readonly first: { readonly rip: bigint; readonly rsp: bigint } | undefined;
}

const YES = new Map([
  ['yes', true],
  ['1', true],
  ['no', false],
  ['0', false],
]);

/** Why a run does not break an invariant, where it is said to; undefined if it does. */
function refuteBreak(claim: Claim & { readonly kind: 'violates' }, seen: Seen): string | undefined {
  const { invariant, at } = claim;
  if (!(invariant in INVARIANTS))
    return `unknown invariant: ${invariant} (there is ${Object.keys(INVARIANTS).join(', ')})`;
  const { broken } = seen.timeline;
  const found = broken.find((one) => one.invariant === invariant);
  const others = broken.map((one) => `${one.invariant} at b${one.boundary}`).join(', ');
  if (!found) return `expected ${invariant} to break, ${others ? `got ${others}` : 'nothing did'}`;
  if (!at) return undefined;
  const frame = frameAt(at, seen);
  if (typeof frame === 'string') return frame;
  return frame.boundary === found.boundary
    ? undefined
    : `expected ${invariant} to break at ${printPosition(at)}, got b${found.boundary}`;
}

/** The problems of all claims that do not hold, each at the value that is wrong. */
export function check(claims: readonly Claim[], seen: Seen, otherwise: Place): readonly Problem[] {
  return claims.flatMap((claim): Problem[] => {
    const message = refute(claim, seen);
    return message === undefined ? [] : [{ ...(claim.valueAt ?? claim.place ?? otherwise), message }];
  });
}

/** Whether a claim is about the cursor: what it says may hold at one boundary and not at the next. */
export function isAtCursor(claim: Claim): boolean {
  if (claim.kind === 'verdict' || claim.kind === 'count') return false;
  if (!claim.at) return claim.kind !== 'violates'; // which then may be anywhere
  return claim.at.kind === 'cursor';
}

function refute(claim: Claim, seen: Seen): string | undefined {
  const { timeline } = seen;
  if (claim.kind === 'verdict') {
    const { outcome } = timeline;
    const got = outcome.verdict === 'not-modelled' ? `not-modelled ${outcome.name}` : outcome.verdict;
    const want = claim.verdict === 'not-modelled' ? `not-modelled ${claim.name}` : claim.verdict;
    const why = 'sentence' in outcome ? ` (${outcome.sentence})` : '';
    return got === want ? undefined : `expected verdict ${want}, got ${got}${why}`;
  }
  if (claim.kind === 'count') {
    const got = timeline.counts[claim.of];
    return got === claim.n ? undefined : `expected ${claim.of} ${claim.n}, got ${got}`;
  }
  if (claim.kind === 'violates') return refuteBreak(claim, seen);
  const at = frameAt(claim.at ?? { kind: 'cursor' }, seen);
  if (typeof at === 'string') return at;
  const where = `at ${printPosition(claim.at ?? { kind: 'cursor' })}`;
  switch (claim.kind) {
    case 'digest':
      return at.digest === claim.digest
        ? undefined
        : `expected digest ${claim.digest} ${where}, got ${at.digest}`;
    case 'latch': {
      if (claim.name !== 'blocked' && claim.name !== 'pending')
        return `unknown latch: ${claim.name} (there is blocked, pending)`;
      const want = YES.get(claim.value);
      if (want === undefined) return `invalid value: ${claim.value} (write yes or no)`;
      return at.latch[claim.name] === want
        ? undefined
        : `expected ${claim.name} ${claim.value} ${where}, got ${want ? 'no' : 'yes'}`;
    }
    case 'unwind': {
      const verdict = at.verdicts.find(({ unwinder }) => unwinder === claim.unwinder);
      if (!verdict) return unknownUnwinder(claim.unwinder, seen);
      return verdict.judgement === claim.judgement
        ? undefined
        : `expected ${claim.unwinder} ${claim.judgement} ${where}, got ${verdict.judgement} (${verdict.reason})`;
    }
    case 'trace': {
      const verdict = at.verdicts.find(({ unwinder }) => unwinder === claim.unwinder);
      if (!verdict) return unknownUnwinder(claim.unwinder, seen);
      return verdict.printed.some((line) => line.includes(claim.text))
        ? undefined
        : `expected a line with "${claim.text}" in the trace of ${claim.unwinder} ${where}`;
    }
    case 'reg':
    case 'word': {
      const word = claim.kind === 'word' ? at.words.find(({ role }) => role === claim.name) : undefined;
      const got = claim.kind === 'word' ? word?.value : at.registers[claim.name];
      if (got === undefined) return `unknown ${claim.kind === 'word' ? 'role' : 'register'}: ${claim.name}`;
      const want = valueNamed(claim.value, seen);
      if (typeof want === 'string') return want;
      return got === want
        ? undefined
        : `expected ${claim.name} ${claim.value} ${where}, got ${shown(got, claim.value, seen)}`;
    }
  }
}

const unknownUnwinder = (name: string, { timeline }: Seen): string =>
  `unknown unwinder: ${name} (asked are ${timeline.rules.map(({ id }) => id).join(', ')})`;

function frameAt(position: Position, { timeline, image, rips }: Seen): Frame | string {
  const found = locate(position, image, rips, timeline.cursor);
  if ('problem' in found) return found.problem;
  return (
    timeline.frames[found.boundary] ??
    `invalid position: ${printPosition(position)} (this run has boundaries 0 to ${timeline.frames.length - 1})`
  );
}

/**
 * A value as a recipe writes it: a number, `T-136`, `A` or `S`, `yes` or `no`, a label with an offset in bytes
 * (its address), or a position (RIP at that boundary).
 */
function valueNamed(text: string, { image, design, rips, first, timeline }: Seen): bigint | string {
  if (/^(0x[\da-f]+|\d+)$/i.test(text)) return BigInt(text);
  const top = /^T(?:-(\d+))?$/.exec(text);
  if (top) return design.top - BigInt(top[1] ?? 0);
  if (text === 'A' || text === 'S')
    return (text === 'A' ? first?.rip : first?.rsp) ?? `invalid value: ${text} (no NMI struck in this run)`;
  const flag = YES.get(text);
  if (flag !== undefined) return flag ? 1n : 0n;
  const [, label = '', occurrence, offset = ''] =
    /^([A-Za-z_.][\w.]*)(?:#(\d+))?((?:\+0x[\da-f]+|[+-]\d+)?)$/i.exec(text) ?? [];
  if (!label) return `invalid value: ${text}`;
  const bytes = offset.startsWith('+0x') ? Number(offset.slice(1)) : 0;
  const position = {
    kind: 'label',
    label,
    occurrence: Number(occurrence ?? 1),
    steps: bytes > 0 || !offset ? 0 : Number(offset),
    bytes,
  } as const;
  if (bytes > 0 || (!offset && !occurrence)) {
    const at = addressAt(position, image);
    return 'problem' in at ? at.problem : at.address;
  }
  const found = locate(position, image, rips, timeline.cursor);
  return 'problem' in found ? found.problem : (rips[found.boundary] ?? `invalid value: ${text}`);
}

/** The value that was found, written as the expected one is. */
function shown(got: bigint, want: string, { image, design }: Seen): string {
  if (/^\d+$/.test(want)) return String(got);
  if (want === 'yes' || want === 'no') return got === 1n ? 'yes' : got === 0n ? 'no' : String(got);
  return fromTop(got, design) ?? place(image, got);
}
