/** Recipe in, timeline out: the one road that pages, tests, the command line and links take. */
import type { Problem, Source } from '../asm/source.ts';
import type { Image, Place } from '../image/image.ts';
import { missing, type Setup, USUAL_SETUP } from '../kernel/boot.ts';
import { SWITCHES, switchesOf } from '../unwind/eras/switches.ts';
import { unwindersNamed } from '../unwind/eras/unwinders.ts';
import { DEFAULT_PICK, type Unwinder, unwinders } from '../unwind/rules.ts';
import { WHERE } from './causes.ts';
import { type Ended, Execution, type Injection } from './execution.ts';
import { check, isAtCursor } from './expect.ts';
import { kept } from './kept.ts';
import { cellOf, designsOf, known, type Library } from './library.ts';
import { type Located, locate } from './positions.ts';
import { type Program, programOf } from './program.ts';
import { parse, print } from './recipe.ts';
import { printPosition } from './recipe-position.ts';
import type { Recipe } from './recipe-types.ts';
import { outcomeOf, placesOf, type Ready, recorded } from './record.ts';
import { pagesFor } from './registry.ts';
import type { Timeline } from './timeline.ts';

export interface PlayOptions {
  /** Index of the reader's own rule, end[-pick]; 9, the RSP of the iret record, without one. */
  readonly pick?: number;
  /** Unwinders of kernels to ask beside the usual ones and those that the recipe names: `orc-6.12`. */
  readonly unwinders?: readonly string[];
  /** Transitions after which a run is stopped. */
  readonly budget?: number;
  /**
   * Boundaries that get a frame at once; all, unless told. In a longer run `frames` has holes behind them, which `replayOf`
   * fills on demand.
   */
  readonly whole?: number;
  /**
   * A run that does not come to its recipe's cursor, for readers who have just edited it: shown from its end, with that as its
   * first problem. Without this, such a recipe does not run.
   */
  readonly astray?: boolean;
}

/** Far beyond any run that ends: the longest takes some hundred. */
export const BUDGET = 5_000;
export { DEFAULT_PICK as PICK } from '../unwind/rules.ts';

/** Runs a recipe's text. Never throws for what the text says: problems are in the timeline, each with its place. */
export function play(source: Source, pages: Library, options: PlayOptions = {}): Timeline {
  const { recipe, problems } = parse(source);
  if (!recipe || problems.length > 0) return nothing(recipe, source, problems);
  return playRecipe(recipe, pages, options, { page: source.page, line: source.line, column: 1 });
}

/** Runs a recipe. `otherwise` is the place of problems that have none of their own. */
export function playRecipe(
  recipe: Recipe,
  pages: Library,
  options: PlayOptions = {},
  otherwise: Place = { page: 'recipe', line: 1, column: 1 },
): Timeline {
  const ready = prepare(recipe, pages, otherwise);
  if ('problems' in ready) return nothing(recipe, undefined, ready.problems);
  const budget = options.budget ?? BUDGET;
  const { program, execution } = ready;
  const { injections, problems } = resolve(recipe, execution, budget, otherwise);
  if (problems.length > 0) return nothing(recipe, undefined, problems, program);
  const pick = options.pick ?? pickOf(recipe);
  const rules = [...unwinders(pick), ...askedFor(recipe, options)];
  const { timeline, rips, first, groundless } = recorded(ready, injections, rules, {
    budget,
    whole: options.whole ?? Infinity,
    switches: switchesOf(recipe.sets),
    needed: [recipe.cursor, ...recipe.expects.map((claim) => ('at' in claim ? claim.at : undefined))],
  });
  const last = timeline.frames.length - 1;
  const cursor = cursorIn(recipe, execution.image, rips, last);
  const lost =
    'problem' in cursor ? [{ ...(recipe.cursor?.place ?? otherwise), message: cursor.problem }] : [];
  if (lost.length > 0 && !options.astray) return nothing(recipe, undefined, lost, program);
  const whole: Timeline = {
    ...timeline,
    ...heading(recipe),
    cursor: 'problem' in cursor ? last : cursor.boundary,
    injections: injections.map(({ event, boundary }, n) => {
      const written = recipe.injects[n];
      return {
        event,
        boundary,
        text: written ? `${written.event} at ${printPosition(written.position)}` : `${event} at b${boundary}`,
      };
    }),
  };
  const impossible = recipe.sets.some(({ name }) => name === 'impossible');
  const without = impossible ? [] : groundless;
  return {
    ...whole,
    problems: [
      ...lost,
      ...without.map(({ event, boundary, why }) => {
        const nth = injections.findIndex((one) => one.event === event && one.boundary === boundary);
        const { place: written } = recipe.injects[nth] ?? {};
        const message = `invalid position: b${boundary} for ${event} (${why}; write set impossible allow to do it all the same)`;
        return { ...(written ?? otherwise), message };
      }),
      // What is said of a cursor that is not reached is neither right nor wrong.
      ...check(
        recipe.expects.filter((claim) => lost.length === 0 || !isAtCursor(claim)),
        { timeline: whole, ...program, rips, first },
        otherwise,
      ),
    ],
  };
}

