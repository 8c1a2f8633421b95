/** Claims: what an `expect` says must be seen. */
import { printPosition, readPosition, wholeNumber } from './recipe-position.ts';
import type { Reader } from './recipe-reader.ts';
import { shown } from './recipe-tokens.ts';
import {
  type Claim,
  COUNTS,
  isKey,
  JUDGEMENTS,
  type PlainVerdict,
  type Position,
  VERDICTS,
} from './recipe-types.ts';

/** `I1`, or a name. */
const isInvariant = (word: string): boolean => /^I\d{1,2}$/.test(word) || isName(word);

const CLAIMS = ['verdict', 'violates', 'reg', 'word', 'latch', 'unwind', 'trace', 'count', 'digest'] as const;

/** Names of registers, roles, latches, unwinders and invariants. */
const isName = (word: string): boolean => /^[a-z][a-z0-9._-]*$/.test(word) && !isKey(word);

/** Values that need no quotes. */
const isBare = (word: string): boolean => /^[!-~]+$/.test(word) && !/[",@=]|^[|>]/.test(word) && !isKey(word);

/** Reads a position. */
export function position(reader: Reader): Position | undefined {
  // `cursor` is a key too, but here it can only be the position.
  if (reader.optional('cursor')) return { kind: 'cursor', place: reader.place };
  const bad = reader.next?.bad;
  const found = reader.word('position');
  if (!found || bad) return undefined;
  const read = readPosition(found.text);
  return typeof read === 'string' ? reader.problem(read, found.place) : { ...read, place: found.place };
}

/** `[ "at" position ]`: an empty object without it; undefined after a problem. */
function optionalAt(reader: Reader): { readonly at?: Position } | undefined {
  if (!reader.optional('at')) return {};
  const at = position(reader);
  return at && { at };
}

/** Reads what follows `expect`. */
export function claim(reader: Reader): Claim | undefined {
  const kind = reader.oneOf('claim', CLAIMS);
  if (!kind) return undefined;
  const { place } = kind;
  switch (kind.text) {
    case 'verdict': {
      const verdict = reader.oneOf('verdict', VERDICTS);
      if (!verdict) return undefined;
      const base = { place, valueAt: verdict.place, kind: 'verdict' } as const;
      if (verdict.text !== 'not-modelled') return { ...base, verdict: verdict.text satisfies PlainVerdict };
      const name = reader.fitting('name of what is not modelled', isBare);
      return name && { ...base, verdict: 'not-modelled', name: name.text, nameAt: name.place };
    }
    case 'violates': {
      const found = reader.fitting('invariant', isInvariant);
      const at = found && optionalAt(reader);
      return (
        at && {
          place,
          nameAt: found.place,
          valueAt: found.place,
          kind: 'violates',
          invariant: found.text,
          ...at,
        }
      );
    }
    case 'reg':
    case 'word':
    case 'latch': {
      const name = reader.fitting(NAMED[kind.text], isName);
      if (!name) return undefined;
      if (!reader.optional('is'))
        return reader.problem(`missing is: ${kind.text} ${shown(name.text)} is VALUE`);
      const value = reader.next?.kind === 'text' ? reader.text('value') : reader.fitting('value', isBare);
      const at = value && optionalAt(reader);
      if (!at) return undefined;
      return {
        place,
        nameAt: name.place,
        valueAt: value.place,
        kind: kind.text,
        name: name.text,
        value: value.text,
        ...at,
      };
    }
    case 'unwind': {
      const name = reader.fitting('unwinder', isName);
      const judgement = name && reader.oneOf('judgement', JUDGEMENTS);
      const at = judgement && optionalAt(reader);
      if (!at) return undefined;
      return {
        place,
        nameAt: name.place,
        valueAt: judgement.place,
        kind: 'unwind',
        unwinder: name.text,
        judgement: judgement.text,
        ...at,
      };
    }
    case 'trace': {
      const name = reader.fitting('unwinder', isName);
      const text = name && reader.text('line of a trace');
      const at = text && optionalAt(reader);
      if (!at) return undefined;
      return {
        place,
        nameAt: name.place,
        valueAt: text.place,
        kind: 'trace',
        unwinder: name.text,
        text: text.text,
        ...at,
      };
    }
    case 'count': {
      const of = reader.oneOf('count', COUNTS);
      const n = of && reader.fitting('number', (word) => wholeNumber(word) !== undefined);
      return (
        n && {
          place,
          nameAt: of.place,
          valueAt: n.place,
          kind: 'count',
          of: of.text,
          n: wholeNumber(n.text) ?? 0,
        }
      );
    }
    case 'digest': {
      const digest = reader.fitting('digest', (word) => /^[a-z0-9]+$/.test(word) && !isKey(word));
      const at = digest && optionalAt(reader);
      return at && { place, valueAt: digest.place, kind: 'digest', digest: digest.text, ...at };
    }
  }
}

const NAMED = { reg: 'register', word: 'role of a word', latch: 'latch' } as const;

/** What follows `expect` in the canonical form. */
export function printClaim(claim: Claim): string {
  const at = 'at' in claim && claim.at ? ` at ${printPosition(claim.at)}` : '';
  switch (claim.kind) {
    case 'verdict':
      return `verdict ${claim.verdict}${claim.verdict === 'not-modelled' ? ` ${claim.name}` : ''}`;
    case 'violates':
      return `violates ${claim.invariant}${at}`;
    case 'reg':
    case 'word':
    case 'latch':
      return `${claim.kind} ${claim.name} is ${isBare(claim.value) ? claim.value : `"${claim.value}"`}${at}`;
    case 'unwind':
      return `unwind ${claim.unwinder} ${claim.judgement}${at}`;
    case 'trace':
      return `trace ${claim.unwinder} "${claim.text}"${at}`;
    case 'count':
      return `count ${claim.of} ${claim.n}`;
    case 'digest':
      return `digest ${claim.digest}${at}`;
  }
}
