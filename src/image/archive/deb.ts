/**
 * A Debian package: the kernel in it, and how it was configured. Only what stands up to the end of ./boot is unpacked.
 * Format: deb(5).
 */
import { type Decompressors, decompress } from '../compressed/decompress.ts';
import { MOST_UNPACKED, Output } from '../compressed/output.ts';
import { latin1, type Reader, Reader as Source } from '../reading.ts';
import { readAr } from './ar.ts';
import { readTar } from './tar.ts';

export interface DebKernel {
  /** `boot/vmlinuz-6.12-amd64`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The text of `boot/config-*`, where there is one. */
  readonly config: string | undefined;
}

const KERNEL = /(^|\/)vmlinu[xz](-[^/]*)?$/;
const CONFIG = /^boot\/config-[^/]*$/;

/** The first kernel of a package. */
export async function readDeb(
  source: Reader,
  decompressors: Decompressors,
  progress: (done: number) => void = () => {},
): Promise<DebKernel> {
  const data = readAr(source).find(({ name }) => name.startsWith('data.tar'));
  if (!data) return source.fail('missing member: data.tar', 0);
  const member = new Source(data.bytes, `package member ${data.name}`);
  const output = new Output(MOST_UNPACKED, 1, member.reading);
  const plain = data.name === 'data.tar';
  const steps = plain ? undefined : decompress(member, output, decompressors);
  const until = async (count: number): Promise<boolean> => {
    if (plain) return count <= data.bytes.length;
    while (output.length < count) {
      if ((await steps?.next())?.done !== false) return false;
      progress(output.length);
    }
    return true;
  };
  const unpacked = (): Uint8Array => (plain ? data.bytes : output.filled);

  let config: string | undefined;
  let kernel: Pick<DebKernel, 'path' | 'bytes'> | undefined;
  try {
    for await (const { path, at, size, isFile } of readTar({ unpacked, until })) {
      if (kernel && (config !== undefined || !path.startsWith('boot/'))) break;
      const isKernel = !kernel && KERNEL.test(path);
      if (!isFile || !(isKernel || CONFIG.test(path))) continue;
      if (!(await until(at + size))) member.fail(`truncated file: ${path}`, at);
      const bytes = unpacked().slice(at, at + size);
      if (isKernel) kernel = { path, bytes };
      else config = latin1(bytes);
    }
  } finally {
    await steps?.return(undefined);
  }
  if (!kernel) return member.fail('missing kernel: no vmlinuz in this package', 0);
  return { ...kernel, config };
}
