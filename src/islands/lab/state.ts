/** The state of an island, apart from how it looks: signals, and the few actions that change them. */
import { batch, computed, signal } from '@preact/signals';
import type { Frame, Step } from '../../scenario/timeline.ts';
import { axisOf, stopAt } from './axis.ts';
import { type Baked, type Listed, lanesOf, rowsOf, unpack } from './bake.ts';
import type { Ask, Failed, Linked, Played, Standing } from './protocol.ts';
import { withBody, withInjection, withoutInjection } from './recipe-text.ts';

/** The worker as the state sees it. */
export interface Asker {
  (question: Ask & { readonly kind: 'link' }): Promise<Linked | Failed>;
  (question: Ask): Promise<Played | Failed>;
}

export interface Options {
  readonly standing: Standing;
  readonly pick: number | undefined;
  readonly link: string;
}

export type State = ReturnType<typeof createState>;

/** State of an island that shows a baked run and asks for others. */
export function createState(baked: Baked, ask: Asker, options: Options) {
  const outline = signal(baked.timeline);
  const code = signal<readonly Listed[]>(unpack(baked.code));
  const frames = signal<readonly Frame[]>([]);
  const lanes = signal(baked.lanes);
  const rows = signal(baked.rows);
  const boundary = signal(baked.frame.boundary);
  /** Whether the reader has moved the playhead since the last run came. */
  const moved = signal(false);
  /** Offset from T of the word whose history is told. */
  const selected = signal(-9);
  /** Scripts run; then: the whole run is here. */
  const live = signal(false);
  const ready = computed(() => frames.value.length > 0);
  const busy = signal(false);
  const standing = signal(options.standing);
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
  const frame = computed(() => frames.value[boundary.value] ?? baked.frame);
  /** Index on the axis of the last stop at or before the playhead. */
  const stop = computed(() => stopAt(axis.value, frame.value.boundary));
  const step = computed((): Step | undefined =>
    outline.value.steps.findLast((one) => one.boundary <= frame.value.boundary),
  );

  function moveTo(target: number): void {
    if (!ready.value) return;
    boundary.value = Math.min(lanes.value.last, Math.max(0, Math.round(target)));
    moved.value = true;
  }

  let latest = 0;
  /**
   * Shows the answer, unless a later question was asked meanwhile. What cannot run leaves the last run in view,
   * and text that was typed but not run stays in its field.
   */
  async function show(question: Exclude<Ask, { kind: 'link' }>, where: 'keep' | 'cursor'): Promise<void> {
    const mine = ++latest;
    busy.value = true;
    const answer = await ask(question);
    if (mine !== latest) return;
    batch(() => {
      busy.value = false;
      moved.value = false;
      if (answer.kind === 'failed') {
        standing.value = { state: 'cannot-run', reason: answer.reason };
        return;
      }
      const { timeline } = answer;
      standing.value = answer.standing;
      problems.value = timeline.problems;
      if (!timeline.frames.length) {
        const [first] = timeline.problems;
        const why = first ? `${first.line}:${first.column} ${first.message}` : 'nothing ran';
        standing.value = { state: 'cannot-run', reason: `${why}; below is the last run` };
        return;
      }
      const { frames: all, code: lines, ...rest } = timeline;
      if (!edited.value || (question.kind === 'play' && question.recipe === text.value))
        text.value = timeline.recipe;
      outline.value = rest;
      code.value = lines;
      frames.value = all;
      lanes.value = lanesOf(timeline);
      rows.value = rowsOf(timeline);
      const target = where === 'cursor' ? timeline.cursor : boundary.value;
      boundary.value = Math.min(all.length - 1, target);
    });
  }

  const play = (recipe: string, where: 'keep' | 'cursor') =>
    show({ kind: 'play', recipe, pick: pick.value }, where);

  let linked = 0;
  /** Asks for the link to the boundary in view. */
  async function askLink(): Promise<void> {
    const mine = ++linked;
    const answer = await ask({ kind: 'link', recipe: outline.value.recipe, boundary: boundary.value });
    if (mine !== linked || answer.kind === 'failed') return;
    link.value = answer.link;
    address.value = answer.address;
  }

  return {
    outline,
    code,
    frames,
    lanes,
    rows,
    boundary,
    moved,
    selected,
    live,
    ready,
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
    frame,
    stop,
    step,
    moveTo,
    askLink,
    /** Fetches the whole run that the page shows one frame of. */
    load: () => show({ kind: 'play', recipe: baked.timeline.recipe, pick: pick.value }, 'keep'),
    /** Opens what a link's fragment means. */
    open: (fragment: string) =>
      show({ kind: 'open', fragment, recipe: baked.timeline.recipe, pick: pick.value }, 'cursor'),
    /** Runs the text as it stands in the field. */
    run: () => play(text.value, 'cursor'),
    /** One more event at the playhead. */
    fire: (event: string) => play(withInjection(outline.value.recipe, event, boundary.value), 'keep'),
    unfire: (n: number) => play(withoutInjection(outline.value.recipe, n), 'keep'),
    setBody(name: string) {
      const struck = outline.value.injections.map((one) => one.boundary);
      return play(withBody(outline.value.recipe, name, struck), 'keep');
    },
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
