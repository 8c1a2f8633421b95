/** Files of a tar archive that is still being unpacked. Format: POSIX.1-2017, pax, "ustar Interchange Format". */
import { latin1, Reader } from '../reading.ts';

const BLOCK = 512;
const FILE = new Set(['0', '\0', '7']);

export interface TarFile {
  /** Without a leading `./`. */
  readonly path: string;
  /** Where its bytes begin in the archive. */
  readonly at: number;
  readonly size: number;
  readonly isFile: boolean;
}

const field = (header: Uint8Array, at: number, size: number): string =>
  latin1(header.subarray(at, at + size)).replace(/\0.*$/s, '');

/**
 * The headers of an archive, in order. The bytes of a file are there once `more` was asked for the next header, or
 * with `until`.
 */
export interface TarSource {
  /** What is unpacked so far. */
  readonly unpacked: () => Uint8Array;
  /** Unpacks until `count` bytes are there; false where they end before that. */
  readonly until: (count: number) => Promise<boolean>;
}

export async function* readTar({ unpacked, until }: TarSource): AsyncGenerator<TarFile> {
  for (let at = 0; await until(at + BLOCK); ) {
    const source = new Reader(unpacked(), 'tar archive');
    const header = source.slice(at, BLOCK);
    // Blocks of zeros end the archive.
    if (header.every((byte) => byte === 0)) return;
    const sum = header.reduce((all, byte, n) => all + (n >= 148 && n < 156 ? 0x20 : byte), 0);
    if (Number.parseInt(field(header, 148, 8), 8) !== sum) source.fail('invalid tar header: wrong sum', at);
    const digits = field(header, 124, 12).trim();
    if (!/^[0-7]+$/.test(digits)) source.fail(`invalid tar size: ${JSON.stringify(digits)}`, at);
    const size = Number.parseInt(digits, 8);
    const prefix = field(header, 257, 5) === 'ustar' ? field(header, 345, 155) : '';
    const path = `${prefix ? `${prefix}/` : ''}${field(header, 0, 100)}`.replace(/^\.\//, '');
    yield { path, at: at + BLOCK, size, isFile: FILE.has(String.fromCharCode(header[156] as number)) };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
