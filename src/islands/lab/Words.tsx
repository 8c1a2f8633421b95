/** The words at the top of the NMI stack, highest address first, each with its meaning and its author. */
import { useRef } from 'preact/hooks';
import type { Group, Word } from '../../scenario/timeline.ts';
import { stackText } from '../../unwind/describe.ts';
import { Glyph, Hex } from './parts.tsx';
import { toldStack } from './stacks.ts';
import type { State } from './state.ts';
import { brief, groupName } from './words.ts';

/** How fresh a word is: written by the transition in view, since the last named step, or before. */
function freshness({ changed, author }: Word, stop: number, at: number): string {
  if (changed) return ' changed';
  const { boundary } = author;
  return boundary !== undefined && boundary > stop && boundary <= at ? ' recent' : '';
}

function Author({ word }: { readonly word: Word }) {
  const { kind, name, boundary } = word.author;
  if (kind === 'earlier') return <span class="dim">{name.replace(/^an /, '')}</span>;
  return (
    <>
      <Glyph name={kind} />
      <span class="vh">{kind === 'hardware' ? 'pushed by the CPU, ' : 'stored by '}</span>
      {name.replace(/\+0x[0-9a-f]+$/, '')} <span class="t">{boundary}</span>
    </>
  );
}

function Row({
  state,
  word,
  first,
  rows,
  entry,
}: {
  readonly state: State;
  readonly word: Word;
  /** Whether the tab key leads to this row of its table. */
  readonly entry: boolean;
  readonly first: boolean;
  readonly rows: number;
}) {
  const { frame, axis, stop, selected, live } = state;
  const { index, group, field, value, meaning, author, changed, before } = word;
  const at = frame.value.boundary;
  const lastStop = axis.value[stop.value] ?? 0;
  const since = lastStop < at ? lastStop : (axis.value[stop.value - 1] ?? 0);
  const chosen = selected.value === index;
  const here = frame.value.stack.depth === -index;
  return (
    <tr
      class={`word ${author.kind}${freshness(word, since, at)}${chosen ? ' selected' : ''}${here ? ' rsp' : ''}`}
      data-word={index}
      tabIndex={live.value ? (entry ? 0 : -1) : undefined}
      aria-current={chosen ? 'true' : undefined}
    >
      {first && (
        <th class="lane" scope="rowgroup" rowSpan={rows}>
          <span class="swatch" />
          <span class="lane-t">
            <Glyph name={group} />
            <b>{groupName(group, frame.value.words)}</b>
          </span>
        </th>
      )}
      <td class="q">
        {here && (
          <>
            <i class="flag" />
            <span class="vh">RSP here, </span>
          </>
        )}
        {index}
      </td>
      <td class="f">{field}</td>
      <td class="v">
        <Hex value={value} />
      </td>
      <td class="m" title={meaning}>
        {changed && before !== undefined && before !== meaning && (
          <>
            <s>{brief(before)}</s>{' '}
          </>
        )}
        {meaning}
      </td>
      <td class="by" title={author.name}>
        <Author word={word} />
      </td>
    </tr>
  );
}

const HEAD = (
  <thead class="vh">
    <tr>
      <th scope="col">record</th>
      <th scope="col">word</th>
      <th scope="col">field</th>
      <th scope="col">value</th>
      <th scope="col">means</th>
      <th scope="col">written by, at boundary</th>
    </tr>
  </thead>
);

function Table({
  state,
  groups,
  label,
}: {
  readonly state: State;
  readonly groups: readonly Group[];
  readonly label: string;
}) {
  const table = useRef<HTMLTableElement>(null);
  const words = state.frame.value.words;
  const indices = words.filter(({ group }) => groups.includes(group)).map(({ index }) => index);
  const { selected } = state;
  const entry = indices.includes(selected.value) ? selected.value : indices[0];
  const choose = (index: number | undefined) => {
    if (index === undefined) return;
    state.select(index);
    table.current?.querySelector<HTMLElement>(`[data-word="${index}"]`)?.focus({ preventScroll: true });
  };
  return (
    <table
      class="wt"
      ref={table}
      aria-label={label}
      onClick={({ target }) => {
        const row = (target as Element).closest<HTMLElement>('[data-word]');
        if (row) choose(Number(row.getAttribute('data-word')));
      }}
      onKeyDown={(event) => {
        const by = { ArrowDown: 1, ArrowUp: -1, Enter: 0, ' ': 0 }[event.key];
        const row = (event.target as Element).closest('[data-word]');
        if (by === undefined || !row) return;
        event.preventDefault();
        choose(indices[indices.indexOf(Number(row.getAttribute('data-word'))) + by]);
      }}
    >
      {HEAD}
      {blocksOf(words, groups).map((rows) => {
        const group = rows[0]?.group ?? 'kept';
        return (
          <tbody key={rows[0]?.index} class={`wg ${group}`}>
            {rows.map((word, i) => (
              <Row
                key={word.index}
                state={state}
                word={word}
                first={i === 0}
                rows={rows.length}
                entry={word.index === entry}
              />
            ))}
          </tbody>
        );
      })}
    </table>
  );
}

/** Neighbours of one group, in the order of the stack: two records of a design may be drawn alike. */
function blocksOf(words: readonly Word[], groups: readonly Group[]): readonly (readonly Word[])[] {
  const blocks: Word[][] = [];
  const record = ({ group, role }: Word): string => (group === 'kept' ? group : (role.split('.')[0] ?? role));
  for (const word of words.filter(({ group }) => groups.includes(group))) {
    const last = blocks.at(-1);
    if (last?.[0] && record(last[0]) === record(word)) last.push(word);
    else blocks.push([word]);
  }
  return blocks;
}

/** The words above the saved registers, and these in a fold. */
export function Words({ state }: { readonly state: State }) {
  const { top } = state.outline.value;
  const told = toldStack(state.outline.value);
  const title = `${told?.end === top ? 'Top of ' : ''}${stackText(told?.name ?? 'NMI')}`;
  const { words, stack } = state.frame.value;
  const regs = words.filter(({ group }) => group === 'regs').length;
  const where =
    stack.depth === undefined
      ? `RSP is ${stack.text}, on ${stack.name ? `the ${stack.name} stack` : 'no known stack'}`
      : `RSP = ${stack.text}, at q(${-stack.depth})`;
  if (words.length === 0)
    return (
      <>
        <h2 class="ph">
          Words <small>this design names none</small>
        </h2>
        <p class="tline low">{where}</p>
      </>
    );
  return (
    <>
      <h2 class="ph">
        {title.charAt(0).toUpperCase() + title.slice(1)}{' '}
        <small>{words.length - regs} words, highest address first</small>
      </h2>
      <p class="tline">
        T = {top.toString(16)}, {told?.end === top ? 'from the TSS' : 'above what the event has pushed'}
      </p>
      <Table state={state} groups={['original', 'kept', 'iret', 'outermost']} label={title} />
      <p class="tline low">{where}</p>
      {regs > 0 && (
        <details>
          <summary>pt_regs, {regs} more words below</summary>
          <Table state={state} groups={['regs']} label="pt_regs" />
        </details>
      )}
    </>
  );
}
