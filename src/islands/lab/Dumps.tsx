/** Traces of several kernels side by side, the words that each line was read from, and which record each goes by. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Dump, DumpBy, DumpLine } from '../../scenario/dump.ts';
import { Choices, Rows } from './DumpControls.tsx';
import { alignDumps } from './dump-rows.ts';
import type { Dumping } from './dumping.ts';
import { Glyph, Hex, Verdict } from './parts.tsx';

const titleOf = (by: DumpBy): string => `${by.name} ${by.era}`;

function Cell({
  by,
  line,
  text,
  dumping,
  live,
}: {
  by: DumpBy;
  line: DumpLine | undefined;
  text: string;
  dumping: Dumping;
  live: boolean;
}) {
  if (!line)
    return (
      <td class="c stop">
        <span aria-hidden="true">-</span>
        <span class="vh">not printed</span>
      </td>
    );
  const look = () => {
    dumping.looked.value = { unwinder: by.unwinder, line };
  };
  const chosen = dumping.looked.value?.line === line;
  const said = line.certain ? 'vouched for' : 'printed with a question mark';
  const mark = line.certain ? <Glyph name="right" /> : '?';
  if (!live)
    return (
      <td class={`c ${line.certain ? 'right' : 'guess'}`}>
        {mark}
        <span class="vh">{said}</span>
      </td>
    );
  return (
    <td class={`c ${line.certain ? 'right' : 'guess'}`}>
      <button
        type="button"
        class="look"
        aria-label={`${titleOf(by)}, ${text}: ${said}`}
        aria-pressed={chosen}
        onMouseEnter={look}
        onFocus={look}
        onClick={look}
      >
        {mark}
      </button>
    </td>
  );
}

/** A row is a place on a stack; what is alive there has the double rule of the truth. */
function Aligned({ dump, dumping, live }: { dump: Dump; dumping: Dumping; live: boolean }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="scroller" tabIndex={0} aria-label="Calls by each unwinder">
      <table class="dm">
        <thead>
          <tr>
            <th scope="col">lies on the stack</th>
            {dump.by.map((by) => (
              <th key={by.unwinder} scope="col">
                {titleOf(by)}
              </th>
            ))}
          </tr>
        </thead>
        {alignDumps(dump).map(({ name, rows }) => (
          <tbody key={name}>
            <tr class="mk">
              <th colSpan={dump.by.length + 1} scope="rowgroup">
                &lt;{name}&gt;
              </th>
            </tr>
            {rows.map(({ slot, text, alive, cells }) => (
              <tr key={String(slot)} class={alive ? 'alive' : ''}>
                <th scope="row">
                  {text}
                  {alive && <span class="vh">, alive</span>}
                </th>
                {cells.map((line, n) => {
                  const by = dump.by[n];
                  return by && <Cell key={by.unwinder} {...{ by, line, text, dumping, live }} />;
                })}
              </tr>
            ))}
          </tbody>
        ))}
        <tbody>
          <tr>
            <th scope="row">goes by</th>
            {dump.by.map(({ unwinder, trusts }) => (
              <td key={unwinder}>{trusts || 'no record'}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">judged</th>
            {dump.by.map(({ unwinder, judgement }) => (
              <td key={unwinder}>
                <Verdict judgement={judgement} />
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </section>
  );
}

/** What is said of the line that the reader looks at. */
function Told({ dump, dumping }: { dump: Dump; dumping: Dumping }) {
  const looked = dumping.looked.value;
  const by = dump.by.find(({ unwinder }) => unwinder === looked?.unwinder);
  const words = dump.stacks.flatMap((stack) => stack.words);
  const where = looked?.line.reads.map((address) => {
    const word = words.find((one) => one.address === address);
    return word ? `${word.where}${word.role ? ` (${word.role})` : ''}` : '';
  });
  return (
    <p class="told js" aria-live="polite">
      {!looked || !by ? (
        'Hover a mark, or go to it with the tab key: the words that it was read from are lit. A question mark is a word that looks like code, and that the unwinder does not vouch for.'
      ) : (
        <>
          <b>{titleOf(by)}</b> <code>{looked.line.text.trim()}</code> read from {where?.join(', ')}.{' '}
          {looked.line.doubt}
        </>
      )}
    </p>
  );
}

/** Words of each stack, highest address first, as in every picture here. */
function Stacks({ dump, dumping, onWord }: { dump: Dump; dumping: Dumping; onWord: DumpsProps['onWord'] }) {
  const lit = dumping.looked.value?.line.reads ?? [];
  const stacks = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Only the boxes scroll, never the page.
    for (const box of stacks.current?.querySelectorAll<HTMLElement>('.scroller') ?? []) {
      const row = box.querySelector<HTMLElement>('.lit');
      if (row) box.scrollTop = row.offsetTop - box.clientHeight / 2;
    }
  }, [dumping.looked.value]);
  return (
    <div class="lit-stacks" ref={stacks}>
      {dump.stacks.map(({ name, words }) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section key={name} class="scroller" tabIndex={0} aria-label={`Words of the ${name} stack`}>
          <table class="lw">
            <caption>&lt;{name}&gt;</caption>
            <tbody>
              {words.toReversed().map((word) => (
                <tr key={String(word.address)} class={lit.includes(word.address) ? 'lit' : ''}>
                  <th scope="row">{word.where}</th>
                  <td>
                    {onWord ? (
                      <button
                        type="button"
                        class="reg"
                        title="go to what wrote this word"
                        onClick={() => onWord(word.address)}
                      >
                        <Hex value={word.value} />
                      </button>
                    ) : (
                      <Hex value={word.value} />
                    )}
                  </td>
                  <td>
                    {word.role || word.meaning}
                    {word.role && word.meaning ? `: ${word.meaning}` : ''}
                    {lit.includes(word.address) && <span class="vh">, read</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </div>
  );
}

function Printed({ dump, dumping }: { dump: Dump; dumping: Dumping }) {
  return (
    <details class="printed">
      <summary>What is printed, to the character</summary>
      {dump.by.map((by) => (
        <figure key={by.unwinder}>
          <figcaption>{titleOf(by)}</figcaption>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>
            {by.lines.map((line, n) => (
              <span key={n} class={line === dumping.looked.value?.line ? 'lit' : ''}>
                {`${line.text}\n`}
              </span>
            ))}
          </pre>
        </figure>
      ))}
    </details>
  );
}

/** Which record each goes by, instruction by instruction. */
function Trust({
  dumping,
  dump,
  recipe,
  last,
}: {
  dumping: Dumping;
  dump: Dump;
  recipe: string;
  last: number;
}) {
  const spans = dumping.spans.value;
  return (
    <details
      class="js"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open && !spans) void dumping.trust(recipe, last);
      }}
    >
      <summary>Which record each goes by, over the run</summary>
      {spans && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section class="scroller" tabIndex={0} aria-label="Records over the run">
          <table class="dm spans">
            <thead>
              <tr>
                <th scope="col">unwinder</th>
                <th scope="col">boundaries, and the record</th>
              </tr>
            </thead>
            <tbody>
              {dump.by.map((by, n) => (
                <tr key={by.unwinder}>
                  <th scope="row">{titleOf(by)}</th>
                  <td>
                    {spans[n]?.map(({ from, to, trusts }) => (
                      <span
                        key={from}
                        class={dump.boundary >= from && dump.boundary <= to ? 'lit span' : 'span'}
                      >
                        {from === to ? from : `${from}-${to}`} {trusts || 'none'}
                      </span>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

const REST = 120;

export interface DumpsProps {
  readonly dumping: Dumping;
  readonly recipe: string;
  readonly boundary: number;
  /** Last boundary of the run. */
  readonly last: number;
  /** Where a word's author can be shown: asked for with its address. */
  readonly onWord?: (address: bigint) => void;
}

/** Everything about one boundary. Asks once the boundary rests. */
export function Dumps({ dumping, recipe, boundary, last, onWord }: DumpsProps) {
  const { dump, unwinders, switches, edits, problem } = dumping;
  const asked = useComputed(() => [unwinders.value, switches.value, edits.value]);
  const shown = dump.value;
  const fresh = useSignal(shown !== undefined);
  /** Scripts run: before, a mark is no button. */
  const live = useSignal(false);
  useEffect(() => {
    live.value = true;
  }, []);
  useEffect(() => {
    // What was made while the page was built needs no question.
    if (fresh.value) {
      fresh.value = false;
      return;
    }
    const timer = setTimeout(() => void dumping.fetch(recipe, boundary), REST);
    return () => clearTimeout(timer);
  }, [recipe, boundary, asked.value]);
  if (!shown) return <p class="dim">{problem.value || 'The stack is being dumped.'}</p>;
  return (
    <div class="dumps">
      {problem.value && <p role="alert">{problem}</p>}
      <p>
        Dumped at boundary {shown.boundary}, <code>{shown.at}</code>
      </p>
      <div class="both">
        <div>
          <Aligned dump={shown} dumping={dumping} live={live.value} />
          <Told dump={shown} dumping={dumping} />
        </div>
        <Stacks dump={shown} dumping={dumping} onWord={onWord} />
      </div>
      <Rows dump={shown} dumping={dumping} />
      <Choices dumping={dumping} recipe={recipe} />
      <Printed dump={shown} dumping={dumping} />
      <Trust dumping={dumping} dump={shown} recipe={recipe} last={last} />
    </div>
  );
}
