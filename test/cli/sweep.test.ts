import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { progressText } from '../../src/cli/sweep/progress.ts';
import type { UnitReport } from '../../src/explore/merge.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { print } from '../../src/scenario/recipe.ts';
import { play } from '../../src/scenario/run.ts';
import { variants } from '../explore/variants.ts';
import { lab, spawnLab } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'sweep-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const contents = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));

/** In a process of its own: its threads start there. */
const sweep = (...args: readonly string[]) => spawnLab(['sweep', ...args]);
/** The same without one, where nothing is swept that needs threads. */
const here = (...args: readonly string[]) => lab(['sweep', ...args]);
/** Status and sentence of what is refused. */
async function refused(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await here(...args);
  return `${status} ${stdout}${stderr.replaceAll(`${folder}/`, '')}`;
}
/** The JSON without the only thing that is never the same twice. */
const timeless = (stdout: string): string => stdout.replace(/"elapsedMs": \d+/, '"elapsedMs": 0');

/** The design without one of its tests, as a reader's recipe. */
const edits = variants(libraryOnDisk()).find(({ name }) => name === 'without test C')?.edits ?? [];
const recipe = { slug: 'mine', version: 0, notes: [], sets: [], without: [], injects: [], expects: [] };
writeFileSync(
  at('mine.txt'),
  print({ ...recipe, design: 'linux-4.2', start: 'kernel-task', body: 'int3', edits }),
);

const ASK = [at('mine.txt'), '--events', 'nmi,nmi', '--window', '5'];

/** The sweep in one go, and its two shards. */
let one: ReturnType<typeof sweep>;
let shards: readonly ReturnType<typeof sweep>[];
beforeAll(() => {
  one = sweep(...ASK, '--json', '--jobs', '1', '--out', at('whole.json'));
  shards = [1, 2].map((n) => sweep(...ASK, '--shard', `${n}/2`, '--out', at(`${n}.json`)));
});

test('threads, shards and a stop on the way change nothing', async () => {
  expect({ status: one.status, stderr: one.stderr }).toEqual({ status: 1, stderr: '' });
  const found = JSON.parse(one.stdout);
  expect(found).toMatchObject({
    design: 'linux-4.2',
    events: ['nmi', 'nmi'],
    starts: ['kernel-task'],
    bodies: ['int3'],
    edits,
  });
  expect(found.schedules).toBeGreaterThan(500);
  expect(found.violations[0]).toMatchObject({
    invariant: 'I9',
    recipe: expect.stringMatching(/^scenario found v0\n/),
  });
  expect(Object.keys(found)).not.toContain('units');
  expect(readFileSync(at('whole.json'), 'utf8')).toBe(one.stdout);

  expect(timeless(sweep(...ASK, '--json', '--jobs', '2').stdout)).toBe(timeless(one.stdout));

  expect(shards.map(({ status }) => status)).toEqual([1, 1]);
  const merged = await here('--merge', at('2.json'), at('1.json'), '--json');
  expect({ status: merged.status, stderr: merged.stderr }).toEqual({ status: 1, stderr: '' });
  expect(timeless(merged.stdout)).toBe(timeless(one.stdout));

  // What a sweep writes that was stopped after the units of shard 2.
  const { shard, ...rest } = contents('2.json');
  expect(shard).toBe('2/2');
  writeFileSync(at('stopped.json'), JSON.stringify({ ...rest, partial: true }));
  const resumed = sweep('--resume', at('stopped.json'), '--json');
  expect(resumed.stderr).toBe('');
  expect(timeless(resumed.stdout)).toBe(timeless(one.stdout));
  expect(contents('stopped.json')).toEqual(JSON.parse(resumed.stdout));
});

