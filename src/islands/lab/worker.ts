/** Where runs are made: the engine never works on the page's own thread. */
import { pages } from 'virtual:library';
import type { Source } from '../../asm/source.ts';
import { codec } from '../../literate/codec.ts';
import { scenarioOf } from '../../scenario/library.ts';
import { linkTo, type Opener, openLink } from '../../scenario/open-link.ts';
import { parse } from '../../scenario/recipe.ts';
import recorded from '../../scenario/records.json' with { type: 'json' };
import { differences, differenceText, type Records, recordOf } from '../../scenario/records.ts';
import { type PlayOptions, play } from '../../scenario/run.ts';
import type { Timeline } from '../../scenario/timeline.ts';
import type { Answer, Ask, Request, Standing } from './protocol.ts';

const records: Records = recorded;
const opener: Opener = { pages, records, codec };

/** Text a reader may have changed: problems are placed in it, counted from its first line. */
const own = (text: string): Source => ({ page: 'recipe', name: 'recipe', line: 1, lines: text.split('\n') });

const options = (pick: number | undefined): PlayOptions => (pick === undefined ? {} : { pick });

/** How a run stands to its record: only the named scenario itself has one. */
function standingOf(timeline: Timeline): Standing {
  const source = scenarioOf(pages, timeline.slug);
  const record = records[timeline.slug];
  const named = source && play(source, pages);
  if (!record || !named || named.recipe !== timeline.recipe) return { state: 'draft' };
  const all = differences(record, recordOf(named));
  const [first] = all;
  return first
    ? { state: 'changed', difference: differenceText(first), differences: all }
    : { state: 'same' };
}

type Reply = Answer extends infer One
  ? One extends { readonly id: number }
    ? Omit<One, 'id'>
    : never
  : never;

function answer(ask: Ask): Reply {
  if (ask.kind === 'play') {
    const timeline = play(own(ask.recipe), pages, options(ask.pick));
    return { kind: 'played', timeline, standing: standingOf(timeline) };
  }
  const { recipe } = parse(own(ask.recipe));
  if (ask.kind === 'open') {
    const base = recipe && { slug: recipe.slug, version: recipe.version };
    const opened = openLink(`#${ask.fragment.replace(/^#/, '')}`, opener, base, options(ask.pick));
    if (opened.kind === 'cannot-run') {
      const timeline = play(own(ask.recipe), pages, options(ask.pick));
      return {
        kind: 'played',
        timeline,
        standing: { state: 'cannot-run', reason: opened.sentence, recorded: opened.recorded },
      };
    }
    const standing: Standing =
      opened.kind === 'same'
        ? { state: 'same' }
        : { state: 'changed', difference: opened.sentence, differences: opened.differences };
    return { kind: 'played', timeline: opened.timeline, standing };
  }
  if (!recipe) return { kind: 'failed', reason: 'the recipe cannot be read' };
  const timeline = play(own(ask.recipe), pages);
  const link = linkTo(recipe, timeline, ask.boundary, opener) ?? '';
  return { kind: 'linked', link, address: link.slice(link.indexOf('#')) };
}

self.onmessage = ({ data: { id, ...ask } }: MessageEvent<Request>) => {
  try {
    self.postMessage({ id, ...answer(ask as Ask) });
  } catch (error) {
    self.postMessage({
      id,
      kind: 'failed',
      reason: error instanceof Error ? error.message : String(error),
    } satisfies Answer);
  }
};
