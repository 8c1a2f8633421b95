/**
 * A design's page as machine code: its asm cells in the order of the page, with a reader's edits put in and safeguards
 * taken out.
 */
import { type Safeguard, safeguardsOf, takeOut } from '../asm/safeguard.ts';
import type { Problem, Source } from '../asm/source.ts';
import type { Image } from '../image/image.ts';
import { type Declared, declared } from '../kernel/declaration.ts';
import type { Design } from '../kernel/design.ts';
import { designOf } from '../kernel/design-of.ts';
import { kept } from './kept.ts';
import { blockOf, cellOf, type Library } from './library.ts';
import { assembleText } from './on-demand.ts';
import type { CodeLine } from './timeline.ts';

/** What text was assembled to. */
export interface Assembled {
  readonly image: Image;
  readonly code: readonly CodeLine[];
  readonly problems: readonly Problem[];
}

export interface Program extends Assembled {
  readonly design: Design;
  /** Those that the text names, whether they are in place or not. */
  readonly safeguards: readonly Safeguard[];
}

/** A whole changed cell: `page#name` and its new lines. */
export interface Edit {
  readonly block: string;
  readonly lines: readonly string[];
}

/** How a program differs from its page. */
export interface Variant {
  readonly edits?: readonly Edit[];
  /** Safeguards that are taken out; a name that the design has not changes nothing. */
  readonly without?: readonly string[];
}

const programs = new WeakMap<Library, Map<string, Program>>();
/** Edited programs come and go while a reader types; each takes its machine and its runs with it. */
const MOST = { programs: 16, frugal: 2 } as const;

/**
 * Assembles a design. The slug must be one of `designsOf(pages)`. An edited cell names itself as its page
 * (`linux-4.2#nested`), so that a problem in it has the line of the edit, counted from 1. A frozen design is not
 * assembled again: its bytes are those of its row, unless it is another variant than there. Nor is what the site was
 * built with. In a browser, call it under `whenHere`.
 */
export function programOf(pages: Library, design: string, variant: Variant = {}): Program {
  const made = programs.get(pages) ?? new Map<string, Program>();
  programs.set(pages, made);
  const key = keyOf(design, variant);
  return kept(made, key, pages.frugal ? MOST.frugal : MOST.programs, () => make(pages, design, variant, key));
}

/** Equal for equal programs, whatever the order in which safeguards are named. */
export const keyOf = (design: string, { edits = [], without = [] }: Variant): string =>
  JSON.stringify([design, [...new Set(without)].toSorted(), edits.map(({ block, lines }) => [block, lines])]);

function make(pages: Library, design: string, variant: Variant, key: string): Program {
  const { edits = [], without = [] } = variant;
  const edited = (reference: string, source: Source | undefined): Source | undefined => {
    const edit = edits.find(({ block }) => blockOf(pages, block) === blockOf(pages, reference));
    return edit && source ? { page: reference, name: source.name, line: 1, lines: edit.lines } : source;
  };
  const shelf = pages.get(design);
  const sources = (shelf?.asm ?? []).map((cell) => edited(`${design}#${cell.name}`, cell) ?? cell);
  const frozen = shelf?.frozen;
  // Before any text is read: in a browser, what it is made of comes together with the program.
  const found = frozen && keyOf(design, frozen) === key ? frozen.assembled : pages.built?.find(key);
  const text = programText(sources, (reference) => edited(reference, cellOf(pages, reference)), without);
  const assembled = found ?? assembleText(text);
  const { design: made, problems } = designOf(text.declared, assembled.image);
  return {
    ...assembled,
    // Names that are missing in code that does not assemble are no news.
    problems: assembled.problems.length > 0 ? assembled.problems : problems,
    design: made,
    safeguards: text.safeguards,
  };
}

/** The text of a program as it is assembled: cells, what they include, and what both say in marks. */
export interface ProgramText {
  readonly sources: readonly Source[];
  readonly include: (reference: string) => Source | undefined;
  readonly declared: readonly Declared[];
  /** All that the text names, those that were taken out too. */
  readonly safeguards: readonly Safeguard[];
  /** Mistakes in marks. */
  readonly problems: readonly Problem[];
}

/** Reads the marks of cells and of everything that they include, and takes safeguards out of both. */
export function programText(
  sources: readonly Source[],
  include: (reference: string) => Source | undefined,
  without: readonly string[] = [],
): ProgramText {
  const all = withIncluded(sources, include);
  const names = new Set(without);
  const guarded = new Map(all.map((source) => [source, takeOut(source, names)]));
  const inForce = (source: Source): Source => guarded.get(source) ?? source;
  const standing = sources.map(inForce);
  const includeStanding = (reference: string): Source | undefined => {
    const source = include(reference);
    return source && inForce(all.find((one) => keyOfSource(one) === keyOfSource(source)) ?? source);
  };
  // What only a safeguard that is out would include declares nothing.
  const { all: said, problems: wrong } = declared(withIncluded(standing, includeStanding, INCLUDE));
  const { safeguards, problems } = safeguardsOf(all);
  return {
    sources: standing,
    include: includeStanding,
    declared: said,
    safeguards,
    problems: [...wrong, ...problems],
  };
}

/** The cells that a design is made of: its own in the order of its page, then all that they include. */
export const cellsOfDesign = (pages: Library, design: string): readonly Source[] =>
  withIncluded(pages.get(design)?.asm ?? [], (reference) => cellOf(pages, reference)).toSorted(
    (a, b) => Number(a.page !== pages.get(design)?.page) - Number(b.page !== pages.get(design)?.page),
  );

const keyOfSource = ({ page, line, name }: Source): string => `${page}:${line}#${name}`;

const INCLUDE = /^[^#"]*\.include\s+"([^"]+)"/;
/** In marks, too: what stands for a safeguard that is taken out may be one. */
const ANY_INCLUDE = /\.include\s+"([^"]+)"/;

/** Sources and what they include, however deep, each once, in the order in which it is read. */
function withIncluded(
  sources: readonly Source[],
  include: (reference: string) => Source | undefined,
  pattern = ANY_INCLUDE,
): readonly Source[] {
  const found = new Map<string, Source>();
  const visit = (source: Source): void => {
    const key = keyOfSource(source);
    if (found.has(key)) return;
    found.set(key, source);
    for (const line of source.lines) {
      const [, reference = ''] = pattern.exec(line) ?? [];
      const included = reference && include(reference.startsWith('#') ? source.page + reference : reference);
      if (included) visit(included);
    }
  };
  for (const source of sources) visit(source);
  return [...found.values()];
}