/** Where a recipe's cursor stands in a run that ends at boundary `last`; at its begin, where the recipe has none. */
function cursorIn({ cursor }: Recipe, image: Image, rips: readonly bigint[], last: number): Located {
  const found = cursor ? locate(cursor, image, rips, 0) : { boundary: 0 };
  if ('problem' in found || found.boundary <= last) return found;
  return {
    problem: `invalid position: b${found.boundary} (this run has boundaries 0 to ${last})`,
  };
}

/** The reader's own rule, where a recipe speaks of one. */
export function pickOf(recipe: Recipe): number {
  for (const claim of recipe.expects) {
    if (claim.kind !== 'unwind' && claim.kind !== 'trace') continue;
    const index = Number(/^end-(\d+)$/.exec(claim.unwinder)?.[1] ?? 0);
    if (index > 0 && index !== 2 && index !== 14) return index;
  }
  return DEFAULT_PICK;
}

/** Unwinders of kernels that the recipe speaks of, or the caller names. */
const askedFor = ({ expects, sets }: Recipe, { unwinders: named = [] }: PlayOptions): readonly Unwinder[] =>
  unwindersNamed(
    [
      ...named,
      ...expects.flatMap((claim) =>
        claim.kind === 'unwind' || claim.kind === 'trace' ? [claim.unwinder] : [],
      ),
    ],
    switchesOf(sets),
  );

const strikes = (event: Recipe['injects'][number]['event']): event is Injection['event'] => event in WHERE;

const heading = (recipe: Recipe) => ({
  slug: recipe.slug,
  version: recipe.version,
  title: recipe.title ?? recipe.slug,
  design: recipe.design ?? '',
  without: recipe.without,
  recipe: print(recipe),
});

const executions = new WeakMap<Program, Map<string, Execution>>();

/**
 * A recipe made ready to be run with other events than its own: booted, its injections as boundaries. For those
 * who run one scenario many times.
 */
export function stage(
  source: Source,
  pages: Library,
):
  | { readonly execution: Execution; readonly injections: readonly Injection[] }
  | { readonly problems: readonly Problem[] } {
  const { recipe, problems } = parse(source);
  if (!recipe) return { problems };
  const otherwise = { page: source.page, line: source.line, column: 1 };
  const ready = prepare(recipe, pages, otherwise);
  if ('problems' in ready) return ready;
  const resolved = resolve(recipe, ready.execution, BUDGET, otherwise);
  if (resolved.problems.length > 0) return { problems: resolved.problems };
  return { execution: ready.execution, injections: resolved.injections };
}

