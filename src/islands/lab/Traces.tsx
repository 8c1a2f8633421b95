/** What each rule would list if the stack were dumped here, beside the calls that are truly live. */
import type { Verdict as Judged, TruthLine } from '../../scenario/timeline.ts';
import { Glyph, Verdict } from './parts.tsx';
import type { State } from './state.ts';
import { shortName } from './words.ts';

const MARKS: Readonly<
  Record<TruthLine['found'][number], { style: string; glyph?: string; sign?: string; text: string }>
> = {
  listed: { style: 'right', glyph: 'right', text: 'listed' },
  guess: { style: 'guess', sign: '?', text: 'listed as a guess' },
  missing: { style: 'stop', sign: '-', text: 'missing' },
  lost: { style: 'said', glyph: 'said', text: 'lost here, and says so' },
};

function Cell({ found }: { readonly found: TruthLine['found'][number] }) {
  const { style, glyph, sign, text } = MARKS[found];
  return (
    <td class={`c ${style}`}>
      {glyph ? <Glyph name={glyph} /> : <span aria-hidden="true">{sign}</span>}
      <span class="vh">{text}</span>
    </td>
  );
}

function TruthTable({ state }: { readonly state: State }) {
  const { rules } = state.outline.value;
  const { truth } = state.frame.value;
  return (
    <table class="tm">
      <thead>
        <tr>
          <th scope="col">
            <Glyph name="truth" />
            truth
          </th>
          {rules.map(({ id, name }) => (
            <th key={id} scope="col">
              <abbr title={name}>{shortName(name)}</abbr>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {truth.flatMap(({ text, stack, found, how, slot }, i) => [
          ...(stack === truth[i - 1]?.stack
            ? []
            : [
                <tr key={`${i}${stack}`} class="mk">
                  <th colSpan={rules.length + 1} scope="rowgroup">
                    &lt;{stack || 'elsewhere'}&gt;
                  </th>
                </tr>,
              ]),
          <tr key={i}>
            <th scope="row" title={`${text}, ${how}`}>
              {!state.ready.value || (slot === undefined && how !== 'current') ? (
                text
              ) : (
                <button
                  type="button"
                  class="reg"
                  title={slot === undefined ? 'where RIP comes from' : 'go to what pushed this address'}
                  onClick={() => (slot === undefined ? state.ofRegister('rip') : state.toWriter(slot))}
                >
                  {text}
                </button>
              )}
            </th>
            {found.map((one, rule) => (
              <Cell key={rules[rule]?.id} found={one} />
            ))}
          </tr>,
        ])}
      </tbody>
    </table>
  );
}

/** Verdicts in words. Where no rule has anything to say, one line says why. */
function Verdicts({ state }: { readonly state: State }) {
  const { rules } = state.outline.value;
  const { verdicts } = state.frame.value;
  const name = ({ unwinder }: Judged) => rules.find(({ id }) => id === unwinder)?.name ?? unwinder;
  if (verdicts.length && verdicts.every(({ judgement }) => judgement === 'not-asked')) {
    return <p class="unasked">{verdicts[0]?.reason || 'RSP is on no exception stack: no rule is asked.'}</p>;
  }
  return (
    <>
      {byLink(rules) && (
        <p class="dim vn">
          Right means that the word leads to the stack that was interrupted, at the right place; not that
          every function is listed.
        </p>
      )}
      <ul class="vl">
        {verdicts.map((verdict) => (
          <li key={verdict.unwinder}>
            <Verdict judgement={verdict.judgement} /> <b>{name(verdict)}</b>
            <span>{verdict.reason}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Whether any rule goes by a word `end[-k]`. */
const byLink = (rules: readonly { readonly id: string }[]): boolean =>
  rules.some(({ id }) => id.startsWith('end-'));

/** k of end[-k] to choose from; 2 and 14 have columns of their own already. */
const PICKS = Array.from({ length: 33 }, (_, i) => i + 1).filter((k) => k !== 2 && k !== 14);

/** The reader's own rule. */
function Pick({ state }: { readonly state: State }) {
  const { pick, ready } = state;
  return (
    <p class="js own">
      <label>
        your rule: the next RSP is{' '}
        <select
          class="live"
          value={pick.value ?? ''}
          disabled={!ready.value}
          onChange={({ currentTarget }) => state.setPick(Number(currentTarget.value) || undefined)}
        >
          {pick.value === undefined && <option value="">none</option>}
          {PICKS.map((k) => (
            <option key={k} value={k}>
              end[-{k}]
            </option>
          ))}
        </select>
      </label>
    </p>
  );
}

/** The truth with the answer of every rule, verdicts, and the lines a kernel would print. */
export function Traces({ state }: { readonly state: State }) {
  const { verdicts, lost } = state.frame.value;
  const { rules } = state.outline.value;
  return (
    <>
      <h2 class="ph">
        If the stack were dumped here <small>rules against the truth</small>
      </h2>
      <TruthTable state={state} />
      <p class="dim vn">?: listed as a guess. -: missing.</p>
      {lost && <p class="unasked">A return address was overwritten while in use: the truth ends here.</p>}
      {byLink(rules) && <Pick state={state} />}
      <Verdicts state={state} />
      <details class="printed">
        <summary>What each rule lists, in the kernel's format</summary>
        <p class="dim">
          A kernel also prints every other text word it finds on the stacks, marked with a question mark.
        </p>
        {verdicts.map(({ unwinder, printed }, i) => (
          <figure key={unwinder}>
            <figcaption>{rules[i]?.name ?? unwinder}</figcaption>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
            <pre tabIndex={0}>{printed.join('\n') || 'nothing'}</pre>
          </figure>
        ))}
      </details>
    </>
  );
}
