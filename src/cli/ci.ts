/** Everything a change must pass: the tests, then the slower jobs. The last line adds them up. */
import { spawn } from 'node:child_process';

const JOBS = [
  { name: 'npm test', command: 'npm test --silent' },
  { name: 'changed expectations', command: 'npm run --silent test:mutate' },
] as const;

let passed = 0;
let failed = 0;
for (const { name, command } of JOBS) {
  const { status, last } = await run(command);
  const [, plus = '0', minus = '0'] = /^(\d+) passed, (\d+) failed$/.exec(last) ?? [];
  passed += Number(plus);
  // A job that fails without saying how often counts once.
  const bad = Math.max(Number(minus), status === 0 ? 0 : 1);
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
