/** Jobs whose lines are added up, among them some that cannot be run on a machine. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const JOBS = new URL('../../src/cli/jobs.ts', import.meta.url).href;

/** Exit status and lines of jobs that are shell commands. */
function run(...commands: readonly string[]): { readonly status: number | null; readonly lines: string[] } {
  const jobs = commands.map((command, n) => ({ name: `job ${n}`, command }));
  const text = `import { runJobs } from '${JOBS}'; await runJobs(${JSON.stringify(jobs)});`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n') };
}

test('counts are added up', () => {
  expect(run('echo 2 passed, 0 failed', 'echo 3 passed, 0 failed')).toEqual({
    status: 0,
    lines: ['ok  job 0: 2 of 2', 'ok  job 1: 3 of 3', '5 passed, 0 failed'],
  });
});

test('what cannot be run counts neither way, and is said', () => {
  expect(run('echo 2 passed, 0 failed', 'echo "not run: missing program: x"; exit 3')).toEqual({
    status: 0,
    lines: ['ok  job 0: 2 of 2', 'not run: missing program: x', 'not run  job 1', '2 passed, 0 failed'],
  });
  expect(run('exit 3')).toEqual({ status: 3, lines: ['not run  job 0', '0 passed, 0 failed'] });
});

test('a job that fails, or says nothing, has failed', () => {
  const one = run('echo failed: a: b: c; echo 1 passed, 1 failed; exit 1', 'true');
  expect(one.status).toBe(1);
  expect(one.lines.slice(-2)).toEqual(['failed: a: b: c (job 0)', '1 passed, 2 failed']);
});
