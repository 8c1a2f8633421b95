/** The entry code in an editor: one cell at a time, its difference to the page, what is wrong with it. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { diff } from '../../asm/align.ts';
import type { CodeEditor } from './code-editor.ts';
import type { Editing } from './editing.ts';
import { Problems } from './parts.tsx';
import type { State } from './state.ts';

/** Lines of a difference that are shown around a change. */
const AROUND = 2;

function Difference({ editing }: { readonly editing: Editing }) {
  const lines = useComputed(() => diff(editing.cell.value?.original ?? '', editing.text.value)).value;
  const near = (n: number): boolean =>
    lines.slice(Math.max(0, n - AROUND), n + AROUND + 1).some(({ kind }) => kind !== 'same');
  const shown = lines.flatMap((line, n) => (near(n) ? [{ ...line, n }] : []));
  if (shown.length === 0) return null;
  return (
    <details class="difference" open>
      <summary>
        Difference to the page: {lines.filter(({ kind }) => kind === 'removed').length} lines gone,{' '}
        {lines.filter(({ kind }) => kind === 'added').length} new
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroller" tabIndex={0} aria-label="Difference to the page">
        <ol>
          {shown.map(({ kind, text, n }) => (
            <li key={n} class={kind}>
              <span aria-hidden="true">{kind === 'same' ? ' ' : kind === 'added' ? '+' : '-'}</span>
              {kind === 'added' ? (
                <ins>{text || ' '}</ins>
              ) : kind === 'removed' ? (
                <del>{text || ' '}</del>
              ) : (
                text
              )}
            </li>
          ))}
        </ol>
      </section>
    </details>
  );
}

function Field({ editing }: { readonly editing: Editing }) {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor>();
  const missing = useSignal(false);
  const { block, text, problems } = editing;
  useEffect(() => {
    let gone = false;
    import('./code-editor.ts')
      .then(({ createCodeEditor }) => {
        if (gone || !place.current) return;
        editor.current = createCodeEditor(place.current, {
          text: text.value,
          label: 'Entry code',
          words: () => editing.cells.value ?? { labels: [], mnemonics: [] },
          onType: editing.type,
          onRun: () => void editing.run(),
        });
        editor.current.problems(problems.value);
      })
      .catch(() => {
        missing.value = true;
      });
    return () => {
      gone = true;
      editor.current?.destroy();
    };
  }, []);
  const shown = useRef(block.value);
  useEffect(() => {
    if (shown.current === block.value) editor.current?.show(text.value);
    else editor.current?.open(text.value);
    shown.current = block.value;
  }, [block.value, text.value]);
  useEffect(() => editor.current?.problems(problems.value), [problems.value, text.value]);
  return (
    <>
      <div class="editor" ref={place} />
      {/* The text itself, should the editor not come. */}
      {missing.value && (
        <textarea
          aria-label="Entry code"
          rows={20}
          spellcheck={false}
          value={text.value}
          onInput={({ currentTarget }) => editing.type(currentTarget.value)}
        />
      )}
      {editing.warnings.value.length > 0 && (
        <section class="warnings" aria-label="Warnings of the stack checker">
          <Problems
            problems={editing.warnings.value.map((one) => ({ ...one, page: '' }))}
            onPlace={({ line, column }) => editor.current?.goTo(line, column)}
          />
        </section>
      )}
      {problems.value.length > 0 && (
        <Problems
          problems={problems.value.map((one) => ({ ...one, page: '' }))}
          onPlace={({ line, column }) => editor.current?.goTo(line, column)}
        />
      )}
    </>
  );
}

/** The fold. Cells, assembler and editor are fetched when it is opened. */
export function EditPanel({ state, editing }: { readonly state: State; readonly editing: Editing }) {
  const open = useSignal(false);
  const { cells, block, changed, pending, problem } = editing;
  const { recipe } = state.outline.value;
  useEffect(() => {
    if (open.value) void editing.load();
  }, [open.value, recipe]);
  const off = !state.ready.value || state.busy.value;
  const ran = state.standing.value;
  const { length: count } = editing.warnings.value;
  const warned =
    count > 0 && `The stack checker warns ${count === 1 ? 'once' : `${count} times`} of the code as it ran:`;
  return (
    <details
      class="edit js"
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>
        Edit the entry code
        {cells.value && pending.value && <span class="dim">, edited, not run</span>}
      </summary>
      {/* Always there: what comes together with its region is not announced. */}
      <p role="alert">{problem.value && `The code cannot be edited: ${problem.value}`}</p>
      {cells.value && (
        <div class="body">
          <p>
            <label>
              cell{' '}
              <select
                class="live"
                value={block.value}
                onChange={({ currentTarget }) => editing.choose(currentTarget.value)}
              >
                {cells.value.cells.map((one) => (
                  <option key={one.block} value={one.block}>
                    {one.block}
                    {one.text === one.original ? '' : ', edited'}
                  </option>
                ))}
              </select>
            </label>{' '}
            <button type="button" class="btn" disabled={off || !pending.value} onClick={() => editing.run()}>
              Run
            </button>{' '}
            <button
              type="button"
              class="btn"
              disabled={off || !changed.value}
              onClick={() => editing.reset()}
            >
              Back to the page's text
            </button>{' '}
            <span class="dim">
              ctrl-enter runs; ctrl-space completes; Escape, then Tab, leaves the editor
            </span>
          </p>
          <Field editing={editing} />
          <p role="status">{ran.state === 'cannot-run' ? `cannot run: ${ran.reason}` : warned}</p>
          <Difference editing={editing} />
        </div>
      )}
    </details>
  );
}
