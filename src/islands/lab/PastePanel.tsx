/** Paste a mail or a link: what it holds is told before it runs; what cannot run leaves the last run in view. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Problem } from '../../asm/source.ts';
import { Holds } from './Holds.tsx';
import { Problems } from './parts.tsx';
import type { Pasting } from './pasting.ts';
import type { Pasted } from './protocol.ts';
import type { State } from './state.ts';

/** The fold; its content is there while it is open. */
export function PastePanel({ state, pasting }: { readonly state: State; readonly pasting: Pasting }) {
  const open = useSignal(false);
  return (
    <details
      class="js paste"
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>Paste a mail or a link</summary>
      {open.value && (
        <div class="body">
          <Field state={state} pasting={pasting} />
        </div>
      )}
    </details>
  );
}

const REST = 300;

function Field({ state, pasting }: { readonly state: State; readonly pasting: Pasting }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { id, text, read, said, ran } = pasting;
  useEffect(() => {
    const timer = setTimeout(() => pasting.understand(), REST);
    return () => clearTimeout(timer);
  }, [text.value]);
  const answer = read.value?.answer;
  const off = !state.ready.value || !text.value.trim();
  return (
    <>
      <div class="typed">
        <p id={id}>
          A mail that quotes a recipe, a link, or a race table. Quoting marks, tabs, other line ends and
          quoted-printable do no harm. Nothing of it leaves this machine.
        </p>
        <textarea
          ref={field}
          aria-label="Pasted text"
          aria-describedby={id}
          wrap="off"
          rows={12}
          spellcheck={false}
          autocomplete="off"
          value={text.value}
          onInput={({ currentTarget }) => pasting.type(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !off) pasting.run();
          }}
        />
        <p>
          <button type="button" class="btn" disabled={off} onClick={() => pasting.run()}>
            Run
          </button>{' '}
          <span class="dim">or ctrl-enter</span>
        </p>
        <p class="said">
          <span role="status">{said}</span>{' '}
          {ran.value && (
            <button
              type="button"
              class="btn"
              onClick={({ currentTarget }) =>
                currentTarget.closest('.island')?.querySelector<HTMLElement>('[role=slider]')?.focus()
              }
            >
              Go to the run
            </button>
          )}
        </p>
      </div>
      <div class="understood">
        <h2 class="ph">
          Understood <small>{ran.value ? 'and run' : 'nothing of it has run yet'}</small>
        </h2>
        <p role="status">
          {answer === undefined
            ? 'Nothing pasted.'
            : answer.kind === 'failed'
              ? answer.reason
              : announced(answer)}
        </p>
        {answer?.kind === 'pasted' && <Understood pasted={answer} field={field} />}
      </div>
    </>
  );
}

/** What was found, and how many problems there are. */
function announced({ says, problems }: Pasted): string {
  const count = problems.length;
  return [...says, ...(count === 0 ? [] : [count === 1 ? '1 problem.' : `${count} problems.`])].join(' ');
}

/** What was found of a pasted text. */
export function Understood({
  pasted,
  field,
}: {
  readonly pasted: Pasted;
  readonly field: { readonly current: HTMLTextAreaElement | null };
}) {
  const { recipe, explained, problems, placed, ignored } = pasted;
  const toPlace = ({ line, column }: Problem) => {
    const typed = field.current;
    if (!typed) return;
    const before = typed.value.split('\n').slice(0, line - 1);
    const at = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    typed.focus();
    typed.setSelectionRange(at, at);
  };
  return (
    <>
      {problems.length > 0 && <Problems problems={problems} {...(placed && { onPlace: toPlace })} />}
      {recipe && <pre class="diff">{recipe}</pre>}
      {explained && <Holds explained={explained} />}
      {ignored && (
        <>
          <p class="dim">Ignored:</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <pre class="ignored" tabIndex={0}>
            {ignored}
          </pre>
        </>
      )}
    </>
  );
}
