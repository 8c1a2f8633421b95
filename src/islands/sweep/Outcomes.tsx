/** The map as text: how often each outcome comes, and by where the first event strikes. */
import { FATES, fateOf } from '../../explore/fate.ts';
import { byPlace, DUMP, tally } from '../../explore/map.ts';
import { Glyph } from '../lab/parts.tsx';
import { detailOf, looksOf } from './looks.ts';
import { count, eventName } from './say.ts';
import type { State } from './state.ts';

type Tallied = Pick<State, 'map' | 'title'>;

/** The swatch of a fate as the map shows it. */
export const Swatch = ({ letter }: { readonly letter: string }) => {
  const { fill } = looksOf(letter);
  return (
    <svg class="fill" viewBox="0 0 24 14" aria-hidden="true">
      <rect width="24" height="14" style={{ fill }} />
    </svg>
  );
};

/** Verdict of a fate: fill, glyph, word. */
export const Chip = ({ letter }: { readonly letter: string }) => {
  const { style, text } = looksOf(letter);
  return (
    <span class={`vd ${style}`}>
      <Glyph name={style} />
      {text}
    </span>
  );
};

/** What the picture counts: the pairs, or the runs of the only strip. */
const rowsOf = ({ map: { value: map } }: Tallied): readonly string[] =>
  map.pair ? map.rows : map.strips.map(({ cells }) => cells);

/** Legend and numbers at once. */
export function Outcomes({ state }: { readonly state: Tallied }) {
  const counts = tally(rowsOf(state));
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const { judge, pair } = state.map.value;
  const what = judge && pair?.[1] === DUMP ? 'dumps' : pair ? 'pairs' : 'runs';
  return (
    <section aria-label={`Outcomes, ${state.title}`}>
      <h2>
        Outcomes of {count(total)} {what}
      </h2>
      <ul class="counts">
        {FATES.filter(({ letter }) => counts.has(letter)).map((fate) => (
          <li key={fate.letter}>
            <Swatch letter={fate.letter} />
            <span>
              <b>{looksOf(fate.letter).text}</b> {detailOf(fate)}
            </span>
            <span class="n">{count(counts.get(fate.letter) ?? 0)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Places({ state, open = true }: { readonly state: Tallied; readonly open?: boolean }) {
  const map = state.map.value;
  const letters = FATES.map(({ letter }) => letter).filter((letter) => tally(rowsOf(state)).has(letter));
  const first = map.pair?.[0] ?? map.strips[0]?.event ?? '';
  return (
    <details class="places" open={open}>
      <summary>
        The map as a table: by where the {map.pair ? 'first ' : ''}
        {eventName(first)} strikes
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a phone */}
      <section class="scroller" tabIndex={0} aria-label={`Outcomes by place, ${state.title}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">in</th>
              <th scope="col">boundaries</th>
              {letters.map((letter) => (
                <th scope="col" key={letter}>
                  <Swatch letter={letter} /> {headOf(letter)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {byPlace(map).map(({ name, from, to, counts }) => (
              <tr key={from}>
                <th scope="row">{name ? <code>{name}</code> : 'longer runs'}</th>
                <td>{from === to ? from : `${from} to ${to}`}</td>
                {letters.map((letter) => (
                  <td key={letter}>
                    {counts.has(letter) ? count(counts.get(letter) ?? 0) : <span class="dim">-</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

const HEADS: Readonly<Record<string, string>> = {
  o: 'on its own',
  n: 'inside an NMI',
  w: 'waits',
  m: 'merged',
  x: 'not judged',
};
const headOf = (letter: string): string => HEADS[letter] ?? fateOf(letter)?.invariant ?? looksOf(letter).text;
