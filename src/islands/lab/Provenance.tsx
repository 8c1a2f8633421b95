/** The history of the selected word, and where each saved RSP leads. */
import { Glyph } from './parts.tsx';
import type { State } from './state.ts';
import { authorText, brief, groupOf, halves, shortly, wordAt } from './words.ts';

/** Who wrote the selected word, what it held before, who writes it next; with ways to go there. */
export function Provenance({ state }: { readonly state: State }) {
  const found = state.history.value;
  if (!found) return null;
  const { word, written, before, next, known } = found;
  const at = state.frame.value.boundary;
  const off = !state.ready.value;
  return (
    <div class="prov">
      <p aria-live="polite">
        <b>q({word.index})</b> {word.role}: <code>{halves(word.value).join('')}</code>
        {word.meaning && `, ${brief(word.meaning)}`}, written by {authorText(word.author)}.
        {before && ` Before: ${shortly(before)}, by ${authorText(before.author)}.`}
        {next && ` Next write: ${shortly(next)}, by ${authorText(next.author)}.`}
        {known && !next && ' Not written again in this run.'}
      </p>
      <p class="js go">
        <button
          type="button"
          class="btn"
          disabled={off || !known || written === undefined || written === at}
          onClick={() => written !== undefined && state.moveTo(written)}
        >
          Go to its last write
        </button>
        <button
          type="button"
          class="btn"
          disabled={off || !next}
          onClick={() => next?.author.boundary !== undefined && state.moveTo(next.author.boundary)}
        >
          Go to its next write
        </button>
      </p>
    </div>
  );
}

/** An arrow for the RSP of each record, to what it means. */
export function Leads({ state }: { readonly state: State }) {
  const frame = state.frame.value;
  if (state.outline.value.records.length === 0) return null;
  return (
    <div class="leads">
      <h2 class="ph">Where each saved RSP leads</h2>
      {state.outline.value.records.map(({ name, rsp }) => {
        const word = wordAt(frame, rsp);
        if (!word) return null;
        const back = /\bNMI stack\b/.test(word.meaning);
        const old = word.author.kind === 'earlier';
        return (
          <div key={name} class={`lead ${groupOf(name, frame)}`}>
            <span>
              <Glyph name={groupOf(name, frame)} /> {name} {rsp}
            </span>
            <span class="ar" aria-hidden="true" />
            <span class={`to${back ? ' back' : ''}${old ? ' old' : ''}`}>
              <span class="vh">leads to </span>
              {word.meaning}
              {old && `, ${word.author.name}`}
            </span>
          </div>
        );
      })}
    </div>
  );
}
