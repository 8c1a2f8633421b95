/** A question before scrubbing. The answer is kept in this browser only and shown once the playhead got there. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { State } from './state.ts';

export interface Prediction {
  readonly question: string;
  /** The record that is right. */
  /** Name of a record. */
  readonly answer: string;
  /** Step (as a link names it) from which on the run shows the answer. */
  readonly at: string;
}

/** Three records to choose from. */
export function Predict({ state, prediction }: { readonly state: State; readonly prediction: Prediction }) {
  const { question, answer, at } = prediction;
  const { slug, steps } = state.outline.value;
  const key = `predict.${slug}`;
  const chosen = useSignal('');
  const seen = useSignal(false);
  const moment = steps.find(({ checkpoint }) => checkpoint === at)?.boundary ?? 0;
  const here = state.frame.value.boundary;
  useEffect(() => {
    try {
      chosen.value = localStorage.getItem(key) ?? '';
    } catch {
      // storage refused: the question is asked again next time
    }
  }, []);
  useEffect(() => {
    if (chosen.value && here >= moment) seen.value = true;
  }, [here]);
  const choose = (name: string) => {
    chosen.value = name;
    try {
      localStorage.setItem(key, name);
    } catch {
      // see above
    }
  };
  return (
    <fieldset class="predict js">
      <legend>{question}</legend>
      {state.outline.value.records.map(({ name, group }) => (
        <label key={name}>
          <input type="radio" name={key} checked={chosen.value === name} onChange={() => choose(name)} />
          <span class={`rec ${group}`}>{name}</span>
        </label>
      ))}
      <output>
        {chosen.value && !seen.value && 'Noted. Now scrub.'}
        {chosen.value && seen.value && (
          <>
            {chosen.value === answer ? 'So it is: ' : 'It is '}
            <span class={`rec ${answer}`}>{answer}</span>.
          </>
        )}
      </output>
    </fieldset>
  );
}
