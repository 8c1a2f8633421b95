/** The score: events, depth of RSP, the latch, one lane a rule, and the steps, all under one playhead. */
import { useMemo, useRef } from 'preact/hooks';
import type { Span, Step } from '../../scenario/timeline.ts';
import { type Axis, boundaryAt, lastOf, percent, placeOf, stopAt } from './axis.ts';
import type { Run } from './bake.ts';
import { keyMove } from './moves.ts';
import { Glyph, useLit } from './parts.tsx';
import type { State } from './state.ts';
import { JUDGEMENTS, positionText } from './words.ts';
import { SHORTEST, type View, zoomedIn, zoomedOut } from './zoom.ts';

/** Width of a label in parts of the axis, when the axis is about so many rem wide and a character 0.46 rem. */
const widthOf = (text: string, rem: number): number => (text.length * 0.46 + 0.7) / rem;

interface Label {
  /** Middle of the text. */
  readonly at: number;
  readonly text: string;
  /** Lower ranks are placed first. */
  readonly rank: number;
}

/** Indices of the labels that have room, on an axis of so many rem, beside those before them in rank and all marks. */
function fitting(labels: readonly Label[], rem: number, marks: readonly number[] = []): ReadonlySet<number> {
  const kept: { readonly from: number; readonly to: number }[] = [];
  const order = labels.map((_, i) => i).sort((a, b) => (labels[a]?.rank ?? 0) - (labels[b]?.rank ?? 0));
  const fits = new Set<number>();
  for (const i of order) {
    const { at = 0, text = '' } = labels[i] ?? {};
    const half = widthOf(text, rem) / 2;
    const free =
      kept.every(({ from, to }) => at + half <= from || at - half >= to) &&
      marks.every((mark, n) => n === i || Math.abs(mark - at) >= half + 0.3 / rem);
    if (!free) continue;
    kept.push({ from: at - half, to: at + half });
    fits.add(i);
  }
  return fits;
}

const fitClass = (i: number, wide?: ReadonlySet<number>, narrow?: ReadonlySet<number>): string =>
  `${wide?.has(i) ? '' : ' no-wide'}${narrow?.has(i) ? '' : ' no-narrow'}`;

const RANK: Readonly<Record<Step['kind'], number>> = {
  nmi: 0,
  event: 1,
  return: 2,
  label: 3,
  start: 1,
  end: 1,
};

function Events({ axis, steps }: { readonly axis: Axis; readonly steps: readonly Step[] }) {
  const events = steps.filter(({ kind }) => kind === 'nmi' || kind === 'event' || kind === 'return');
  // The text stands right of its mark, left of it in the last part; its middle decides whether it fits.
  const marks = events.map(({ boundary, name, kind }) => {
    const place = placeOf(axis, boundary);
    return { place, left: place > 0.92, name, kind };
  });
  const labels = (rem: number) =>
    marks.map(({ place, left, name, kind }) => ({
      at: place + ((left ? -1 : 1) * widthOf(name, rem)) / 2,
      text: name,
      rank: RANK[kind],
    }));
  const places = marks.map(({ place }) => place);
  const [wide, narrow] = [68, 20].map((rem) => fitting(labels(rem), rem, places));
  return (
    <div class="sc-row ev">
      <span class="sc-l">events</span>
      <div class="sc-b">
        {marks.map(({ place, left, name, kind }, i) => (
          <span
            key={place}
            class={`evm ${kind}${left ? ' l' : ''}${fitClass(i, wide, narrow)}`}
            style={{ '--x': percent(place) }}
            title={name}
          >
            <Glyph name={kind === 'return' ? 'up' : 'down'} />
            <i>{name}</i>
          </span>
        ))}
      </div>
    </div>
  );
}

