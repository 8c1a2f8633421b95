/** A run of the kernel that is open: what interrupts what, the verdict, and the laboratory's own parts on it. */
import { useComputed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ENTRY_OF, KERNEL_EVENTS, KERNEL_PATHS, KERNEL_WHERE } from '../../scenario/vmlinux/kernel-paths.ts';
import type { KernelRun } from '../../scenario/vmlinux/kernel-run.ts';
import { AllStacks } from '../lab/AllStacks.tsx';
import { Code } from '../lab/Code.tsx';
import { Cpu } from '../lab/Cpu.tsx';
import { Latch } from '../lab/Latch.tsx';
import { bracketMove } from '../lab/moves.ts';
import { Leads, Provenance } from '../lab/Provenance.tsx';
import { Score } from '../lab/Score.tsx';
import { StepTable } from '../lab/StepTable.tsx';
import type { State as Lab } from '../lab/state.ts';
import { Traces } from '../lab/Traces.tsx';
import { Story, Transport } from '../lab/Transport.tsx';
import { Words } from '../lab/Words.tsx';
import { Chip } from '../sweep/Outcomes.tsx';
import { eventName } from '../sweep/say.ts';
import { Line } from './Line.tsx';
import { Rests } from './Rests.tsx';
import type { Runs } from './runs.ts';

const pathName = (path: (typeof KERNEL_PATHS)[number]): string =>
  path === 'syscall' ? 'a system call' : `${path === 'nmi' || path === 'mc' ? 'an' : 'a'} ${eventName(path)}`;

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The letter whose look a verdict has. */
const lookOf = ({ verdict, invariant }: KernelRun): string => {
  if (verdict === 'returned') return 'o';
  if (verdict === 'stopped') return 'x';
  return invariant === 'progress' ? 'P' : invariant === 'registers' ? 'T' : 'R';
};

