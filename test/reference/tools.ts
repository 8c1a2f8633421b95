/** Programs that the reference jobs run, from Debian's packages. */
import { spawnSync } from 'node:child_process';

/** Runs a command and passes its output on. */
const ran = (command: string, ...given: readonly string[]): boolean =>
  spawnSync(command, given, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
const isThere = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;

/**
 * Makes sure that a program is there, and installs its Debian package if not, with others that it runs with.
 *
 * @throws Error with one sentence where that is not possible
 */
export function need(program: string, debianPackage: string, ...others: readonly string[]): void {
  if (isThere(program)) return;
  const missing = `missing program: ${program} (Debian package ${debianPackage})`;
  if (!isThere('apt-get')) throw new Error(`${missing}, and there is no apt-get to install it`);
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
    throw new Error(`${missing}, and apt-get could not install it`);
}
