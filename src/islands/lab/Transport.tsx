/** Buttons and the jump field beside the sentence of the boundary in view. */
import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { readJump, stepAfter, stepBefore } from './moves.ts';
import { Told } from './parts.tsx';
import type { State } from './state.ts';
import { plain, sentenceOf } from './words.ts';

/** Where the playhead is: the step, how far past it, and the boundary. */
function Position({ state }: { readonly state: State }) {
  const { frame, step, stop, axis, lanes } = state;
  const past = frame.value.boundary - (step.value?.boundary ?? 0);
  return (
    <span class="at">
      step {stop.value} of {axis.value.length - 1}
      {past > 0 && ` +${past}`}{' '}
      <span class="dim">
        boundary {frame.value.boundary} of {lanes.value.last}
      </span>
    </span>
  );
}

function Jump({ state }: { readonly state: State }) {
  const problem = useSignal('');
  const id = useId();
  const { steps } = state.outline.value;
  return (
    <form
      class="jump"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem('to') as HTMLInputElement;
        const found = readJump(field.value, steps, state.lanes.value.last);
        problem.value = 'problem' in found ? found.problem : '';
        if ('boundary' in found) state.moveTo(found.boundary);
      }}
    >
      <label>
        <span class="vh">Jump to a boundary or step</span>
        <input
          name="to"
          list={id}
          placeholder="jump to"
          autocomplete="off"
          spellcheck={false}
          disabled={!state.ready.value}
          aria-invalid={problem.value !== ''}
          aria-describedby={`${id}p`}
          onInput={() => {
            problem.value = '';
          }}
        />
      </label>
      <datalist id={id}>
        {steps.map(({ checkpoint, name, boundary }) => (
          <option key={checkpoint} value={checkpoint} label={`${name}, boundary ${boundary}`} />
        ))}
      </datalist>
      <span id={`${id}p`} class="bad" role="alert">
        {problem}
      </span>
    </form>
  );
}

const MOVES = [
  {
    sign: '|<',
    label: 'Previous step',
    to: ({ axis, boundary }: State) => stepBefore(axis.value, boundary.value),
  },
  { sign: '<', label: 'One boundary back', to: ({ boundary }: State) => boundary.value - 1 },
  { sign: '>', label: 'One boundary forward', to: ({ boundary }: State) => boundary.value + 1 },
  {
    sign: '>|',
    label: 'Next step',
    to: ({ axis, boundary }: State) => stepAfter(axis.value, boundary.value),
  },
] as const;

/** Buttons for a boundary and a step either way, the position, the jump field. */
export function Transport({ state }: { readonly state: State }) {
  return (
    <div class="transport">
      <span class="js moves">
        {MOVES.map(({ sign, label, to }) => (
          <button
            key={label}
            type="button"
            class="btn"
            aria-label={label}
            title={label}
            disabled={!state.ready.value}
            onClick={() => state.moveTo(to(state))}
          >
            {sign}
          </button>
        ))}
      </span>
      <Position state={state} />
      <span class="js">
        <Jump state={state} />
      </span>
    </div>
  );
}

const PAUSE = 500;

/** The sentence. It is announced after a pause, unless the slider, which speaks for itself, has the focus. */
export function Story({ state }: { readonly state: State }) {
  const { frame, step, ready } = state;
  const sentence = sentenceOf(frame.value, step.value);
  const spoken = useSignal('');
  useEffect(() => {
    if (!ready.value) return;
    const timer = setTimeout(() => {
      if (document.activeElement?.getAttribute('role') !== 'slider')
        spoken.value = `boundary ${frame.value.boundary}: ${plain(sentence)}`;
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [sentence, frame.value.boundary]);
  return (
    <>
      <p class="story">
        <Told text={sentence} records={state.outline.value.records} />
      </p>
      <span class="vh" role="status">
        {spoken}
      </span>
    </>
  );
}
