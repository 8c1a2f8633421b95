/** The picture of all stacks: columns of blocks and words, the flag of RSP, an arrow for each saved RSP. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { stackText } from '../../unwind/describe.ts';
import { Glyph } from './parts.tsx';
import {
  type Arrow,
  type Column,
  type Picture,
  pictureOf,
  pictureText,
  type StackRow,
  stackTitle,
} from './stacks.ts';
import type { State } from './state.ts';

const kib = (size: bigint): string => `${Number(size) / 1024} KiB`;

/** Text that may not be wider than its box: cut to so many characters of the picture's mono. */
const cut = (text: string, room: number): string =>
  text.length * 6.65 <= room ? text : `${text.slice(0, Math.max(1, Math.floor(room / 6.65) - 1))}…`;

function Row({ row, column, selected }: { row: StackRow; column: Column; selected: boolean }) {
  const { kind, word, y, height, text, note } = row;
  const { x, width } = column;
  const group = word?.group ?? kind;
  const middle = y + height / 2 + 4;
  const noteRoom = note.length * 6.65;
  return (
    <g
      class={`sr ${kind} ${group}${word?.changed ? ' changed' : ''}${word?.author.kind === 'earlier' ? ' old' : ''}${selected ? ' selected' : ''}`}
      data-word={word?.index}
    >
      <rect x={x} y={y} width={width} height={height} />
      {(word || kind === 'regs' || kind === 'record') && (
        <rect class="pat" x={x} y={y} width={10} height={height} />
      )}
      {word?.changed && <rect class="bar" x={x + 13} y={y + 2} width={3} height={height - 4} />}
      <text x={x + 20} y={middle}>
        {cut(text, width - 30 - (note ? noteRoom + 6 : 0))}
      </text>
      {note && (
        <text class="note" x={x + width - 7} y={middle}>
          {cut(note, width - 40)}
        </text>
      )}
    </g>
  );
}

function Stack({ column, state }: { readonly column: Column; readonly state: State }) {
  const { name, size, x, y, width, height, rows } = column;
  return (
    <g class="stack">
      <text class="name" x={x} y={y - 22}>
        {stackTitle(name)}
      </text>
      <text class="size" x={x} y={y - 8}>
        {kib(size)}
      </text>
      {rows.map((row) => (
        <Row
          key={String(row.from)}
          row={row}
          column={column}
          selected={row.word !== undefined && row.word.index === state.selected.value}
        />
      ))}
      {rows.length === 0 && (
        <text class="none" x={x + width / 2} y={y + height / 2 + 4}>
          empty
        </text>
      )}
      <rect class="edge" x={x} y={y} width={width} height={height} />
    </g>
  );
}

function Lead({ arrow: { path, group } }: { readonly arrow: Arrow }) {
  const [end, before] = [path.at(-1), path.at(-2)];
  if (!end || !before) return null;
  const points = path.map((point) => point.join(' ')).join('L');
  const [x, y] = end;
  const from = before[0] > x ? 1 : -1;
  return (
    <g class={`arrow ${group}`}>
      <path class="halo" d={`M${points}`} />
      <path d={`M${points}`} />
      <path class="tip" d={`M${x} ${y}l${9 * from} -4.5v9z`} />
    </g>
  );
}

function Flag({ rsp }: { readonly rsp: NonNullable<Picture['rsp']> }) {
  const { x, y } = rsp;
  return (
    <g class="rspflag">
      <path d={`M${x - 44} ${y - 9}h34l9 9l-9 9h-34z`} />
      <text x={x - 39} y={y + 4}>
        RSP
      </text>
    </g>
  );
}

const PHONE = '(max-width: 47.99rem)';

/** All stacks of the CPU. A click on a word selects it; the words' own table is the way by keyboard. */
export function AllStacks({ state }: { readonly state: State }) {
  const narrow = useSignal(false);
  useEffect(() => {
    const query = matchMedia(PHONE);
    const follow = () => {
      narrow.value = query.matches;
    };
    follow();
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  const picture = useComputed(() => pictureOf(state.outline.value, state.frame.value, narrow.value)).value;
  const { width, height, columns, empty, arrows, rsp } = picture;
  // A page is built with the wide one; on a phone the room of the narrow one is kept until scripts draw it.
  const room = useMemo(() => pictureOf(state.outline.value, state.frame.value, true).height, []);
  const kept = state.live.value ? undefined : { '--narrow': `${room / 16}rem` };
  return (
    <>
      <h2 class="ph">
        All stacks of the CPU <small>highest address at the top, heights not to scale</small>
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroller" tabIndex={0} aria-label="All stacks of the CPU" style={kept}>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard words are chosen in their table */}
        <svg
          class="stacks"
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          height={height}
          style={state.present.value ? undefined : { width: `${width / 16}rem` }}
          role="img"
          aria-label={pictureText(picture, state.frame.value)}
          onClick={({ target }) => {
            const row = (target as Element).closest('[data-word]');
            if (row) state.select(Number(row.getAttribute('data-word')));
          }}
        >
          {columns.map((column) => (
            <Stack key={column.name} column={column} state={state} />
          ))}
          {empty.map((column) => (
            <Stack key={column.name} column={column} state={state} />
          ))}
          {arrows.map((arrow) => (
            <Lead key={arrow.record} arrow={arrow} />
          ))}
          {rsp && <Flag rsp={rsp} />}
        </svg>
      </section>
      <ul class="leads-key">
        {arrows.map(({ record, group, to }) => (
          <li key={record} class={group}>
            <svg width="34" height="8" aria-hidden="true">
              <path d="M0 4h32" />
            </svg>
            <Glyph name={group} /> {record} leads to {to ? stackText(to) : 'no kernel stack'}
          </li>
        ))}
      </ul>
    </>
  );
}
