/** Everything a change must pass: the tests, then the slower jobs. The last line adds them up. */
import { runJobs } from './jobs.ts';

await runJobs([
  { name: 'npm test', command: 'npm test --silent' },
  { name: 'site under a base', command: 'npm run --silent test:base' },
  { name: 'long sweeps', command: 'npm run --silent test:deep' },
  { name: 'changed expectations', command: 'npm run --silent test:mutate' },
  // Not `host`: which processor a machine of others has is nothing that a change could answer for.
  { name: 'references', command: 'npm run --silent test:reference -- gnu kernel iced qemu bochs' },
  { name: "Debian's kernels", command: 'npm run --silent test:kernels' },
]);