/** What is delivered, to whom, in which text. */
function Ask({ runs }: { readonly runs: Runs }) {
  const { path, user, kernel } = runs;
  const features = kernel.features.value;
  const known = kernel.kernel.value?.processors ?? [];
  const at = known.findIndex((one) => one.features.join() === features?.join());
  const chosen = features === undefined ? 'linked' : String(at);
  return (
    <div class="run-ask">
      <label>
        Deliver{' '}
        <select
          class="live"
          value={path.value}
          onChange={({ currentTarget: { value } }) => {
            const found = KERNEL_PATHS.find((one) => one === value);
            if (found) runs.change({ path: found });
          }}
        >
          {KERNEL_PATHS.map((one) => (
            <option key={one} value={one}>
              {pathName(one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        while{' '}
        <select
          class="live"
          value={user.value ? 'user' : 'kernel'}
          disabled={path.value === 'syscall'}
          onChange={({ currentTarget: { value } }) => runs.change({ user: value === 'user' })}
        >
          <option value="kernel">the kernel is in a system call</option>
          <option value="user">the user's program runs</option>
        </select>
      </label>
      <label>
        in text{' '}
        <select
          class="live"
          value={chosen}
          onChange={({ currentTarget: { value } }) =>
            runs.choose(value === 'linked' ? undefined : (known[Number(value)]?.features ?? features))
          }
        >
          <option value="linked">as it was linked</option>
          {known.map(({ name, features: with_ }, n) => (
            <option key={name} value={String(n)}>
              patched: {name}
              {with_.length > 0 && ` (${with_.join(', ')})`}
            </option>
          ))}
          {features !== undefined && at < 0 && <option value="-1">patched: {features.join(', ')}</option>}
        </select>
      </label>
      <span class="dim">
        enters at <code>{ENTRY_OF[path.value]}</code>
      </span>
    </div>
  );
}

/** Events that strike on the way, and those that can at the boundary in view. */
function Schedule({ runs, lab }: { readonly runs: Runs; readonly lab: Lab }) {
  const at = lab.boundary.value;
  const spot = runs.ran.value?.spots[at];
  return (
    <div class="run-strikes">
      <p>
        At boundary {at}
        {spot?.at && (
          <>
            , <code>{spot.at}</code>,
          </>
        )}{' '}
        strike with{' '}
        {KERNEL_EVENTS.map((event) => (
          <button
            key={event}
            type="button"
            class="btn"
            disabled={!spot?.events.includes(event) || runs.busy.value}
            title={`${eventName(event)} occurs ${KERNEL_WHERE[event]}`}
            onClick={() => runs.strike(event)}
          >
            {eventName(event)}
          </button>
        ))}
      </p>
      {runs.strikes.value.length > 0 && (
        <ul aria-label="Events that strike on the way">
          {runs.strikes.value.map(({ event, at: place }, n) => (
            <li key={`${n}${event}${place}`}>
              {eventName(event)} at <code>{place}</code>{' '}
              <button
                type="button"
                class="btn"
                aria-label={`Without the ${eventName(event)} at ${place}`}
                disabled={runs.busy.value}
                onClick={() => runs.unstrike(n)}
              >
                without it
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Verdict({ runs }: { readonly runs: Runs }) {
  const run = runs.ran.value?.run;
  return (
    <div class="run-verdict">
      <p role="status">{run && <Sentence run={run} />}</p>
      {run && <Rests said={run} />}
      {run && <Line text={runs.runLine} />}
    </div>
  );
}

function Sentence({ run }: { readonly run: KernelRun }) {
  const { verdict, invariant, reason, steps, place, user, path } = run;
  const what =
    verdict === 'returned'
      ? 'Returned.'
      : `${verdict === 'broken' ? `Broken: ${invariant}` : 'Stopped'}: ${reason ?? ''}.`;
  return (
    <>
      <Chip letter={lookOf(run)} /> <b>{what}</b> {sentence(pathName(path))} from {user ? 'user' : 'kernel'}{' '}
      mode, {steps} steps; it ends at <code>{place}</code>.
    </>
  );
}

export function RunPanel({ runs }: { readonly runs: Runs }) {
  const lab = runs.lab.value;
  const boundary = useComputed(() => runs.lab.value?.frame.value.boundary);
  const section = useRef<HTMLElement>(null);
  const opened = runs.opened.value;
  useEffect(() => {
    section.current?.scrollIntoView({ block: 'start' });
    section.current?.focus({ preventScroll: true });
  }, [opened]);
  return (
    <section
      ref={section}
      tabIndex={-1}
      class="island whole kernel-run"
      aria-label="A run of your kernel"
      data-live=""
      data-ready={lab?.ready.value ?? false}
      data-busy={runs.busy.value}
      data-boundary={boundary}
      onKeyDown={(event) => {
        const target = event.target as Element;
        if (!lab || event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select')) return;
        const to = bracketMove(event.key, lab.boundary.value, lab.axis.value);
        if (to === undefined) return;
        event.preventDefault();
        lab.moveTo(to);
      }}
    >
      <header>
        <b>A run of your kernel</b>
        <span class="dim">{runs.busy.value ? 'running' : (lab?.outline.value.title ?? '')}</span>
      </header>
      <Ask runs={runs} />
      {runs.problem.value && (
        <p class="wrong" role="alert">
          {runs.problem.value}
        </p>
      )}
      <Verdict runs={runs} />
      {lab && (
        <>
          <Score state={lab} whole />
          <div class="say">
            <Transport state={lab} />
            <Story state={lab} />
          </div>
          <Schedule runs={runs} lab={lab} />
          <div class="panels">
            <section class="panel code" aria-label="Code that ran">
              <Code state={lab} />
            </section>
            <section class="panel picture" aria-label="All stacks">
              <AllStacks state={lab} />
            </section>
            <section class="panel words" aria-label="Words of the stack">
              <Words state={lab} />
              <Provenance state={lab} />
              <Leads state={lab} />
            </section>
            <section class="panel side" aria-label="Latch and traces">
              <Latch state={lab} whole />
              <Traces state={lab} />
              <Cpu state={lab} />
            </section>
          </div>
          <StepTable state={lab} />
        </>
      )}
    </section>
  );
}
