/** The state of the dumps: who is asked, with which switches and rows, and which line the reader looks at. */
import { batch, signal } from '@preact/signals';
import type { OrcRow } from '../../image/orc.ts';
import type { Dump, DumpLine, OrcEdit, Trusted } from '../../scenario/dump.ts';
import type { Asker } from './protocol.ts';
import { withSwitch } from './recipe-text.ts';

/** One after another, as a reader meets them. */
export const CHOICE: readonly { readonly id: string; readonly name: string }[] = [
  { id: 'dump-trace', name: 'dump_trace() 4.3' },
  { id: 'guess-4.9', name: 'guess 4.9' },
  { id: 'frame-pointer-4.9', name: 'frame pointer 4.9' },
  { id: 'frame-pointer-4.10', name: 'frame pointer 4.10' },
  { id: 'frame-pointer-6.12', name: 'frame pointer 6.12' },
  { id: 'orc-4.14', name: 'ORC 4.14' },
  { id: 'orc-6.12', name: 'ORC 6.12' },
];
export const USUAL = ['dump-trace', 'frame-pointer-4.10', 'orc-6.12'];

export interface Looked {
  readonly unwinder: string;
  readonly line: DumpLine;
}

export type Dumping = ReturnType<typeof createDumping>;

export function createDumping(ask: Asker, baked?: Dump) {
  const dump = signal(baked);
  const unwinders = signal<readonly string[]>(baked ? baked.by.map(({ unwinder }) => unwinder) : USUAL);
  const switches = signal<Readonly<Record<string, string>>>({});
  const edits = signal<readonly OrcEdit[]>([]);
  const looked = signal<Looked | undefined>(undefined);
  const spans = signal<readonly (readonly Trusted[])[] | undefined>(undefined);
  const problem = signal('');
  let latest = 0;

  const recipeWith = (recipe: string): string =>
    Object.entries(switches.value).reduce(
      (text, [name, value]) => withSwitch(text, name, value || undefined),
      recipe,
    );

  return {
    dump,
    unwinders,
    switches,
    edits,
    looked,
    spans,
    problem,
    /** Dumps at a boundary; an answer that comes too late is not shown. */
    async fetch(recipe: string, boundary: number): Promise<void> {
      const mine = ++latest;
      const answer = await ask({
        kind: 'dump',
        recipe: recipeWith(recipe),
        boundary,
        unwinders: unwinders.value,
        edits: edits.value,
      });
      if (mine !== latest) return;
      batch(() => {
        problem.value = answer.kind === 'failed' ? answer.reason : '';
        if (answer.kind === 'failed') return;
        dump.value = answer.dump;
        looked.value = undefined;
      });
    },
    /** Which record each unwinder goes by, over the whole run. */
    async trust(recipe: string, last: number): Promise<void> {
      const answer = await ask({
        kind: 'trusted',
        recipe: recipeWith(recipe),
        unwinders: unwinders.value,
        last,
      });
      if (answer.kind === 'failed') problem.value = answer.reason;
      else spans.value = answer.spans;
    },
    choose(id: string, asked: boolean): void {
      const others = unwinders.value.filter((one) => one !== id);
      batch(() => {
        unwinders.value = CHOICE.flatMap((one) =>
          (one.id === id ? asked : others.includes(one.id)) ? [one.id] : [],
        );
        spans.value = undefined;
      });
    },
    set(name: string, value: string): void {
      batch(() => {
        switches.value = { ...switches.value, [name]: value };
        spans.value = undefined;
      });
    },
    /** Another row instead of the one that begins at an address; none deletes it. */
    edit(address: bigint, row: OrcRow | undefined): void {
      edits.value = [...edits.value.filter((one) => one.address !== address), { address, row }];
    },
    /** The rows of the code again. */
    restore(): void {
      edits.value = [];
    },
  };
}
