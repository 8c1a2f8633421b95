/** While a run is made its controls are disabled, and a browser takes the focus from what is disabled: it is given back. */
import { effect, type ReadonlySignal } from '@preact/signals';

const CAN = ':is(button, select, input, textarea):enabled, [tabindex="0"]';

/** An element and those around it, the innermost first, up to `root`. */
function around(from: Element, root: Element): readonly Element[] {
  const found: Element[] = [];
  for (let one: Element | null = from; one && one !== root; one = one.parentElement) found.push(one);
  return found;
}

/**
 * Gives the focus back when a run is there. Where what had it is gone or stays disabled, what can have it nearest to that
 * gets it.
 *
 * @returns ends this
 */
export function keepFocus(busy: ReadonlySignal<boolean>, root: HTMLElement): () => void {
  let had: readonly Element[] = [];
  const giveBack = (chain: readonly Element[]) => {
    if (document.activeElement !== document.body) return;
    for (const one of chain) {
      if (!one.isConnected) continue;
      const next = one.matches(CAN) ? one : one.querySelector(CAN);
      if (next instanceof HTMLElement) return next.focus({ preventScroll: true });
    }
  };
  return effect(() => {
    if (busy.value) {
      // Nothing was drawn anew yet.
      const { activeElement } = document;
      had = activeElement && root.contains(activeElement) ? around(activeElement, root) : [];
      return;
    }
    const chain = had;
    had = [];
    // Parts that know better what is next ask for the focus in the frame after the run.
    if (chain.length > 0) requestAnimationFrame(() => requestAnimationFrame(() => giveBack(chain)));
  });
}
