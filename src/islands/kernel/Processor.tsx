/** The processor that text is patched for: only what the routine in view asks for is offered. */
import type { State, View } from './state.ts';

export function Processor({ state, view }: { readonly state: State; readonly view: View }) {
  const { symbol, asked } = view.listing;
  const chosen = state.features.value;
  const others = chosen?.filter((name) => !asked.includes(name)) ?? [];
  return (
    <fieldset class="processor">
      <legend>Text</legend>
      <label>
        <input
          type="radio"
          name="text"
          checked={chosen === undefined}
          onChange={() => state.show(symbol, undefined)}
        />
        as linked
      </label>
      <label>
        <input
          type="radio"
          name="text"
          checked={chosen !== undefined}
          onChange={() => state.show(symbol, chosen ?? [])}
        />
        patched for a processor with
      </label>
      {chosen && (
        <span class="choices">
          {asked.map((name) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={chosen.includes(name)}
                onChange={({ currentTarget: { checked } }) =>
                  state.show(symbol, checked ? [...chosen, name] : chosen.filter((one) => one !== name))
                }
              />
              <code>{name}</code>
            </label>
          ))}
          {asked.length === 0 && <span class="dim">nothing here asks for a feature</span>}
          {others.length > 0 && <span class="dim">also {others.join(', ')}: not asked for here</span>}
        </span>
      )}
    </fieldset>
  );
}
