/** A box for a symbol, with those that hold what was typed: a combobox as ARIA 1.2 has it. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { State } from './state.ts';

export function SymbolBox({ state }: { readonly state: State }) {
  const id = useId();
  const text = useSignal('');
  /** Which of the offered names is chosen; -1 for what was typed. */
  const at = useSignal(-1);
  const { names, count } = state.completions.value;
  const open = names.length > 0;
  const close = (): void => {
    at.value = -1;
    state.completed();
  };
  const choose = (name: string): void => {
    if (name === '') return;
    text.value = name;
    close();
    state.show(name);
  };
  const step = (by: number): void => {
    const next = at.value + by;
    at.value = next >= names.length ? -1 : next < -1 ? names.length - 1 : next;
  };
  return (
    <div class="symbol-box">
      <label for={`${id}-box`}>symbol</label>
      <input
        id={`${id}-box`}
        class="live"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-activedescendant={at.value >= 0 ? `${id}-${at.value}` : undefined}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        placeholder="asm_exc_nmi"
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value.trim();
          at.value = -1;
          if (text.value) state.complete(text.value);
          else close();
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' && open) step(1);
          else if (event.key === 'ArrowUp' && open) step(-1);
          else if (event.key === 'Enter') choose(names[at.value] ?? text.value);
          else if (event.key === 'Escape' && open) close();
          else return;
          event.preventDefault();
        }}
        onBlur={close}
      />
      <button type="button" class="btn" disabled={!text.value} onClick={() => choose(text.value)}>
        Show
      </button>
      <div id={`${id}-list`} role="listbox" aria-label="Symbols" hidden={!open}>
        {names.map((name, n) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the box, which keeps the focus
          // biome-ignore lint/a11y/useFocusableInteractive: the box keeps the focus and names the active one
          <div
            key={name}
            id={`${id}-${n}`}
            role="option"
            aria-selected={n === at.value}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(name)}
          >
            {name}
          </div>
        ))}
      </div>
      <span class="vh" role="status">
        {open ? `${count} symbols${count > names.length ? `, the first ${names.length} offered` : ''}` : ''}
      </span>
    </div>
  );
}
