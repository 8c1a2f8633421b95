/**
 * What a reader's browser must fetch, gzipped: the engine with the unwinders that every page asks, the assembler on top of it, and
 * on top of that what makes ORC rows and asks all unwinders of kernels.
 */
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;
const filesOf = (room: string): readonly string[] =>
  readdirSync(`${ROOT}src/${room}`)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${room}/${name}`);

/** Everything that the files of an entry export is kept. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  engine: ['engine/machine.ts', 'engine/backends/wasm/backend.ts', ...filesOf('unwind')],
  assembler: ['asm/assemble.ts'],
  eras: [...filesOf('unwind/eras'), ...filesOf('unwind/objtool')],
};
const entries: Plugin = {
  name: 'entries',
  resolveId: (name) => (name.startsWith('entry:') ? `\0${name}` : undefined),
  load: (name) =>
    name.startsWith('\0entry:')
      ? (ENTRIES[name.slice(7)] ?? []).map((file) => `export * from '${ROOT}src/${file}';`).join('\n')
      : undefined,
};

interface Chunk {
  readonly fileName: string;
  readonly name: string;
  readonly code: string;
  readonly imports: readonly string[];
  readonly isEntry: boolean;
}

/** Minified chunks by file name; what both entries use lies in chunks of its own. */
async function bundled(): Promise<ReadonlyMap<string, Chunk>> {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    plugins: [entries],
    build: {
      write: false,
      minify: true,
      modulePreload: false,
      rollupOptions: {
        input: Object.fromEntries(Object.keys(ENTRIES).map((name) => [name, `entry:${name}`])),
        preserveEntrySignatures: 'strict',
      },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as {
    output: readonly (Chunk & { type: string })[];
  };
  return new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
}

/** An entry and all that it loads at once. */
function loadedBy(chunks: ReadonlyMap<string, Chunk>, name: string): ReadonlySet<Chunk> {
  const found = new Set<Chunk>();
  const add = (chunk: Chunk | undefined): void => {
    if (chunk === undefined || found.has(chunk)) return;
    found.add(chunk);
    for (const one of chunk.imports) add(chunks.get(one));
  };
  add([...chunks.values()].find((chunk) => chunk.isEntry && chunk.name === name));
  return found;
}
const size = (chunks: Iterable<Chunk>): number =>
  [...chunks].reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0);

test('engine and unwinders are 90 kB at most, the assembler adds 25 kB at most, all eras 12 kB', {
  timeout: 120_000,
}, async () => {
  const chunks = await bundled();
  const engine = loadedBy(chunks, 'engine');
  const assembling = loadedBy(chunks, 'assembler');
  const assembler = [...assembling].filter((chunk) => !engine.has(chunk));
  const eras = [...loadedBy(chunks, 'eras')].filter((chunk) => !engine.has(chunk) && !assembling.has(chunk));
  if (process.env.VERBOSE)
    console.log({ engine: size(engine), assembler: size(assembler), eras: size(eras) });
  expect(size(engine)).toBeGreaterThan(20_000);
  expect(size(engine)).toBeLessThan(90_000);
  expect(size(assembler)).toBeGreaterThan(5_000);
  expect(size(assembler)).toBeLessThan(25_000);
  expect(size(eras)).toBeGreaterThan(3_000);
  expect(size(eras)).toBeLessThan(12_000);
});
