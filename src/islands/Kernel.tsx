/** The island of a kernel that the reader brings: opened in a worker, shown here, sent nowhere. */
import { useSignal } from '@preact/signals';
import { useEffect, useId, useMemo } from 'preact/hooks';
import { buildOf, fragmentOf, type Place, readFragment } from './kernel/address.ts';
import { Code } from './kernel/Code.tsx';
import { createClient } from './kernel/client.ts';
import { Facts } from './kernel/Facts.tsx';
import { Processor } from './kernel/Processor.tsx';
import type { State as RunsState } from './kernel/Runs.tsx';
import { SymbolBox } from './kernel/SymbolBox.tsx';
import { createState, type Phase, type State, type View } from './kernel/state.ts';
import { download } from './lab/picture-file.ts';

const MEGABYTE = 1e6;
const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(1);

/** How far it is, in words. */
function saidOf(phase: Phase): string {
  if (phase.kind === 'cancelled') return `${phase.name} was left unopened.`;
  if (phase.kind !== 'opening') return '';
  const { what = 'starting', done, of } = phase.so ?? {};
  const amount =
    done === undefined ? '' : `: ${megabytes(done)}${of === undefined ? '' : ` of ${megabytes(of)}`} MB`;
  return `${phase.name}: ${what}${amount}`;
}

/** Where a file is chosen, and what becomes of it. It may be dropped anywhere on the page. */
function Door({ state, over }: { readonly state: State; readonly over: boolean }) {
  const id = useId();
  const phase = state.phase.value;
  const { so } = phase.kind === 'opening' ? phase : {};
  return (
    <div class="door js" data-over={over ? '' : undefined}>
      <p>
        <input
          id={id}
          class="vh"
          type="file"
          aria-describedby={`${id}-kinds`}
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file) state.open(file);
            // The same file again is a change too.
            currentTarget.value = '';
          }}
        />
        <label class="btn" for={id}>
          Choose a kernel
        </label>
        <span id={`${id}-kinds`}>or drop it on this page: a .deb, a vmlinuz, a vmlinux or a capsule</span>
      </p>
      {phase.kind === 'opening' && (
        <p class="going">
          <progress
            aria-label="Opened so far"
            {...(so?.done !== undefined && so.of !== undefined ? { value: so.done, max: so.of } : {})}
          />
          <button type="button" class="btn" onClick={() => state.cancel()}>
            Cancel
          </button>
        </p>
      )}
      <p class="said" role="status">
        {saidOf(phase)}
      </p>
      {phase.kind === 'refused' && (
        <p class="wrong" role="alert">
          {phase.name} cannot be opened: {phase.problem}
        </p>
      )}
    </div>
  );
}

/** What can be taken along of the routine in view. */
function Export({ state, view }: { readonly state: State; readonly view: View }) {
  const said = useSignal('');
  const kernel = state.kernel.value;
  const head = kernel
    ? `${kernel.facts.find(([name]) => name === 'banner')?.[1] ?? kernel.name}\nbuild id ${kernel.buildId ?? 'none'}\n\n`
    : '';
  const text = head + view.text;
  const save = (): void => download(`${view.listing.symbol}.txt`, new Blob([text], { type: 'text/plain' }));
  return (
    <p class="acts">
      <button
        type="button"
        class="btn"
        onClick={async () => {
          try {
            await navigator.clipboard.writeText(text);
            said.value = 'Copied';
          } catch {
            save();
            said.value = 'The clipboard is refused: it came as a file';
          }
        }}
      >
        Copy as text
      </button>
      <button type="button" class="btn" onClick={save}>
        Save as text
      </button>
      <button
        type="button"
        class="btn"
        onClick={async () => {
          const made = await state.capsule();
          if (typeof made === 'string') said.value = made;
          else {
            download(`${view.listing.symbol}.capsule.gz`, new Blob([made], { type: 'application/gzip' }));
            said.value = `${(made.length / 1000).toFixed(1)} kB: ${state.seen.value.join(', ')}`;
          }
        }}
      >
        Save a capsule of what was shown
      </button>
      <span role="status">{said}</span>
    </p>
  );
}

/** Whether the address was made for another kernel, in a sentence. */
function strange({ build }: Place, buildId: string | undefined): string {
  const here = buildOf(buildId);
  return build === undefined || build === here
    ? ''
    : `The address was made for build ${build}; this is ${here ?? 'a kernel without a build id'}.`;
}

type RunsModule = typeof import('./kernel/Runs.tsx');

