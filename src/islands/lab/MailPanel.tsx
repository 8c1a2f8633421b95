/** Copy for mail: the block for the boundary in view, exactly as it is copied, and what a maintainer would say of it. */
import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Finding } from '../../scenario/lint.ts';
import type { Form, Mailing } from './mailing.ts';
import type { State } from './state.ts';

/** Opens and closes the panel. */
export function MailButton({ mailing }: { readonly mailing: Mailing }) {
  const { id, open } = mailing;
  return (
    <button
      type="button"
      class="btn"
      aria-expanded={open.value}
      aria-controls={open.value ? id : undefined}
      onClick={() => {
        open.value = !open.value;
      }}
    >
      Copy for mail
    </button>
  );
}

/** The panel under the header, while it is open. */
export function MailPanel({ state, mailing }: { readonly state: State; readonly mailing: Mailing }) {
  if (!mailing.open.value) return null;
  return (
    <section id={mailing.id} class="js mail" aria-label={`Mail, ${state.outline.value.slug}`}>
      <Block state={state} mailing={mailing} />
    </section>
  );
}

const FORMS: readonly Form[] = ['mail', 'changelog'];
/** Widest line: of a mail that is quoted, and of a changelog. */
const COLUMNS: Readonly<Record<Form, number>> = { mail: 72, changelog: 75 };
const REST = 400;

function Block({ state, mailing }: { readonly state: State; readonly mailing: Mailing }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { form, edited } = mailing;
  const { text, made } = mailing.draft.value;
  const at = state.frame.value.boundary;
  const { recipe } = state.outline.value;
  // The first block comes at once, another one when the playhead rests.
  const wait = made.value ? REST : 0;
  useEffect(() => {
    const timer = setTimeout(() => mailing.refresh(), wait);
    return () => clearTimeout(timer);
  }, [at, recipe, form.value]);
  useEffect(() => {
    if (!made.value) return;
    const timer = setTimeout(() => mailing.check(), REST);
    return () => clearTimeout(timer);
  }, [text.value]);
  return (
    <>
      <Actions state={state} mailing={mailing} field={field} />
      <textarea
        ref={field}
        class={form.value === 'changelog' ? 'changelog' : undefined}
        aria-label={form.value === 'mail' ? 'Text of the mail' : 'Text of the changelog'}
        wrap="off"
        spellcheck={false}
        autocomplete="off"
        rows={Math.min(40, Math.max(12, text.value.split('\n').length))}
        value={text.value}
        readOnly={!made.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <Notes mailing={mailing} edited={edited.value} field={field} />
    </>
  );
}

function Actions({
  state,
  mailing,
  field,
}: {
  readonly state: State;
  readonly mailing: Mailing;
  readonly field: RefObject<HTMLTextAreaElement>;
}) {
  const outcome = useSignal('');
  const { id, form, edited, behind } = mailing;
  const { text, made } = mailing.draft.value;
  useEffect(() => {
    outcome.value = '';
  }, [text.value, form.value]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text.value);
      outcome.value = 'Copied';
    } catch {
      field.current?.focus();
      field.current?.select();
      outcome.value = 'The browser refuses the clipboard. The text is selected: copy it by hand.';
    }
  };
  return (
    <div class="actions">
      <button type="button" class="btn" disabled={!made.value} onClick={copy}>
        Copy {form.value}
      </button>
      <fieldset>
        <legend class="vh">Form</legend>
        {FORMS.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name={`${id}-form`}
              checked={form.value === one}
              onChange={() => {
                form.value = one;
              }}
            />
            {one}
          </label>
        ))}
      </fieldset>
      <span class="dim">
        {made.value ? `about boundary ${made.value.boundary}` : 'making it'}
        {edited.value && behind.value && `, the playhead is at ${state.frame.value.boundary}`}
      </span>
      {edited.value && (
        <button
          type="button"
          class="btn"
          onClick={() => {
            mailing.make();
            field.current?.focus(); // this button is about to go
          }}
        >
          Discard edits
        </button>
      )}
      <output>{outcome}</output>
    </div>
  );
}

/** Puts the caret at a place counted from 1. */
function toPlace(field: HTMLTextAreaElement | null, { line, column }: Finding): void {
  if (!field) return;
  const before = field.value.split('\n').slice(0, line - 1);
  const at = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  field.focus();
  field.setSelectionRange(at, at);
}

/** `25 lines, the widest has 71 columns`. */
function measure(text: string): string {
  const lines = text.replace(/\n$/, '').split('\n');
  const widest = Math.max(...lines.map(({ length }) => length));
  return `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}, the widest has ${widest} columns`;
}

function Notes({
  mailing,
  edited,
  field,
}: {
  readonly mailing: Mailing;
  readonly edited: boolean;
  readonly field: RefObject<HTMLTextAreaElement>;
}) {
  const { form } = mailing;
  const { text, made, problems, findings } = mailing.draft.value;
  const count = findings.value.length;
  const found = count === 0 ? 'nothing to object to' : count === 1 ? '1 objection' : `${count} objections`;
  return (
    <div class="notes">
      <p>
        {made.value && `${measure(text.value)}; the dashed rule is at ${COLUMNS[form.value]}.`}{' '}
        <span role="status">{made.value && `The linter has ${found}.`}</span>
      </p>
      {problems.value.length > 0 && (
        <ul
          class="problems"
          aria-label={edited ? 'Problems of the block as it was made' : 'Problems of the block'}
        >
          {problems.value.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
      {count > 0 && (
        <ul class="problems" aria-label="What a maintainer would object to">
          {findings.value.map((finding) => {
            const { rule, line, column, sentence, source } = finding;
            return (
              <li key={`${line}:${column}${rule}${sentence}`}>
                <button type="button" class="place" onClick={() => toPlace(field.current, finding)}>
                  {line}:{column}
                </button>{' '}
                {sentence} <span class="source">{source}</span>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}
