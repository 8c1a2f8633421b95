/** The state of an island, apart from how it looks: signals, and the few actions that change them. */
import { batch, computed, signal } from '@preact/signals';
import type { Frame, Span, Step } from '../../scenario/timeline.ts';
import { axisOf, stopAt } from './axis.ts';
import { type Baked, type Listed, lanesOf, rowsOf, unpack } from './bake.ts';
import { createFetching } from './fetching.ts';
import type { Asker, OpenAsk, Pasted, PlayAsk, Standing } from './protocol.ts';
import { chosenFirst, provenanceOf } from './provenance.ts';
import {
  whyNot,
  withBody,
  withInjection,
  withMoved,
  withoutInjection,
  withoutSafeguards,
} from './recipe-text.ts';
import { following, viewOf } from './zoom.ts';

export type { Asker } from './protocol.ts';

export interface Options {
  readonly standing: Standing;
  readonly pick: number | undefined;
  readonly link: string;
  /** Where the site lies, without a slash at the end: `https://example.org/lab`. Links begin with it. */
  readonly site?: string;
  /** Path of the page, where the address bar leads as long as the page's own scenario is in view. */
  readonly home?: string;
}

export type State = ReturnType<typeof createState>;

/** State of an island that shows a baked run and asks for others. */
export function createState(baked: Baked, ask: Asker, options: Options) {
  const outline = signal(baked.timeline);
  const code = signal<readonly Listed[]>(unpack(baked.code, baked.from));
  const frames = signal<readonly Frame[]>([]);
  const lanes = signal(baked.lanes);
  const rows = signal(baked.rows);
  const boundary = signal(baked.frame.boundary);
  /** Whether the reader has moved the playhead since the last run came. */
  const moved = signal(false);
  const first = chosenFirst(baked.timeline);
  /** Offset from T of the word whose history is told. */
  const selected = signal(first);
  /** The register whose history is told instead; empty while it is the word's. */
  const register = signal('');
  /** What the run is compared with; see `otherRecipe`. */
  const compare = signal('');
  /** The event that is placed next. */
  const event = signal('nmi');
  /** Index of the line of the listing that is chosen by key; -1 for none. */
  const line = signal(-1);
  /** Whether the list of keys is open; the part that is presented, if one is. */
  const help = signal(false);
  const present = signal('');
  /** Scripts run; then: the whole run is here. */
  const live = signal(false);
  const ready = computed(() => frames.value.length > 0);
  /** Address of the page with the rest of listing and table, until it is here. */
  const rest = computed(() => (ready.value ? undefined : baked.rest));
  const busy = signal(false);
  const standing = signal(options.standing);
  /** Standing of the run in view, whatever became of a later question. */
  let stands: Standing = options.standing;
  /** Whether the banner speaks of a link that could not be opened. */
  const broken = signal(false);
  const pick = signal(options.pick);
  /** What stands in the recipe's text field. */
  const text = signal(baked.timeline.recipe);
  const problems = signal(baked.timeline.problems);
  const link = signal(options.link);
  const address = signal<string | undefined>(undefined);

  /** Whether the field holds something that was not run. */
  const edited = computed(() => text.value !== outline.value.recipe);
  /** Whether the run or the field differs from the page's own. */
  const strayed = computed(() => edited.value || outline.value.recipe !== baked.timeline.recipe);

  const axis = computed(() => axisOf(outline.value.steps, lanes.value.last));
  /** Counts what came of a long run, whose frames are fetched as they are needed. */
  const came = signal(0);
  let shown = baked.frame;
  /** The frame at the playhead; until it is fetched, the one that was shown last. */
  const frame = computed(() => {
    came.value;
    shown = frames.value[boundary.value] ?? (ready.value ? shown : baked.frame);
    return shown;
  });
  /** The stretch that the score shows; undefined for the whole run. */
  const window = signal<Span | undefined>(undefined);
  const view = computed(() => {
    if (window.value) came.value; // of the whole run the lanes came with it
    return viewOf(window.value, outline.value, lanes.value, frames.value);
  });
  /** The history of the selected word. Until the run is here, all of it is known of the word that is selected at first. */
  const history = computed(() =>
    ready.value || selected.value !== first
      ? provenanceOf(frames.value, frame.value, selected.value)
      : baked.history,
  );
  /** Index on the axis of the last stop at or before the playhead. */
  const stop = computed(() => stopAt(axis.value, frame.value.boundary));
  const step = computed((): Step | undefined =>
    outline.value.steps.findLast((one) => one.boundary <= frame.value.boundary),
  );

  function moveTo(target: number): void {
    if (!ready.value) return;
    batch(() => {
      boundary.value = Math.min(lanes.value.last, Math.max(0, Math.round(target)));
      window.value = window.value && following(window.value, boundary.value, lanes.value.last);
      moved.value = true;
    });
    fetching.need();
  }

  const fetching = createFetching({
    frames,
    boundary,
    window,
    came,
    ask: (from, to) => ask({ kind: 'frames', recipe: outline.value.recipe, pick: pick.value, from, to }),
  });

  let latest = 0;
  /**
   * Shows the answer, unless a later question was asked meanwhile. What cannot run leaves the last run in view,
   * and text that was typed but not run stays in its field.
   */
  async function show(question: PlayAsk | OpenAsk, where: 'keep' | 'cursor'): Promise<void> {
    const mine = ++latest;
    busy.value = true;
    const answer = await ask(question);
    if (mine !== latest) return;
    batch(() => {
      busy.value = false;
      moved.value = false;
      broken.value = false;
      if (answer.kind === 'failed') {
        standing.value = { state: 'cannot-run', reason: answer.reason };
        return;
      }
      const { timeline } = answer;
      standing.value = answer.standing;
      const refused = answer.standing.state === 'cannot-run';
      broken.value = refused && question.kind === 'open';
      if (refused && ready.value) return;
      problems.value = timeline.problems;
      if (!timeline.frames.length) {
        const why = whyNot(timeline);
        standing.value = { state: 'cannot-run', reason: `${why}; the last run is still shown` };
        return;
      }
      // Where a link cannot run, what comes in its place is the page's own run, as the page was built.
      stands = refused ? options.standing : answer.standing;
      const { frames: all, code: lines, ...rest } = timeline;
      if (!edited.value || (question.kind === 'play' && question.recipe === text.value))
        text.value = timeline.recipe;
      outline.value = rest;
      code.value = lines;
      if (answer.compare !== undefined) compare.value = answer.compare;
      frames.value = all;
      lanes.value = answer.lanes ?? lanesOf(timeline);
      window.value = undefined;
      rows.value = rowsOf(timeline);
      const target = where === 'cursor' ? timeline.cursor : boundary.value;
      boundary.value = Math.min(all.length - 1, target);
    });
    fetching.need();
  }

  /** Where the events of the run in view strike, in the order of its recipe. */
  const struck = () => outline.value.injections.map((one) => one.boundary);

  const play = (recipe: string, where: 'keep' | 'cursor') =>
    show({ kind: 'play', recipe, pick: pick.value }, where);

  const open = (link: string) =>
    show({ kind: 'open', link, recipe: baked.timeline.recipe, pick: pick.value }, 'cursor');

  /** The page's own scenario. */
  const base = { slug: baked.timeline.slug, version: baked.timeline.version };
  const { site = '', home = '' } = options;

  /** Goes to the instruction or the delivery that wrote a word last, and asks about that word. */
  async function toWriter(address: bigint): Promise<void> {
    const spot = Number((address - outline.value.top) / 8n);
    const at = { recipe: outline.value.recipe, pick: pick.value, boundary: boundary.value };
    const answer = await ask({ kind: 'origin', spot, ...at });
    if (answer.kind === 'failed') return;
    select(spot);
    const [last] = answer.trail;
    if (last?.boundary !== undefined) moveTo(last.boundary);
  }

  /** Another word is asked about. */
  function select(index: number): void {
    register.value = '';
    selected.value = index;
  }

  /** A register is asked about instead. */
  function ofRegister(name: string): void {
    register.value = name;
  }

  let linked = 0;
  /**
   * Asks for the link to the boundary in view, and gives it: empty if no link can say it, undefined if none could
   * be made. The address of a run of another scenario is that scenario's door.
   */
  async function askLink(): Promise<string | undefined> {
    const mine = ++linked;
    const answer = await ask({
      kind: 'link',
      recipe: outline.value.recipe,
      pick: pick.value,
      boundary: boundary.value,
      compare: compare.value,
    });
    if (answer.kind === 'failed') return undefined;
    const whole = answer.link && site + answer.link;
    if (mine !== linked) return whole;
    link.value = whole;
    const [path = '', fragment = ''] = answer.link.split('#');
    const here = !path || path === `/s/${base.slug}/v${base.version}`;
    address.value = `${here ? home : `${site}${path}/`}${fragment && '#'}${fragment}`;
    return whole;
  }

  /** The banner speaks of the run in view again, if it spoke of a link that could not be opened. */
  function forgive(): void {
    if (!broken.value) return;
    broken.value = false;
    standing.value = stands;
  }

  /**
   * Once the reader has moved on from a link that could not be opened, the banner speaks of the run in view. False
   * as long as they have not: then the link stays where it is.
   */
  function settle(): boolean {
    if (moved.value) forgive();
    return standing.value.state !== 'cannot-run' || moved.value;
  }

  return {
    base,
    site,
    outline,
    code,
    frames,
    lanes,
    rows,
    boundary,
    moved,
    selected,
    register,
    compare,
    event,
    line,
    help,
    present,
    select,
    ofRegister,
    toWriter,
    live,
    ready,
    rest,
    busy,
    standing,
    pick,
    text,
    edited,
    strayed,
    problems,
    link,
    address,
    axis,
    window,
    view,
    came,
    frame,
    history,
    stop,
    step,
    moveTo,
    /** The score shows a stretch of the run, or all of it. */
    zoom(to: Span | undefined) {
      window.value = to;
      if (to) void fetching.stretch(to);
    },
    askLink,
    settle,
    forgive,
    /** Fetches the whole run that the page shows one frame of. */
    load: () => show({ kind: 'play', recipe: baked.timeline.recipe, pick: pick.value }, 'keep'),
    /** Opens what a link means: an address, a path, or a fragment with its `#`. */
    open,
    /** Runs what was pasted. */
    openPasted: ({ recipe, link }: NonNullable<Pasted['run']>): Promise<void> =>
      recipe === undefined
        ? open(link ?? '')
        : show({ kind: 'play', recipe, link, pick: pick.value }, 'cursor'),
    /** Runs the text as it stands in the field. */
    run: () => play(text.value, 'cursor'),
    /** Runs another recipe, the playhead where it is. */
    play: (recipe: string) => play(recipe, 'keep'),
    /** One more event, at the playhead unless told. */
    fire: (event: string, at = boundary.value) =>
      play(withInjection(outline.value.recipe, event, at), 'keep'),
    /** The n-th event at another boundary. */
    refire: (n: number, to: number) =>
      play(withMoved(outline.value.recipe, n, Math.min(lanes.value.last, Math.max(0, to)), struck()), 'keep'),
    unfire: (n: number) => play(withoutInjection(outline.value.recipe, n, struck()), 'keep'),
    setBody: (name: string) => play(withBody(outline.value.recipe, name, struck()), 'keep'),
    /** The same run without these safeguards. */
    setWithout: (names: readonly string[]) => play(withoutSafeguards(outline.value.recipe, names), 'keep'),
    /** The page's own run again. */
    reset() {
      text.value = outline.value.recipe;
      return play(baked.timeline.recipe, 'cursor');
    },
    /** The reader's own rule end[-k]. */
    setPick(k: number | undefined) {
      pick.value = k;
      return play(outline.value.recipe, 'keep');
    },
  };
}
