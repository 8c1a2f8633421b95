/** The safeguards of the design as switches: which are in place, what each is for. */
import { useAsked } from './asked.ts';
import type { State } from './state.ts';

/** A fold of switches; nothing for a design that names none. */
export function Safeguards({ state }: { readonly state: State }) {
  const { outline, ready, busy } = state;
  const { safeguards, without } = outline.value;
  const [off, ask] = useAsked(state, without);
  if (safeguards.length === 0) return null;
  const toggle = (name: string, on: boolean) => {
    const wanted = on ? without.filter((one) => one !== name) : [...without, name];
    ask(wanted);
    return state.setWithout(wanted);
  };
  return (
    <details class="safeguards js">
      <summary>
        Safeguards:{' '}
        {without.length > 0 ? (
          <>
            without <b>{without.join(', ')}</b>
          </>
        ) : (
          <span class="dim">all {safeguards.length} in place</span>
        )}
      </summary>
      <ul>
        {safeguards.map(({ name, about }) => (
          <li key={name}>
            <label>
              <input
                type="checkbox"
                checked={!off.includes(name)}
                disabled={!ready.value || busy.value}
                onChange={({ currentTarget }) => toggle(name, currentTarget.checked)}
              />
              <code>{name}</code> <span class="dim">{about}</span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
