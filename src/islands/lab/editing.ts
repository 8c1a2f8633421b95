/** The state of the editor: the cells of the design, what was typed into them, and what became of it. */
import { batch, computed, signal } from '@preact/signals';
import type { Problem } from '../../asm/source.ts';
import { rawLine } from '../../scenario/recipe-tokens.ts';
import type { Asker, Cells } from './protocol.ts';
import { withEdit } from './recipe-text.ts';
import type { State } from './state.ts';

/** A text as a recipe holds it: without tabs. */
const plain = (text: string): string => text.split('\n').map(rawLine).join('\n');

export type Editing = ReturnType<typeof createEditing>;

/** State of the editor of an island. */
export function createEditing(state: State, ask: Asker) {
  const cells = signal<Cells | undefined>(undefined);
  const block = signal('');
  /** What was typed, by block; nothing for those that stand as they ran. Kept whatever becomes of a run. */
  const typed = signal<Readonly<Record<string, string>>>({});
  const problem = signal('');

  const cell = computed(() => cells.value?.cells.find((one) => one.block === block.value));
  const text = computed(() => typed.value[block.value] ?? cell.value?.text ?? '');
  const changed = computed(() => text.value !== cell.value?.original);
  /** Whether the field holds something that was not run. */
  const pending = computed(() => text.value !== cell.value?.text);
  /** Problems of the run in view or of the last one that could not be made, as far as they lie in this cell. */
  const problems = computed((): readonly Problem[] =>
    state.problems.value.filter(({ page }) => page === block.value),
  );

  /** What the stack checker says of this cell. */
  const warnings = computed((): readonly Problem[] =>
    (cells.value?.warnings ?? []).filter(({ page }) => page === block.value),
  );

  /** Fetches the cells of the run in view; what was typed stays. */
  async function load(): Promise<void> {
    const { recipe } = state.outline.value;
    const answer = await ask({ kind: 'cells', recipe });
    if (recipe !== state.outline.value.recipe) return;
    batch(() => {
      problem.value = answer.kind === 'failed' ? answer.reason : '';
      if (answer.kind === 'failed') return;
      cells.value = answer;
      if (!answer.cells.some((one) => one.block === block.value)) block.value = answer.cells[0]?.block ?? '';
      const left = Object.entries(typed.value).filter(
        ([name, value]) => answer.cells.find((one) => one.block === name)?.text !== plain(value),
      );
      typed.value = Object.fromEntries(left);
    });
  }

  async function run(value: string): Promise<void> {
    const found = cell.value;
    if (!found) return;
    await state.play(withEdit(state.outline.value.recipe, { ...found, text: value }));
    await load();
  }

  return {
    cells,
    block,
    cell,
    text,
    changed,
    pending,
    problems,
    warnings,
    problem,
    load,
    choose(name: string): void {
      block.value = name;
    },
    type(value: string): void {
      typed.value = { ...typed.value, [block.value]: value };
    },
    /** Runs the design with this cell as it was typed. What cannot run leaves the last run in view, and the text. */
    run: () => run(text.value),
    /** The cell as its page has it. */
    async reset(): Promise<void> {
      const original = cell.value?.original;
      if (original === undefined) return;
      typed.value = { ...typed.value, [block.value]: original };
      await run(original);
    },
  };
}
