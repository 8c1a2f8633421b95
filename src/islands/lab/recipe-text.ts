/**
 * Small changes to a recipe by buttons. They work on the canonical text, which has one statement a line in a
 * fixed order; what the changed text means is for the reader of recipes to say.
 */

import { printEdit } from '../../scenario/recipe-print.ts';
import { rawLine } from '../../scenario/recipe-tokens.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import type { EditedCell } from './protocol.ts';

/** Statements that may stand after an injection. */
const AFTER_INJECT = /^(edit|cursor|expect)\b|^\|/;
const AFTER_WITHOUT = /^(start|body|inject|edit|cursor|expect)\b|^\|/;
const AFTER_BODY = /^(inject|edit|cursor|expect)\b|^\|/;

const statement = (key: string, rest: string): string => `${key.padEnd(7)} ${rest}`;
const linesOf = (recipe: string): string[] => recipe.trimEnd().split('\n');
const textOf = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** A changed run is an experiment: what the original was expected to show, and where, is left out. */
const withoutExpectations = (lines: readonly string[]): string[] =>
  lines.filter((line) => !/^(cursor|expect)\b/.test(line));

function insert(lines: readonly string[], line: string, before: RegExp): string[] {
  const found = lines.findIndex((one) => before.test(one));
  return found < 0 ? [...lines, line] : [...lines.slice(0, found), line, ...lines.slice(found)];
}

/** The recipe with one more event at a boundary. */
export const withInjection = (recipe: string, event: string, boundary: number): string =>
  textOf(
    insert(
      withoutExpectations(linesOf(recipe)),
      statement('inject', `${event} at b${boundary}`),
      AFTER_INJECT,
    ),
  );

/** Lines in which each event stands at its boundary; `struck` has them in the order of the recipe. */
function struckAt(lines: readonly string[], struck: readonly number[]): string[] {
  let n = 0;
  return lines.map((line) => {
    const event = /^inject\s+(\S+)/.exec(line)?.[1];
    const boundary = event === undefined ? undefined : struck[n++];
    return boundary === undefined ? line : statement('inject', `${event} at b${boundary}`);
  });
}

/**
 * The recipe without its n-th injection, counted from 0. A label that the others strike at may be reached no more,
 * so each keeps its boundary instead (`struck`, in the order of the recipe).
 */
export function withoutInjection(recipe: string, n: number, struck: readonly number[]): string {
  let seen = -1;
  return textOf(
    struckAt(withoutExpectations(linesOf(recipe)), struck).filter(
      (line) => !/^inject\b/.test(line) || ++seen !== n,
    ),
  );
}

/** The recipe with its n-th injection at another boundary; the others keep theirs (see `withoutInjection`). */
export const withMoved = (recipe: string, n: number, to: number, struck: readonly number[]): string =>
  textOf(
    struckAt(
      withoutExpectations(linesOf(recipe)),
      struck.map((boundary, i) => (i === n ? to : boundary)),
    ),
  );

/**
 * The recipe with another handler body. Labels of the old body may be gone, so each event keeps its boundary
 * instead (`struck`, in the order of the recipe).
 */
export function withBody(recipe: string, body: string, struck: readonly number[]): string {
  const lines = struckAt(withoutExpectations(linesOf(recipe)), struck).filter(
    (line) => !/^body\b/.test(line),
  );
  return textOf(insert(lines, statement('body', body), AFTER_BODY));
}

/**
 * The recipe without these safeguards and with all others. Events stay where the text has them: at a label, though it
 * may now be reached later, sooner or not at all.
 */
export function withoutSafeguards(recipe: string, names: readonly string[]): string {
  const lines = withoutExpectations(linesOf(recipe)).filter((line) => !/^without\b/.test(line));
  return textOf(
    names.length === 0 ? lines : insert(lines, statement('without', names.join(', ')), AFTER_WITHOUT),
  );
}

/**
 * The recipe on another design, all safeguards in place. Safeguards and edited cells are those of the old one and are
 * left out; start, body and events stay, as far as the other design knows their labels.
 */
export function withDesign(recipe: string, design: string): string {
  const kept = withoutExpectations(linesOf(recipe)).filter((line) => !/^(without|edit)\b|^\|/.test(line));
  return textOf(kept.map((line) => (/^design\b/.test(line) ? statement('design', design) : line)));
}

/** The recipe with each event at the boundary at which it struck (`struck`, in the order of the recipe). */
export const withBoundaries = (recipe: string, struck: readonly number[]): string =>
  textOf(struckAt(withoutExpectations(linesOf(recipe)), struck));

/** Switches that a recipe sets, by name. */
export const switchesIn = (recipe: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...recipe.matchAll(/^set\s+(\S+)\s+(\S+)/gm)].map(([, name = '', value = '']) => [name, value]),
  );

/** The recipe with a switch set, or not set. It is the same run: what is expected and where stays. */
export function withSwitch(recipe: string, name: string, value: string | undefined): string {
  const lines = linesOf(recipe).filter((line) => !new RegExp(`^set\\s+${name}\\s`).test(line));
  const after = /^(without|start|body|inject|edit|cursor|expect)\b|^\|/;
  return textOf(value === undefined ? lines : insert(lines, statement('set', `${name} ${value}`), after));
}

/** Name of the body a recipe asks for; undefined for the default. */
export const bodyOf = (recipe: string): string | undefined => /^body\s+(\S+)/m.exec(recipe)?.[1];

/** The recipe with one cell as given; with the text of its page the edit is taken out. Events stay where the text has them. */
export function withEdit(recipe: string, { block, text, original }: EditedCell): string {
  const lines: string[] = [];
  let inside = false;
  for (const line of withoutExpectations(linesOf(recipe))) {
    const edited = /^edit\s+(\S+)/.exec(line)?.[1];
    if (edited !== undefined || !line.startsWith('|')) inside = edited === block;
    if (!inside) lines.push(line);
  }
  // Edits come last: cursor and expectations are left out.
  return textOf(
    text === original ? lines : [...lines, ...printEdit({ block, lines: text.split('\n').map(rawLine) })],
  );
}

/**
 * Why nothing ran, with the place. What is wrong in an edited cell comes first: a label that it lost is missed wherever it is
 * used, and those places were not touched. They are named with their page, for nobody has it before their eyes.
 */
export function whyNot({ recipe, problems }: Pick<Timeline, 'recipe' | 'problems'>): string {
  const seen = ['', 'recipe', ...editsOf(recipe)];
  const at = (pages: readonly string[]) => problems.find(({ page }) => pages.includes(page));
  const first = at(editsOf(recipe)) ?? at(seen) ?? problems[0];
  if (!first) return 'nothing ran';
  const { page, line, column, message } = first;
  return `${seen.includes(page) ? '' : `${page}:`}${line}:${column} ${message}`;
}

/** The cells that a recipe edits. */
export const editsOf = (recipe: string): readonly string[] =>
  [...recipe.matchAll(/^edit\s+(\S+)/gm)].map(([, block = '']) => block);
