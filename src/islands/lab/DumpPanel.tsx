/** The dumps in the laboratory: fetched when the reader opens them, and then beside the playhead. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { DumpsProps } from './Dumps.tsx';
import { createDumping } from './dumping.ts';
import type { Asker } from './protocol.ts';
import type { State } from './state.ts';

export function DumpPanel({ state, ask }: { readonly state: State; readonly ask: Asker }) {
  const dumping = useMemo(() => createDumping(ask), []);
  const Dumps = useSignal<((props: DumpsProps) => preact.JSX.Element) | undefined>(undefined);
  const open = useSignal(false);
  const Part = Dumps.value;
  return (
    <details
      class="js dump-panel"
      onToggle={async ({ currentTarget }) => {
        open.value = currentTarget.open;
        if (!Dumps.value) {
          const part = await import('./Dumps.tsx');
          Dumps.value = part.Dumps;
        }
      }}
    >
      <summary>Unwinders of kernels, word by word</summary>
      {open.value && Part && (
        <div class="body">
          <Part
            dumping={dumping}
            recipe={state.outline.value.recipe}
            boundary={state.frame.value.boundary}
            last={state.lanes.value.last}
            onWord={state.toWriter}
          />
        </div>
      )}
    </details>
  );
}
