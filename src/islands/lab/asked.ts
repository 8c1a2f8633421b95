import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { State } from './state.ts';

/**
 * What a control shows: `value`, but from the reader's change until its run is there what was asked for. Without it a
 * control falls back for as long as the run takes.
 */
export function useAsked<T>({ busy }: State, value: T): readonly [shown: T, ask: (wanted: T) => void] {
  const asked = useSignal<{ readonly wanted: T } | undefined>(undefined);
  const waits = busy.value;
  useEffect(() => {
    if (!waits) asked.value = undefined;
  }, [waits]);
  const shown = waits && asked.value ? asked.value.wanted : value;
  return [
    shown,
    (wanted) => {
      asked.value = { wanted };
    },
  ];
}
