/** Where sweeps run: the engine never works on the page's own thread, nor in the worker of the laboratory. */
import { pages, records } from 'virtual:library-on-demand';
import { around } from '../explore/around.ts';
import { doorOf } from '../explore/door.ts';
import { type MapMaker, show } from '../explore/map.ts';
import type { Strike } from '../explore/outcomes.ts';
import { survey } from '../explore/survey.ts';
import { partsOf, type SweepAsk } from '../explore/sweep.ts';
import { codec } from '../literate/codec.ts';
import { whenHere } from '../scenario/on-demand.ts';
import type { Opener } from '../scenario/open-link.ts';
import { parse } from '../scenario/recipe.ts';
import { own } from './lab/standing.ts';
import type { AroundRequest, Message, Request, ShowRequest, SweepRequest } from './sweep/protocol.ts';

const opener: Opener = { pages, records, codec };
/** Milliseconds of work between two looks at what else was asked, and between two pictures. */
const SLICE = 30;
const FRAME = 150;

const queue: Request[] = [];
let busy = false;
/** The sweep that was asked for last: an earlier one stops. */
let latest = 0;
/** What the last sweep that was finished knows. */
let kept: { readonly key: string; readonly maker: MapMaker } | undefined;

const tell = (message: Message): void => self.postMessage(message);
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const keyOf = (ask: SweepAsk): string => JSON.stringify(ask);

async function sweep({ id, ask }: SweepRequest): Promise<void> {
  if (id !== latest) return;
  const begun = performance.now();
  const run = survey(ask, pages);
  let rested = begun;
  let drawn = 0;
  for (;;) {
    const { done, value } = run.next();
    if (done) {
      if ('problems' in value)
        return tell({ kind: 'refused', id, problems: value.problems.map(({ message }) => message) });
      const { map, report, maker } = value;
      kept = { key: keyOf(ask), maker };
      return tell({ kind: 'swept', id, map, report, elapsed: performance.now() - begun });
    }
    const now = performance.now();
    if (now - rested < SLICE) continue;
    if (now - drawn >= FRAME) {
      const { maker, paths } = value;
      tell({ kind: 'going', id, map: maker.map, done: value.done, of: value.of, paths });
      drawn = now;
    }
    await pause();
    if (id !== latest) return;
    rested = performance.now();
  }
}

/** The sweep that a recipe and more events mean. */
function sweepAround({ id, recipe: text, events }: AroundRequest): Promise<void> | void {
  const { recipe, problems } = parse(own(text));
  if (!recipe) return tell({ kind: 'refused', id, problems: problems.map(({ message }) => message) });
  return sweep({ kind: 'sweep', id, ask: around(recipe, { events }) });
}

function shown({ id, ask, cell, strikes }: ShowRequest): void {
  const ready = partsOf(ask, pages);
  const part = 'parts' in ready ? ready.parts[0] : undefined;
  if (!part) return;
  const known =
    cell.row >= 0 && kept?.key === keyOf(ask) ? kept.maker.schedule(cell.row, cell.column) : undefined;
  const named: readonly Strike[] = strikes
    .map(({ event, boundary }) => ({ kind: part.kinds.findIndex((one) => one.event === event), boundary }))
    .toSorted((a, b) => a.boundary - b.boundary);
  const { recipe, boundary, sentence } = show(ask, part, known ?? named);
  const dumped = ask.judge?.length && ask.events.length === 1;
  const door = doorOf(
    recipe,
    dumped ? cell.column : sentence ? boundary : (named.at(-1)?.boundary ?? 0),
    opener,
  );
  const events = [...recipe.matchAll(/^inject +(.*)$/gm)].map(([, text = '']) => text);
  tell({ kind: 'shown', id, run: { ...door, boundary, events, sentence } });
}

async function answer(request: Request): Promise<void> {
  try {
    await whenHere(() => tryAnswer(request));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell({ kind: 'failed', id: request.id, reason });
  }
}

async function tryAnswer(request: Request): Promise<void> {
  if (request.kind === 'sweep') await sweep(request);
  else if (request.kind === 'around') await sweepAround(request);
  else if (request.kind === 'show') shown(request);
  else if (request.kind === 'warm') partsOf(request.ask, pages);
  else if (request.kind === 'open') {
    const { id, recipe, boundary } = request;
    tell({ kind: 'opened', id, door: doorOf(recipe, boundary, opener) });
  } else {
    const { answerMail } = await import('./lab/mail-answers.ts'); // few ask for it
    const made = answerMail({ ...request, changelog: false }, opener);
    if (made.kind === 'failed') tell({ ...made, id: request.id });
    else tell({ kind: 'mailed', id: request.id, text: made.text });
  }
}

async function work(): Promise<void> {
  busy = true;
  for (let next = queue.shift(); next; next = queue.shift()) await answer(next);
  busy = false;
}

self.onmessage = ({ data }: MessageEvent<Request>) => {
  if (data.kind === 'sweep' || data.kind === 'around') latest = data.id;
  queue.push(data);
  if (!busy) void work();
};
