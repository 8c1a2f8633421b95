/** The canonical form: equal meaning gives equal text. */
import { printClaim } from './recipe-claim.ts';
import { printPosition } from './recipe-position.ts';
import { rawLine } from './recipe-tokens.ts';
import { type Edit, EVENTS, type Injection, type Key, type Recipe } from './recipe-types.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Injections at numbered boundaries in order of boundary, then of event as the grammar lists them; one at a
 * label keeps its place in the list, since only a run can tell when it strikes.
 */
export function sortInjections(injects: readonly Injection[]): Injection[] {
  const numbered = injects
    .flatMap(({ event, position }, i) =>
      position.kind === 'boundary' ? [{ n: position.n, event: EVENTS.indexOf(event), i }] : [],
    )
    .toSorted((a, b) => a.n - b.n || a.event - b.event || a.i - b.i);
  let next = 0;
  return injects.map((inject) => {
    if (inject.position.kind !== 'boundary') return inject;
    return injects[numbered[next++]?.i ?? -1] ?? inject;
  });
}

/** Edits in order of block, their lines as `rawLine` makes them. */
export const sortEdits = (edits: readonly Edit[]): Edit[] =>
  edits
    .map((edit) => ({ ...edit, lines: edit.lines.map(rawLine) }))
    .toSorted((a, b) => byText(a.block, b.block));

/** The same recipe with everything in canonical order. Places stay with what they belong to. */
export function canonicalise(recipe: Recipe): Recipe {
  return {
    ...recipe,
    sets: recipe.sets.toSorted((a, b) => byText(a.name, b.name)),
    without: [...new Set(recipe.without)].toSorted(byText),
    injects: sortInjections(recipe.injects),
    edits: sortEdits(recipe.edits),
  };
}

const statement = (key: Key, value: string): string => `${key.padEnd(7)} ${value}`;

/** `edit` and its raw lines. */
export const printEdit = ({ block, lines }: Edit): string[] => [
  statement('edit', block),
  ...lines.map((line) => `|${line}`),
];

/** The recipe in canonical form, one statement a line, each line ended by a line feed. */
export function print(recipe: Recipe): string {
  const {
    slug,
    version,
    title,
    notes,
    design,
    kernel,
    sets,
    without,
    start,
    body,
    injects,
    edits,
    cursor,
    expects,
  } = canonicalise(recipe);
  const given = (key: Key, value: string | undefined) => (value === undefined ? [] : [statement(key, value)]);
  const lines = [
    statement('scenario', `${slug} v${version}`),
    ...given('title', title && `"${title}"`),
    ...notes.map((note) => statement('note', `"${note}"`)),
    ...given('design', design),
    ...given('kernel', kernel && kernel.name + (kernel.build ? ` build ${kernel.build}` : '')),
    ...sets.map(({ name, value }) => statement('set', `${name} ${value}`)),
    ...given('without', without.length ? without.join(', ') : undefined),
    ...given('start', start),
    ...given('body', body),
    ...injects.map(({ event, position }) => statement('inject', `${event} at ${printPosition(position)}`)),
    ...edits.flatMap(printEdit),
    ...given('cursor', cursor && printPosition(cursor)),
    ...expects.map((claim) => statement('expect', printClaim(claim))),
  ];
  return `${lines.join('\n')}\n`;
}
