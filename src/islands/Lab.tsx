/** The island: a run under one playhead. It shows a baked frame at once and asks a worker for the rest. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { AllStacks } from './lab/AllStacks.tsx';
import type { Baked } from './lab/bake.ts';
import { Code } from './lab/Code.tsx';
import { Cpu } from './lab/Cpu.tsx';
import { ask } from './lab/client.ts';
import { DumpPanel } from './lab/DumpPanel.tsx';
import { EditPanel } from './lab/EditPanel.tsx';
import { createEditing } from './lab/editing.ts';
import { keepFocus } from './lab/focus.ts';
import { LinkPanel } from './lab/Holds.tsx';
import { Latch } from './lab/Latch.tsx';
import { MailButton, MailPanel } from './lab/MailPanel.tsx';
import { createMailing } from './lab/mailing.ts';
import { bracketMove, isLink } from './lab/moves.ts';
import { PastePanel } from './lab/PastePanel.tsx';
import { Predict, type Prediction } from './lab/Predict.tsx';
import { Leads, Provenance } from './lab/Provenance.tsx';
import { Glyph } from './lab/parts.tsx';
import { createPasting } from './lab/pasting.ts';
import type { OriginTold, Standing } from './lab/protocol.ts';
import { Events, RecipePanel } from './lab/RecipePanel.tsx';
import { editsOf } from './lab/recipe-text.ts';
import { Safeguards } from './lab/Safeguards.tsx';
import { Score } from './lab/Score.tsx';
import { StepTable } from './lab/StepTable.tsx';
import { createState, type State } from './lab/state.ts';
import { Traces } from './lab/Traces.tsx';
import { Story, Transport } from './lab/Transport.tsx';
import { Words } from './lab/Words.tsx';

export interface LabProps {
  readonly baked: Baked;
  /** How the baked run compares with its record. */
  readonly standing?: Standing;
  /** Handler bodies to choose from. */
  readonly bodies?: readonly string[];
  /** k of end[-k] at first. */
  readonly pick?: number;
  /** A question before scrubbing. */
  readonly predict?: Prediction;
  /** Link to the baked frame, for the copy button. */
  readonly link?: string;
  /** Whether this island keeps the address bar and opens the fragment it finds there; at most one on a page. */
  readonly address?: boolean;
  /** What makes it the laboratory: every panel, all stacks and all registers among them (Laboratory.tsx). */
  readonly bench?: Bench;
}

/** What only the laboratory has. */
export interface Bench {
  readonly parts: typeof import('./lab/Workbench.tsx');
  /** Designs that the run can be compared with. */
  readonly designs: readonly string[];
  /** Where the word comes from that is chosen at first. */
  readonly origin: OriginTold;
}

function Banner({ state }: { readonly state: State }) {
  const standing = state.standing.value;
  const { last } = state.lanes.value;
  const edits = editsOf(state.outline.value.recipe);
  const edited = edits.length > 0 ? `, edited: ${edits.join(', ')}` : '';
  if (state.busy.value && state.ready.value) return <span class="standing">running</span>;
  switch (standing.state) {
    case 'same':
      return (
        <span class="standing same">
          <Glyph name="right" /> same as {standing.as === 'link' ? 'the link' : 'recorded'}
          {edited}, {last} boundaries
        </span>
      );
    case 'draft':
      return (
        <span class="standing draft">
          draft{edited}, {last} boundaries
        </span>
      );
    case 'changed':
      return (
        <span class="standing changed">
          <b>changed</b> {standing.difference}
        </span>
      );
    case 'cannot-run':
      return (
        <span class="standing broken" role="alert">
          <b>cannot run</b> {standing.reason}
        </span>
      );
  }
}

