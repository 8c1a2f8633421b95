/** The calls a tangled page consists of; the same in a test run and behind a button. */
import { type Problem, problemText, type Source } from '../asm/source.ts';
import type { Image } from '../image/image.ts';
import { cellOf, type Library } from '../scenario/library.ts';
import { assembleText } from '../scenario/on-demand.ts';
import { type Assembled, programOf, programText } from '../scenario/program.ts';
import { Run } from '../scenario/reader.ts';
import { parse } from '../scenario/recipe.ts';
import { play } from '../scenario/run.ts';

/** Registers a test; both Vitest's and the browser's fit. */
type Register = (title: string, body: () => Promise<void> | void) => void;

interface Runner {
  readonly test: Register;
  readonly fails: Register;
}

type Value = number | bigint | string | boolean;

/** Expression of a claim and the column of its text. */
type Place = [string, number];

/** `path` is the page as people read it, `file` what stack traces name. */
export function harness(path: string, file: string, runner: Runner, pages: Library) {
  const sources: Source[] = [];
  /** All asm cells of a page are one program, in the order of the page; assembled once all have been seen. */
  let program: Assembled | undefined;
  const assembled = (): Assembled => {
    if (program) return program;
    const made = assembleText(programText(sources, (reference) => cellOf(pages, reference)));
    // What a design declares is looked up in its code; a page that is only included need not have it all.
    const design = [...pages.values()].find((shelf) => shelf.design && shelf.page === path);
    const problems = design && made.problems.length === 0 ? programOf(pages, design.slug).problems : [];
    program = { ...made, problems: [...made.problems, ...problems] };
    return program;
  };
  const report = (what: string, problems: readonly Problem[]) => {
    if (problems.length > 0) throw placed(path, file, what, problems);
  };
  return {
    run: runner.test,
    fails: runner.fails,

    /** Each cell answers for its own lines; what has no line here (it cannot be) is the first cell's. */
    asm(name: string, line: number, lines: readonly string[]): { readonly image: Image } {
      const own = { page: path, name, line, lines };
      sources.push(own);
      const inside = (cell: Source, place: { readonly page: string; readonly line: number }) =>
        place.page === path && place.line >= cell.line && place.line < cell.line + cell.lines.length;
      runner.test(`asm ${name}`, () => {
        const ours = assembled().problems.filter((problem) => {
          const places = [problem, ...(problem.via ?? [])];
          return (sources.find((cell) => places.some((place) => inside(cell, place))) ?? sources[0]) === own;
        });
        report(name, ours);
      });
      return {
        get image() {
          return assembled().image;
        },
      };
    },

    scenario(name: string, line: number, lines: readonly string[]): Run {
      const source = { page: path, name, line, lines };
      const timeline = play(source, pages);
      const silent = parse(source).recipe?.expects.length === 0;
      const missing = { page: path, line, column: 1, message: 'missing expectation: expect CLAIM' };
      runner.test(`scenario ${name}`, () =>
        report(name, silent ? [...timeline.problems, missing] : timeline.problems),
      );
      return new Run(timeline);
    },

    /** Takes pairs of value and text first, so that the second call stands on the claims' own line. */
    claims: (read: () => [Value, string][]) => (line: number, places: readonly Place[]) => {
      places.forEach(([expression, column], i) => {
        runner.test(`claim ${expression}`, () => {
          const [value, text] = read()[i] ?? ['', ''];
          const message = `expected ${expression} to be ${text}, got ${shown(value, text)}`;
          if (shown(value, text) !== text) report('claim', [{ page: path, line, column, message }]);
        });
      });
    },
  };
}

/** Writes a value the way the claim is written: hexadecimal, with thousands separators, or plain. */
function shown(value: Value, text: string): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return String(value);
  if (text.startsWith('0x')) return `0x${value.toString(16)}`;
  return text.includes(',') ? value.toLocaleString('en-US') : String(value);
}

/** An error whose only stack frame is the page's own line and column. */
function placed(path: string, file: string, what: string, problems: readonly Problem[]): Error {
  const text = problems.map(problemText).join('\n');
  const error = new Error(text);
  const own = [problems[0], ...(problems[0]?.via ?? [])].find((place) => place?.page === path) ?? problems[0];
  error.stack = `Error: ${text}\n    at ${what} (${file}:${own?.line}:${own?.column})`;
  return error;
}
