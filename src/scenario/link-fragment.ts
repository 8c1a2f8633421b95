/** The part of a link behind `#`. */
import { isDigest } from './digest.ts';
import { type Codec, unpackEdits } from './link-edits.ts';
import {
  COMPARED,
  LETTERS,
  type LinkState,
  type Strike,
  sortNames,
  sortSets,
  sortStrikes,
} from './link-state.ts';
import { wholeNumber } from './recipe-position.ts';
import { shown } from './recipe-tokens.ts';
import { type Edit, EVENTS, type EventName, isSlug } from './recipe-types.ts';

/** Why something is not a link: one sentence, lower case, and where in the text, from 0. */
export interface Failure {
  readonly problem: string;
  readonly at?: number;
}

export type Said = Omit<LinkState, 'slug' | 'version' | 'checkpoint'>;

interface Draft {
  cursor?: number;
  injections?: Strike[];
  without?: string[];
  sets?: { name: string; value: string }[];
  body?: string | null;
  edits?: readonly Edit[];
  compare?: string;
}

/** Reads `t41.n6~k3v9qdtw`, parts in any order. What is not understood is named, never skipped. */
export function readFragment(fragment: string, codec: Codec | undefined): Said | Failure {
  const stranger = /[^\w.~-]/u.exec(fragment);
  if (stranger) return { problem: `invalid character: ${shown(stranger[0])}`, at: stranger.index };
  const tilde = fragment.indexOf('~');
  const digest = tilde < 0 ? undefined : fragment.slice(tilde + 1);
  if (digest !== undefined && !isDigest(digest)) {
    return { problem: `invalid digest: ${shown(digest)} (8 digits and consonants)`, at: tilde + 1 };
  }
  const words = tilde < 0 ? fragment : fragment.slice(0, tilde);
  const draft: Draft = {};
  let at = 0;
  for (const word of words ? words.split('.') : []) {
    const problem = readPart(word, draft, codec);
    if (problem) return { problem, at };
    at += word.length + 1;
  }
  const { injections, without, sets, ...rest } = draft;
  return {
    ...rest,
    ...(injections && { injections: sortStrikes(injections) }),
    ...(without && { without: sortNames(without) }),
    ...(sets && { sets: sortSets(sets) }),
    ...(digest !== undefined && { digest }),
  };
}

type Read = (draft: Draft, rest: string, word: string, codec: Codec | undefined) => string | undefined;

const unknown = (word: string): string => `unknown part: ${shown(word)}`;
const duplicate = (word: string): string => `duplicate part: ${shown(word)}`;
const invalid = (word: string, why: string): string => `invalid part: ${shown(word)} (${why})`;

function readPart(word: string, draft: Draft, codec: Codec | undefined): string | undefined {
  const [letter = ''] = word;
  if (!letter) return 'invalid part: empty';
  const event = EVENTS[LETTERS.indexOf(letter)];
  if (event) return strike(draft, word, event);
  return Object.hasOwn(PARTS, letter) ? PARTS[letter]?.(draft, word.slice(1), word, codec) : unknown(word);
}

function strike(draft: Draft, word: string, event: EventName): string | undefined {
  const boundary = wholeNumber(word.slice(1));
  if (boundary === undefined) return invalid(word, 'a letter and a boundary');
  if (draft.injections?.length === 0) return invalid(word, '0 says that nothing strikes');
  draft.injections ??= [];
  draft.injections.push({ event, boundary });
  return undefined;
}

/** One reader for each letter that is no event. A letter alone says *none*, and stands alone. */
const PARTS: Readonly<Record<string, Read>> = {
  t(draft, rest, word) {
    if (draft.cursor !== undefined) return duplicate(word);
    const boundary = wholeNumber(rest);
    if (boundary === undefined) return invalid(word, 't and a boundary');
    draft.cursor = boundary;
    return undefined;
  },

  0(draft, rest, word) {
    if (rest) return unknown(word);
    if (draft.injections) return duplicate(word);
    draft.injections = [];
    return undefined;
  },

  w(draft, rest, word) {
    if (draft.without && (!rest || draft.without.length === 0)) return duplicate(word);
    draft.without ??= [];
    if (!rest) return undefined;
    const [gap, name = '', ...more] = rest.split('_');
    if (gap !== '' || !isSlug(name) || more.length > 0) return invalid(word, 'w_SAFEGUARD');
    draft.without.push(name);
    return undefined;
  },

  s(draft, rest, word) {
    if (draft.sets && (!rest || draft.sets.length === 0)) return duplicate(word);
    draft.sets ??= [];
    if (!rest) return undefined;
    const [gap, name = '', value = '', ...more] = rest.split('_');
    if (gap !== '' || !isSlug(name) || !isSlug(value) || more.length > 0)
      return invalid(word, 's_SWITCH_VALUE');
    if (draft.sets.some((set) => set.name === name)) return duplicate(word);
    draft.sets.push({ name, value });
    return undefined;
  },

  h(draft, rest, word) {
    if (draft.body !== undefined) return duplicate(word);
    const [gap, name = '', ...more] = rest.split('_');
    if (rest && (gap !== '' || !isSlug(name) || more.length > 0)) return invalid(word, 'h_BODY');
    draft.body = rest ? name : null;
    return undefined;
  },

  c(draft, rest, word) {
    if (draft.compare !== undefined) return duplicate(word);
    const [gap, kind = '', ...names] = rest.split('_');
    const compare = [kind, ...names].join(' ');
    if (gap !== '' || !COMPARED.test(compare))
      return invalid(word, 'c_own, c_with_NAME, c_without_NAME or c_design_NAME');
    draft.compare = compare;
    return undefined;
  },

  z(draft, rest, word, codec) {
    if (draft.edits) return duplicate(word);
    if (rest && !codec) return invalid(word, 'nothing here can unpack it');
    const edits = rest && codec ? unpackEdits(rest, codec) : [];
    if (typeof edits === 'string') return edits;
    draft.edits = edits;
    return undefined;
  },
};