/** Checks everything that can be checked before the first instruction, and boots. */
function prepare(
  recipe: Recipe,
  all: Library,
  otherwise: Place,
): Ready | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const { places } = recipe;
  const home = pagesFor(all, recipe.slug, recipe.version);
  if ('problem' in home) return { problems: [{ ...(places?.scenario ?? otherwise), message: home.problem }] };
  const { pages } = home;
  const refuse = (place: Place | undefined, message: string): void => {
    problems.push({ ...(place ?? otherwise), message });
  };
  if (recipe.kernel)
    refuse(places?.kernel, 'not modelled: kernel (real kernels cannot be run yet; write design)');
  else if (recipe.design === undefined) refuse(places?.scenario, 'missing design');
  else if (!pages.get(recipe.design)?.design)
    refuse(places?.design, `unknown design: ${recipe.design}${known('there is', designsOf(pages))}`);
  for (const { name, place, value, valueAt } of recipe.sets) {
    const values = name === 'impossible' ? ['allow'] : SWITCHES[name]?.values;
    if (!values)
      refuse(
        place,
        `unknown switch: ${name} (there is ${['impossible', ...Object.keys(SWITCHES)].join(', ')})`,
      );
    else if (!values.includes(value) && !SWITCHES[name]?.read(value))
      refuse(valueAt ?? place, `invalid value: ${value} (there is ${values.join(', ')})`);
  }
  for (const { event, place } of recipe.injects)
    if (!strikes(event)) refuse(place, `not modelled: ${event} (there is ${Object.keys(WHERE).join(', ')})`);
  for (const { block, place } of recipe.edits) {
    const [slug = ''] = block.split('#');
    const cells = pages.get(slug)?.asm ?? [];
    if (!cellOf(pages, block))
      refuse(
        place,
        `unknown block: ${block}${known(
          `${slug} has`,
          cells.map((cell) => cell.name),
        )}`,
      );
  }
  if (problems.length > 0 || !recipe.design) return { problems };

  const program = programOf(pages, recipe.design, recipe);
  if (program.problems.length > 0) return { problems: program.problems };
  const { image, design, safeguards } = program;
  const setup: Setup = { start: recipe.start ?? USUAL_SETUP.start, body: recipe.body ?? USUAL_SETUP.body };
  const has = (what: string, name: string, of: readonly { readonly name: string }[], place?: Place): void => {
    const names = of.map((one) => one.name);
    if (names.includes(name)) return;
    const there = names.length > 0 ? known(`${recipe.design} has`, names) : ` (${recipe.design} names none)`;
    refuse(place, `unknown ${what}: ${name}${there}`);
  };
  for (const name of recipe.without) has('safeguard', name, safeguards, places?.without?.[name]);
  has('start', setup.start, design.starts, places?.start);
  has('body', setup.body, design.bodies, places?.body);
  for (const message of missing(image, design, setup))
    if (problems.length === 0) refuse(places?.design, message);
  if (problems.length > 0) return { problems };

  const key = `${setup.start} ${setup.body}`;
  const booted = executions.get(program) ?? new Map<string, Execution>();
  executions.set(program, booted);
  const most = pages.frugal ? 1 : Infinity;
  const execution = kept(booted, key, most, () => new Execution(program, setup));
  if (execution.problem)
    return { problems: [{ ...(places?.start ?? otherwise), message: execution.problem }] };
  return { program, execution, recordings: pages.frugal ? 2 : 8 };
}

/** Injections as boundaries: each position is looked up in the run that the ones before it make. */
function resolve(
  recipe: Recipe,
  execution: Execution,
  budget: number,
  otherwise: Place,
): { injections: readonly Injection[]; problems: readonly Problem[] } {
  const injections: Injection[] = [];
  const problems: Problem[] = [];
  for (const { event, position, place } of recipe.injects) {
    const rips: bigint[] = [];
    const observe = () => rips.push(execution.booted.machine.get('rip'));
    const ended =
      position.kind === 'label' ? execution.run(injections, budget, observe, execution.idle) : undefined;
    const found =
      position.kind === 'cursor'
        ? { problem: 'invalid position: cursor (an injection cannot follow the cursor)' }
        : locate(position, execution.image, rips, 0);
    if ('problem' in found)
      problems.push({
        ...(position.place ?? place ?? otherwise),
        message: `${found.problem}${ended ? endOf(ended) : ''}`,
      });
    else if (found.boundary >= budget)
      problems.push({
        ...(position.place ?? place ?? otherwise),
        message: `invalid position: ${printPosition(position)} (a run has at most ${budget} boundaries)`,
      });
    else if (strikes(event)) injections.push({ event, boundary: found.boundary });
  }
  return { injections, problems };
}

/** How a run ended that did not come to a position, unless it simply returned. */
function endOf(ended: Ended): string {
  const outcome = outcomeOf(ended);
  return outcome.verdict === 'returns'
    ? ''
    : `; the run up to this event: ${outcome.verdict}, ${outcome.sentence}`;
}

/** A timeline of nothing: what could not run, and why. */
function nothing(
  recipe: Recipe | undefined,
  source: Source | undefined,
  problems: readonly Problem[],
  program?: Program,
): Timeline {
  const head = recipe
    ? heading(recipe)
    : {
        slug: source?.name ?? '',
        version: 0,
        title: source?.name ?? '',
        design: '',
        without: [],
        recipe: source?.lines.join('\n') ?? '',
      };
  return {
    ...head,
    frames: [],
    steps: [],
    code: program?.code ?? [],
    rules: [],
    blocked: [],
    pending: [],
    injections: [],
    counts: { boundaries: 0, deliveries: 0, 'nmi-served': 0, 'nmi-merged': 0 },
    outcome: { verdict: 'budget', sentence: 'nothing ran' },
    broken: [],
    cursor: 0,
    ...placesOf(program),
    problems,
  };
}