/** What a link or a record said, beside what is so now. */
function Recorded({ state }: { readonly state: State }) {
  const standing = state.standing.value;
  if (standing.state === 'changed' && standing.differences?.length) {
    return (
      <details class="recorded">
        <summary>Recorded and now: {standing.differences.length} differences</summary>
        <div class="scroller">
          <table>
            <thead>
              <tr>
                <th scope="col">where</th>
                <th scope="col">what</th>
                <th scope="col">recorded</th>
                <th scope="col">now</th>
              </tr>
            </thead>
            <tbody>
              {standing.differences.map(({ where, field, recorded, now }) => (
                <tr key={`${where} ${field}`}>
                  <td>{where}</td>
                  <td>{field}</td>
                  <td>{recorded}</td>
                  <td>{now}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    );
  }
  if (standing.state === 'cannot-run' && standing.recorded?.length) {
    return (
      <details class="recorded">
        <summary>What was recorded of {state.outline.value.slug}</summary>
        <ol>
          {standing.recorded.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ol>
      </details>
    );
  }
  return null;
}

function Outcome({ state }: { readonly state: State }) {
  const { outcome, broken } = state.outline.value;
  const [first] = broken;
  const sentence = 'sentence' in outcome ? outcome.sentence : '';
  if (outcome.verdict === 'returns' && !first) return null;
  // What broke first is what the run shows; how it ends is what came of that, unless it was the end itself.
  const told = first?.boundary !== state.lanes.value.last;
  return (
    <p class="outcome">
      <b>{outcome.verdict}</b>{' '}
      {first && (
        <>
          {first.invariant} breaks at boundary {first.boundary}: {first.sentence}.{' '}
        </>
      )}
      {told && outcome.verdict === 'not-modelled' && <code>{outcome.name}</code>}{' '}
      {told &&
        sentence !== '' &&
        sentence !== first?.sentence &&
        (first ? `In the end, ${sentence}. ` : sentence)}
      {first && (
        <button type="button" class="btn js" onClick={() => state.moveTo(first.boundary)}>
          Go there
        </button>
      )}
    </p>
  );
}

function CopyLink({ state }: { readonly state: State }) {
  const copied = useSignal('');
  const { link } = state;
  if (!link.value) return null;
  const copy = async () => {
    copied.value = '';
    // Asked for anew: the link at hand is of the page as it was built, or of where the playhead rested last.
    const asked = await state.askLink();
    if (!asked) {
      copied.value = asked === '' ? 'No link can say this run' : 'The link could not be made';
      return;
    }
    try {
      await navigator.clipboard.writeText(asked);
      copied.value = 'Copied';
    } catch {
      copied.value = asked; // the clipboard is refused: show it, to be copied by hand
    }
  };
  return (
    <>
      <button type="button" class="btn" onClick={copy}>
        Copy link
      </button>
      <output class="copied">{copied}</output>
    </>
  );
}

const REST = 400;

/** Once the playhead rests, the link to where it is; in the address bar too, if this island keeps it. */
function Address({ state, keepsAddress }: { readonly state: State; readonly keepsAddress: boolean }) {
  const at = state.boundary.value;
  const { recipe } = state.outline.value;
  const ready = state.ready.value;
  const compare = state.compare.value;
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(async () => {
      await state.askLink();
      const address = state.address.value;
      // A link that cannot run stays where it is until the reader moves on: nothing is lost.
      if (address === undefined || !state.settle()) return;
      if (keepsAddress) history.replaceState(history.state, '', address);
    }, REST);
    return () => clearTimeout(timer);
  }, [at, recipe, ready, compare]);
  return null;
}

/** Where the site and this page lie; nothing while the page is built. */
function places() {
  if (typeof location === 'undefined') return {};
  const site = location.origin + import.meta.env.BASE_URL.replace(/\/$/, '');
  // A door without a version takes one on by a script of its own, which may run after this.
  const door = document.querySelector('[data-door]')?.getAttribute('data-door');
  return { site, home: (door ?? location.pathname) + location.search };
}

export default function Lab(props: LabProps) {
  const { baked, bodies = [], predict, address = false, bench } = props;
  const state = useMemo(
    () =>
      createState(baked, ask, {
        standing: props.standing ?? { state: 'draft' },
        pick: props.pick,
        link: props.link ?? '',
        ...places(),
      }),
    [],
  );
  const editing = useMemo(() => createEditing(state, ask), []);
  const mailing = useMemo(() => createMailing(state, ask), []);
  const pasting = useMemo(() => createPasting(state, ask), []);
  useEffect(() => {
    state.live.value = true;
    const opens = () => address && isLink(location.hash, (id) => document.getElementById(id) !== null);
    if (opens()) state.open(location.hash);
    else state.load();
    const follow = () => {
      if (opens()) state.open(location.hash);
      // Back from a link that could not be opened to the page as it is: nothing is to be complained of.
      else if (address && location.hash === '') state.forgive();
    };
    addEventListener('hashchange', follow); // typed into the address bar; the island's own changes make no such event
    return () => removeEventListener('hashchange', follow);
  }, []);
  // The parts that follow the playhead subscribe by themselves; this one is drawn again for another run only.
  const boundary = useComputed(() => state.frame.value.boundary);
  const digest = useComputed(() => state.frame.value.digest);
  const struck = useComputed(() => state.outline.value.injections.map((one) => one.boundary).join(' '));
  const island = useRef<HTMLElement>(null);
  useEffect(() => (island.current ? keepFocus(state.busy, island.current) : undefined), []);
  useEffect(() => {
    // From a number in the prose (Live.astro).
    const refire = (event: Event) => {
      const { n, boundary: to } = (event as CustomEvent<{ n: number; boundary: number }>).detail;
      void state.refire(n, to);
    };
    island.current?.addEventListener('refire', refire);
    return () => island.current?.removeEventListener('refire', refire);
  }, []);

  const whole = bench !== undefined;
  const { slug, version, title } = state.outline.value;
  return (
    <section
      class={whole ? 'island whole' : 'island'}
      aria-label={title || slug}
      data-live={state.live.value ? '' : undefined}
      data-ready={state.ready.value}
      data-boundary={boundary}
      data-digest={digest}
      data-slug={state.base.slug}
      data-struck={struck}
      ref={island}
      data-present={state.present.value || undefined}
      onKeyDown={(event) => {
        const target = event.target as Element;
        if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select'))
          return;
        const to = bracketMove(event.key, state.boundary.value, state.axis.value);
        if (to === undefined) return;
        event.preventDefault();
        state.moveTo(to);
      }}
    >
      <Address state={state} keepsAddress={address} />
      <header>
        <code>{slug}</code>
        <span class="dim">
          {title && title !== slug ? `${title}, ` : ''}
          {version > 0 ? `v${version}` : 'not yet frozen'}
        </span>
        <Banner state={state} />
        <span class="end js">
          <CopyLink state={state} />
          <MailButton mailing={mailing} />
        </span>
      </header>
      <MailPanel state={state} mailing={mailing} />
      <Recorded state={state} />
      <Outcome state={state} />
      {predict && <Predict state={state} prediction={predict} />}
      <Score state={state} whole={whole} />
      <div class="say">
        <Transport state={state} />
        <Story state={state} />
      </div>
      {bench && (
        <>
          <bench.parts.Travel state={state} ask={ask} />
          <bench.parts.Tokens state={state} />
          <bench.parts.OneMore state={state} />
          <bench.parts.Compare state={state} ask={ask} own={baked.timeline.recipe} designs={bench.designs} />
        </>
      )}
      <div class="panels">
        <section class="panel code" aria-label={`Entry code, ${slug}`}>
          <Code state={state} />
          {bench && <bench.parts.Pseudo state={state} ask={ask} />}
        </section>
        {bench && (
          <section class="panel picture" aria-label={`All stacks, ${slug}`}>
            <AllStacks state={state} ask={ask} />
            <bench.parts.Files state={state} />
          </section>
        )}
        <section class="panel words" aria-label={`NMI stack, ${slug}`}>
          <Words state={state} />
          {bench ? (
            <bench.parts.Origin state={state} ask={ask} first={bench.origin} />
          ) : (
            <>
              <Provenance state={state} />
              <Leads state={state} />
            </>
          )}
        </section>
        <section class="panel side" aria-label={`Latch and traces, ${slug}`}>
          <Latch state={state} whole={whole} />
          <Traces state={state} />
          {whole && <Cpu state={state} />}
        </section>
      </div>
      {whole && <DumpPanel state={state} ask={ask} />}
      <Events state={state} bodies={bodies} />
      <Safeguards state={state} />
      {whole && <EditPanel state={state} editing={editing} />}
      <StepTable state={state} />
      <RecipePanel state={state} />
      <PastePanel state={state} pasting={pasting} />
      <LinkPanel state={state} ask={ask} />
    </section>
  );
}
