/** What a mail says first: what is seen at a boundary of a run, in words, and the same as an `expect`. */
import { isAtCursor } from './expect.ts';
import { sentence } from './mail-text.ts';
import { fromTopText, labelAt, placeText } from './race.ts';
import { printPosition } from './recipe.ts';
import { type Claim, JUDGEMENTS, type Recipe } from './recipe-types.ts';
import type { Timeline, Verdict } from './timeline.ts';

export interface Said {
  /** The most important first; each says something that was seen and nothing else. */
  readonly sentences: readonly string[];
  /** The unwinder it is about, whose trace is the evidence. */
  readonly verdict: Verdict | undefined;
  /** The claim as recipes state it, at the cursor. */
  readonly expects: readonly Claim[];
}

const bad = ({ judgement }: Verdict): boolean => judgement !== 'right' && judgement !== 'not-asked';

/** Names of functions get their brackets (maintainer-tip.rst, *Function references in changelogs*), records lose their braces. */
export const prose = (text: string): string =>
  fromTopText(text)
    .replace(/\{(\w+)\}/g, '$1')
    .replace(/\bS, the task\b/g, 'the task')
    .replace(/(?<![\w.-])S(?=[+-]\d|[\s.,:])/g, 'task RSP')
    .replace(/(?<![\w$/.-])[a-z]\w*_\w+\b(?![\w(+\]]|-\w)/g, '$&()');

/** A word that the reader chose, not one that anybody proposed. */
const isPick = ({ unwinder }: Verdict): boolean => /^end-(?!(?:2|14)$)/.test(unwinder);

/**
 * The unwinder to speak of: one that the recipe speaks of here, rather one that fails; else the one that fails worst,
 * else one that is right. The reader's own rule counts only where the recipe speaks of it.
 */
function featured(all: readonly Verdict[], recipe: Recipe, atCursor: boolean): Verdict | undefined {
  const claims = recipe.expects.flatMap((claim) => (claim.kind === 'unwind' ? [claim] : []));
  const verdicts = all.filter(
    (one) => !isPick(one) || claims.some(({ unwinder }) => unwinder === one.unwinder),
  );
  const expected = claims.flatMap((claim) => (atCursor && isAtCursor(claim) ? [claim.unwinder] : []));
  const failing = verdicts.filter(bad);
  const worst = failing.toSorted((a, b) => rank(b) - rank(a));
  return (
    failing.find(({ unwinder }) => expected.includes(unwinder)) ??
    verdicts.find(({ unwinder, judgement }) => judgement === 'right' && expected.includes(unwinder)) ??
    worst[0] ??
    verdicts.find(({ judgement }) => judgement === 'right')
  );
}

const rank = ({ judgement }: Verdict): number => (JUDGEMENTS as readonly string[]).indexOf(judgement);

/** `At nested_nmi_out`, or `At boundary 41, do_work+0x11`. */
function atText(timeline: Timeline, boundary: number): string {
  const label = labelAt(timeline, boundary);
  if (label) return `At label ${printPosition(label)}`;
  return `At boundary ${boundary}, ${placeText(timeline.frames[boundary]?.at ?? '')}`;
}

/** What there is to say at a boundary. The boundary must be one of the run. */
export function claimOf(timeline: Timeline, recipe: Recipe, boundary: number): Said {
  const { frames, rules, outcome, counts } = timeline;
  const frame = frames[boundary];
  const verdict = frame && featured(frame.verdicts, recipe, boundary === timeline.cursor);
  const named = ({ unwinder }: Verdict): string => rules.find(({ id }) => id === unwinder)?.name ?? unwinder;
  const subject = (one: Verdict): string => {
    const name = named(one);
    return /^end\[/.test(name) ? name : `the ${name} unwinder`;
  };
  const sentences: string[] = [];
  const expects: Claim[] = [];
  if (outcome.verdict === 'not-modelled') {
    expects.push({ kind: 'verdict', verdict: 'not-modelled', name: outcome.name });
    sentences.push(`The run ends early: ${outcome.sentence}.`);
  } else if (outcome.verdict !== 'returns') {
    expects.push({ kind: 'verdict', verdict: outcome.verdict });
    sentences.push(`The run ends badly (${outcome.verdict}): ${outcome.sentence}.`);
  }
  if (verdict) {
    const { unwinder, judgement } = verdict;
    sentences.push(`${subject(verdict)} ${verdict.reason}`);
    if (judgement !== 'not-asked')
      expects.push({ kind: 'unwind', unwinder, judgement, at: { kind: 'cursor' } });
  }
  if (outcome.verdict === 'returns' && (!verdict || !bad(verdict))) {
    const { 'nmi-served': served, 'nmi-merged': merged } = counts;
    const handlers = served === 1 ? 'a handler runs once' : `handlers run ${served} times`;
    sentences.push(
      served === 0
        ? 'No NMI strikes.'
        : `Every interrupted context comes back whole; ${handlers}${merged > 0 ? `, ${merged} merged` : ''}.`,
    );
    expects.push({ kind: 'verdict', verdict: 'returns' });
  }
  const right = frame?.verdicts.find((one) => one.judgement === 'right' && one !== verdict);
  if (verdict && bad(verdict) && right) sentences.push(`${subject(right)} ${right.reason}`);
  // The place is a label, not a function, and stays as it is.
  const where = `${atText(timeline, boundary)}, `;
  const about = verdict ? `${subject(verdict)} ${verdict.reason}` : '';
  return {
    sentences: sentences.map((text) => (text === about ? where + prose(text) : sentence(prose(text)))),
    verdict,
    expects,
  };
}
