/** The same guest in Unicorn, through its C interface; nothing where it or a C compiler is missing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { program } from './guest.ts';

let built: string | undefined;

/** The harness, compiled once; undefined where that fails. CFLAGS and LDFLAGS may point to a Unicorn elsewhere. */
function harness(): string | undefined {
  if (built !== undefined) return built || undefined;
  const to = join(mkdtempSync(join(tmpdir(), 'bench-')), 'unicorn');
  const source = fileURLToPath(new URL('unicorn.c', import.meta.url));
  const flags = (name: string): string[] => (process.env[name] ?? '').split(' ').filter(Boolean);
  const given = ['-O2', ...flags('CFLAGS'), source, '-o', to, ...flags('LDFLAGS'), '-lunicorn'];
  built = spawnSync('cc', given, { stdio: 'ignore' }).status === 0 ? to : '';
  return built || undefined;
}

/** Million instructions a second for so many seconds, by what is measured; empty without Unicorn. */
export function unicorn(): Readonly<Record<string, (seconds: number) => number>> {
  const command = harness();
  if (command === undefined) return {};
  const text = Buffer.from(program().bytes).toString('hex');
  const run =
    (how: string) =>
    (seconds: number): number =>
      Number(spawnSync(command, [String(seconds), how, text], { encoding: 'utf8' }).stdout);
  return { Unicorn: run('plain'), 'Unicorn, hook per instruction': run('hook') };
}
