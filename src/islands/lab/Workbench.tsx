/** What the laboratory has beside its pictures: time travel, origins, pseudo-code, files, keys. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { asciiOf } from './ascii.ts';
import { KEYS, keyAction } from './keys.ts';
import { stepAfter, stepBefore } from './moves.ts';
import { download, pngOf, svgText } from './picture-file.ts';
import type { Answers, Asker, Failed, OriginTold } from './protocol.ts';
import type { State } from './state.ts';
import { originOf, type Standstill, type Stuck, travels } from './travels.ts';
import { halves } from './words.ts';

export { Compare } from './Compare.tsx';
export { Tokens } from './Tokens.tsx';

interface WorkbenchProps {
  readonly state: State;
  readonly ask: Asker;
}

const PAUSE = 120;

/** What each action of the keys does. */
function actions(props: WorkbenchProps, stuck: Stuck): Readonly<Record<string, () => unknown>> {
  const { state } = props;
  return {
    ...travels(props, stuck),
    fire: () => state.fire(state.event.value),
    help: () => {
      state.help.value = !state.help.value;
    },
    present: () => present(state, state.present.value === ''),
  };
}

/** Large type and one part at a time, or all as it was. */
function present(state: State, on: boolean): void {
  state.present.value = on ? 'picture' : '';
  document.documentElement.style.fontSize = on ? '150%' : '';
}
const PARTS: readonly (readonly [part: string, name: string])[] = [
  ['code', 'Entry code'],
  ['picture', 'All stacks'],
  ['words', 'Words'],
  ['side', 'CPU and traces'],
];

