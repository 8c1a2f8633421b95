/** A sweep of the kernel that is open: an event, or two, at every boundary; the map is that of every other sweep. */
import { useId, useMemo } from 'preact/hooks';
import type { SweepMap } from '../../explore/map.ts';
import { runCommand } from '../../scenario/vmlinux/kernel-command.ts';
import { KERNEL_EVENTS, KERNEL_WHERE } from '../../scenario/vmlinux/kernel-paths.ts';
import { lettersOf } from '../sweep/geometry.ts';
import { Chip, Outcomes, Places } from '../sweep/Outcomes.tsx';
import { Axes, Picture } from '../sweep/Picture.tsx';
import { count, eventName, placeOf } from '../sweep/say.ts';
import { strikesOf } from '../sweep/state.ts';
import { Line } from './Line.tsx';
import type { Swept } from './protocol.ts';
import { Rests } from './Rests.tsx';
import type { Runs } from './runs.ts';

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);

/** Which events, and what happens with the button. */
function Ask({ runs }: { readonly runs: Runs }) {
  const { first, second, phase } = runs;
  const running = phase.value.kind === 'running';
  return (
    <div class="run-ask">
      <label>
        At every boundary{' '}
        <select
          class="live"
          value={first.value}
          disabled={running}
          onChange={({ currentTarget: { value } }) => {
            first.value = KERNEL_EVENTS.find((one) => one === value) ?? 'each';
          }}
        >
          <option value="each">each event, alone</option>
          {KERNEL_EVENTS.map((event) => (
            <option key={event} value={event}>
              {eventName(event)}
            </option>
          ))}
        </select>
      </label>
      <label>
        and then{' '}
        <select
          class="live"
          value={second.value}
          disabled={running || first.value === 'each'}
          onChange={({ currentTarget: { value } }) => {
            second.value = KERNEL_EVENTS.find((one) => one === value) ?? '';
          }}
        >
          <option value="">nothing else</option>
          {KERNEL_EVENTS.map((event) => (
            <option key={event} value={event}>
              {eventName(event)}, at every boundary behind
            </option>
          ))}
        </select>
      </label>
      {running ? (
        <button type="button" class="btn" onClick={() => runs.cancel()}>
          Cancel
        </button>
      ) : (
        <button type="button" class="btn" onClick={() => runs.sweep()}>
          Sweep
        </button>
      )}
    </div>
  );
}

/** How far it is. */
function Going({ runs }: { readonly runs: Runs }) {
  const phase = runs.phase.value;
  if (phase.kind !== 'running') return null;
  const { done = 0, of, elapsed = 0 } = phase.so ?? {};
  const left = of !== undefined && done > 0 ? ((of - done) * elapsed) / done : undefined;
  return (
    <p class="going">
      <progress aria-label="Swept so far" {...(of === undefined ? {} : { value: done, max: of })} />{' '}
      {of === undefined
        ? 'starting'
        : `boundary ${done} of ${of}${left === undefined ? '' : `, about ${Math.ceil(left / 1000)} s left`}`}
    </p>
  );
}

function Verdict({ runs }: { readonly runs: Runs }) {
  const phase = runs.phase.value;
  const said = {
    none: '',
    done: '',
    running: 'Sweeping. Nothing is claimed yet.',
    cancelled: 'Cancelled: what is drawn was swept, and nothing is claimed of it.',
    refused: '',
  }[phase.kind];
  return (
    <>
      <div class="verdict" role="status">
        {phase.kind === 'done' ? <Done swept={phase.swept} runs={runs} /> : <p>{said}</p>}
      </div>
      {phase.kind === 'refused' && (
        <p class="wrong" role="alert">
          {phase.problem}
        </p>
      )}
    </>
  );
}

function Done({ runs, swept: { sweep, elapsed } }: { readonly runs: Runs; readonly swept: Swept }) {
  const { outcomes, runs: all, followed, path, user, text, boundaries } = sweep;
  const clean = outcomes.returned === all;
  const nowhere = KERNEL_EVENTS.filter(
    (event) => sweep.schedules.includes(event) && boundaries.every(({ verdicts }) => verdicts[event] === '-'),
  );
  return (
    <>
      <p>
        <Chip letter={clean ? 'o' : outcomes.broken > 0 ? 'R' : 'x'} />{' '}
        <b>
          {clean
            ? `All ${count(all)} runs returned.`
            : `${count(outcomes.returned)} of ${count(all)} runs returned, ${count(outcomes.broken)} broken, ${count(outcomes.stopped)} stopped.`}
        </b>
        <span class="dim"> Took {seconds(elapsed)} s.</span>
      </p>
      <Rests said={sweep}>
        {path} from {user ? 'user' : 'kernel'} mode, text {text}, {boundaries.length} boundaries.{' '}
        {followed < all &&
          `${count(followed)} runs were followed; the others come to a state of one of these. `}
        {nowhere.map((event) => `Not tried: ${eventName(event)} occurs ${KERNEL_WHERE[event]}. `)}
      </Rests>
      <Line text={runs.sweepLine} />
    </>
  );
}