test('merging and going on refuse what does not belong together', async () => {
  const part = { ...contents('1.json') };
  writeFileSync(at('other.json'), JSON.stringify({ ...part, shard: '2/2', events: ['nmi'] }));
  writeFileSync(at('moved.json'), JSON.stringify({ ...part, shard: '2/2', code: 'kkkkkkkk' }));
  writeFileSync(at('partial.json'), JSON.stringify({ ...part, partial: true }));
  writeFileSync(at('third.json'), JSON.stringify({ ...part, shard: '2/3' }));
  writeFileSync(at('twice.json'), JSON.stringify({ ...part, shard: '2/2' }));
  writeFileSync(at('list.json'), '[]');
  expect(await refused('--merge', at('1.json'), at('other.json'))).toBe(
    '2 invalid file: other.json is of another sweep (events nmi; 1.json has nmi,nmi)',
  );
  expect(await refused('--merge', at('1.json'), at('moved.json'))).toMatch(
    /^2 invalid file: moved.json is of another sweep \(code kkkkkkkk; 1.json has \w{8}\)$/,
  );
  expect(await refused('--merge', at('1.json'), at('partial.json'))).toBe(
    '2 invalid file: partial.json is partial (lab sweep --resume partial.json goes on with it)',
  );
  expect(await refused('--merge', at('1.json'), at('third.json'))).toBe(
    '2 invalid file: third.json is shard 2/3, 1.json is 1/2',
  );
  expect(await refused('--merge', at('1.json'), at('1.json'))).toBe(
    '2 duplicate shard: 1/2 (1.json and 1.json)',
  );
  expect(await refused('--merge', at('1.json'))).toBe('2 missing shard: 2/2');
  expect(await refused('--merge', at('1.json'), at('twice.json'))).toBe(
    '2 invalid files: 6 units (the sweep has 5)',
  );
  expect(await refused('--merge', at('whole.json'))).toBe('2 invalid file: whole.json is no shard');
  expect(await refused('--merge', at('list.json'))).toBe('2 invalid file: list.json is no sweep');
  expect(await refused('--merge', at('mine.txt'))).toBe('2 invalid file: mine.txt is no JSON');
  expect(await refused('--merge')).toBe('2 missing files: lab sweep --merge FILE...');
  expect(await refused('--merge', '--window', '2')).toBe('2 invalid option: --window (--merge takes files)');
  expect(await refused('linux-4.2', '--events', 'nmi', '--resume', at('partial.json'))).toBe(
    '2 invalid file: partial.json is of another sweep (events nmi,nmi; this has nmi)',
  );
});

