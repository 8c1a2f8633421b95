/** What the run is made of: events and body by buttons, the whole recipe as text. */
import { useRef } from 'preact/hooks';
import type { Problem } from '../../asm/source.ts';
import { useAsked } from './asked.ts';
import { Glyph, Problems } from './parts.tsx';
import { bodyOf } from './recipe-text.ts';
import type { State } from './state.ts';

/** Fire an NMI at the playhead, take events away, choose the handler's body, start over. */
export function Events({ state, bodies }: { readonly state: State; readonly bodies: readonly string[] }) {
  const { outline, frame, ready, busy } = state;
  const off = !ready.value || busy.value;
  const [body, ask] = useAsked(state, bodyOf(outline.value.recipe) ?? bodies[0]);
  return (
    <div class="js events">
      <button type="button" class="btn fire" disabled={off} onClick={() => state.fire('nmi')}>
        <Glyph name="down" /> Fire an NMI at boundary {frame.value.boundary}
      </button>
      <ul>
        {outline.value.injections.map(({ event, text, boundary }, n) => (
          <li key={`${n}${text}`}>
            <span>
              {event} <span class="dim">at {boundary}</span>
            </span>
            <button
              type="button"
              class="x"
              aria-label={`Remove ${text}`}
              disabled={off}
              onClick={() => state.unfire(n)}
            >
              <Glyph name="silent" />
            </button>
          </li>
        ))}
      </ul>
      {bodies.length > 1 && (
        <label>
          body{' '}
          <select
            class="live"
            value={body}
            disabled={off}
            onChange={({ currentTarget: { value } }) => {
              ask(value);
              void state.setBody(value);
            }}
          >
            {bodies.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <button
        type="button"
        class="btn"
        disabled={off || (!state.strayed.value && state.standing.value.state !== 'cannot-run')}
        onClick={() => state.reset()}
      >
        Reset
      </button>
    </div>
  );
}

/** Index into a text of a place counted in lines and columns from 1. */
function indexOf(text: string, { line, column }: Problem): number {
  const before = text.split('\n').slice(0, line - 1);
  return before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
}

/** The recipe's text. What cannot be run stays as it was typed. */
export function RecipePanel({ state }: { readonly state: State }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, edited, problems, ready, busy } = state;
  const count = problems.value.length;
  return (
    <details class="recipe">
      <summary>
        Recipe
        {edited.value && <span class="dim">, edited, not run</span>}
        {count > 0 && <b class="count">{count === 1 ? '1 problem' : `${count} problems`}</b>}
      </summary>
      <div class="body">
        <textarea
          ref={field}
          aria-label="Recipe"
          rows={Math.min(24, text.value.split('\n').length + 1)}
          spellcheck={false}
          autocomplete="off"
          readOnly={!ready.value}
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) state.run();
          }}
        />
        {count > 0 && (
          <Problems
            problems={problems.value}
            onPlace={(problem) => {
              const at = indexOf(text.value, problem);
              field.current?.focus();
              field.current?.setSelectionRange(at, at);
            }}
          />
        )}
        <p class="js">
          <button type="button" class="btn" disabled={!ready.value || busy.value} onClick={() => state.run()}>
            Run
          </button>{' '}
          <span class="dim">or ctrl-enter</span>
        </p>
      </div>
    </details>
  );
}