/** What runs the kernel that is open: fetched when it is asked for first. */
function useRuns(state: State) {
  const loaded = useSignal<RunsModule | undefined>(undefined);
  const runs = useSignal<RunsState | undefined>(undefined);
  const problem = useSignal('');
  const kernel = state.kernel.value;
  useEffect(() => {
    runs.value = undefined; // another kernel
  }, [kernel]);
  const start = async (): Promise<void> => {
    try {
      loaded.value ??= await import('./kernel/Runs.tsx');
      problem.value = '';
    } catch {
      problem.value = 'What runs a kernel could not be fetched.';
      return;
    }
    runs.value ??= loaded.value.createRuns(state);
    runs.value.openRun([]);
  };
  const panel = loaded.value && runs.value && <loaded.value.Runs runs={runs.value} />;
  return { start, problem: problem.value, panel };
}

const DRAGS = ['dragover', 'dragleave', 'drop'] as const;

export default function Kernel() {
  const over = useSignal(false);
  const state = useMemo(
    () =>
      createState(createClient, (place) => {
        const fragment = `#${fragmentOf(place)}`;
        // A symbol is a step that Back undoes; another processor is not.
        const step = readFragment(location.hash)?.symbol !== place.symbol && location.hash !== '';
        if (fragment !== location.hash)
          history[step ? 'pushState' : 'replaceState'](history.state, '', fragment);
      }),
    [],
  );
  useEffect(() => {
    state.live.value = true;
    const follow = (): void => {
      const place = readFragment(location.hash);
      if (place) state.follow(place);
    };
    follow();
    addEventListener('hashchange', follow);
    // Without this the browser would show the file in place of the page.
    const drag = (event: DragEvent): void => {
      event.preventDefault();
      over.value = event.type === 'dragover';
      const file = event.type === 'drop' ? event.dataTransfer?.files[0] : undefined;
      if (file) state.open(file);
    };
    for (const type of DRAGS) addEventListener(type, drag);
    return () => {
      removeEventListener('hashchange', follow);
      for (const type of DRAGS) removeEventListener(type, drag);
      state.cancel();
    };
  }, []);
  const kernel = state.kernel.value;
  const view = state.view.value;
  const wanted = state.wanted.value;
  const { start, problem, panel } = useRuns(state);
  return (
    <>
      <section
        class="island own-kernel"
        aria-label="Your kernel"
        data-live={state.live.value ? '' : undefined}
        data-ready={state.live.value}
        data-phase={state.phase.value.kind}
      >
        <header>
          <b>Your kernel</b>
          <span class="dim">{kernel ? kernel.name : 'opened here, sent nowhere'}</span>
        </header>
        <Door state={state} over={over.value} />
        {!kernel && wanted && (
          <p class="note">
            The address asks for <code>{wanted.symbol}</code>
            {wanted.build && <> of the kernel with build id {wanted.build}</>}: it is shown as soon as a
            kernel is open.
          </p>
        )}
        {kernel && (
          <>
            <Facts kernel={kernel} />
            <p class="acts">
              <button type="button" class="btn" onClick={start}>
                Deliver an NMI
              </button>
              <span>
                runs its entry code here, in this page, without booting it; a sweep over all boundaries stands
                below the run
              </span>
              <span role="status">{problem}</span>
            </p>
            <div class="ask">
              <SymbolBox state={state} />
              <ul aria-label="Entries">
                {kernel.entries.map((name) => (
                  <li key={name}>
                    <button
                      type="button"
                      class="btn"
                      aria-pressed={view?.listing.symbol === name}
                      onClick={() => state.show(name)}
                    >
                      {name}
                    </button>
                  </li>
                ))}
              </ul>
              {view && <Processor state={state} view={view} />}
            </div>
            {state.problem.value && (
              <p class="wrong" role="alert">
                {state.problem.value}
              </p>
            )}
            {wanted && strange(wanted, kernel.buildId) && (
              <p class="note">{strange(wanted, kernel.buildId)}</p>
            )}
            {view && (
              <>
                <h2 class="ph" aria-live="polite">
                  <code>{view.listing.symbol}</code>{' '}
                  <small>
                    {view.listing.rows.length} instructions,{' '}
                    {view.listing.features
                      ? `patched for a processor with ${view.listing.features.join(', ') || 'none of the features'}`
                      : 'as linked'}
                  </small>
                </h2>
                <Export state={state} view={view} />
                <Code state={state} view={view} />
              </>
            )}
          </>
        )}
      </section>
      {panel}
    </>
  );
}