/** Height of the curve in its own units: 4 above T, then words below T. */
function Depth({ axis, depth }: { readonly axis: Axis; readonly depth: readonly number[] }) {
  let deepest = 34;
  for (let i = 1; i < depth.length; i += 2) deepest = Math.max(deepest, depth[i] ?? 0);
  const y = (words: number) => (words < 0 ? 4 : 14 + (words / deepest) * 70).toFixed(1);
  let path = '';
  for (let i = 0; i < depth.length; i += 2)
    path += `${i ? 'L' : 'M'}${(placeOf(axis, depth[i] ?? 0) * 1300).toFixed(0)} ${y(depth[i + 1] ?? 0)}`;
  return (
    <div class="sc-row dp">
      <span class="sc-l">
        RSP below T<small> to {deepest} words</small>
      </span>
      <div class="sc-b">
        <svg viewBox="0 0 1300 88" preserveAspectRatio="none" aria-hidden="true">
          <rect class="top17" x="0" y="14" width="1300" height={(17 / deepest) * 70} />
          <path class="area" d={`${path}L1300 14L0 14Z`} />
          <path class="line" d={path} />
        </svg>
        <span class="t17" style={{ top: `${(14 / 88) * 100}%` }}>
          17 words
        </span>
      </div>
    </div>
  );
}

/** From half a boundary before the first to half a boundary after the last. */
const extent = (axis: Axis, { from, to }: Span) => ({
  '--a': percent(placeOf(axis, from - 0.5)),
  '--b': percent(placeOf(axis, to + 0.5)),
});

function Latches({
  axis,
  blocked,
  pending,
}: {
  axis: Axis;
  blocked: readonly Span[];
  pending: readonly Span[];
}) {
  const inView = ({ from, to }: Span) => to >= (axis[0] ?? 0) && from <= lastOf(axis);
  const bar = (kind: string, text: string) => (span: Span) => (
    <span
      key={`${kind}${span.from}`}
      class={kind}
      style={extent(axis, span)}
      title={`${text}, boundaries ${span.from} to ${span.to}`}
    >
      <em>{text}</em>
    </span>
  );
  return (
    <div class="sc-row la">
      <span class="sc-l">NMIs</span>
      <div class="sc-b">
        {blocked.filter(inView).map(bar('blk', 'blocked'))}
        {pending.filter(inView).map(bar('pnd', '1 pending'))}
      </div>
    </div>
  );
}

function RuleLane({
  state,
  name,
  runs,
}: {
  readonly state: State;
  readonly name: string;
  readonly runs: readonly Run[];
}) {
  const { axis } = state.view.value;
  const at = state.frame.value.boundary;
  const current = runs.findIndex(({ from, to }) => from <= at && at <= to);
  const draw = (i: number, now: boolean) => {
    const run = runs[i];
    if (!run) return null;
    const { style, text } = JUDGEMENTS[run.judgement];
    if (style === 'none') return null;
    return (
      <span
        key={run.from}
        class={`oc ${style}${now ? ' now' : ''}`}
        style={extent(axis, run)}
        title={`${name}, boundaries ${run.from} to ${run.to}: ${text}`}
      >
        <Glyph name={style} />
        <em>{text}</em>
      </span>
    );
  };
  const drawn = useLit(runs.length, current, draw, [runs, axis, name]);
  return (
    <div class="sc-row rl">
      <span class="sc-l">{name}</span>
      <div class="sc-b">{drawn}</div>
    </div>
  );
}

function Steps({ state }: { readonly state: State }) {
  const view = state.view.value;
  const zoomed = state.window.value !== undefined;
  const { axis } = view;
  const { ticks, wide, narrow } = useMemo(() => ticksOf(view), [view]);
  const draw = (i: number, now: boolean) => (
    <span
      key={axis[i]}
      class={`tick${now ? ' now' : ''}${wide.has(i) ? '' : ' no-name'}${narrow.has(i) ? '' : ' no-number'}`}
      style={{ '--x': percent(i / Math.max(1, axis.length - 1)) }}
      title={`${ticks[i]?.name ?? ''}, boundary ${axis[i]}`}
    >
      <span class="n">{zoomed ? axis[i] : i}</span>
      <span class="nm">{ticks[i]?.name}</span>
    </span>
  );
  const drawn = useLit(axis.length, stopAt(axis, state.frame.value.boundary), draw, [view]);
  return (
    <div class="sc-row ax">
      <span class="sc-l">step</span>
      <div class="sc-b">{drawn}</div>
    </div>
  );
}

/** The step at each place of the axis, and which of their names and numbers have room. */
function ticksOf({ axis, steps }: View) {
  const at = new Map(steps.map((step) => [step.boundary, step] as const).toReversed());
  const ticks = axis.map((boundary) => at.get(boundary));
  const names = ticks.map((step, i) => ({
    at: i / Math.max(1, axis.length - 1),
    text: step?.name ?? '',
    rank: step ? RANK[step.kind] : 9,
  }));
  const numbers = names.map((one, i) => ({ ...one, text: String(i), rank: i % 2 }));
  return { ticks, wide: fitting(names, 68), narrow: fitting(numbers, 16) };
}

