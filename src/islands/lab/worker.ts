/** Where runs are made: the engine never works on the page's own thread. */
import { pages, records } from 'virtual:library-on-demand';
import { codec } from '../../literate/codec.ts';
import { changesOfRun } from '../../scenario/named.ts';
import { whenHere } from '../../scenario/on-demand.ts';
import { linkTo, type Opener, openLink } from '../../scenario/open-link.ts';
import { parse } from '../../scenario/recipe.ts';
import { differenceText } from '../../scenario/records.ts';
import { loadMentioned } from '../../scenario/registry.ts';
import { play } from '../../scenario/run.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import type { Answer, Ask, OpenAsk, Played, Reply, Request, Standing } from './protocol.ts';
import { answerFrames, options, played, playShown, runOf } from './runs.ts';
import { own, standingOfLink } from './standing.ts';

const opener: Opener = { pages, records, codec };

/** How a run stands to its record: only the named scenario itself has one. */
function standingOf(timeline: Timeline): Standing {
  const differences = changesOfRun(timeline, pages, records);
  const [first] = differences ?? [];
  if (!differences) return { state: 'draft' };
  return first ? { state: 'changed', difference: differenceText(first), differences } : { state: 'same' };
}

/** The run that a link means; where it cannot run, the page's own, with the reason. */
function open({ link, recipe: text, pick }: OpenAsk): Played {
  const { recipe } = parse(own(text));
  const base = recipe && { slug: recipe.slug, version: recipe.version };
  const opened = openLink(link, opener, base, options(pick));
  if (opened.kind === 'cannot-run') {
    const timeline = play(own(text), pages, options(pick));
    return played(timeline, pick, pages, {
      state: 'cannot-run',
      reason: opened.sentence,
      recorded: opened.recorded,
    });
  }
  const shown = played(opened.timeline, pick, pages, standingOfLink(opened, opener));
  return { ...shown, compare: opened.link.compare ?? '' };
}

/** What few readers ask for, so that the rest need not wait for it. */
const travels = () => import('./travel-answers.ts');
const mails = () => import('./mail-answers.ts');

async function answer(ask: Ask): Promise<Reply> {
  switch (ask.kind) {
    case 'play': {
      const timeline = playShown(ask.recipe, ask.pick, pages);
      const named = standingOf(timeline);
      const { link } = ask;
      const beside = named.state === 'draft' && link !== undefined;
      const standing = beside ? (await mails()).standingBeside(timeline, link, opener) : undefined;
      return played(timeline, ask.pick, pages, standing ?? named);
    }
    case 'origin':
      return (await travels()).answerOrigin(ask, pages);
    case 'words':
      return (await travels()).answerWords(ask, pages);
    case 'travel':
      return (await travels()).answerTravel(ask, pages);
    case 'pseudo':
      return (await travels()).answerPseudo(ask, pages);
    case 'frames':
      return answerFrames(ask, pages);
    case 'open':
      return open(ask);
    case 'link': {
      const { recipe } = parse(own(ask.recipe));
      if (!recipe) return { kind: 'failed', reason: 'the recipe cannot be read' };
      const timeline = runOf(ask.recipe, ask.pick, pages, ask.boundary);
      return { kind: 'linked', link: linkTo(recipe, timeline, ask.boundary, opener, ask.compare) ?? '' };
    }
    case 'mail':
      return (await mails()).answerMail(ask, opener);
    case 'lint':
      return (await mails()).answerLint(ask);
    case 'paste':
      return (await mails()).answerPaste(ask, opener);
    case 'cells':
      return (await import('./cell-answers.ts')).answerCells(ask, pages);
    case 'dump':
      return (await import('./dump-answers.ts')).answerDump(ask, pages);
    case 'trusted':
      return (await import('./dump-answers.ts')).answerTrusted(ask, pages);
    case 'explain':
      return (await mails()).answerExplain(ask, opener);
  }
}

self.onmessage = async ({ data: { id, ...ask } }: MessageEvent<Request>) => {
  try {
    const texts = Object.values(ask).filter((one) => typeof one === 'string');
    await loadMentioned(pages, texts);
    self.postMessage({ id, ...(await whenHere(() => answer(ask as Ask))) });
  } catch (error) {
    self.postMessage({
      id,
      kind: 'failed',
      reason: error instanceof Error ? error.message : String(error),
    } satisfies Answer);
  }
};
