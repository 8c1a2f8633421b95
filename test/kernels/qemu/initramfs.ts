/** An initramfs with one program, which is in user mode for a while, then in a system call, for ever. */
import { assemble } from '../../../src/asm/assemble.ts';
import { problemText } from '../../../src/asm/source.ts';

const BASE = 0x40_0000n;
/** File offset of the text, which keeps the headers out of its page. */
const TEXT = 0x1000;

/** Marks are not needed: whoever stops the guest stops it at an address. getpid() touches nothing but the task. */
const PROGRAM = `
begin:
        mov     $0x1111111111111111, %rbx
        mov     $0x2222222222222222, %rbp
        mov     $0x3333333333333333, %r12
        mov     $0x4444444444444444, %r13
        mov     $0x5555555555555555, %r14
        mov     $0x6666666666666666, %r15
again:
        mov     $10000, %r10d
around:
        dec     %r10d
        jnz     around
        mov     $39, %eax
        syscall
        jmp     again
`;

/** Where the program is in user mode for ever again. */
export const USER_PLACE = 'around';

const { image, problems } = assemble([{ page: 'init', name: 'init', line: 1, lines: PROGRAM.split('\n') }], {
  sections: [
    {
      name: '.text',
      address: BASE + BigInt(TEXT),
      limit: 0x1000,
      writable: false,
      executable: true,
      user: true,
    },
  ],
});

/** Address of a label of the program. @throws Error for one that it has not */
export function programAddress(label: string): bigint {
  const found = image.symbols.find(({ name }) => name === label);
  if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'));
  if (!found) throw new Error(`unknown label: ${label}`);
  return found.address;
}

/** A static executable with one segment (System V gABI, chapters 4 and 5). */
function program(): Uint8Array {
  const text = image.segments[0]?.bytes ?? new Uint8Array();
  const file = new Uint8Array(TEXT + text.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const put = (
    at: number,
    ...words: readonly (readonly [value: bigint | number, bytes: 2 | 4 | 8])[]
  ): void => {
    for (const [value, bytes] of words) {
      if (bytes === 2) view.setUint16(at, Number(value), true);
      else if (bytes === 4) view.setUint32(at, Number(value), true);
      else view.setBigUint64(at, BigInt(value), true);
      at += bytes;
    }
  };
  const [EXECUTABLE, X86_64, LOAD, READ_EXECUTE] = [2, 62, 1, 5];
  put(16, [EXECUTABLE, 2], [X86_64, 2], [1, 4], [programAddress('begin'), 8], [64, 8], [0, 8], [0, 4]);
  put(52, [64, 2], [56, 2], [1, 2], [0, 2], [0, 2], [0, 2]);
  put(
    64,
    [LOAD, 4],
    [READ_EXECUTE, 4],
    [0, 8],
    [BASE, 8],
    [BASE, 8],
    [file.length, 8],
    [file.length, 8],
    [0x1000, 8],
  );
  file.set(text, TEXT);
  return file;
}

/** One entry of a cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst, 6.12). */
function entry(name: string, mode: number, content: Uint8Array, inode: number): readonly number[] {
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const padded = (bytes: readonly number[]): readonly number[] => [
    ...bytes,
    ...Array<number>(-bytes.length & 3).fill(0),
  ];
  return [...padded([...Buffer.from(head, 'latin1')]), ...padded([...content])];
}

const REGULAR = 0o100755;

/** The archive, as QEMU's `-initrd` takes it. */
export const initramfs = (): Uint8Array =>
  Uint8Array.from([...entry('init', REGULAR, program(), 1), ...entry('TRAILER!!!', 0, new Uint8Array(), 0)]);
