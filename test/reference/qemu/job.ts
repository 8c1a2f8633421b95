/**
 * Our engine against QEMU's translator: the same guest, the state in front of every instruction.
 *
 *   job.ts            compares
 *   job.ts --record   writes the golden files anew from what QEMU did
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeGolden } from '../guest/golden.ts';
import { guestOf, judge, QEMU_RUNS } from '../guest/peers.ts';
import { giveUp, need } from '../tools.ts';
import { NOT_RUN } from './peculiarities.ts';
import { QEMU, runQemu, version } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'qemu-'));
try {
  need(QEMU, 'qemu-system-x86');
  console.log(version());
  console.log('compared: general and control registers, RIP, RFLAGS, selectors, DR6, DR7, words pushed');
  for (const one of NOT_RUN) console.log(`not run: ${one}`);
  let [passed, failed] = [0, 0];
  for (const run of QEMU_RUNS) {
    const guest = guestOf(run);
    const theirs = await runQemu(guest, folder, run.plan);
    if (process.argv[2] === '--record') writeGolden(run, theirs.scenes);
    const verdict = judge(run, guest, theirs);
    for (const line of verdict.lines) console.log(line);
    passed += verdict.passed;
    failed += verdict.failures.length;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
} catch (reason) {
  giveUp(reason);
} finally {
  rmSync(folder, { recursive: true });
}
