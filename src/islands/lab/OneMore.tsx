/** The map of the laboratory: what becomes of one more event at every boundary of the run. Fetched when it is opened. */
import { useEffect, useId, useMemo } from 'preact/hooks';
import { createClient } from '../sweep/client.ts';
import { Verdict } from '../sweep/Found.tsx';
import { lettersOf } from '../sweep/geometry.ts';
import { Chip, Outcomes, Places } from '../sweep/Outcomes.tsx';
import { Axes, Picture } from '../sweep/Picture.tsx';
import { eventName, placeOf } from '../sweep/say.ts';
import { strikesOf } from '../sweep/state.ts';
import { createOneMore, type OneMore } from './one-more.ts';
import type { State } from './state.ts';
import { EventChoice } from './Tokens.tsx';

/** Which event, how far the sweep is, and the button that begins or ends it. */
function Ask({ state, more }: { readonly state: State; readonly more: OneMore }) {
  const phase = more.phase.value;
  return (
    <div class="run-ask">
      one more <EventChoice state={state} label="event of the map" />{' '}
      {phase.kind === 'running' ? (
        <>
          <button type="button" class="btn" onClick={() => more.cancel()}>
            Cancel
          </button>{' '}
          <progress
            aria-label="Swept so far"
            {...(phase.of > 0 ? { value: phase.done, max: phase.of } : {})}
          />
        </>
      ) : (
        <button type="button" class="btn" disabled={!state.ready.value} onClick={() => more.sweep()}>
          {more.strayed.value ? 'Sweep the run in view' : 'Sweep again'}
        </button>
      )}{' '}
      {more.strayed.value && phase.kind !== 'running' && (
        <span role="status">The map is of another run or event than is shown now.</span>
      )}
    </div>
  );
}

/** The chosen cell in words. */
function Readout({ more, id }: { readonly more: OneMore; readonly id: string }) {
  const { map, cell, phase } = more;
  const at = cell.value;
  const strike = at && strikesOf(map.value, at)?.[0];
  const place = strike && placeOf(map.value, strike.boundary);
  return (
    <div class="readout" id={id}>
      <p role="status">
        {!at && 'Point at a cell, or move with the arrow keys. Enter or a click shows its run here.'}
        {at && !strike && <span class="dim">No run here: the event cannot occur.</span>}
        {at && strike && (
          <>
            <Chip letter={lettersOf(map.value, at.row).charAt(at.column)} /> {eventName(strike.event)} at
            boundary {strike.boundary}
            {place && (
              <>
                {' '}
                in <code>{place}</code>
              </>
            )}
          </>
        )}
      </p>
      {strike && (
        <button
          type="button"
          class="btn"
          disabled={phase.value.kind === 'running'}
          onClick={() => more.open()}
        >
          Show this run
        </button>
      )}
    </div>
  );
}

export function OneMorePanel({ state }: { readonly state: State }) {
  const more = useMemo(() => createOneMore(state, createClient), []);
  const id = useId();
  useEffect(() => {
    more.sweep();
    return more.cancel;
  }, []);
  const phase = more.phase.value;
  return (
    <div class="sweep" data-phase={phase.kind}>
      <Ask state={state} more={more} />
      <Verdict state={more} />
      {phase.kind === 'refused' && <p role="alert">{phase.problems.join('. ')}</p>}
      <div class="parts" hidden={phase.kind === 'refused'}>
        <figure>
          <Axes state={more} />
          <Picture state={more} id={`${id}-cell`} />
          <Readout more={more} id={`${id}-cell`} />
        </figure>
        <div class="rail">
          <Outcomes state={more} />
        </div>
      </div>
      {more.report.value && <Places state={more} open={false} />}
    </div>
  );
}
