/** The picture of all stacks: columns of blocks and words, the flag of RSP, an arrow for each saved RSP. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { stackText } from '../../unwind/describe.ts';
import { Glyph } from './parts.tsx';
import type { Asker, SeenWord } from './protocol.ts';
import { type Column, canChoose, type StackRow, wordMove } from './stack-rows.ts';
import { type Arrow, type Picture, pictureOf, pictureText, stackTitle } from './stacks.ts';
import type { State } from './state.ts';
import { wordAt } from './words.ts';

const kib = (size: bigint): string => `${Number(size) / 1024} KiB`;

/** Text that may not be wider than its box: cut to so many characters of the picture's mono. */
const cut = (text: string, room: number): string =>
  text.length * 6.65 <= room ? text : `${text.slice(0, Math.max(1, Math.floor(room / 6.65) - 1))}…`;

interface Choice {
  /** Whether scripts run; whether words without a name can be chosen too. */
  readonly live: boolean;
  readonly all: boolean;
  readonly selected: number;
  /** The row that the tab key leads to. */
  readonly entry: number | undefined;
}

function Row({ row, column, choice }: { row: StackRow; column: Column; choice: Choice }) {
  const { kind, word, y, height, text, note, spot } = row;
  const { x, width } = column;
  const group = row.group ?? kind;
  const middle = y + height / 2 + 4;
  const noteRoom = note.length * 6.65;
  const chosen = kind === 'word' && spot === choice.selected;
  const can = canChoose(row, choice.all);
  const option = can &&
    choice.live && {
      role: 'option' as const,
      'aria-selected': chosen,
      'aria-label': note ? `${text}, ${note}` : text,
      // In small letters: names of attributes of SVG are taken as they are.
      tabindex: spot === choice.entry ? 0 : -1,
    };
  return (
    <g
      class={`sr ${kind} ${group}${word?.changed ? ' changed' : ''}${word?.author.kind === 'earlier' ? ' old' : ''}${chosen ? ' selected' : ''}`}
      data-word={can ? spot : undefined}
      {...(option || {})}
    >
      <rect x={x} y={y} width={width} height={height} />
      {(kind === 'word' || kind === 'regs' || kind === 'record') && (
        <rect class="pat" x={x} y={y} width={10} height={height} />
      )}
      {word?.changed && <rect class="bar" x={x + 13} y={y + 2} width={3} height={height - 4} />}
      <text x={x + 20} y={middle}>
        {cut(text, width - 30 - (note ? noteRoom + 6 : 0))}
      </text>{' '}
      {note && (
        <text class="note" x={x + width - 7} y={middle}>
          {cut(note, width - 40)}
        </text>
      )}
    </g>
  );
}

function Stack({ column, choice }: { readonly column: Column; readonly choice: Choice }) {
  const { name, size, x, y, width, height, rows } = column;
  const group = choice.live &&
    rows.some((row) => canChoose(row, choice.all)) && {
      role: 'group' as const,
      'aria-label': stackText(name),
    };
  return (
    <g class="stack" {...(group || {})}>
      <text class="name" x={x} y={y - 22}>
        {stackTitle(name)}
      </text>
      <text class="size" x={x} y={y - 8}>
        {kib(size)}
      </text>
      {rows.map((row) => (
        <Row key={String(row.from)} row={row} column={column} choice={choice} />
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

/**
 * All stacks of the CPU. A click on a word chooses it, one on a block opens its words; the arrow keys go from word to word.
 * Without `ask` only the named words can be chosen.
 */
export function AllStacks({ state, ask }: { readonly state: State; readonly ask?: Asker }) {
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
  const seen = useSignal<readonly SeenWord[]>([]);
  const picture = useComputed(() =>
    pictureOf(
      state.outline.value,
      state.frame.value,
      narrow.value,
      ask && { spot: state.selected.value, words: seen.value },
    ),
  ).value;
  const { width, height, columns, empty, arrows, rsp } = picture;
  const rows = columns.flatMap((column) => column.rows);
  const frame = state.frame.value;
  const { recipe } = state.outline.value;
  // Frames have the named words only: what else is in view is asked for.
  const spots = rows.flatMap(({ kind, spot }) =>
    kind === 'word' && spot !== undefined && !wordAt(frame, spot) ? [spot] : [],
  );
  useEffect(() => {
    if (!ask || spots.length === 0 || !state.ready.value) return;
    let gone = false;
    void ask({ kind: 'words', recipe, pick: state.pick.value, boundary: frame.boundary, spots }).then(
      (told) => {
        if (!gone && told.kind === 'words') seen.value = told.words;
      },
    );
    return () => {
      gone = true;
    };
  }, [recipe, frame.boundary, spots.join(), state.ready.value]);
  const svg = useRef<SVGSVGElement>(null);
  const choose = (spot: number): void => {
    state.select(spot);
    // Its row is drawn by then.
    requestAnimationFrame(() => svg.current?.querySelector<SVGElement>('[aria-selected=true]')?.focus());
  };
  const all = ask !== undefined;
  const selected = state.selected.value;
  const choosable = rows.filter((row) => canChoose(row, all));
  const entry = (choosable.find(({ spot }) => spot === selected) ?? choosable[0])?.spot;
  // A list without options would be none.
  const live = state.live.value && entry !== undefined;
  const choice = { live, all, selected, entry };
  const text = pictureText(picture, frame);
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
        <svg
          ref={svg}
          class="stacks"
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          height={height}
          style={state.present.value ? undefined : { width: `${width / 16}rem` }}
          role={live ? 'listbox' : 'img'}
          aria-label={live ? 'Words of all stacks' : text}
          onClick={({ target }) => {
            const row = (target as Element).closest('[data-word]');
            if (row) choose(Number(row.getAttribute('data-word')));
          }}
          onKeyDown={(event) => {
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            const to = ['Enter', ' '].includes(event.key)
              ? entry
              : wordMove(event.key, columns, selected, all);
            if (to === undefined) return;
            event.preventDefault();
            choose(to);
          }}
        >
          {live && <desc>{text}</desc>}
          {columns.map((column) => (
            <Stack key={column.name} column={column} choice={choice} />
          ))}
          {empty.map((column) => (
            <Stack key={column.name} column={column} choice={choice} />
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
