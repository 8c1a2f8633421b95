/** The entry code as it runs; the next instruction is marked and kept in view. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Timeline } from '../../scenario/timeline.ts';
import type { Listed } from './bake.ts';
import { boundaryOfLine, lineMove } from './moves.ts';
import { Glyph, Told, useLit } from './parts.tsx';
import type { State } from './state.ts';

const PREFIX = /^(?:(?:lock|rep|repn?[ez]|data16|notrack|bnd|[c-gs]s)\s+)*/;
const REFERENCE = `${import.meta.env.BASE_URL.replace(/\/$/, '')}/reference/instructions`;

/** The next instruction's mnemonic leads to its page; any spelling is an address there. */
function Instruction({ text, now }: { readonly text: string; readonly now: boolean }) {
  const [, mnemonic = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text.trim()) ?? [];
  const [spelling = ''] = text.trim().replace(PREFIX, '').split(/\s/);
  return (
    <span class="i">
      <b>{now ? <a href={`${REFERENCE}/${spelling}/`}>{mnemonic}</a> : mnemonic}</b>
      {rest && ` ${rest}`}
    </span>
  );
}

function Line({
  line,
  now,
  chosen,
  strikes,
  records,
}: {
  readonly line: Listed;
  readonly records: Timeline['records'];
  readonly now: boolean;
  readonly chosen: boolean;
  readonly strikes: readonly string[];
}) {
  const comment = line.comment && (
    <span class="c">
      <Told text={line.comment} records={records} bare />
    </span>
  );
  if (line.kind === 'label')
    return (
      <li class="lab">
        {line.text}
        {comment}
      </li>
    );
  if (line.kind === 'removed')
    return (
      <li class={`ins removed${line.depth > 0 ? ' deep' : ''}`}>
        <del>
          <Instruction text={line.text} now={false} />
        </del>
        {comment}
      </li>
    );
  if (!line.text) return <li class="note">{comment}</li>; // a line of comment, read like the label below it
  return (
    <li
      class={`ins${line.depth > 0 ? ' deep' : ''}${now ? ' now' : ''}${strikes.length ? ' struck' : ''}${chosen ? ' chosen' : ''}`}
      aria-current={now ? 'step' : undefined}
    >
      {strikes.length > 0 && (
        <span class="strike" title={strikes.join(', ')}>
          <Glyph name="down" />
          <span class="vh">strikes here: {strikes.join(', ')}</span>
        </span>
      )}
      <Instruction text={line.text} now={now} />
      {comment}
    </li>
  );
}

/** Scrolls a box, and nothing around it, to what is out of sight in it. */
function showIn(box: HTMLElement | null, selector: string): void {
  const found = box?.querySelector<HTMLElement>(selector);
  if (!box || !found) return;
  const top = found.offsetTop; // within the box, which is positioned
  const [from, to] = [box.scrollTop + 40, box.scrollTop + box.clientHeight - 60];
  if (top < from || top > to) box.scrollTop = top - box.clientHeight / 2;
}

const reached = (state: State): number | undefined =>
  boundaryOfLine(state.frames.value, state.line.value, state.boundary.value);

/** The chosen line as it is read out, with the boundary at which control is there. */
function chosenText(state: State): string {
  const at = reached(state);
  const where = at === undefined ? 'not reached in this run' : `boundary ${at}`;
  return `${state.code.value[state.line.value]?.text.trim()}, ${where}`;
}

/** By key, a line is chosen, gone to, and given the event that is placed next. */
function lineKey(event: KeyboardEvent, state: State): void {
  // The link of the next instruction has keys of its own.
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!state.ready.value) return;
  const { line, code, frame } = state;
  const to = lineMove(event.key, code.value, line.value, frame.value.line);
  const at = line.value < 0 ? undefined : reached(state);
  if (to !== undefined) line.value = to;
  else if (event.key === 'Escape') line.value = -1;
  else if (event.key === 'Enter' && at !== undefined) state.moveTo(at);
  else if (event.key === 'f' && at !== undefined) void state.fire(state.event.value, at);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** The listing. Only its own box scrolls, and only when the next instruction would be out of sight. */
export function Code({ state }: { readonly state: State }) {
  const list = useRef<HTMLOListElement>(null);
  const { injections, design, records } = state.outline.value;
  const code = state.code.value;
  const rest = state.rest.value;
  const { strikes } = state.lanes.value;
  const { line, at } = state.frame.value;
  const chosen = state.line.value;
  const draw = (i: number, now: boolean) => {
    const one = code[i];
    const hits = injections.filter((_, n) => strikes[n] === i).map(({ text }) => text);
    return (
      one && <Line key={i} line={one} now={now} chosen={i === chosen} strikes={hits} records={records} />
    );
  };
  const lines = useLit(code.length, line, draw, [code, strikes, chosen]);
  const presented = state.present.value; // what is hidden does not scroll
  const now = useRef({ line: -1, top: 0 });
  const topOfNow = () => list.current?.querySelector<HTMLElement>('.now')?.offsetTop ?? 0;
  // Before it is painted: where other lines come above the next instruction, it stays where the reader sees it.
  useLayoutEffect(() => {
    if (list.current && now.current.line === line) list.current.scrollTop += topOfNow() - now.current.top;
    showIn(list.current, '.now');
  }, [code]);
  // A step waits until it is painted: to ask for a place before would lay the page out twice.
  useEffect(() => {
    showIn(list.current, '.now');
    now.current = { line, top: topOfNow() };
  }, [line, code, presented]);
  useEffect(() => showIn(list.current, '.chosen'), [chosen]);
  return (
    <>
      <h2 class="ph">
        Entry code <small>{design}, as it runs</small>
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <ol ref={list} tabIndex={0} aria-label="Entry code" onKeyDown={(event) => lineKey(event, state)}>
        {lines}
      </ol>
      <span class="vh" role="status">
        {code[chosen] && chosenText(state)}
      </span>
      {rest !== undefined && (
        <p class={state.standing.value.state === 'cannot-run' ? 'elsewhere' : 'elsewhere coming'}>
          Only lines near the next instruction; all are on <a href={rest}>the page of the run</a>.
        </p>
      )}
      {line < 0 && <p class="elsewhere">Not in this listing: {at}</p>}
    </>
  );
}
