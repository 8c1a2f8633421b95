/** A design's page as machine code: its asm cells in the order of the page, with a reader's edits put in. */
import { assemble } from '../asm/assemble.ts';
import { listing } from '../asm/listing.ts';
import type { Problem, Source } from '../asm/source.ts';
import type { Image } from '../image/image.ts';
import { SECTIONS, SYMBOLS } from '../kernel/memory-map.ts';
import { cellOf, type Library } from './library.ts';
import type { CodeLine } from './timeline.ts';

export interface Program {
  readonly image: Image;
  readonly code: readonly CodeLine[];
  readonly problems: readonly Problem[];
}

/** A whole changed cell: `page#name` and its new lines. */
export interface Edit {
  readonly block: string;
  readonly lines: readonly string[];
}

/** Directives that say nothing about what runs. */
const BOOKKEEPING = /^\.(globl|global|size|type)\b/;

const kept = new WeakMap<Library, Map<string, Program>>();
/** Edited programs come and go while a reader types; only so many are kept. */
const KEPT = 16;

/**
 * Assembles a design. The slug must be one of `designsOf(pages)`. An edited cell names itself as its page
 * (`linux-4.2#nested`), so that a problem in it has the line of the edit, counted from 1. A frozen design is not
 * assembled again: its bytes are those of its row, unless it is edited in another way than there.
 */
export function programOf(pages: Library, design: string, edits: readonly Edit[] = []): Program {
  const programs = kept.get(pages) ?? new Map<string, Program>();
  kept.set(pages, programs);
  const key = JSON.stringify([design, edits]);
  const found = programs.get(key);
  if (found) return found;
  const made = make(pages, design, edits);
  if (programs.size >= KEPT) programs.delete(programs.keys().next().value ?? '');
  programs.set(key, made);
  return made;
}

const sameEdits = (a: readonly Edit[], b: readonly Edit[]): boolean => {
  const text = (edits: readonly Edit[]): string =>
    JSON.stringify(edits.map(({ block, lines }) => [block, lines]));
  return text(a) === text(b);
};

function make(pages: Library, design: string, edits: readonly Edit[]): Program {
  const frozen = pages.get(design)?.frozen;
  if (frozen && sameEdits(frozen.edits, edits)) return frozen.program;
  const edited = (reference: string, source: Source | undefined): Source | undefined => {
    const edit = edits.find(({ block }) => block === reference);
    return edit && source ? { page: reference, name: source.name, line: 1, lines: edit.lines } : source;
  };
  const sources = (pages.get(design)?.asm ?? []).map(
    (cell) => edited(`${design}#${cell.name}`, cell) ?? cell,
  );
  const include = (reference: string): Source | undefined => edited(reference, cellOf(pages, reference));
  const { image, problems } = assemble(sources, { sections: SECTIONS, symbols: SYMBOLS, include });
  return {
    image,
    problems,
    code: listing(sources, image).filter(({ kind, text }) => kind !== 'directive' || !BOOKKEEPING.test(text)),
  };
}
