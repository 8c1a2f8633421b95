/** The whole run in text: a row a step, and every stretch of equal judgement. Equal in content to the score. */
import { Told, Verdict } from './parts.tsx';
import type { State } from './state.ts';
import { JUDGEMENTS, shortName } from './words.ts';

function Spans({ state }: { readonly state: State }) {
  const { rules, blocked, pending } = state.outline.value;
  const range = ({ from, to }: { readonly from: number; readonly to: number }) =>
    from === to ? `${from}` : `${from}-${to}`;
  const list = (spans: readonly { readonly from: number; readonly to: number }[]) =>
    spans.map(range).join(', ') || 'never';
  return (
    <dl class="spans">
      <div>
        <dt>NMIs blocked</dt>
        <dd>boundaries {list(blocked)}</dd>
      </div>
      <div>
        <dt>one pending</dt>
        <dd>boundaries {list(pending)}</dd>
      </div>
      {rules.map(({ id, name }, i) => (
        <div key={id}>
          <dt>{name}</dt>
          <dd>
            {(state.lanes.value.rules[i] ?? [])
              .map((run) => `${range(run)} ${JUDGEMENTS[run.judgement].text}`)
              .join('; ')}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Rows({ state }: { readonly state: State }) {
  const { steps, rules, records } = state.outline.value;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroller" tabIndex={0} aria-label="Step table">
        <table class="st">
          <thead>
            <tr>
              <th scope="col">boundary</th>
              <th scope="col">step</th>
              <th scope="col">what happens</th>
              <th scope="col">RSP</th>
              <th scope="col">executing</th>
              <th scope="col">NMIs</th>
              {records.map(({ name, rsp, rip }) => (
                <th key={name} scope="col">
                  {name} q({rsp}) / q({rip})
                </th>
              ))}
              {rules.map(({ id, name }) => (
                <th key={id} scope="col">
                  <abbr title={name}>{shortName(name)}</abbr>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {state.rows.value.map((row, i) => (
              <tr key={steps[i]?.checkpoint}>
                <td>{row.boundary}</td>
                <th scope="row">{steps[i]?.name}</th>
                <td class="say-so">
                  <Told text={steps[i]?.sentence ?? ''} records={records} />
                </td>
                <td>{row.rsp}</td>
                <td>{row.executing}</td>
                <td>{row.latch}</td>
                {row.records.map((text, n) => (
                  <td key={records[n]?.name} class={records[n]?.group}>
                    {text}
                  </td>
                ))}
                {row.judgements.map((judgement, n) => (
                  <td key={rules[n]?.id}>
                    {judgement === 'not-asked' ? (
                      <span class="dim">not asked</span>
                    ) : (
                      <Verdict judgement={judgement} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

/** A fold: rows by step, then spans by boundary. */
export function StepTable({ state }: { readonly state: State }) {
  const rest = state.rest.value;
  return (
    <details class="steps">
      <summary>The same run as a table: {state.outline.value.steps.length} steps</summary>
      {rest === undefined ? (
        <Rows state={state} />
      ) : (
        <p>
          The table of all steps is on <a href={rest}>the page of the run</a>.
        </p>
      )}
      <Spans state={state} />
    </details>
  );
}
