/** The picture of a map, drawn by Observable Plot: while the site is built, and again in the browser when it changes. */
import type * as Plots from '@observablehq/plot';
import { fateOf, type Verdict } from '../../explore/fate.ts';
import { DUMP, type SweepMap } from '../../explore/map.ts';
import { CODES } from '../../unwind/view.ts';
import { type Area, areasOf, geometryOf, NAMED, rowBox, stripRow, TURNED } from './geometry.ts';
import { looksOf } from './looks.ts';
import { eventName } from './say.ts';

type Plot = Pick<typeof Plots, 'plot' | 'text' | 'ruleX' | 'ruleY'>;

const WORST: readonly Verdict[] = ['intact', 'not-judged', 'endless', 'dies', 'wrong', ...CODES];

/**
 * The picture as an SVG element.
 *
 * @param document what it is made with, where there is no browser
 */
export function draw(map: SweepMap, plot: Plot, document?: Document): Element {
  const geometry = geometryOf(map);
  const { width, height, left, top, across, down, columns, rows, strips, names } = geometry;
  const right = left + columns * across;
  const bottom = rows > 0 ? top + rows * down : top;
  const byLook = Map.groupBy(areasOf(map), ({ letter }) => looksOf(letter));
  const order = [...byLook].toSorted(([, a], [, b]) => badness(a) - badness(b));
  const edges = map.stretches.map(({ from }) => from);
  const figure = plot.plot({
    ...(document ? { document } : {}),
    width,
    height,
    marginLeft: left,
    marginRight: width - right,
    marginTop: strips,
    marginBottom: height - bottom,
    style: { background: 'none', color: 'var(--ink-2)', overflow: 'visible' },
    x: { type: 'linear', domain: [left, right], range: [left, right], axis: null },
    y: { type: 'linear', domain: [0, height], range: [0, height], axis: null },
    marks: [
      // One path a fate: thousands of rectangles would weigh more than the rest of the page.
      ...order.map(([{ fill }, areas]) => area(areas, fill)),
      // Where each function of the run begins: across for the second event, down for the first.
      plot.ruleX(edges, {
        x: (at: number) => left + at * across,
        y1: strips - 4,
        y2: top - (rows > 0 ? 8 : 0),
        stroke: 'var(--rule-strong)',
        strokeOpacity: 0.5,
      }),
      plot.text(names, {
        x: ({ from, to }) => left + ((from + to + 1) / 2) * across,
        y: strips - 8,
        text: 'name',
        rotate: TURNED,
        textAnchor: 'start',
        fill: 'currentColor',
      }),
      plot.text(map.strips, {
        x: left - 8,
        y: ({ event }) =>
          middle(
            map,
            map.strips.findIndex((one) => one.event === event),
          ),
        text: ({ event }) => (event === DUMP ? 'no event' : `${eventName(event)} alone`),
        textAnchor: 'end',
        fill: 'currentColor',
      }),
      ...(rows > 0
        ? [
            plot.ruleY(edges, {
              y: (at: number) => top + at * down,
              x1: left - 6,
              x2: right,
              stroke: 'var(--rule-strong)',
              strokeOpacity: 0.35,
            }),
            plot.text(
              map.stretches.filter(({ from, to }) => (to - from + 1) * down >= NAMED),
              {
                x: left - 8,
                y: ({ from, to }) => top + ((from + to + 1) / 2) * down,
                text: 'name',
                textAnchor: 'end',
                fill: 'currentColor',
              },
            ),
          ]
        : []),
      plot.text(ticks(columns), {
        x: (at: number) => left + at * across,
        y: bottom + 14,
        text: (at: number) => String(at),
        fill: 'currentColor',
      }),
      plot.text(
        [
          map.pair?.[1] === DUMP
            ? 'boundary of the dump'
            : map.pair
              ? `boundary at which the second event, ${eventName(map.pair[1])}, strikes`
              : 'boundary at which it strikes',
        ],
        {
          x: (left + right) / 2,
          y: bottom + 32,
          text: (label: string) => label,
          fill: 'currentColor',
        },
      ),
    ],
  });
  // The picture speaks as a whole, and the table says the same: its parts are not announced.
  for (const part of figure.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
  figure.setAttribute('aria-hidden', 'true');
  return figure;
}

/** A mark of Plot's: areas as one path, in units that its scales leave as they are. */
const area =
  (areas: readonly Area[], fill: string): Plots.RenderFunction =>
  (_index, _scales, _values, _dimensions, { document }) => {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', areas.map(({ d }) => d).join(''));
    path.setAttribute('fill', fill);
    return path;
  };

const badness = (areas: readonly Area[]): number =>
  WORST.indexOf(fateOf(areas[0]?.letter ?? '')?.verdict ?? 'intact');

function middle(map: SweepMap, strip: number): number {
  const { y, height } = rowBox(map, stripRow(map, strip));
  return y + height / 2;
}

const ticks = (columns: number): readonly number[] => {
  const step = columns > 400 ? 100 : columns > 120 ? 20 : columns > 30 ? 10 : 5;
  return Array.from({ length: Math.floor(columns / step) + 1 }, (_, n) => n * step);
};
