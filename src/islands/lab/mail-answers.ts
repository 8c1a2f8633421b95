/** What the worker answers about mails and links: made, read, and told in words. Loaded when first asked. */
import type { Problem, Source } from '../../asm/source.ts';
import { explain } from '../../scenario/explain.ts';
import { parseLink, printLink } from '../../scenario/link.ts';
import { lint } from '../../scenario/lint.ts';
import { type Paste, readPaste } from '../../scenario/mail-in.ts';
import { CHANGELOG_COLUMNS, MAIL_COLUMNS, mailFor } from '../../scenario/mail-out.ts';
import { findNamed } from '../../scenario/named.ts';
import { linkTo, type Opener, openLink } from '../../scenario/open-link.ts';
import { parse, print, type Recipe } from '../../scenario/recipe.ts';
import { onPage, versionsOf } from '../../scenario/registry.ts';
import { play } from '../../scenario/run.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import type {
  ExplainAsk,
  ExplainedLink,
  Failed,
  LintAsk,
  Linted,
  MailAsk,
  Mailed,
  Named,
  PasteAsk,
  Pasted,
  Standing,
} from './protocol.ts';
import { runOf } from './runs.ts';
import { own, standingOfLink } from './standing.ts';

/** Names under which a browser finds the machine it runs on. */
const OWN_MACHINE = /^\w+:\/\/(localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)(?=[:/]|$)/;

/** The block about a boundary, as `lab mail` prints it for the same host, and what is to be said of it. */
export function answerMail(
  { recipe: text, boundary, changelog, site }: MailAsk,
  opener: Opener,
): Mailed | Failed {
  const { recipe } = parse(own(text));
  if (!recipe) return { kind: 'failed', reason: 'the recipe cannot be read' };
  const timeline = runOf(text, undefined, opener.pages, boundary);
  const path = linkTo(recipe, timeline, boundary, opener);
  const made = mailFor(timeline, recipe, boundary, path && site + path, { changelog });
  const near = path === undefined ? undefined : OWN_MACHINE.exec(site)?.[1];
  const problems =
    near === undefined
      ? made.problems
      : [...made.problems, `invalid host: ${near} is this machine, the link opens nowhere else`];
  return { kind: 'mailed', text: made.text, problems, findings: findingsOf(made.text, changelog) };
}

const findingsOf = (text: string, changelog: boolean) =>
  lint(text, { columns: changelog ? CHANGELOG_COLUMNS : MAIL_COLUMNS });

/** What a maintainer would say of a text. */
export const answerLint = ({ text, changelog }: LintAsk): Linted => ({
  kind: 'linted',
  findings: findingsOf(text, changelog),
});

/** What a link holds. */
export const answerExplain = ({ link, base }: ExplainAsk, opener: Opener): ExplainedLink => ({
  kind: 'explained',
  explained: explain(link, opener, base),
});

const withoutDigest = (link: string): string => link.replace(/~.*$/s, '');

/** Whether a link means the moment that a run shows; digests aside. */
function means(link: string, recipe: Recipe, timeline: Timeline, opener: Opener): boolean {
  const read = parseLink(link, opener.codec);
  const here = linkTo(recipe, timeline, timeline.cursor, opener);
  if ('problem' in read || here === undefined) return false;
  return withoutDigest(printLink(read.state, opener.codec)) === withoutDigest(here);
}

/** How a run stands to a link that came with its recipe; undefined if the link means another run, or cannot run. */
export function standingBeside(timeline: Timeline, link: string, opener: Opener): Standing | undefined {
  const { recipe } = parse(own(timeline.recipe));
  if (!recipe || !means(link, recipe, timeline, opener)) return undefined;
  const opened = openLink(link, opener);
  return opened.kind === 'cannot-run' ? undefined : standingOfLink(opened, opener);
}

const NOTHING = {
  recipe: '',
  explained: undefined,
  problems: [],
  placed: false,
  ignored: '',
  run: undefined,
};

/** What a pasted text holds. Nothing of it is shown as a run yet, though mistakes are looked for by running it. */
export function answerPaste({ text, recipe, base }: PasteAsk, opener: Opener): Pasted {
  const found = readPaste(text);
  switch (found.kind) {
    case 'nothing':
      return { ...NOTHING, kind: 'pasted', found: 'nothing', says: [found.problem] };
    case 'link':
      return pastedLink(found.text, text, base, opener);
    case 'recipe':
      return pastedRecipe(found, text, opener);
    case 'race':
      return pastedRace(found, recipe, opener);
  }
}

