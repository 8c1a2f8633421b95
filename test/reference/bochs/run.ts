/** The guest on Bochs, with its debugger's trace of every instruction. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from '../guest/image.ts';
import type { Theirs } from '../guest/peers.ts';
import { scenesOf } from '../guest/trace.ts';
import { stepsOf } from './trace.ts';

export const BOCHS_PROGRAM = 'bochs-bin';
/** Seconds that a run may take; it takes five. */
const PATIENCE = 60;
/** Of the trace so many bytes are taken; it has a fifth of that. */
const MOST = 256 * 1024 * 1024;

/** What Bochs is told, beside where its files are. */
const SETTINGS = [
  'display_library: term',
  'memory: guest=16, host=16',
  'cpu: model=broadwell_ult, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1',
  // The guest ends with a shutdown. What a store between two registers of the APIC means is left open.
  'panic: action=fatal, apic0=report',
  'error: action=report',
  'info: action=ignore',
];

/** @throws Error when the debugger did not trace */
export function runBochs(guest: Guest, folder: string): Theirs & { readonly version: string } {
  const [rom = '', settings = '', commands = ''] = ['rom', 'settings', 'commands'].map((name) =>
    join(folder, name),
  );
  writeFileSync(rom, guest.rom);
  const files = [`romimage: file=${rom}, address=0xffff0000`, `log: ${join(folder, 'log')}`];
  writeFileSync(settings, `${[...SETTINGS, ...files].join('\n')}\n`);
  writeFileSync(commands, 'trace-reg on\ntrace on\nc\nq\n');
  const { stdout, stderr } = spawnSync(BOCHS_PROGRAM, ['-q', '-f', settings, '-rc', commands], {
    env: { ...process.env, TERM: 'xterm' },
    encoding: 'latin1',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: MOST,
    timeout: PATIENCE * 1000,
    killSignal: 'SIGKILL',
  });
  const version = /Bochs x86 Emulator [\d.]+/.exec(stdout + stderr)?.[0] ?? 'Bochs';
  const steps = stepsOf(stdout, guest.at('begin'));
  if (steps.length === 0)
    throw new Error(`missing trace: ${version} has no debugger, or could not start: ${lastLine(stderr)}`);
  return { scenes: scenesOf(steps, guest), ended: /3rd \(\d+\) exception/.test(stderr), version };
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
