/** Programs that the reference jobs run, from Debian's packages. */
import { spawnSync } from 'node:child_process';
import { NOT_RUN } from '../../src/cli/jobs.ts';

/** What a job needs is not on this machine, and cannot be had. */
export class Missing extends Error {}

/** Ends a job that could not go on: a program or a kernel that cannot be had is no failure of ours, anything else is. */
export function giveUp(reason: unknown): void {
  const missing = reason instanceof Missing;
  console.log(`${missing ? 'not run: ' : ''}${reason instanceof Error ? reason.message : String(reason)}`);
  process.exitCode = missing ? NOT_RUN : 1;
}

/** Runs a command and passes its output on. */
const ran = (command: string, ...given: readonly string[]): boolean =>
  spawnSync(command, given, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
const isThere = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;

/**
 * Makes sure that a program is there, and installs its Debian package if not, with others that it runs with.
 *
 * @throws Missing with one sentence where that is not possible
 */
export function need(program: string, debianPackage: string, ...others: readonly string[]): void {
  if (isThere(program)) return;
  const missing = `missing program: ${program} (Debian package ${debianPackage})`;
  if (!isThere('apt-get')) throw new Missing(`${missing}, and there is no apt-get to install it`);
  const root = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  console.log(`installing ${debianPackage} (apt-get install) ...`);
  const [command = 'apt-get', ...given] = [
    ...root,
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    debianPackage,
    ...others,
  ];
  if (!ran(command, ...given) || !isThere(program))
    throw new Missing(`${missing}, and apt-get could not install it`);
}
