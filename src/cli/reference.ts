/**
 * Our engine, assembler and decoder against implementations that are not ours: `npm run test:reference`, or with
 * names of jobs only those. Each installs what it needs, says what it compared, and ends in a line of counts.
 */
import { spawn } from 'node:child_process';

const JOBS: readonly { readonly name: string; readonly command: string; readonly about: string }[] = [
  { name: 'host', command: 'node test/reference/host/job.ts', about: "this machine's processor" },
  { name: 'gnu', command: 'node test/reference/gnu/job.ts', about: 'GNU as and objdump' },
  { name: 'iced', command: 'node test/reference/iced/job.ts', about: 'iced-x86' },
];

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !JOBS.some((job) => job.name === name));
if (unknown !== undefined) {
  console.error(`unknown job: ${unknown} (there is ${JOBS.map(({ name }) => name).join(', ')})`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
for (const { name, command, about } of JOBS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`== ${name}: ${about}`);
  const { status, last } = await run(command);
  const [, plus = '0', minus = '0'] = /^(\d+) passed, (\d+) failed$/.exec(last) ?? [];
  passed += Number(plus);
  // A job that compared nothing, or ended without saying what, has failed once.
  const bad = Math.max(Number(minus), status === 0 && Number(plus) > 0 ? 0 : 1);
  failed += bad;
  console.log(`${bad > 0 ? 'FAILED' : 'ok'}  ${name}: ${plus} of ${Number(plus) + bad}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

/** Runs a command, passing on all it prints but a closing line of counts. */
function run(command: string): Promise<{ status: number | null; last: string }> {
  return new Promise((done) => {
    let rest = '';
    let last = '';
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (/^\d+ passed, \d+ failed$/.test(line)) last = line;
        else console.log(line);
      }
    });
    child.on('close', (status) => done({ status, last: last || rest }));
  });
}
