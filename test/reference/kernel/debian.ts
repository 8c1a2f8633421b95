/** Debian's kernels: found by name, fetched with the system's package client into a folder, unpacked there. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Missing, need } from '../tools.ts';

const PACKAGE = /^linux-image-(\d+\.\d+)\.(\d+)\S*-cloud-amd64 /;

/** Output of a command. @throws Missing with what the command said */
export function output(command: string, given: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, given, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  const said = `${stderr ?? ''}`.trim().split('\n').at(-1) || error?.message || `status ${status}`;
  throw new Missing(`cannot download a kernel: ${command} ${given[0]}: ${said}`);
}

export const byNumbers = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** The newest package of each series that the package lists know: `linux-image-6.12.117+deb12-cloud-amd64`. */
function packages(folder: string): readonly string[] {
  const lines = output(
    'apt-cache',
    ['search', '--names-only', '^linux-image-[0-9].*-cloud-amd64$'],
    folder,
  ).split('\n');
  const newest = new Map<string, string>();
  for (const line of lines) {
    const [, series] = PACKAGE.exec(line) ?? [];
    const name = line.split(' ')[0] ?? '';
    if (series !== undefined && byNumbers(name, newest.get(series) ?? '') > 0) newest.set(series, name);
  }
  return [...newest.values()].sort(byNumbers);
}

/** A package and its `vmlinuz`. */
export interface Kernel {
  readonly name: string;
  readonly image: Uint8Array;
}

/**
 * The newest kernel of each series.
 *
 * @throws Missing with one sentence where they cannot be had
 */
export function kernels(folder: string): readonly Kernel[] {
  need('apt-get', 'apt');
  need('dpkg-deb', 'dpkg');
  let names = packages(folder);
  if (names.length === 0) {
    output('apt-get', ['update', '-qq'], folder);
    names = packages(folder);
  }
  if (names.length === 0) throw new Missing('cannot download a kernel: the package lists know none');
  return names.map((name): Kernel => {
    output('apt-get', ['download', '-qq', name], folder);
    const archive = readdirSync(folder).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
    if (archive === undefined) throw new Missing(`cannot download a kernel: ${name} brought no file`);
    const root = join(folder, name);
    output('dpkg-deb', ['-x', archive, root], folder);
    const boot = join(root, 'boot');
    const image = readdirSync(boot).find((file) => file.startsWith('vmlinuz'));
    if (image === undefined) throw new Missing(`missing vmlinuz: ${name}`);
    return { name, image: readFileSync(join(boot, image)) };
  });
}

/** How compressed data begin, and what unpacks them. */
const UNPACKERS = [
  { magic: '28b52ffd', program: 'zstd', given: ['-dc'], debian: 'zstd' },
  { magic: 'fd377a58', program: 'xz', given: ['-dc'], debian: 'xz-utils' },
  { magic: '02214c18', program: 'lz4', given: ['-dc'], debian: 'lz4' },
  { magic: '1f8b', program: 'gzip', given: ['-dc'], debian: 'gzip' },
] as const;

/**
 * The vmlinux inside a bzImage, as a file (Documentation/arch/x86/boot.rst, 6.12: setup_sects at 0x1f1,
 * payload_offset and payload_length at 0x248). Its last four bytes are the size without compression, which the
 * programs take for garbage behind the data: the length decides.
 */
export function unpackKernel(image: Uint8Array, file: string): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const start = ((view.getUint8(0x1f1) || 4) + 1) * 512 + view.getUint32(0x248, true);
  const payload = image.subarray(start, start + view.getUint32(0x24c, true));
  const size = new DataView(payload.buffer, payload.byteOffset).getUint32(payload.length - 4, true);
  const begins = Buffer.from(payload.subarray(0, 4)).toString('hex');
  const unpacker = UNPACKERS.find(({ magic }) => begins.startsWith(magic));
  if (unpacker === undefined) throw new Missing(`unknown compression: ${begins}`);
  need(unpacker.program, unpacker.debian);
  const { stdout } = spawnSync(unpacker.program, unpacker.given, { input: payload, maxBuffer: 1 << 29 });
  if (stdout.length < size) throw new Missing(`invalid kernel: ${stdout.length} bytes of ${size}`);
  writeFileSync(file, stdout.subarray(0, size));
  if (statSync(file).size !== size) throw new Missing(`invalid kernel: cannot write ${file}`);
}
