/**
 * The recipe: how a run is set up, what strikes where, where to look, what must be seen. One text for a page's
 * cell, a test, the command line, a link and a mail. It is made of tokens: only the lines of an `edit` are lines.
 */
import type { Problem, Source } from '../asm/source.ts';
import { Reader } from './recipe-reader.ts';
import { finish, head, newDraft, statement, stray } from './recipe-statements.ts';
import type { Edit, Recipe } from './recipe-types.ts';

export { printPosition, readPosition } from './recipe-position.ts';
export { canonicalise, print } from './recipe-print.ts';
export { rawLine } from './recipe-tokens.ts';
export * from './recipe-types.ts';

/**
 * Reads a recipe; it comes back in canonical order. Never throws; reports every mistake it can tell apart, each
 * at the token's own line and column of the page. There is a recipe exactly if there are no problems: half of
 * one is never run. Names of designs, labels, safeguards and the like are for the run to know.
 */
export function parse(source: Source): {
  readonly recipe: Recipe | undefined;
  readonly problems: readonly Problem[];
} {
  const reader = new Reader(source);
  const draft = newDraft();
  head(reader, draft);
  while (reader.next) {
    if (!reader.atKey()) stray(reader);
    else if (!statement(reader, draft)) reader.skip();
  }
  const { scenario, design, kernel } = draft.places;
  if (scenario && !design && !kernel) reader.problem('missing design', scenario);
  const problems = reader.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { recipe: problems.length > 0 ? undefined : finish(draft), problems };
}

/** Reads the cells that a link carries: `edit` statements and nothing else. */
export function parseEdits(source: Source): {
  readonly edits: readonly Edit[];
  readonly problems: readonly Problem[];
} {
  const reader = new Reader(source);
  const draft = newDraft();
  while (reader.next && reader.problems.length === 0) {
    if (reader.next.kind !== 'word' || reader.next.text !== 'edit') stray(reader);
    else statement(reader, draft);
  }
  return { edits: finish(draft).edits, problems: reader.problems };
}
