import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { styleText } from 'node:util';

/** A command that has to succeed. With `counts`, each of its tests counts, otherwise it counts as one. */
interface Check {
  readonly name: string;
  readonly command: string;
  readonly counts?: string;
  /** Names of checks that have to end before it begins. */
  readonly after?: readonly string[];
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

// Two lanes for two cores. A lane takes the first that may begin: the longest ways come first.
const LANES = 2;
/** Files are shared out between two workers: a lane may be the last, and most of a visit is waiting for the browser. */
const twoAtATime = (check: Check): Check => ({ ...check, command: `${check.command} --maxWorkers=2` });
const site = twoAtATime(vitest('built site', 'site'));
/** Files of the site's tests that CI runs under the other base, where they ask for more: five minutes are short. */
const UNDER_BASE = ['mail', 'offline', 'sweep', 'instructions', 'kernel', 'gestures', 'still'];
const filesOf = (names: readonly string[]): readonly string[] =>
  names.map((name) => `test/site/${name}.test.ts`);
const leaving = (names: readonly string[]): string =>
  filesOf(names)
    .map((file) => `--exclude ${file}`)
    .join(' ');
const tests: Check[] = [
  { name: 'build', command: 'astro build' },
  { name: 'format and lint', command: 'biome check .' },
  twoAtATime(vitest('units and pages', 'units', 'pages')),
  { ...site, command: `${site.command} ${leaving(UNDER_BASE)}`, after: ['build'] },
  // Behind the build, which has written .astro.
  { name: 'types', command: 'astro check --noSync --minimumFailingSeverity hint', after: ['build'] },
  { name: 'types of pages', command: 'node src/cli/page-types.ts' },
  { name: 'records', command: 'node src/cli/main.ts record --check' },
  { name: 'layers', command: 'depcruise src' },
  { name: 'unused code', command: 'knip' },
];

/** The site as it is where it does not lie at the root of its host; what does not depend on that is left out. */
const underBase: Check[] = [
  {
    // With frozen versions of the tests: doors of the site are frozen only by a release.
    name: 'build under a base',
    command:
      'ENTRYLAB_REGISTRY=test/scenario/registry-fixture ENTRYLAB_EDIT="https://edit.example/{path}#L{line}" astro build --base /a/b/ --outDir node_modules/.cache/based',
  },
  {
    ...site,
    command: `ENTRYLAB_BASE=/a/b/ ${site.command} ${filesOf(['site', 'pages', 'frozen', ...UNDER_BASE]).join(' ')}`,
    after: ['build under a base'],
  },
];

const waiting = process.argv[2] === 'base' ? underBase : tests;
const over = new Set<string>();
let passed = 0;
let failed = 0;
/** What failed, a line each, said once more at the end: a long log is seldom kept whole. */
const failures: string[] = [];

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
const running = new Set<Promise<void>>();
while (waiting.length > 0) {
  const next = waiting.findIndex(({ after = [] }) => after.every((name) => over.has(name)));
  const [check] = running.size < LANES && next >= 0 ? waiting.splice(next, 1) : [];
  if (!check) {
    await Promise.race(running);
    continue;
  }
  const done = run(check).then(() => {
    over.add(check.name);
    running.delete(done);
  });
  running.add(done);
}
await Promise.all(running);
for (const line of failures) console.log(line);
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
  if (good) return;
  console.log(output);
  failures.push(...((counts && told(counts)) || []).map((line) => `failed: ${line}`));
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

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The failed tests of a report: file, name and the first line of why. */
function told(file: string): string[] {
  try {
    const { testResults }: Report = JSON.parse(readFileSync(file, 'utf8'));
    return testResults.flatMap(({ name, message, assertionResults }) => {
      const where = relative('.', name);
      const bad = assertionResults.filter(({ status }) => status === 'failed');
      const lines = bad.map(({ fullName, failureMessages: [why = ''] }) => [fullName, why]);
      if (lines.length === 0 && message) lines.push(['', message]);
      return lines.map(([what, why = '']) => `${where}: ${what}: ${why.split('\n', 1)[0]}`);
    });
  } catch {
    return [];
  }
}