test('bad input is one sentence and status 2', async () => {
  const nmi = ['--events', 'nmi'];
  expect(await refused()).toBe('2 missing design: lab sweep DESIGN --events nmi,nmi');
  expect(await refused('linux-4.2')).toBe('2 missing events: lab sweep DESIGN --events nmi,nmi');
  expect(await refused('linux-4.3', ...nmi)).toMatch(
    /^2 unknown design: linux-4.3 \(there is .*linux-4.2.*\)$/,
  );
  expect(await refused('linux-4.2', '--events', 'nmi,smi')).toMatch(
    /^2 unknown event: smi \(there is .*\bnmi\b.*\)$/,
  );
  expect(await refused('linux-4.2', ...nmi, '--start', 'here')).toMatch(
    /^2 unknown start: here \(linux-4.2 has .*kernel-task.*\)$/,
  );
  expect(await refused('linux-4.2', ...nmi, '--handler', 'mine')).toMatch(
    /^2 unknown body: mine \(linux-4.2 has .*int3.*\)$/,
  );
  expect(await refused('linux-4.2', ...nmi, '--without', 'luck')).toMatch(
    /^2 unknown safeguard: luck \(linux-4.2 .*\)$/,
  );
  expect(await refused('linux-4.2', ...nmi, '--shard', '0/2')).toBe(
    '2 invalid shard: 0/2 (I/N, I from 1 to N)',
  );
  expect(await refused('linux-4.2', ...nmi, '--jobs', 'many')).toBe('2 invalid jobs: many (1 to 256)');
  expect(await refused('linux-4.2', ...nmi, '--window', '0')).toBe('2 invalid window: 0 (1 to 10000)');
  expect(await refused('linux-4.2', ...nmi, '--out', at('no/such'))).toMatch(
    /^2 invalid file: .* cannot be written \(ENOENT/,
  );
});

test('people read what was swept and what that does not say', async () => {
  const clean = await here('linux-4.2', '--events', 'nmi', '--start', 'user-task', '--body', 'int3');
  expect({ status: clean.status, stderr: clean.stderr }).toEqual({ status: 0, stderr: '' });
  expect(clean.stdout).toContain('  nmi      at any boundary; it waits while NMIs are blocked\n');
  expect(clean.stdout).toContain('  start    user-task\n  body     int3\n');
  expect(clean.stdout).toMatch(/\n9 schedules, 8 runs, at most \d+ boundaries with one event; /);
  expect(clean.stdout).toMatch(/\nclean: .* Nothing is said of any other\.\n$/);

  const empty = await here('linux-4.2', '--events', 'gp', '--start', 'user-task', '--body', 'int3');
  expect(empty.status).toBe(1);
  expect(empty.stdout).toMatch(/ {2}gp .* \(it never struck: nothing is cleared of it\)\n/);
  expect(empty.stdout).toMatch(/\nnothing struck, so nothing is cleared\n$/);

  const broken = await here('--merge', at('1.json'), at('2.json'));
  expect(broken.stdout).toContain('\nI9: Every event comes back to what it interrupted');
  expect(broken.stdout).toMatch(/\n {4}scenario found v0\n {4}design {2}linux-4.2\n/);
  // The first recipe, indented as it is printed.
  const [recipe = ''] = /^ {4}scenario found[\s\S]*?\n(?=\n)/m.exec(broken.stdout) ?? [];
  const { status, stdout } = await lab(['run', '-'], recipe);
  expect(status).toBe(0);
  const [found] = contents('whole.json').violations;
  expect(stdout).toContain(
    `I9 breaks at boundary ${found.step}: ${found.sentence}\n  Every event comes back`,
  );

  const link = await lab(['link', '-'], recipe);
  expect([link.status, link.stderr]).toEqual([0, '']);
  expect(link.stdout).toMatch(/^https?:\/\/\S+\/s\/[\w-]+\/v0#t\d+\.n\d+\.n\d+[\w.-]*~\w{8}\n$/);

  const shard = await here('--resume', at('1.json'));
  expect(shard.stdout).toContain('\none shard: lab sweep --merge FILE... says what all 2 say together');
});

test('what has no cause is impossible, and its recipe says so', async () => {
  const { status, stdout } = await here(
    'linux-4.2',
    '--events',
    'gp',
    '--anywhere',
    '--json',
    '--window',
    '1',
    '--start',
    'user-task',
    '--handler',
    'quiet',
  );
  expect(status).toBe(1);
  const { where, violations } = JSON.parse(stdout);
  expect(where).toEqual({ gp: 'at any boundary, cause or not: some of these runs are impossible' });
  const timeline = play(
    { page: 'found', name: 'found', line: 1, lines: violations[0].recipe.split('\n') },
    libraryOnDisk(),
  );
  expect(timeline.problems).toEqual([]);
  expect(timeline.broken.map(({ invariant }) => invariant)).toContain(violations[0].invariant);
});

test('the line on a terminal counts schedules and estimates the rest from the units of this run', () => {
  const part = contents('1.json');
  const [first, ...more] = part.units.done;
  const own = Array.from({ length: 9 }, (_, fork) => ({ part: 0, fork, forks: 9 }));
  const text = (before: readonly UnitReport[], done: readonly UnitReport[]) =>
    progressText({ heading: part, own, before }, done, 2000);
  expect(text([first], [first])).toMatch(/^nmi,nmi: 1\d\d schedules, \d+ broken, 1 of 9 units$/);
  expect(text([first], [first, ...more])).toMatch(
    /^nmi,nmi: \d+ schedules, \d+ broken, 3 of 9 units, about 6\.0 s left$/,
  );
});

test('a signal keeps what is done, and how to go on is said', async () => {
  const ask = [
    'linux-4.2',
    '--events',
    'nmi,nmi,nmi,nmi',
    '--window',
    '100',
    '--unpruned',
    '--jobs',
    '2',
    '--start',
    'kernel-task,user-task',
    '--body',
    'int3',
  ];
  const child = spawn('node', ['src/cli/main.ts', 'sweep', ...ask, '--json', '--out', at('long.json')]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  while (!existsSync(at('long.json'))) await setTimeout(20);
  await setTimeout(300); // into the threads, on a calm machine; before them is as good
  const closed = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGINT');
  expect(await closed).toBe(1);
  expect(stderr.trim()).toBe(`partial: to go on, run lab sweep --resume ${at('long.json')}`);
  expect(JSON.parse(stdout)).toMatchObject({ partial: true, units: { of: 200 } });
  expect(contents('long.json')).toEqual(JSON.parse(stdout));
});