function Playhead({ state }: { readonly state: State }) {
  const track = useRef<HTMLDivElement>(null);
  const handle = useRef<HTMLDivElement>(null);
  /** Where the playhead was when a pointer took hold of it. */
  const held = useRef<number | undefined>(undefined);
  const { axis, frame, step, lanes, view } = state;
  const at = frame.value.boundary;
  const move = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (box?.width) state.moveTo(boundaryAt(view.value.axis, (event.clientX - box.left) / box.width));
  };
  return (
    <div
      class="head-track"
      ref={track}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        held.current = at;
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
        handle.current?.focus({ preventScroll: true });
        event.preventDefault();
      }}
      onPointerMove={(event) => held.current !== undefined && move(event)}
      onPointerUp={() => {
        held.current = undefined;
      }}
      onPointerCancel={() => {
        // A finger that scrolls the page begins like one that scrubs; it was not meant.
        if (held.current !== undefined) state.moveTo(held.current);
        held.current = undefined;
      }}
    >
      <div
        class="playhead"
        ref={handle}
        role="slider"
        tabIndex={state.ready.value ? 0 : -1}
        aria-label="Time"
        aria-disabled={!state.ready.value}
        aria-valuemin={0}
        aria-valuemax={lanes.value.last}
        aria-valuenow={at}
        aria-valuetext={positionText(frame.value, step.value, lanes.value.last)}
        style={{ '--x': percent(placeOf(view.value.axis, at)) }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          const zoom = zoomKey(event.key, state);
          const target = zoom ? state.boundary.value : keyMove(event.key, state.boundary.value, axis.value);
          if (target === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          state.moveTo(target);
        }}
      >
        <i />
      </div>
    </div>
  );
}

/** What `+`, `-` and `0` do on the slider; whether the key was one of them. */
function zoomKey(key: string, state: State): boolean {
  const at = state.boundary.value;
  const { last } = state.lanes.value;
  if (key === '+' || key === '=') state.zoom(zoomedIn(state.window.value, at, last));
  else if (key === '-') state.zoom(zoomedOut(state.window.value, at, last));
  else if (key === '0') state.zoom(undefined);
  else return false;
  return true;
}

/** The stretch that is shown, where it lies in the run, and how to change it. */
function Zoom({ state }: { readonly state: State }) {
  const window = state.window.value;
  const { last } = state.lanes.value;
  const button = (key: string, label: string, off: boolean) => (
    <button
      type="button"
      class="btn"
      aria-label={`${key} ${label.toLowerCase()}`}
      title={label}
      disabled={off || !state.ready.value}
      onClick={() => zoomKey(key, state)}
    >
      {key}
    </button>
  );
  const share = (boundary: number): string => percent(boundary / Math.max(1, last));
  return (
    <div class="zoom js">
      {button('+', 'Zoom in', last <= SHORTEST)}
      {button('-', 'Zoom out', !window)}
      {button('0', 'Show the whole run', !window)}
      <span class="strip" aria-hidden="true">
        <i style={{ '--a': share(window?.from ?? 0), '--b': share(window?.to ?? last) }} />
        <b style={{ '--x': share(state.frame.value.boundary) }} />
      </span>
      <output>
        {window ? `boundaries ${window.from} to ${window.to} of ${last}` : `all ${last} boundaries`}
      </output>
    </div>
  );
}

/** All lanes. What they show is also in the slider's text and in the step table. */
export function Score({ state, whole }: { readonly state: State; readonly whole: boolean }) {
  const { axis, lanes, steps } = state.view.value;
  const { rules, blocked, pending } = state.outline.value;
  return (
    <div class="score">
      <div aria-hidden="true">
        <Events axis={axis} steps={steps} />
        <Depth axis={axis} depth={lanes.depth} />
        <Latches axis={axis} blocked={blocked} pending={pending} />
        {rules.map(({ id, name }, i) => (
          <RuleLane key={id} state={state} name={name} runs={lanes.rules[i] ?? []} />
        ))}
        <Steps state={state} />
      </div>
      <Playhead state={state} />
      {whole && <Zoom state={state} />}
    </div>
  );
}
