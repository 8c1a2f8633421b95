/**
 * A real kernel booted in QEMU, up to the first system call of the one program there is (`initramfs.ts`):
 *
 *     const guest = await bootKernel({ vmlinuz, ready: addressOf('do_syscall_64') });
 *     try { await guest.readPhysical(0x100_0000, 0x4000); } finally { await guest.close(); }
 *
 * One processor, no randomised addresses: a kernel's text lies where it was linked, and physically 0xffff_ffff_8000_0000 below.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KernelGdb } from './gdb.ts';
import { initramfs } from './initramfs.ts';

export const QEMU = 'qemu-system-x86_64';

export interface BootOptions {
  /** The bytes of a bzImage, or of a vmlinux that has a PVH note. */
  readonly vmlinuz: Uint8Array;
  /** Linear address where it is stopped for the first time. */
  readonly ready: bigint;
  /** A model of QEMU's; `Skylake-Client` unless told: page-table isolation, SMAP, FSGSBASE. */
  readonly cpu?: string;
  /** MiB of memory; 128 unless told. */
  readonly memory?: number;
  /** Parameters of the kernel besides those that all have. */
  readonly append?: string;
  /** Seconds the boot may take; 120 unless told. */
  readonly patience?: number;
}

export interface QemuGuest {
  readonly gdb: KernelGdb;
  /** Bytes of guest memory. */
  readonly memory: number;
  /** A command of the monitor; what it says. */
  monitor(command: string): Promise<string>;
  /** Any length; what is long goes through a file. */
  readPhysical(from: number, length: number): Promise<Uint8Array>;
  /** What the kernel has printed. */
  console(): string;
  /** Ends QEMU and takes its files away; may be called twice. */
  close(): Promise<void>;
}

/** It did not come as far as it should: a sentence, and the last lines of its console. */
export class NotBooted extends Error {}

/** Seconds after which it is ended, whatever it does: one that has stopped answering would be waited for without end. */
const LIFETIME = 900;
/** Whoever is ended by one of these takes QEMU along. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Longer reads go through `pmemsave`. */
const SHORT = 0x4000;

/** The version line, or undefined where there is no QEMU. */
export const qemuVersion = (): string | undefined =>
  spawnSync(QEMU, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0];

/** @throws NotBooted where QEMU ends, or the kernel does not come to `ready` in time */
export async function bootKernel(options: BootOptions): Promise<QemuGuest> {
  const { vmlinuz, ready, cpu = 'Skylake-Client', memory = 128, append = '', patience = 120 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'kernel-qemu-'));
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('kernel'), vmlinuz);
  writeFileSync(file('initramfs'), initramfs());
  const child = spawn(
    QEMU,
    [
      ...['-accel', 'tcg', '-cpu', cpu, '-m', `${memory}M`, '-smp', '1', '-S'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-kernel', file('kernel'), '-initrd', file('initramfs')],
      ...['-append', `console=ttyS0 nokaslr panic=0 ${append}`],
      ...['-serial', `file:${file('console')}`, '-gdb', `unix:${file('gdb')},server=on,wait=off`],
      // Where states are saved: a disk without content, under a layer that QEMU makes and takes away itself.
      ...['-drive', 'driver=null-co,if=none,id=states,snapshot=on'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TMPDIR: folder } },
  );
  const ended = exited(child);
  const deadline = setTimeout(() => child.kill('SIGKILL'), LIFETIME * 1000);
  let gdb: KernelGdb | undefined;
  const close = async (): Promise<void> => {
    gdb?.close();
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
    clearTimeout(deadline);
    process.off('exit', kill);
    for (const signal of SIGNALS) process.off(signal, leave);
  };
  const kill = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const leave = (): void => process.exit(1);
  process.on('exit', kill);
  for (const signal of SIGNALS) process.on(signal, leave);
  const console = (): string => textOf(file('console'));
  try {
    gdb = await Promise.race([
      KernelGdb.open(file('gdb')),
      ended.then((said): never => {
        throw new NotBooted(`${QEMU} ended: ${said}`);
      }),
    ]);
    if (!(await gdb.runTo([ready], patience * 1000)))
      throw new NotBooted(
        `not booted in ${patience} s: ${console().trim().split('\n').slice(-3).join(' | ')}`,
      );
  } catch (reason) {
    await close();
    throw reason;
  }
  const connected = gdb;
  return {
    gdb: connected,
    memory: memory << 20,
    monitor: (command) => connected.monitor(command),
    readPhysical: async (from, length) => {
      if (length <= SHORT) return connected.readPhysical(from, length);
      const said = await connected.monitor(`pmemsave ${from} ${length} "${file('memory')}"`);
      if (said.trim() !== '') throw new Error(`pmemsave: ${said.trim()}`);
      return readFileSync(file('memory'));
    },
    console,
    close,
  };
}

/** Resolves with what it said last when it is gone. */
function exited(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((done) => {
    child.on('error', (reason) => done(reason.message));
    child.on('close', (status) => done(said.trim().split('\n').at(-1) || `status ${status}`));
  });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
