import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { vi } from 'vitest';
import { lab as command } from '../../src/cli/commands/lab.ts';

export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  /** Without white space around it. */
  readonly stderr: string;
}

/** Runs `lab` in this process: what is tested is what it says, and a process for each of a hundred lines costs a minute. */
export async function lab(args: readonly string[], input: string | Uint8Array = ''): Promise<Said> {
  const said = { stdout: '', stderr: '' };
  const into = (where: keyof typeof said, end: string) => (text: unknown) => {
    said[where] += `${text}${end}`;
    return true;
  };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(into('stdout', '\n')),
    vi.spyOn(console, 'error').mockImplementation(into('stderr', '\n')),
    vi.spyOn(process.stdout, 'write').mockImplementation(into('stdout', '')),
  ];
  const put = giveInput(Buffer.from(input as Uint8Array));
  try {
    const status = await command(args);
    return { status, stdout: said.stdout, stderr: said.stderr.trim() };
  } finally {
    put();
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs `lab` as a shell would. */
export function spawnLab(args: readonly string[], input: string | Uint8Array = ''): Said {
  const { status, stdout, stderr } = spawnSync('node', ['src/cli/main.ts', ...args], { input });
  return { status, stdout: stdout.toString(), stderr: stderr.toString().trim() };
}

/** Descriptor 0 is read as these bytes until the function that comes back is called. */
function giveInput(bytes: Buffer): () => void {
  const { readFileSync } = fs;
  const read = (...given: Parameters<typeof readFileSync>) =>
    given[0] === 0 ? bytes : readFileSync(...given);
  fs.readFileSync = read as typeof readFileSync;
  syncBuiltinESMExports();
  return () => {
    fs.readFileSync = readFileSync;
    syncBuiltinESMExports();
  };
}