function pastedLink(link: string, text: string, base: Named, opener: Opener): Pasted {
  const explained = explain(link, opener, base);
  const runs = explained.outcome !== 'cannot-run';
  const around = text.trim().split(link);
  const bare = around.length === 2 && /^(\w+:\/\/\S*)?$/.test(around[0] ?? '') && !around[1]?.trim();
  return {
    ...NOTHING,
    kind: 'pasted',
    found: 'link',
    says: [bare ? 'A link.' : 'A link, in a text without a recipe.'],
    explained,
    ignored: bare ? '' : around.map((part) => part.trim()).join('\n'),
    run: runs ? { recipe: undefined, link } : undefined,
  };
}

/** Problems without the name of the page where that is the text in view. */
const inView = (problems: readonly Problem[], page: string): readonly Problem[] =>
  problems.map((problem) => (problem.page === page ? { ...problem, page: '' } : problem));

function pastedRecipe(
  { source, ignored }: Extract<Paste, { kind: 'recipe' }>,
  text: string,
  opener: Opener,
): Pasted {
  const { recipe } = parse(source);
  const timeline = play(source, opener.pages);
  const runs = recipe !== undefined && timeline.frames.length > 0;
  const beside = readPaste(ignored);
  const link = beside.kind === 'link' ? beside.text : undefined;
  return {
    kind: 'pasted',
    found: 'recipe',
    says: [
      'A recipe.',
      ...(recipe ? [namedText(recipe, opener)] : []),
      ...(runs && link !== undefined
        ? [
            means(link, recipe, timeline, opener)
              ? 'The link beside it means the same moment: their states will be compared.'
              : 'The link beside it means another run, or no moment: the recipe counts.',
          ]
        : []),
    ],
    recipe: recipe ? print(recipe) : '',
    explained: undefined,
    problems: inView(timeline.problems, source.page),
    placed: linesStay(text, source),
    ignored: outdented(ignored),
    run: runs ? { recipe: print(recipe), link } : undefined,
  };
}

/** What this site knows of the name of a recipe. */
function namedText({ slug, version }: Recipe, { pages }: Opener): string {
  const named = findNamed(pages, slug, version);
  if (!('problem' in named)) {
    const { title } = named.recipe;
    return `It names ${slug} v${version}${title === undefined ? '' : `, "${title}"`}.`;
  }
  const versions = [...(onPage(pages, slug) ? [0] : []), ...versionsOf(pages, slug)];
  if (versions.length === 0)
    return `No page here has a scenario ${slug}: it runs all the same, but no link can say it.`;
  if (versions.includes(version))
    return `It names ${slug} v${version}, but no link can say it: ${named.problem}.`;
  const there = versions.map((n) => `v${n}`).join(', ');
  return `It was made for ${slug} v${version}; this site has ${there}, so no link can say it.`;
}

/** Without the columns that quoting marks left behind; the first line has lost its own already. */
function outdented(text: string): string {
  const widths = text.split('\n').flatMap((line) => /^ +(?=\S)/.exec(line)?.[0].length ?? []);
  const least = Math.min(...widths);
  return widths.length === 0 ? text : text.replace(new RegExp(`^ {${least}}`, 'gm'), '');
}

/** Whether the lines of a source are those of a text, quoting marks aside, so that a place leads into it. */
function linesStay(text: string, { line, lines }: Source): boolean {
  const typed = text.split(/\r\n?|\n/);
  return lines.every((one, n) => (typed[line - 1 + n] ?? '').includes(one.trim()));
}

function pastedRace(
  { source, schedule, ignored }: Extract<Paste, { kind: 'race' }>,
  view: string,
  opener: Opener,
): Pasted {
  const events = schedule.length === 1 ? '1 event' : `${schedule.length} events`;
  const whole = parse(source).recipe;
  const seen = parse(own(view)).recipe;
  const struck = seen && { ...seen, injects: schedule, edits: seen.edits, cursor: undefined, expects: [] };
  const recipe = whole ?? struck;
  // Nobody typed these lines: problems are placed in the recipe that is shown.
  const lines = own(recipe ? print(recipe) : source.lines.join('\n'));
  const timeline = play(lines, opener.pages);
  const where = whole
    ? `It names what they strike: ${whole.design ?? whole.kernel?.name}.`
    : `It has no set-up line: they strike what is in view, ${seen?.slug ?? 'nothing'}.`;
  return {
    kind: 'pasted',
    found: 'race',
    says: [`A race table with ${events}.`, where],
    recipe: lines.lines.join('\n'),
    explained: undefined,
    problems: timeline.problems,
    placed: false,
    ignored: outdented(ignored),
    run: recipe && timeline.frames.length > 0 ? { recipe: print(recipe), link: undefined } : undefined,
  };
}
