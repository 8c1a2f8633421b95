/** The state of the mail block: made by the worker, then the reader's own, until they ask for another. */
import { batch, computed, signal } from '@preact/signals';
import type { Finding } from '../../scenario/lint.ts';
import type { Asker } from './protocol.ts';
import type { State } from './state.ts';

export type Form = 'mail' | 'changelog';

export type Mailing = ReturnType<typeof createMailing>;

/** What a block was made of. */
interface Made {
  readonly text: string;
  readonly recipe: string;
  readonly boundary: number;
}

/** One of the two forms; each keeps its own text, so that nothing typed is lost by looking at the other. */
function createDraft(changelog: boolean) {
  return {
    changelog,
    made: signal<Made | undefined>(undefined),
    text: signal(''),
    /** What keeps the block as it was made from being what it should be. */
    problems: signal<readonly string[]>([]),
    /** What a maintainer would say of the text as it stands. */
    findings: signal<readonly Finding[]>([]),
  };
}

let panels = 0;

/** State of the mail panel of an island. */
export function createMailing(state: State, ask: Asker) {
  /** For the panel's element; Preact's own ids are unique in an island, not on a page. */
  const id = `mail-${++panels}`;
  const open = signal(false);
  const form = signal<Form>('mail');
  const drafts = { mail: createDraft(false), changelog: createDraft(true) };
  const draft = computed(() => drafts[form.value]);
  const edited = computed(() => {
    const { made, text } = draft.value;
    return made.value !== undefined && made.value.text !== text.value;
  });
  /** Whether the block is about another moment than the one in view. */
  const behind = computed(() => {
    const made = draft.value.made.value;
    return made?.boundary !== state.frame.value.boundary || made.recipe !== state.outline.value.recipe;
  });

  let asked = 0;
  /** Makes the block for the moment in view; what was typed is given up. */
  async function make(): Promise<void> {
    const mine = ++asked;
    const { changelog, made, text, problems, findings } = draft.value;
    const { boundary } = state.frame.value;
    const { recipe } = state.outline.value;
    const answer = await ask({ kind: 'mail', recipe, boundary, changelog, site: state.site });
    if (mine !== asked) return;
    batch(() => {
      if (answer.kind === 'failed') {
        problems.value = [answer.reason];
        return;
      }
      made.value = { text: answer.text, recipe, boundary };
      text.value = answer.text;
      problems.value = answer.problems;
      findings.value = answer.findings;
    });
  }

  return {
    id,
    open,
    form,
    draft,
    edited,
    behind,
    make,
    /** Makes the block unless it is there or the reader has written in it. */
    refresh: () => (behind.value && !edited.value ? make() : Promise.resolve()),
    /** Has the text read again as it stands. */
    async check(): Promise<void> {
      const { text, changelog, findings } = draft.value;
      const checked = text.value;
      const answer = await ask({ kind: 'lint', text: checked, changelog });
      if (answer.kind !== 'failed' && text.value === checked) findings.value = answer.findings;
    },
  };
}
