/**
 * Our engine, assembler and decoder against implementations that are not ours: `npm run test:reference`, or with
 * names of jobs only those. Each installs what it needs, says what it compared, and ends in a line of counts.
 */
import { type Job, runChosen } from './jobs.ts';

const JOBS: readonly Job[] = [
  { name: 'host', command: 'node test/reference/host/job.ts', about: "this machine's processor" },
  { name: 'gnu', command: 'node test/reference/gnu/job.ts', about: 'GNU as and objdump' },
  { name: 'kernel', command: 'node test/reference/kernel/job.ts', about: "the text of Debian's kernels" },
  { name: 'iced', command: 'node test/reference/iced/job.ts', about: 'iced-x86' },
  { name: 'qemu', command: 'node test/reference/qemu/job.ts', about: "QEMU's translator" },
  { name: 'bochs', command: 'node test/reference/bochs/job.ts', about: 'Bochs' },
];

await runChosen(JOBS, process.argv.slice(2));
