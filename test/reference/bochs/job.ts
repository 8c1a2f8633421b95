/**
 * Our engine against Bochs: the same guest, the state in front of every instruction.
 *
 *   job.ts            compares
 *   job.ts --record   writes the golden file anew from what Bochs did
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeGolden } from '../guest/golden.ts';
import { BOCHS_RUN, guestOf, judge } from '../guest/peers.ts';
import { giveUp, need } from '../tools.ts';
import { BOCHS_PROGRAM, runBochs } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'bochs-'));
try {
  need(BOCHS_PROGRAM, 'bochs', 'bochs-term');
  const guest = guestOf(BOCHS_RUN);
  const theirs = runBochs(guest, folder);
  if (process.argv[2] === '--record') writeGolden(BOCHS_RUN, theirs.scenes);
  console.log(theirs.version);
  console.log(
    'compared: general registers, RIP, RFLAGS, CS, words pushed, CR2 and DR6 as handlers read them',
  );
  const { passed, failures, lines } = judge(BOCHS_RUN, guest, theirs);
  for (const line of lines) console.log(line);
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} catch (reason) {
  giveUp(reason);
} finally {
  rmSync(folder, { recursive: true });
}
