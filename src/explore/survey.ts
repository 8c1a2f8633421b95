/** A sweep with its map: part by part, so that progress can be shown and a reader can leave at any time. */
import type { Problem } from '../asm/source.ts';
import type { Library } from '../scenario/library.ts';
import { MapMaker, type SweepMap } from './map.ts';
import { type Explored, explorePart, partsOf, reportOf, type SweepAsk, type SweepReport } from './sweep.ts';

export interface Surveyed {
  readonly report: SweepReport;
  /** Of the first start with the first body. */
  readonly map: SweepMap;
  readonly maker: MapMaker;
}

/** How far a survey has come. */
export interface Surveying {
  readonly maker: MapMaker;
  /** Boundaries done of those that the runs without the swept events have, the part in hand counted alone. */
  readonly done: number;
  readonly of: number;
  readonly paths: number;
  /** Which part is in hand, from 0. */
  readonly part: number;
  readonly parts: number;
}

/** Sweeps and makes the map. It yields after each fork of the first path; leave it whenever you like. */
export function* survey(
  ask: SweepAsk,
  pages: Library,
): Generator<Surveying, Surveyed | { readonly problems: readonly Problem[] }> {
  const ready = partsOf(ask, pages);
  if ('problems' in ready) return ready;
  const [first] = ready.parts;
  if (!first) return { problems: [{ page: 'sweep', line: 1, column: 1, message: 'missing starts' }] };
  const maker = new MapMaker(ask, first);
  const explored: Explored[] = [];
  for (const [part, one] of ready.parts.entries()) {
    const run = explorePart(one);
    for (;;) {
      const { done, value } = run.next();
      const root = value.root;
      if (one === first) maker.take(root);
      if (done) {
        explored.push(value);
        break;
      }
      const { boundary, paths } = value;
      yield { maker, done: boundary, of: maker.last, paths, part, parts: ready.parts.length };
    }
  }
  return { report: reportOf(ask, explored), map: maker.map, maker };
}

/** A whole survey at once. */
export function surveyAll(
  ask: SweepAsk,
  pages: Library,
): Surveyed | { readonly problems: readonly Problem[] } {
  const run = survey(ask, pages);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}
