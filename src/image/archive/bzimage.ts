/**
 * A bzImage: the setup code, and the compressed vmlinux behind it.
 * Format: Documentation/arch/x86/boot.rst of 6.12, boot protocol 2.08 and later.
 */
import { type Compression, compressionOf, type Decompressors, decompress } from '../compressed/decompress.ts';
import { MOST_UNPACKED, Output } from '../compressed/output.ts';
import { Reader } from '../reading.ts';

const BOOT_FLAG = 0x1fe;
const MAGIC = 0x202;
/** `HdrS`. */
const HEADER = 0x53726448;
const PROTOCOL = 0x206;
const FIRST_WITH_PAYLOAD = 0x208;
const SETUP_SECTORS = 0x1f1;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;

export interface BzImage {
  /** Boot protocol: 0x20f is 2.15. */
  readonly protocol: number;
  readonly compression: Compression | 'none';
  readonly vmlinux: Uint8Array;
}

export const isBzImage = (bytes: Uint8Array): boolean =>
  bytes.length > PAYLOAD_LENGTH + 4 && new Reader(bytes, 'bzImage').u32(MAGIC) === HEADER;

/** Unpacks the vmlinux of a bzImage. Its size stands behind the compressed data. */
export async function readBzImage(
  source: Reader,
  decompressors: Decompressors,
  progress: (done: number, of: number) => void = () => {},
): Promise<BzImage> {
  if (source.u32(MAGIC) !== HEADER || source.u16(BOOT_FLAG) !== 0xaa55)
    source.fail('invalid bzImage: no setup header', MAGIC);
  const protocol = source.u16(PROTOCOL);
  if (protocol < FIRST_WITH_PAYLOAD)
    source.fail(`invalid boot protocol: 0x${protocol.toString(16)}, 0x208 needed`, PROTOCOL);
  const start = ((source.u8(SETUP_SECTORS) || 4) + 1) * SECTOR + source.u32(PAYLOAD_OFFSET);
  const payload = new Reader(source.slice(start, source.u32(PAYLOAD_LENGTH)), 'bzImage payload');
  if (payload.u32(0) === 0x464c457f) return { protocol, compression: 'none', vmlinux: payload.bytes };
  const size = payload.u32(payload.length - 4);
  if (size > MOST_UNPACKED)
    payload.fail(`too large vmlinux: ${size} bytes of ${MOST_UNPACKED} at most`, payload.length - 4);
  // gzip ends with the size of its own accord; behind the others the build writes it.
  const behind = compressionOf(payload.bytes) === 'gzip' ? 0 : 4;
  const data = new Reader(payload.slice(0, payload.length - behind), payload.reading);
  const output = new Output(size, data.length, 'vmlinux');
  for await (const _ of decompress(data, output, decompressors)) progress(output.length, size);
  if (output.length !== size)
    payload.fail(`truncated vmlinux: ${output.length} bytes of ${size}`, payload.length - 4);
  return { protocol, compression: compressionOf(data.bytes) ?? 'none', vmlinux: output.filled };
}
