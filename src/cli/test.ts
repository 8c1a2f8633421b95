import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { styleText } from 'node:util';

/** A command that has to succeed. With `counts`, each of its tests counts, otherwise it counts as one. */
interface Check {
  readonly name: string;
  readonly command: string;
  readonly counts?: string;
}

const REPORTS = 'node_modules/.cache/reports';
const vitest = (name: string, ...projects: string[]): Check => {
  const counts = `${REPORTS}/${projects.join('-')}.json`;
  const reporters = `--reporter=default --reporter=json --outputFile.json=${counts}`;
  return {
    name,
    counts,
    command: `vitest run ${projects.map((one) => `--project ${one}`).join(' ')} ${reporters}`,
  };
};

// Two lanes for two cores; what is in a lane runs in order, the browser test after both.
const lanes: readonly (readonly Check[])[] = [
  [
    { name: 'format and lint', command: 'biome check .' },
    vitest('units and pages', 'units', 'pages'),
    { name: 'types of pages', command: 'node src/cli/page-types.ts' },
    { name: 'records', command: 'node src/cli/main.ts record --check' },
    { name: 'layers', command: 'depcruise src' },
    { name: 'unused code', command: 'knip' },
  ],
  [
    { name: 'types', command: 'astro check --minimumFailingSeverity hint' },
    { name: 'build', command: 'astro build' },
    // With frozen versions of the tests: doors of the site are frozen only by a release.
    {
      name: 'build under a base',
      command:
        'ENTRYLAB_REGISTRY=test/scenario/registry-fixture astro build --base /a/b/ --outDir node_modules/.cache/based',
    },
  ],
];
const last = vitest('built site', 'site');

let passed = 0;
let failed = 0;

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
await Promise.all(
  lanes.map(async (lane) => {
    for (const check of lane) await run(check);
  }),
);
await run(last);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function run({ name, command, counts }: Check): Promise<void> {
  const start = performance.now();
  const { status, output } = await capture(command);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const good = status === 0;
  const [plus, minus] = (counts && tally(counts)) || [good ? 1 : 0, good ? 0 : 1];
  passed += plus;
  failed += good ? minus : Math.max(minus, 1);
  const verdict = good ? styleText('green', 'ok') : styleText('red', 'FAILED');
  console.log(`${verdict}  ${name}${counts ? `: ${plus} tests` : ''}  (${seconds} s)`);
  if (!good) console.log(output);
}

function capture(command: string): Promise<{ status: number | null; output: string }> {
  return new Promise((done) => {
    let output = '';
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const collect = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('close', (status) => done({ status, output }));
  });
}

function tally(file: string): [number, number] | undefined {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
    return [numPassedTests, numFailedTests];
  } catch {
    return undefined; // it never got as far as a report
  }
}
