/** The state of the paste fold: what was typed, what was understood of it, what became of it. */
import { batch, signal } from '@preact/signals';
import type { Asker, Failed, Pasted } from './protocol.ts';
import type { State } from './state.ts';

export type Pasting = ReturnType<typeof createPasting>;

let folds = 0;

/** State of the paste fold of an island. */
export function createPasting(state: State, ask: Asker) {
  /** For the fold's element, unique on the page. */
  const id = `paste-${++folds}`;
  const text = signal('');
  /** The answer to the last text that was read. */
  const read = signal<{ readonly text: string; readonly answer: Pasted | Failed } | undefined>(undefined);
  /** What became of the last press of Run, one sentence. */
  const said = signal('');
  /** Whether the text as it stands has run. */
  const ran = signal(false);

  /** Reads the text as it stands. */
  async function understand(): Promise<void> {
    const asked = text.value;
    if (!asked.trim()) {
      read.value = undefined;
      return;
    }
    const { recipe } = state.outline.value;
    const answer = await ask({ kind: 'paste', text: asked, recipe, base: state.base });
    if (text.value === asked) read.value = { text: asked, answer };
  }

  /** What became of a run, in words. */
  function outcome({ explained }: Pasted): string {
    const standing = state.standing.value;
    if (standing.state === 'cannot-run') return `cannot run: ${standing.reason}`;
    const where = `${state.outline.value.slug}, boundary ${state.frame.value.boundary} of ${state.lanes.value.last}`;
    switch (standing.state) {
      case 'same':
        return `${where}: ${explained?.sentence ?? `same, the state is ${standing.as === 'link' ? 'the one the link was made for' : 'as recorded'}.`}`;
      case 'changed':
        return `${where}: ${standing.difference}`;
      case 'draft':
        return `${where}: a draft, nothing is recorded of it.`;
    }
  }

  return {
    id,
    text,
    read,
    said,
    ran,
    understand,
    type(value: string): void {
      batch(() => {
        text.value = value;
        said.value = '';
        ran.value = false;
        if (!value.trim()) read.value = undefined;
      });
    },
    /** Runs what the text holds. What cannot run leaves the run in view, and the text. */
    async run(): Promise<void> {
      const asked = text.value;
      await understand(); // anew: a race table without a set-up line depends on the run in view
      if (read.value?.text !== asked) return;
      const { answer } = read.value;
      if (answer.kind === 'failed') {
        said.value = `cannot run: ${answer.reason}`;
      } else if (answer.run) {
        said.value = 'running';
        await state.openPasted(answer.run);
        batch(() => {
          said.value = outcome(answer);
          ran.value = state.standing.value.state !== 'cannot-run';
        });
      } else said.value = `cannot run: ${refusal(answer)}`;
    },
  };
}

/** Why nothing can run, one sentence, with its place if it has one. */
function refusal({ problems: [first], explained, says }: Pasted): string {
  if (first) return `${first.page && `${first.page}:`}${first.line}:${first.column} ${first.message}`;
  return explained?.sentence.replace(/^cannot run: /, '') ?? says.join(' ');
}
