/** Commands that each end in a line `N passed, N failed`, run in turn and added up. */
import { spawn } from 'node:child_process';

export interface Job {
  readonly name: string;
  readonly command: string;
  /** What it compares, for a heading; without one there is none. */
  readonly about?: string;
}

/** Exit status of a job that could not be run here, and has said why: it counts neither way. */
export const NOT_RUN = 3;

const COUNTS = /^(\d+) passed, (\d+) failed$/;

/** Runs the jobs, prints what they print and one closing line of counts, and sets the exit status. */
export async function runJobs(jobs: readonly Job[]): Promise<void> {
  let passed = 0;
  let failed = 0;
  let notRun = 0;
  const failures: string[] = [];
  for (const { name, command, about } of jobs) {
    if (about) console.log(`== ${name}: ${about}`);
    const { status, last, said } = await run(command);
    if (status === NOT_RUN) {
      console.log(`not run  ${name}`);
      notRun++;
      continue;
    }
    failures.push(...said.map((line) => `${line} (${name})`));
    const [, plus = '0', minus = '0'] = COUNTS.exec(last) ?? [];
    passed += Number(plus);
    // A job that checked nothing, or ended without saying what, has failed once.
    const bad = Math.max(Number(minus), status === 0 && Number(plus) > 0 ? 0 : 1);
    failed += bad;
    console.log(`${bad > 0 ? 'FAILED' : 'ok'}  ${name}: ${plus} of ${Number(plus) + bad}`);
  }
  for (const line of failures) console.log(line);
  console.log(`${passed} passed, ${failed} failed`);
  const nothing = failed === 0 && passed === 0 && notRun > 0;
  process.exitCode = nothing ? NOT_RUN : failed > 0 || passed === 0 ? 1 : 0;
}

/** Runs the jobs of these names, all without one; an unknown name is bad input. */
export async function runChosen(jobs: readonly Job[], names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => !jobs.some((job) => job.name === name));
  if (unknown === undefined)
    return runJobs(jobs.filter(({ name }) => names.length === 0 || names.includes(name)));
  console.error(`unknown job: ${unknown} (there is ${jobs.map(({ name }) => name).join(', ')})`);
  process.exitCode = 2;
}

/** Runs a command, passing on all it prints but a closing line of counts; `said` are its lines `failed: ...`. */
function run(command: string): Promise<{ status: number | null; last: string; said: readonly string[] }> {
  return new Promise((done) => {
    let rest = '';
    let last = '';
    const said: string[] = [];
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('failed: ')) said.push(line);
        if (COUNTS.test(line)) last = line;
        else console.log(line);
      }
    });
    child.on('close', (status) => done({ status, last: last || rest, said }));
  });
}
