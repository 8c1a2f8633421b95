import { expect, test } from 'vitest';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { Execution } from '../../src/scenario/execution.ts';
import { scenarioOf, scenariosOf } from '../../src/scenario/library.ts';
import { programOf } from '../../src/scenario/program.ts';
import { parse } from '../../src/scenario/recipe.ts';
import { stage } from '../../src/scenario/run.ts';

const pages = libraryOnDisk();

test.each(scenariosOf(pages))(
  '%s: the interpreter that pages run and the oracle agree at every boundary',
  (slug) => {
    const source = scenarioOf(pages, slug);
    const ready = source && stage(source, pages);
    const recipe = source && parse(source).recipe;
    if (!recipe || !ready || 'problems' in ready) throw new Error('nothing ran');
    const states = (execution: Execution): string[] => {
      const seen: string[] = [];
      const { end } = execution.run(ready.injections, 5_000, () =>
        seen.push(execution.booted.machine.describe()),
      );
      return [...seen, end.kind];
    };
    const setup = { start: recipe.start ?? 'kernel-task', body: recipe.body ?? 'quiet' };
    const program = programOf(pages, recipe.design ?? '', recipe);
    const oracle = states(new Execution(program, setup, {}));
    expect(oracle.length).toBeGreaterThan(3);
    expect(states(ready.execution)).toEqual(oracle);
  },
);
