/** The events of a run as tokens under the timeline: placed, moved and taken away by key and by pointer. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { boundaryAt, percent, placeOf } from './axis.ts';
import { boundaryOfLine, stepAfter, stepBefore } from './moves.ts';
import { Glyph } from './parts.tsx';
import type { State } from './state.ts';

/** Kinds that can be placed; where one has no cause, the run says so. */
const EVENTS = ['nmi', 'mc', 'db', 'bp', 'pf', 'irq'] as const;

/** Where a key moves a token; undefined for other keys. */
function tokenMove(key: string, boundary: number, { axis }: State): number | undefined {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowUp':
      return boundary + 1;
    case 'ArrowLeft':
    case 'ArrowDown':
      return boundary - 1;
    case 'PageUp':
      return stepAfter(axis.value, boundary);
    case 'PageDown':
      return stepBefore(axis.value, boundary);
    default:
      return undefined;
  }
}

/** Widest token, and the track on a desk and on a phone, in rem. */
const TOKEN = 5;
const TRACKS = { wide: 68, narrow: 12.5 } as const;

/** By token the row in which it lies on no other, on a track of so many rem. */
export function tokenRows(places: readonly number[], rem: number): readonly number[] {
  const ends: number[] = [];
  const rows: number[] = [];
  for (const i of [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))) {
    const from = Math.min((places[i] ?? 0) * rem, rem - TOKEN);
    const free = ends.findIndex((end) => end <= from);
    const row = free < 0 ? ends.length : free;
    ends[row] = from + TOKEN;
    rows[i] = row;
  }
  return rows;
}
const countOf = (rows: readonly number[]): number => Math.max(0, ...rows) + 1;

/** How far a pointer goes before it drags, in pixels: a click or a finger that trembles moves nothing. */
const SLACK = 4;

