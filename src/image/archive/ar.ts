/** The archive that a .deb is: members one behind another, each with a header of text. Format: ar(5). */
import { latin1, type Reader } from '../reading.ts';

const MAGIC = '!<arch>\n';
const HEADER = 60;

export interface ArMember {
  readonly name: string;
  /** Where its bytes begin in the archive. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export const isAr = (bytes: Uint8Array): boolean => latin1(bytes.subarray(0, MAGIC.length)) === MAGIC;

/** All members, in their order. */
export function readAr(source: Reader): readonly ArMember[] {
  if (!isAr(source.bytes)) source.fail('invalid ar magic', 0);
  const members: ArMember[] = [];
  for (let at = MAGIC.length; at < source.length; ) {
    const header = latin1(source.slice(at, HEADER));
    const size = header.slice(48, 58).trim();
    if (!header.endsWith('`\n') || !/^\d+$/.test(size)) source.fail('invalid ar header', at);
    const bytes = source.slice(at + HEADER, Number(size));
    members.push({ name: header.slice(0, 16).trim().replace(/\/$/, ''), at: at + HEADER, bytes });
    at += HEADER + bytes.length + (bytes.length & 1);
  }
  return members;
}