/** The chosen cell in words. */
function Readout({ runs, id }: { readonly runs: Runs; readonly id: string }) {
  const { map, cell, phase } = runs;
  const at = cell.value;
  const letter = at ? lettersOf(map.value, at.row).charAt(at.column) : '';
  const strikes = at && strikesOf(map.value, at);
  return (
    <div class="readout" id={id}>
      <p role="status">
        {!at && 'Point at a cell, or move with the arrow keys. Enter or a click opens its run above.'}
        {at && !strikes && <span class="dim">No run here: the event cannot occur.</span>}
        {strikes && (
          <>
            <Chip letter={letter} />{' '}
            {strikes
              .map(({ event, boundary }, n) => {
                const name = n === 0 ? placeOf(map.value, boundary) : '';
                return `${eventName(event)} at boundary ${boundary}${name ? ` in ${name}` : ''}`;
              })
              .join(', ')}{' '}
            <button
              type="button"
              class="btn"
              disabled={phase.value.kind === 'running'}
              onClick={() => runs.open()}
            >
              Open this run
            </button>
          </>
        )}
      </p>
    </div>
  );
}

/** What did not return, each with what replays it. */
function Findings({ runs }: { readonly runs: Runs }) {
  const phase = runs.phase.value;
  if (phase.kind !== 'done' || phase.swept.sweep.findings.length === 0) return null;
  const { findings, path, user } = phase.swept.sweep;
  return (
    <section class="found" aria-label="Runs that did not return">
      <h2>Findings</h2>
      <ul>
        {findings.slice(0, LISTED).map(({ strikes, verdict, invariant, reason }) => (
          <li key={strikes.map(({ event, at }) => event + at).join()}>
            <b>
              {verdict}
              {invariant && `: ${invariant}`}
            </b>{' '}
            {reason}. <code>{runCommand({ path, user }, strikes)}</code>{' '}
            <button type="button" class="btn" onClick={() => runs.openRun(strikes)}>
              Open this run
            </button>
          </li>
        ))}
      </ul>
      {findings.length > LISTED && <p class="dim">and {findings.length - LISTED} more</p>}
    </section>
  );
}
const LISTED = 20;

/** The tables of a map: of strips alone, one for each. */
function Tables({ map }: { readonly map: SweepMap }) {
  const states = useMemo(
    () =>
      (map.pair ? [map] : map.strips.map((strip) => ({ ...map, strips: [strip] })))
        .filter(({ pair, strips }) => pair || /[a-z]/i.test(strips[0]?.cells ?? ''))
        .map((one) => ({
          map: { value: one } as Runs['map'],
          title: eventName(one.strips[0]?.event ?? ''),
        })),
    [map],
  );
  return (
    <>
      {states.map((state) => (
        <Places key={state.title} state={state} open={false} />
      ))}
    </>
  );
}

export function SweepPanel({ runs }: { readonly runs: Runs }) {
  const id = useId();
  const phase = runs.phase.value;
  return (
    <section
      class="island sweep kernel-sweep"
      aria-label="Sweep of your kernel"
      data-live=""
      data-phase={phase.kind}
    >
      <header>
        <b>Sweep of your kernel</b>
        <span class="dim">
          {runs.path.value} from {runs.user.value ? 'user' : 'kernel'} mode, as the run above
        </span>
      </header>
      <Ask runs={runs} />
      <Going runs={runs} />
      <Verdict runs={runs} />
      <div class="parts" hidden={phase.kind === 'none' || phase.kind === 'refused'}>
        <figure>
          <Axes state={runs} />
          <Picture state={runs} id={`${id}-cell`} />
          <Readout runs={runs} id={`${id}-cell`} />
        </figure>
        <div class="rail">
          <Outcomes state={runs} />
        </div>
      </div>
      <Findings runs={runs} />
      {phase.kind === 'done' && <Tables map={runs.map.value} />}
    </section>
  );
}
