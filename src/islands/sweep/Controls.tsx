/** What a reader may choose: the run to begin with, events, start, body, safeguards. */
import { commandOf, eventName } from './say.ts';
import { AT_ONCE, type Choices, MOST_EVENTS, type State } from './state.ts';

const PLACES = ['first', 'second', 'third'];

export function Controls({ state, choices }: { readonly state: State; readonly choices: Choices }) {
  const ask = state.ask.value;
  const { bases, starts, bodies, kinds, safeguards, unwinders } = choices;
  const without = ask.without ?? [];
  const given = ask.given ?? [];
  const base = bases.find((one) => one.given.join() === given.join() && one.start === ask.starts?.[0]);
  const { anywhere = false } = ask;
  const offered = kinds.filter(({ event, possible }) => possible || anywhere || ask.events.includes(event));
  const setEvent = (n: number, event: string) =>
    state.change({
      events:
        event === '' ? ask.events.slice(0, n) : ask.events.slice(0, n).concat(event, ask.events.slice(n + 1)),
    });
  return (
    <form class="controls js" onSubmit={(event) => event.preventDefault()}>
      <fieldset>
        <legend>What strikes</legend>
        <Choice
          label="in any case"
          value={base?.slug ?? ''}
          options={[
            ['', 'nothing'],
            ...bases.map(({ slug, given: all }): [string, string] => [slug, all.join('; ')]),
          ]}
          onChange={(slug) => {
            const chosen = bases.find((one) => one.slug === slug);
            state.change(
              chosen ? { given: chosen.given, starts: [chosen.start], bodies: [chosen.body] } : { given: [] },
            );
          }}
        />
        {PLACES.slice(0, Math.min(MOST_EVENTS, ask.events.length + 1)).map((place, n) => (
          <Choice
            key={place}
            label={`${place}, anywhere`}
            value={ask.events[n] ?? ''}
            options={[
              ...(n > 0 ? [['', 'nothing'] as [string, string]] : []),
              ...offered.map(({ event }): [string, string] => [event, eventName(event)]),
            ]}
            onChange={(event) => setEvent(n, event)}
          />
        ))}
        <label
          class="check"
          title="Events strike at every boundary, cause or not; some of these runs cannot be."
        >
          <input
            type="checkbox"
            checked={anywhere}
            onChange={({ currentTarget: { checked } }) =>
              state.change({
                anywhere: checked,
                // Without a cause some events cannot strike at all: they go with the mode.
                ...(!checked && { events: possibleOf(ask.events, kinds) }),
              })
            }
          />
          <span>anywhere, impossible ones too</span>
        </label>
      </fieldset>
      <fieldset>
        <legend>Where it begins</legend>
        <Choice
          label="start"
          value={ask.starts?.[0] ?? ''}
          options={starts.map((name): [string, string] => [name, name])}
          // An event that strikes in any case is said by a label of its own start.
          onChange={(start) => state.change({ starts: [start], given: start === base?.start ? given : [] })}
        />
        <Choice
          label="handler body"
          value={ask.bodies?.[0] ?? ''}
          options={bodies.map((name): [string, string] => [name, name])}
          onChange={(body) => state.change({ bodies: [body] })}
        />
      </fieldset>
      <fieldset>
        <legend>Who is judged</legend>
        <Choice
          label="unwinder"
          value={ask.judge?.[0] ?? ''}
          options={[['', 'nobody'], ...unwinders.map((name): [string, string] => [name, name])]}
          onChange={(name) => state.change({ judge: name === '' ? [] : [name] })}
        />
      </fieldset>
      {safeguards.length > 0 && (
        <fieldset class="switches">
          <legend>Safeguards</legend>
          {safeguards.map(({ name, about }) => (
            <label key={name}>
              <input
                type="checkbox"
                checked={!without.includes(name)}
                onChange={({ currentTarget: { checked } }) =>
                  state.change({
                    without: safeguards
                      .map((one) => one.name)
                      .filter((one) => (one === name ? !checked : without.includes(one))),
                  })
                }
              />
              <span>
                <b>{name}</b> {about}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <Going state={state} />
      {given.length === 0 && <code class="command">{commandOf(ask)}</code>}
    </form>
  );
}

/** Those of these events that have a cause; an NMI if none has. */
function possibleOf(events: readonly string[], kinds: Choices['kinds']): readonly string[] {
  const left = events.filter((event) => kinds.some((kind) => kind.event === event && kind.possible));
  return left.length > 0 ? left : ['nmi'];
}

function Choice({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly [string, string][];
  readonly onChange: (value: string) => void;
}) {
  return (
    <label>
      {label}{' '}
      <select class="live" value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Run, Cancel, Reset, and how far it is. */
function Going({ state }: { readonly state: State }) {
  const phase = state.phase.value;
  const running = phase.kind === 'running';
  return (
    <div class="going">
      <button
        type="button"
        class="btn"
        disabled={running || !state.strayed.value}
        onClick={() => state.run()}
      >
        Run
      </button>
      <button type="button" class="btn" disabled={!running} onClick={() => state.cancel()}>
        Cancel
      </button>
      <button type="button" class="btn" onClick={() => state.reset()}>
        Reset
      </button>
      {running && (
        <>
          <progress
            aria-label="Boundaries of the first event"
            max={Math.max(1, phase.of)}
            value={phase.done}
          />
          <span class="dim">{phase.paths.toLocaleString('en-US')} runs</span>
        </>
      )}
      {!running && state.strayed.value && state.expected.value >= AT_ONCE && (
        <span class="dim">Press Run: this takes some seconds.</span>
      )}
      {phase.kind === 'refused' && (
        <ul class="problems" role="alert">
          {phase.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
