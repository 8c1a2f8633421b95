/** This run beside another one: where they part, their steps in lockstep, and what differs at the playhead. */
import { useEffect, useMemo } from 'preact/hooks';
import { contrasts, endText, type Pair } from './compare.ts';
import { type Comparing, createComparing } from './comparing.ts';
import { Told } from './parts.tsx';
import type { Asker } from './protocol.ts';
import type { State } from './state.ts';

interface CompareProps {
  readonly state: State;
  readonly ask: Asker;
  /** The page's own recipe. */
  readonly own: string;
  /** Slugs of all designs. */
  readonly designs: readonly string[];
}

function Choices({
  state,
  comparing,
  designs,
}: Pick<CompareProps, 'state' | 'designs'> & { readonly comparing: Comparing }) {
  const { safeguards, without, design } = state.outline.value;
  const { choice } = comparing;
  return (
    <label>
      compare with{' '}
      <select
        class="live"
        value={choice.value}
        disabled={!state.ready.value}
        onChange={({ currentTarget }) => {
          choice.value = currentTarget.value;
        }}
      >
        <option value="">nothing</option>
        <option value="own">the page's own run</option>
        {safeguards.map(({ name }) => {
          const word = without.includes(name) ? 'with' : 'without';
          return (
            <option key={name} value={`${word} ${name}`}>
              {word} {name}
            </option>
          );
        })}
        {designs
          .filter((name) => name !== design)
          .map((name) => (
            <option key={name} value={`design ${name}`}>
              design {name}
            </option>
          ))}
      </select>
    </label>
  );
}

function Steps({ state, pairs, parts }: { state: State; pairs: readonly Pair[]; parts: number | undefined }) {
  const at = state.frame.value.boundary;
  const current = pairs.findLastIndex(({ here }) => here !== undefined && here <= at);
  return (
    <table class="lockstep">
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">here</th>
          <th scope="col">there</th>
          <th scope="col">what differs</th>
        </tr>
      </thead>
      <tbody>
        {pairs.map(({ checkpoint, name, here, there, differs }, n) => (
          <tr
            // A step may come in both runs and not be paired: its place in the list tells them apart.
            key={`${n} ${checkpoint}`}
            class={`${n === parts ? 'parts' : ''}${here === undefined || there === undefined ? ' alone' : ''}`}
            aria-current={n === current ? 'step' : undefined}
          >
            <th scope="row">{name}</th>
            <td>
              {here === undefined ? (
                'not here'
              ) : (
                <button type="button" class="place" onClick={() => state.moveTo(here)}>
                  {here}
                </button>
              )}
            </td>
            <td>{there ?? 'not there'}</td>
            <td>{differs.join('; ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function AtPlayhead({ state, comparing }: { readonly state: State; readonly comparing: Comparing }) {
  const frame = state.frame.value;
  const there = comparing.there.value;
  if (!there) return null;
  const found = contrasts(frame, there);
  return (
    <div class="beside">
      <p>
        <b>Here, boundary {frame.boundary}:</b>{' '}
        <Told text={frame.sentence} records={comparing.here.value.records} />
      </p>
      <p>
        <b>There, boundary {there.boundary}:</b>{' '}
        <Told text={there.sentence} records={comparing.other.value?.side.records ?? []} />
      </p>
      {found.length === 0 ? (
        <p class="dim">No word and no flag differs.</p>
      ) : (
        <table class="lockstep">
          <thead>
            <tr>
              <th scope="col">what</th>
              <th scope="col">here</th>
              <th scope="col">there</th>
            </tr>
          </thead>
          <tbody>
            {found.map(({ what, here, there: other, spot }) => (
              <tr key={what}>
                <th scope="row">
                  {spot === undefined ? (
                    what
                  ) : (
                    <button
                      type="button"
                      class="reg"
                      title="where it comes from, here"
                      onClick={() => (typeof spot === 'number' ? state.select(spot) : state.ofRegister(spot))}
                    >
                      {what}
                    </button>
                  )}
                </th>
                <td>{here}</td>
                <td>{other}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** The panel: a choice, and under it the comparison. */
export function Compare({ state, ask, own, designs }: CompareProps) {
  const comparing = useMemo(() => createComparing(state, own, ask), []);
  useEffect(() => comparing.follow(), []);
  const { comparison, other, here, problem, note, told, busy } = comparing;
  return (
    <section class="compare js" aria-label="Comparison">
      <Choices state={state} comparing={comparing} designs={designs} />{' '}
      {busy.value && <span class="dim">running</span>}
      {problem.value && <p role="alert">The other run cannot be made: {problem.value}</p>}
      {/* Always there: what comes together with its region is not announced. */}
      <p class="parted" role="status">
        {told}
      </p>
      {comparison.value && other.value && (
        <>
          {note.value && <p class="dim">{note}</p>}
          <div class="both">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
            <section class="scroller" tabIndex={0} aria-label="Steps of both runs">
              <Steps state={state} pairs={comparison.value.pairs} parts={comparison.value.parts} />
            </section>
            <AtPlayhead state={state} comparing={comparing} />
          </div>
          <p class="dim">
            Here: {endText(here.value.outcome)}. There: {endText(other.value.side.outcome)}.
          </p>
        </>
      )}
    </section>
  );
}
