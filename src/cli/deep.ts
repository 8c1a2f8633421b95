/** Sweeps that are too long for `npm test`, on every core: `npm run test:deep`, or with names of jobs only those. */
import { type Job, runChosen } from './jobs.ts';

const JOBS: readonly Job[] = [
  {
    name: 'claims',
    command: 'node test/deep/claims.job.ts',
    about: 'what design pages promise, and their holes',
  },
  {
    name: 'safeguards',
    command: 'node test/deep/safeguards.job.ts',
    about: 'each safeguard removed is found',
  },
  { name: 'joined', command: 'node test/deep/joined.job.ts', about: 'runs joined or not, three NMIs' },
];

await runChosen(JOBS, process.argv.slice(2));
