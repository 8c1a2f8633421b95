/** The map itself: the picture that Plot draws, the chosen cell over it, keys and pointer. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { DUMP, type SweepMap } from '../../explore/map.ts';
import { type Cell, cellAt, geometryOf, keyCell, rowBox } from './geometry.ts';
import { eventName, pictureText } from './say.ts';
import type { State } from './state.ts';

/** What a map is drawn of. */
export type Mapped = Pick<State, 'map' | 'cell' | 'live' | 'select' | 'open'>;

/** What lies on which axis. */
export function Axes({ state }: { readonly state: Pick<State, 'map'> }) {
  const { pair, strips, judge } = state.map.value;
  if (judge && pair?.[1] === DUMP)
    return (
      <p class="axes">
        What {judge} makes of it. Down: boundary at which the {eventName(pair[0])} strikes. Across: boundary
        at which the stack is dumped. Above: dumps of the run without it.
      </p>
    );
  if (!pair) return <p class="axes">Each cell is one run, by the boundary at which the event strikes.</p>;
  const [first, second] = pair.map(eventName);
  return (
    <p class="axes">
      Down: boundary at which the {first === second ? `first ${first}` : first} strikes. Across: boundary of
      the {first === second ? 'second, which comes after it' : second}. Names are functions of the run without{' '}
      {strips.length > 1 || first === second ? 'both' : 'them'}. Above: each event alone.
      {judge && ` A cell is the worst that ${judge} makes of any dump from the last event on.`}
    </p>
  );
}

/** The picture as it was built, until there is another one. */
export function Picture({
  state,
  id,
  children,
}: {
  readonly state: Mapped;
  readonly id: string;
  readonly children?: ComponentChildren;
}) {
  const { map, cell, live } = state;
  const box = useRef<HTMLDivElement>(null);
  const drawn = useSignal<Element | undefined>(undefined);
  const first = useRef(map.value);
  useEffect(() => {
    if (map.value === first.current) {
      drawn.value = undefined;
      return;
    }
    let current = true;
    const asked = map.value;
    // Plot comes with the first picture that the page was not built with.
    import('./live.ts').then(({ drawLive }) => {
      if (current) drawn.value = drawLive(asked);
    });
    return () => {
      current = false;
    };
  }, [map.value]);
  useEffect(() => {
    if (drawn.value) box.current?.replaceChildren(drawn.value);
  }, [drawn.value]);

  const { width, height } = geometryOf(map.value);
  const pointed = (event: PointerEvent | MouseEvent): Cell | undefined => {
    const { left, top, width: wide } = (event.currentTarget as Element).getBoundingClientRect();
    const scale = width / wide;
    return cellAt(map.value, (event.clientX - left) * scale, (event.clientY - top) * scale);
  };
  const isChosen = (at: Cell | undefined): boolean =>
    at !== undefined && at.row === cell.value?.row && at.column === cell.value.column;
  return (
    <div
      class="scroller"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a map is moved about in by keys
      tabIndex={0}
      role="application"
      aria-roledescription="map"
      aria-label={`${pictureText(map.value)}. Arrow keys move, Page Up and Page Down by ten, Enter opens the run`}
      aria-describedby={id}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === 'Enter' && cell.value) {
          event.preventDefault();
          state.open();
          return;
        }
        const row = map.value.pair ? 0 : -1;
        const to = cell.value
          ? keyCell(map.value, event.key, cell.value)
          : keyCell(map.value, event.key, { row, column: 0 }) &&
            keyCell(map.value, 'Home', { row, column: 0 });
        if (!to) return;
        event.preventDefault();
        state.select(to);
        showColumn(event.currentTarget, map.value, to.column);
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the region around it */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div
        class="map"
        style={{ aspectRatio: `${width} / ${height}` }}
        onPointerMove={(event) => {
          if (event.pointerType !== 'mouse' || !live.value) return;
          // A map that is scrolled by a key moves under a mouse that rests: the key has the say.
          if (event.movementX === 0 && event.movementY === 0) return;
          const at = pointed(event);
          if (at && !isChosen(at)) state.select(at);
        }}
        onClick={(event) => {
          const at = pointed(event);
          if (!at) return;
          // A finger has not seen the cell yet: the first tap chooses it.
          const touch = (event as unknown as PointerEvent).pointerType === 'touch';
          const again = isChosen(at);
          if (!again) state.select(at);
          if (again || !touch) state.open();
        }}
      >
        <div class="drawn" hidden={drawn.value !== undefined}>
          {children}
        </div>
        <div class="drawn" ref={box} hidden={drawn.value === undefined} />
        <Chosen state={state} />
      </div>
    </div>
  );
}

/** Scrolls a map that is wider than its box until a column is well inside. */
function showColumn(box: HTMLElement, map: SweepMap, column: number): void {
  const { width, left, across } = geometryOf(map);
  const x = ((left + (column + 0.5) * across) / width) * box.scrollWidth;
  const edge = box.clientWidth / 5;
  box.scrollLeft = Math.min(Math.max(box.scrollLeft, x + edge - box.clientWidth), x - edge);
}

/** Frame of the chosen cell and two hairlines to the axes. */
function Chosen({ state }: { readonly state: Pick<State, 'map' | 'cell'> }) {
  const at = state.cell.value;
  if (!at) return null;
  const map = state.map.value;
  const { width, height, left, across, strips } = geometryOf(map);
  const { y, height: tall } = rowBox(map, at.row);
  const x = left + at.column * across;
  const half = Math.max(tall, 7) / 2;
  const side = Math.max(across, 7);
  return (
    <svg class="over" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path
        class="hair"
        d={`M${x + across / 2} ${strips - 6}V${y + tall / 2 - half} M${left - 6} ${y + tall / 2}H${x + across / 2 - side / 2}`}
      />
      <rect
        class="frame"
        x={x + across / 2 - side / 2 - 1.5}
        y={y + tall / 2 - half - 1.5}
        width={side + 3}
        height={half * 2 + 3}
      />
    </svg>
  );
}
