/** Statements, read one by one into a draft of a recipe. */
import type { Place } from '../image/image.ts';
import { claim, position } from './recipe-claim.ts';
import { printPosition, wholeNumber } from './recipe-position.ts';
import { canonicalise } from './recipe-print.ts';
import type { Found, Reader } from './recipe-reader.ts';
import { shown } from './recipe-tokens.ts';
import {
  type Claim,
  type Edit,
  EVENTS,
  type Injection,
  isBlock,
  isDesign,
  isKernelName,
  isKey,
  isSlug,
  type Kernel,
  type Key,
  type Position,
  type Recipe,
  type Setting,
} from './recipe-types.ts';

/** What has been read of a recipe. */
export interface Draft {
  slug?: string;
  version?: number;
  title?: string;
  design?: string;
  kernel?: Kernel;
  start?: string;
  body?: string;
  cursor?: Position;
  readonly notes: string[];
  readonly sets: Setting[];
  readonly without: string[];
  readonly injects: Injection[];
  readonly edits: Edit[];
  readonly expects: Claim[];
  readonly places: Partial<Record<Key, Place>>;
  readonly withoutPlaces: Map<string, Place>;
}

export const newDraft = (): Draft => ({
  notes: [],
  sets: [],
  without: [],
  injects: [],
  edits: [],
  expects: [],
  places: {},
  withoutPlaces: new Map(),
});

/** The recipe of a draft that has been read without problems. */
export const finish = ({ withoutPlaces, places, slug = '', version = 0, ...draft }: Draft): Recipe =>
  canonicalise({
    ...draft,
    slug,
    version,
    places: { ...places, without: Object.fromEntries(withoutPlaces) },
  });

/** Reads `scenario SLUG vN`, which comes first. */
export function head(reader: Reader, draft: Draft): void {
  if (reader.next?.kind === 'word' && reader.next.text === 'scenario') {
    if (!statement(reader, draft)) reader.skip();
  } else {
    const { next = reader.place } = reader;
    reader.problem('missing scenario: a recipe starts with scenario SLUG vN', next);
  }
}

/** Reports a token where a statement should start, and goes on to the next one. */
export function stray(reader: Reader): void {
  const inEdit = reader.last?.kind === 'raw';
  const token = reader.take();
  if (token?.kind === 'raw') reader.problem('invalid line: | stands outside of an edit');
  else if (token && !token.bad) {
    const hint = inEdit ? ' (every line of an edit starts with |)' : '';
    reader.problem(`unknown key: ${shown(token.kind === 'text' ? `"${token.text}"` : token.text)}${hint}`);
  }
  reader.skip();
}

/** Reads the statement whose key comes next; false after reporting one problem. */
export function statement(reader: Reader, draft: Draft): boolean {
  const key = reader.take()?.text;
  return key !== undefined && isKey(key) && STATEMENTS[key](reader, draft);
}

/** A value that a recipe has once. */
function once(reader: Reader, draft: Draft, key: Key, found: Found | undefined): Found | undefined {
  if (!found) return undefined;
  if (draft.places[key]) return reader.problem(`duplicate ${key}: ${shown(found.text)}`, found.place);
  draft.places[key] = found.place;
  return found;
}

const isVersion = (word: string): boolean => word.startsWith('v') && wholeNumber(word.slice(1)) !== undefined;
const isBuild = (word: string): boolean => /^(?:[\da-fA-F]{2})+$/.test(word);

const STATEMENTS: Readonly<Record<Key, (reader: Reader, draft: Draft) => boolean>> = {
  scenario(reader, draft) {
    const slug = once(reader, draft, 'scenario', reader.fitting('slug of the scenario', isSlug));
    const version = slug && reader.fitting('version', isVersion);
    if (!version) return false;
    draft.slug = slug.text;
    draft.version = wholeNumber(version.text.slice(1)) ?? 0;
    return true;
  },

  title(reader, draft) {
    const text = once(reader, draft, 'title', reader.text('title'));
    if (text) draft.title = text.text;
    return text !== undefined;
  },

  note(reader, draft) {
    const text = reader.text('note');
    if (text) draft.notes.push(text.text);
    return text !== undefined;
  },

  design(reader, draft) {
    const design = once(reader, draft, 'design', reader.fitting('design', isDesign));
    if (!design) return false;
    if (draft.kernel) return oneOnly(reader, design, 'design', 'kernel');
    draft.design = design.text;
    return true;
  },

  kernel(reader, draft) {
    const kernel = once(reader, draft, 'kernel', reader.fitting('kernel', isKernelName));
    if (!kernel) return false;
    if (draft.design) return oneOnly(reader, kernel, 'kernel', 'design');
    const hasBuild = reader.optional('build');
    const build = hasBuild ? reader.fitting('build id', isBuild) : undefined;
    if (hasBuild && !build) return false;
    draft.kernel = { name: kernel.text, ...(build && { build: build.text.toLowerCase() }) };
    return true;
  },

  set(reader, draft) {
    const name = reader.fitting('switch', isSlug);
    const value = name && reader.fitting(`value of ${shown(name.text)}`, isSlug);
    if (!value) return false;
    if (draft.sets.some((set) => set.name === name.text)) return again(reader, 'set', name);
    draft.sets.push({ name: name.text, value: value.text, place: name.place, valueAt: value.place });
    return true;
  },

  without(reader, draft) {
    do {
      const safeguard = reader.fitting('safeguard', isSlug);
      if (!safeguard) return false;
      if (draft.withoutPlaces.has(safeguard.text)) continue;
      draft.withoutPlaces.set(safeguard.text, safeguard.place);
      draft.without.push(safeguard.text);
    } while (reader.comma());
    return true;
  },

  start(reader, draft) {
    const start = once(reader, draft, 'start', reader.fitting('start', isSlug));
    if (start) draft.start = start.text;
    return start !== undefined;
  },

  body(reader, draft) {
    const body = once(reader, draft, 'body', reader.fitting('body', isSlug));
    if (body) draft.body = body.text;
    return body !== undefined;
  },

  inject(reader, draft) {
    const event = reader.oneOf('event', EVENTS);
    if (!event) return false;
    if (!reader.optional('at'))
      return reader.problem(`missing at: inject ${event.text} at POSITION`) ?? false;
    const at = position(reader);
    if (at) draft.injects.push({ event: event.text, position: at, place: event.place });
    return at !== undefined;
  },

  edit(reader, draft) {
    const block = reader.fitting('block', isBlock);
    if (!block) return false;
    const lines: string[] = [];
    while (reader.next?.kind === 'raw') lines.push(reader.take()?.text ?? '');
    if (draft.edits.some((edit) => edit.block === block.text)) return again(reader, 'edit', block);
    draft.edits.push({ block: block.text, lines, place: block.place });
    return true;
  },

  cursor(reader, draft) {
    const at = position(reader);
    if (!at?.place) return false;
    if (at.kind === 'cursor')
      return reader.problem('invalid position: cursor (of itself)', at.place) ?? false;
    if (!once(reader, draft, 'cursor', { text: printPosition(at), place: at.place })) return false;
    draft.cursor = at;
    return true;
  },

  expect(reader, draft) {
    const expected = claim(reader);
    if (expected) draft.expects.push(expected);
    return expected !== undefined;
  },
};

const again = (reader: Reader, key: Key, { text, place }: Found): false =>
  reader.problem(`duplicate ${key}: ${shown(text)}`, place) ?? false;

const oneOnly = (reader: Reader, { text, place }: Found, key: Key, other: Key): false =>
  reader.problem(`invalid ${key}: ${shown(text)} (the recipe has a ${other})`, place) ?? false;
