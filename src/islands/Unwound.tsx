/** Dumps in prose: one boundary that the page shows at once, and a slider for the others. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Dump } from '../scenario/dump.ts';
import { ask } from './lab/client.ts';
import { Dumps } from './lab/Dumps.tsx';
import { createDumping } from './lab/dumping.ts';

export interface UnwoundProps {
  readonly title: string;
  readonly recipe: string;
  readonly baked: Dump;
  readonly last: number;
}

export default function Unwound({ title, recipe, baked, last }: UnwoundProps) {
  const dumping = useMemo(() => createDumping(ask, baked), []);
  const boundary = useSignal(baked.boundary);
  const live = useSignal(false);
  useEffect(() => {
    live.value = true;
  }, []);
  return (
    <section class="island unwound" aria-label={`Dumps, ${title}`} data-live={live.value ? '' : undefined}>
      <header>
        <span>{title}</span>
      </header>
      <div class="body">
        <p class="js">
          <label>
            boundary{' '}
            <input
              type="range"
              min={0}
              max={last}
              value={boundary.value}
              onInput={({ currentTarget }) => {
                boundary.value = Number(currentTarget.value);
              }}
            />
          </label>{' '}
          <output>{boundary}</output> of {last}
        </p>
        <Dumps dumping={dumping} recipe={recipe} boundary={boundary.value} last={last} />
      </div>
    </section>
  );
}