/** A token under a pointer that is down. */
interface Held {
  readonly n: number;
  /** Boundary at which it would be dropped. */
  readonly at: number;
  /** Where the pointer came down, and how far right of the token's place on the track that was, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly grip: number;
  readonly dragging: boolean;
}

/** The kind of event that is placed next, and that a map is made of. */
export const EventChoice = ({ state, label }: { readonly state: State; readonly label: string }) => (
  <select
    class="live"
    aria-label={label}
    value={state.event.value}
    onChange={({ currentTarget }) => {
      state.event.value = currentTarget.value;
    }}
  >
    {EVENTS.map((event) => (
      <option key={event} value={event}>
        {event}
      </option>
    ))}
  </select>
);

export function Tokens({ state }: { readonly state: State }) {
  const track = useRef<HTMLUListElement>(null);
  const held = useSignal<Held | undefined>(undefined);
  const said = useSignal('');
  /** Where the token that is being moved shall be. */
  const aimed = useRef<number>();
  const { injections } = state.outline.value;
  const { axis } = state.view.value;
  const off = !state.ready.value || state.busy.value;
  const places = injections.map(({ boundary }) => placeOf(axis, boundary));
  const [wide, narrow] = [tokenRows(places, TRACKS.wide), tokenRows(places, TRACKS.narrow)];
  const told = () => {
    const { outcome } = state.outline.value;
    const { state: standing } = state.standing.value;
    return standing === 'cannot-run'
      ? 'That cannot run; the last run stays.'
      : `The run ends as: ${outcome.verdict}.`;
  };
  const refocus = (n: number) =>
    requestAnimationFrame(() => {
      // A reader who has gone elsewhere meanwhile is left there.
      const { activeElement, body } = document;
      if (activeElement !== body && !track.current?.contains(activeElement)) return;
      track.current?.querySelectorAll<HTMLElement>('[role=slider]')[n]?.focus();
    });
  const clamped = (to: number) => Math.min(state.lanes.value.last, Math.max(0, to));
  /** Moves a token, and on to where it was `aimed` at while the run was made: keys come faster than runs. */
  const move = async (n: number, to: number) => {
    const one = injections[n];
    if (!one || off || clamped(to) === one.boundary) return;
    let [now, at] = [n, one.boundary];
    for (aimed.current = clamped(to); aimed.current !== at; ) {
      const target = aimed.current;
      await state.refire(now, target);
      // A recipe lists its events in the order of their boundaries, so that a token may have another place now.
      now = state.outline.value.injections.findIndex(
        ({ event, boundary }) => event === one.event && boundary === target,
      );
      if (now < 0) break;
      at = target;
      refocus(now);
    }
    aimed.current = undefined;
    const what =
      at === one.boundary ? `stays at boundary ${at}` : `moved from boundary ${one.boundary} to ${at}`;
    said.value = `${one.event} ${what}. ${told()}`;
    if (now < 0) refocus(n);
  };
  const remove = async (n: number) => {
    const one = injections[n];
    if (!one || off) return;
    await state.unfire(n);
    said.value = `${one.event} at boundary ${one.boundary} taken away. ${told()}`;
    refocus(Math.max(0, n - 1));
  };
  const place = async () => {
    const at = state.boundary.value;
    await state.fire(state.event.value);
    said.value = `${state.event.value} placed at boundary ${at}. ${told()}`;
  };
  /** The boundary of a token that is dropped under a pointer: on the track, or at a line of the code. */
  const under = (event: PointerEvent, grip: number): number | undefined => {
    const over = document.elementFromPoint(event.clientX, event.clientY);
    const line = over?.closest('.panel.code ol > li');
    if (line?.parentElement) {
      const index = [...line.parentElement.children].indexOf(line);
      return boundaryOfLine(state.frames.value, index, state.boundary.value);
    }
    const box = track.current?.getBoundingClientRect();
    return box?.width ? boundaryAt(axis, (event.clientX - grip - box.left) / box.width) : undefined;
  };
  const grab = (n: number, { currentTarget, pointerId, clientX, clientY }: PointerEvent) => {
    (currentTarget as Element).setPointerCapture(pointerId);
    const { left = 0, width = 0 } = track.current?.getBoundingClientRect() ?? {};
    const grip = clientX - left - (places[n] ?? 0) * width;
    held.value = { n, at: injections[n]?.boundary ?? 0, x: clientX, y: clientY, grip, dragging: false };
  };
  const drag = (event: PointerEvent) => {
    const one = held.value;
    if (!one) return;
    const dragging = one.dragging || Math.hypot(event.clientX - one.x, event.clientY - one.y) > SLACK;
    if (dragging) held.value = { ...one, dragging, at: under(event, one.grip) ?? one.at };
  };
  const drop = () => {
    const one = held.value;
    held.value = undefined;
    if (one?.dragging) void move(one.n, one.at);
  };
  const letGo = () => {
    held.value = undefined;
  };
  return (
    <section class="tokens js" aria-label="Events">
      <span class="sc-l">
        <EventChoice state={state} label="event to place" />
        <button type="button" class="btn" disabled={off} onClick={place} title="f">
          Place
        </button>
      </span>
      <ul ref={track} style={{ '--rows-wide': countOf(wide), '--rows-narrow': countOf(narrow) }}>
        {injections.map(({ event, boundary, text }, n) => {
          const at = held.value?.n === n ? held.value.at : boundary;
          return (
            <li
              key={`${n}${text}`}
              style={{
                '--x': percent(placeOf(axis, at)),
                '--row-wide': wide[n],
                '--row-narrow': narrow[n],
              }}
            >
              <span
                class="token"
                role="slider"
                tabIndex={0}
                aria-label={`${event}, arrows move it, Delete takes it away`}
                aria-valuemin={0}
                aria-valuemax={state.lanes.value.last}
                aria-valuenow={at}
                aria-valuetext={`boundary ${at}`}
                aria-disabled={off}
                onKeyDown={(pressed) => {
                  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
                  const to = tokenMove(pressed.key, aimed.current ?? boundary, state);
                  if (to !== undefined && aimed.current !== undefined) aimed.current = clamped(to);
                  else if (to !== undefined) void move(n, to);
                  else if (pressed.key === 'Delete' || pressed.key === 'Backspace') void remove(n);
                  else if (pressed.key === 'Escape' && held.value) letGo();
                  else return;
                  pressed.preventDefault();
                  pressed.stopPropagation();
                }}
                onPointerDown={(down) => {
                  if (down.button === 0 && !off) grab(n, down);
                }}
                onPointerMove={drag}
                onPointerUp={drop}
                onPointerCancel={letGo}
              >
                <Glyph name="down" /> {event} {at}
              </span>
            </li>
          );
        })}
      </ul>
      <span class="vh" role="status">
        {said}
      </span>
    </section>
  );
}