function Help() {
  return (
    <table class="keys" aria-label="Keys">
      <tbody>
        {KEYS.map(({ keys, what }) => (
          <tr key={what}>
            <th scope="row">
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </th>
            <td>{what}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const MOVES: readonly (readonly [action: string, label: string])[] = [
  ['back-over', 'Back over an event'],
  ['over', 'Over an event'],
  ['previous-event', 'Previous event'],
  ['next-event', 'Next event'],
  ['writer', 'Last writer'],
  ['next-write', 'Next write'],
];

/** The next arrival at a checkpoint after the playhead; the first one, where there is none behind it. */
function runTo(state: State, name: string): void {
  const arrivals = state.outline.value.steps.filter((step) => step.name === name);
  const next = arrivals.find(({ boundary }) => boundary > state.boundary.value) ?? arrivals[0];
  if (next) state.moveTo(next.boundary);
}

function RunTo({ state }: { readonly state: State }) {
  const names = [...new Set(state.outline.value.steps.map(({ name }) => name))];
  return (
    <label>
      run to{' '}
      <select
        class="live"
        disabled={!state.ready.value}
        onChange={({ currentTarget }) => {
          runTo(state, currentTarget.value);
          currentTarget.value = '';
        }}
      >
        <option value="">a checkpoint</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What a move that led nowhere said, until the reader is elsewhere. */
function WhyStuck({ state, stuck }: { readonly state: State; readonly stuck: Stuck }) {
  const told = stuck.value;
  const here = told && told.boundary === state.boundary.value && told.recipe === state.outline.value.recipe;
  return <output>{here && told.why}</output>;
}

/** The bar of moves, and the keys that do the same anywhere in the laboratory. */
export function Travel(props: WorkbenchProps) {
  const { state } = props;
  const bar = useRef<HTMLElement>(null);
  const stuck = useSignal<Standstill | undefined>(undefined);
  useEffect(() => {
    const island = bar.current?.closest<HTMLElement>('.island');
    const act = actions(props, stuck);
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as Element;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (target.closest('input, textarea, select, .cm-editor')) return;
      const action = keyAction(event.key);
      if (!action || !state.ready.value) return;
      event.preventDefault();
      void act[action]?.();
    };
    // On the page, before any part hears of it: who presents has the focus anywhere.
    const onPresent = (event: KeyboardEvent): void => {
      const target = event.target as Element;
      if (state.present.value === '' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, textarea, select, .cm-editor') || !presentKey(state, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    island?.addEventListener('keydown', onKey);
    addEventListener('keydown', onPresent, { capture: true });
    return () => {
      island?.removeEventListener('keydown', onKey);
      removeEventListener('keydown', onPresent, { capture: true });
    };
  }, []);
  const act = actions(props, stuck);
  return (
    <section class="travel js" ref={bar} aria-label="Time travel">
      {MOVES.map(([action, label]) => (
        <button
          key={action}
          type="button"
          class="btn"
          title={KEYS.find((one) => one.action === action)?.keys.join(', ')}
          disabled={!state.ready.value}
          onClick={() => act[action]?.()}
        >
          {label}
        </button>
      ))}
      <RunTo state={state} />
      <WhyStuck state={state} stuck={stuck} />
      <button type="button" class="btn" aria-expanded={state.help.value} onClick={() => act.help?.()}>
        Keys (?)
      </button>
      <button
        type="button"
        class="btn"
        aria-pressed={state.present.value !== ''}
        onClick={() => present(state, state.present.value === '')}
      >
        Present
      </button>
      {state.present.value && (
        <span class="parts">
          {PARTS.map(([part, name], n) => (
            <button
              key={part}
              type="button"
              class="btn"
              aria-pressed={state.present.value === part}
              onClick={() => {
                state.present.value = part;
              }}
            >
              {n + 1} {name}
            </button>
          ))}
        </span>
      )}
      {state.help.value && <Help />}
    </section>
  );
}

/** While one presents, arrows and the keys of a remote control go by named step, digits choose the part, Escape ends it. */
function presentKey(state: State, key: string): boolean {
  const part = PARTS[Number(key) - 1];
  const { axis, boundary } = state;
  if (part) [state.present.value] = part;
  else if (key === 'Escape') present(state, false);
  else if (FORTH.includes(key)) state.moveTo(stepAfter(axis.value, boundary.value));
  else if (BACK.includes(key)) state.moveTo(stepBefore(axis.value, boundary.value));
  else return false;
  return true;
}
const FORTH = ['ArrowRight', 'PageDown'];
const BACK = ['ArrowLeft', 'PageUp'];

/** The last answer and why there is none; asked for anew when what it is `about` has rested for a while. */
function useAnswer<A extends Answers[keyof Answers]>(
  ask: () => Promise<A | Failed>,
  wanted: boolean,
  about: readonly unknown[],
  first?: A,
): readonly [told: A | undefined, problem: string] {
  const told = useSignal(first);
  const problem = useSignal('');
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    const timer = setTimeout(async () => {
      const answer = await ask();
      if (gone) return;
      told.value = answer.kind === 'failed' ? undefined : answer;
      problem.value = answer.kind === 'failed' ? answer.reason : '';
    }, PAUSE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [wanted, ...about]);
  return [told.value, problem.value];
}

/** Where the chosen value comes from, through every copy; `first` is the answer at the start, which a page is built with. */
export function Origin(props: WorkbenchProps & { readonly first: OriginTold }) {
  const { state, first } = props;
  const at = state.boundary.value;
  const spot = state.register.value || state.selected.value;
  const { recipe } = state.outline.value;
  const [found, problem] = useAnswer(() => originOf(props), state.ready.value, [at, spot, recipe], first);
  return (
    <section class="origin" aria-label="Origin">
      <h2 class="ph">
        Where it comes from{' '}
        <small class="js">a word of any stack or a register: choose it where it shows</small>
      </h2>
      {problem && <p role="alert">{problem}</p>}
      <p aria-live="polite">
        {found && (
          <>
            <b>{found.place}</b> <code>{halves(found.value).join(' ')}</code> {found.trail[0]?.how}.{' '}
            {found.end}
          </>
        )}
      </p>
      {found && (
        <ol>
          {found.trail.map(({ place, boundary, kind, how }) => (
            <li key={`${place}${boundary}`} class={kind}>
              <b>{place}</b>{' '}
              {boundary !== undefined &&
                (state.live.value ? (
                  <button
                    type="button"
                    class="place"
                    disabled={!state.ready.value}
                    onClick={() => state.moveTo(boundary)}
                  >
                    boundary {boundary}
                  </button>
                ) : (
                  <span class="place">boundary {boundary}</span>
                ))}{' '}
              {how}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** The pseudo-code of what happens next; asked for while the fold is open. */
export function Pseudo({ state, ask }: WorkbenchProps) {
  const open = useSignal(false);
  const boundary = state.boundary.value;
  const { recipe } = state.outline.value;
  const [told, problem] = useAnswer(
    () => ask({ kind: 'pseudo', recipe, pick: state.pick.value, boundary }),
    open.value && state.ready.value,
    [boundary, recipe],
  );
  return (
    <details
      class="pseudo-now js"
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>What the processor does next, as pseudo-code</summary>
      {problem && <p role="status">{problem}</p>}
      {told && (
        <figure>
          <figcaption>
            <code>{told.title}</code> <span class="dim">{told.manual}</span>
          </figcaption>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>{told.lines.join('\n')}</pre>
        </figure>
      )}
    </details>
  );
}

type OneMorePart = typeof import('./OneMore.tsx');

/** One more event at every boundary; fetched when the reader opens it, and swept then. */
export function OneMore({ state }: { readonly state: State }) {
  const part = useSignal<OneMorePart | undefined>(undefined);
  const open = useSignal(false);
  const Panel = part.value?.OneMorePanel;
  return (
    <details
      class="one-more js"
      onToggle={async ({ currentTarget }) => {
        open.value = currentTarget.open;
        part.value ??= await import('./OneMore.tsx');
      }}
    >
      <summary>One more event at every boundary: the outcomes as a map</summary>
      {open.value && state.ready.value && Panel && <Panel state={state} />}
    </details>
  );
}

/** The boundary in view as text to copy and as pictures to keep. */
export function Files({ state }: { readonly state: State }) {
  const said = useSignal('');
  const place = useRef<HTMLParagraphElement>(null);
  const name = (): string => `${state.outline.value.slug}-b${state.frame.value.boundary}`;
  const picture = (): SVGSVGElement | null | undefined =>
    place.current?.closest('.island')?.querySelector<SVGSVGElement>('svg.stacks');
  const copyText = async () => {
    const text = asciiOf(state.outline.value, state.frame.value);
    try {
      await navigator.clipboard.writeText(text);
      said.value = 'Copied as text';
    } catch {
      download(`${name()}.txt`, new Blob([text], { type: 'text/plain' }));
      said.value = 'The clipboard is refused: it came as a file';
    }
  };
  const save = async (make: (svg: SVGSVGElement) => Promise<Blob>, ending: string) => {
    const svg = picture();
    if (!svg) return;
    try {
      download(`${name()}.${ending}`, await make(svg));
      said.value = `Saved as ${ending.toUpperCase()}`;
    } catch (error) {
      said.value = error instanceof Error ? error.message : String(error);
    }
  };
  const svgFile = async (svg: SVGSVGElement) => new Blob([svgText(svg)], { type: 'image/svg+xml' });
  return (
    <p class="files js" ref={place}>
      <button type="button" class="btn" onClick={copyText}>
        Copy as text
      </button>{' '}
      <button type="button" class="btn" onClick={() => save(svgFile, 'svg')}>
        Save SVG
      </button>{' '}
      <button type="button" class="btn" onClick={() => save(pngOf, 'png')}>
        Save PNG
      </button>{' '}
      <output>{said}</output>
    </p>
  );
}
