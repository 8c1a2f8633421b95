/**
 * What a reader's browser must fetch, gzipped, for the workers as they are built: the engine with the unwinders of all eras, which
 * come with the first run, and what comes on top of a worker when a reader edits.
 */
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const MODULE = `${ROOT}src/engine/backends/wasm/module.ts`;
const ASSEMBLER = `${ROOT}src/asm/assemble.ts`;
/** The rooms that the budget of the engine speaks of. */
const ROOMS = /\/src\/(isa|engine|unwind)\//;

interface Chunk {
  readonly fileName: string;
  readonly code: string;
  readonly imports: readonly string[];
  readonly moduleIds: readonly string[];
  readonly isEntry: boolean;
}

/** A library without pages: their text and programs are no part of these budgets. */
const noPages: Plugin = {
  name: 'no-pages',
  resolveId: (name) => (name === 'virtual:library-on-demand' ? `\0${name}` : undefined),
  load: (name) =>
    name === '\0virtual:library-on-demand'
      ? 'export const pages = new Map(); export const records = {};'
      : undefined,
};

/** Minified chunks of a worker; `apart` are modules that make a chunk of their own, with nothing else in it. */
async function bundled(worker: string, apart: ReadonlySet<string> = new Set()): Promise<readonly Chunk[]> {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    plugins: [noPages],
    build: {
      write: false,
      minify: true,
      modulePreload: false,
      rolldownOptions: {
        input: `${ROOT}src/islands/${worker}.ts`,
        output: {
          codeSplitting: {
            includeDependenciesRecursively: false,
            groups: [{ name: 'apart', test: (id) => apart.has(id) }],
          },
        },
      },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as {
    output: readonly (Chunk & { type: string })[];
  };
  return output.filter(({ type }) => type === 'chunk');
}

/** Those of `chunks`, with all that they load at once. */
function withImports(chunks: readonly Chunk[], of: readonly Chunk[]): ReadonlySet<Chunk> {
  const found = new Set<Chunk>();
  const add = (chunk: Chunk | undefined): void => {
    if (chunk === undefined || found.has(chunk)) return;
    found.add(chunk);
    for (const name of chunk.imports) add(chunks.find(({ fileName }) => fileName === name));
  };
  for (const chunk of of) add(chunk);
  return found;
}
const modulesOf = (chunks: Iterable<Chunk>): readonly string[] =>
  [...chunks].flatMap(({ moduleIds }) => moduleIds);
const size = (chunks: Iterable<Chunk>): number =>
  [...chunks].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);

test.each(['lab/worker', 'sweep-worker'])(
  'engine with all unwinders is 90 kB at most, the assembler adds 25 kB at most when a reader edits: %s',
  { timeout: 120_000 },
  async (worker) => {
    const whole = await bundled(worker);
    const begun = withImports(
      whole,
      whole.filter(({ isEntry }) => isEntry),
    );
    const loaded = modulesOf(begun);
    const edits = whole.filter(({ moduleIds }) => moduleIds.includes(ASSEMBLER));
    const assembler = [...withImports(whole, edits)].filter((chunk) => !begun.has(chunk));
    expect(loaded).toContain(MODULE);
    expect(loaded).not.toContain(ASSEMBLER);
    expect(modulesOf(assembler)).toContain(ASSEMBLER);
    for (const name of ['show-trace.ts', 'eras/orc.ts', 'eras/dump-trace.ts'])
      expect(loaded).toContain(`${ROOT}src/unwind/${name}`);

    const counted = new Set(loaded.filter((id) => ROOMS.test(id)));
    const engine = (await bundled(worker, counted)).filter(({ moduleIds }) => moduleIds.includes(MODULE));
    expect(new Set(modulesOf(engine))).toEqual(counted);
    if (process.env.VERBOSE) console.log(worker, { engine: size(engine), assembler: size(assembler) });
    expect(size(engine)).toBeGreaterThan(20_000);
    expect(size(engine)).toBeLessThan(90_000);
    expect(size(assembler)).toBeGreaterThan(5_000);
    expect(size(assembler)).toBeLessThan(25_000);
  },
);
