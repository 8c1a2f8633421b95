/** The guest on QEMU's translator, one instruction a block, with a log of every block. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from '../guest/image.ts';
import type { Arrival } from '../guest/ours.ts';
import type { Theirs } from '../guest/peers.ts';
import { scenesOf } from '../guest/trace.ts';
import { Gdb, pause } from './gdb.ts';
import { stepsOf } from './trace.ts';

export const QEMU = 'qemu-system-x86_64';
/** Seconds that a run may take; it takes less than one. */
const PATIENCE = 20;
/** Of the log so many bytes are read; it has a tenth of that. */
const MOST = 256 * 1024 * 1024;
/** The name of the option for one instruction a block changed with this version. */
const RENAMED_IN = 8.1;
/** How long the guest may need to come to its HLT, in milliseconds. */
const SETTLE = 300;
/** A machine check of bank 0 that is valid, uncorrected and reported, with MCG_STATUS.RIPV and MCIP (SDM vol 3, 15.3). */
const COMMAND = { nmi: 'nmi', mc: 'mce 0 0 0xb000000000000000 5 0 0' } as const;

export const version = (): string =>
  spawnSync(QEMU, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '';

/** @param plan events from outside, in the order in which the guest comes to them */
export async function runQemu(guest: Guest, folder: string, plan: readonly Arrival[] = []): Promise<Theirs> {
  const [rom, log, socket] = ['rom', 'log', 'gdb'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(rom, guest.rom);
  const single = Number(/version (\d+\.\d+)/.exec(version())?.[1] ?? '0') < RENAMED_IN;
  const child = spawn(
    QEMU,
    [
      ...['-machine', 'pc', '-cpu', 'max', '-m', '16', '-bios', rom, '-nodefaults', '-no-user-config'],
      ...['-display', 'none', '-monitor', 'none', '-no-reboot', '-d', 'cpu,exec,int,nochain', '-D', log],
      ...(single ? ['-accel', 'tcg', '-singlestep'] : ['-accel', 'tcg,one-insn-per-tb=on']),
      ...(plan.length > 0 ? ['-gdb', `unix:${socket},server=on,wait=off`, '-S'] : []),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = exit(child);
  if (plan.length > 0) await play(socket, guest, plan);
  const status = await ended;
  return { scenes: scenesOf(stepsOf(beginningOf(log), guest.at('begin')), guest), ended: status === 0 };
}

function beginningOf(file: string): string {
  const bytes = Buffer.alloc(MOST);
  const from = openSync(file, 'r');
  const length = readSync(from, bytes, 0, MOST, 0);
  closeSync(from);
  return bytes.toString('latin1', 0, length);
}

/** The exit status; null for what had to be killed, or crashed. */
function exit(child: ChildProcess): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE * 1000);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (status) => {
      clearTimeout(timer);
      done(status);
    });
  });
}

async function play(socket: string, guest: Guest, plan: readonly Arrival[]): Promise<void> {
  const gdb = await Gdb.open(socket);
  await gdb.ask('?');
  for (const { at, visit = 1, events } of plan) {
    if (at === 'halted') {
      gdb.send('c');
      await pause(SETTLE);
      await gdb.interrupt();
    } else {
      const place = `0,${guest.at(at).toString(16)},1`;
      await gdb.ask(`Z${place}`);
      await gdb.ask('c');
      for (let n = 1; n < visit; n++) await gdb.ask('s');
      await gdb.ask(`z${place}`);
    }
    for (const event of events) await gdb.monitor(COMMAND[event]);
  }
  gdb.send('c');
  await gdb.answer();
  gdb.close();
}
