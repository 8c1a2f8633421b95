/** The island of a sweep: a map that was drawn while the site was built, and a worker for what the reader changes. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useMemo, useRef } from 'preact/hooks';
import { fragmentOf, isOfSweep, readSweepFragment } from './sweep/address.ts';
import { Controls } from './sweep/Controls.tsx';
import { createClient } from './sweep/client.ts';
import { FoundList, RunActions, Verdict } from './sweep/Found.tsx';
import { lettersOf } from './sweep/geometry.ts';
import { Chip, Outcomes, Places } from './sweep/Outcomes.tsx';
import { Axes, Picture } from './sweep/Picture.tsx';
import { eventName, placeOf } from './sweep/say.ts';
import { type Baked, type Choices, createState, type State, strikesOf } from './sweep/state.ts';

export interface SweepProps {
  readonly baked: Baked;
  /** What may be changed; nothing, unless given. */
  readonly choices?: Choices;
  readonly title: string;
  /** The picture as it was drawn. */
  readonly children?: ComponentChildren;
}

/** The chosen cell in words. */
function Readout({ state, id }: { readonly state: State; readonly id: string }) {
  const { map, cell, shown, live } = state;
  const at = cell.value;
  const letter = at ? lettersOf(map.value, at.row).charAt(at.column) : '';
  const strikes = at && strikesOf(map.value, at);
  const run = shown.value;
  return (
    <div class="readout js" id={id}>
      <p role="status">
        {!at && live.value && 'Point at a cell, or move with the arrow keys. Enter or a click opens its run.'}
        {at && !strikes && <span class="dim">No run here: the second event comes after the first.</span>}
        {strikes && (
          <>
            <Chip letter={letter} />{' '}
            {strikes.map(({ event, boundary }, n) => (
              <span key={event + String(n)}>
                {n > 0 && ', '}
                {eventName(event)} at boundary {boundary}
                {n === 0 && placeOf(map.value, boundary) && (
                  <>
                    {' '}
                    in <code>{placeOf(map.value, boundary)}</code>
                  </>
                )}
              </span>
            ))}
            {run && (
              <span class="dim">
                {' '}
                That is {run.events.join('; ')}. {run.sentence && `${run.sentence}.`}
              </span>
            )}
          </>
        )}
      </p>
      {run && (
        <RunActions
          key={run.recipe}
          state={state}
          recipe={run.recipe}
          link={run.link}
          boundary={run.boundary}
        />
      )}
    </div>
  );
}

/** A fragment as it was written; one that cannot be decoded stays as it is, and is refused. */
function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

export default function Sweep({ baked, choices, title, children }: SweepProps) {
  const state = useMemo(() => createState(baked, createClient, title), []);
  const id = useId();
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    state.live.value = true;
    const follow = () => {
      if (!choices || !isOfSweep(location.hash)) return;
      state.take(readSweepFragment(decoded(location.hash), baked.ask, choices));
      section.current?.scrollIntoView();
    };
    follow();
    addEventListener('hashchange', follow); // typed into the address bar; the island's own changes make no such event
    return () => {
      removeEventListener('hashchange', follow);
      state.cancel();
    };
  }, []);
  // What the reader has chosen is in the address, so that it can be shared; a choice taken back leaves no trace.
  const asked = useRef(baked.ask);
  useEffect(() => {
    const { value } = state.ask;
    if (!choices || asked.current === value) return;
    asked.current = value;
    const path = location.pathname + location.search;
    const plain = value === baked.ask;
    history.replaceState(history.state, '', plain ? path : `${path}#${fragmentOf(value, choices)}`);
  }, [state.ask.value]);
  const phase = state.phase.value;
  const warm = choices ? () => state.warm() : undefined;
  return (
    <section
      ref={section}
      class="island sweep"
      aria-label={title}
      data-live={state.live.value ? '' : undefined}
      data-ready={state.live.value}
      data-phase={phase.kind}
    >
      <header>
        <b>{title}</b>
        <span class="dim">{state.swept.value.design}</span>
      </header>
      <Verdict state={state} />
      <div class="parts" data-controls={choices ? '' : undefined}>
        <figure>
          <Axes state={state} />
          <Picture state={state} id={`${id}-cell`}>
            {children}
          </Picture>
          <Readout state={state} id={`${id}-cell`} />
          {choices && <Outcomes state={state} />}
        </figure>
        {/* A worker takes a while to start: it does so when a reader comes near the controls. */}
        <div class="rail" onPointerEnter={warm} onFocusCapture={warm}>
          {choices ? <Controls state={state} choices={choices} /> : <Outcomes state={state} />}
        </div>
      </div>
      <FoundList state={state} />
      <Places state={state} />
    </section>
  );
}
