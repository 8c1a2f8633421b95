/** A hash of guest memory that costs only the frames stored to since it was asked for last. */
import { FRAMES, JOURNAL, JOURNAL_ENTRY, PAGE_SIZE } from './layout.ts';

/** Two 32-bit lanes of multiply and rotate over the words of a frame; a frame of zeros gives zero. */
function hashOfFrame(words: Uint32Array, frame: number): readonly [number, number] {
  let a = 0x9e37_79b9 ^ frame;
  let b = 0x85eb_ca6b + frame;
  let any = 0;
  for (const word of words) {
    any |= word;
    a = Math.imul(a ^ word, 0x0100_0193);
    a = (a << 13) | (a >>> 19);
    b = Math.imul((b ^ word) + 0x7f4a_7c15, 0x2c1b_3c6d);
    b ^= b >>> 15;
  }
  return any === 0 ? [0, 0] : [a >>> 0, b >>> 0];
}

export class MemoryHash {
  private readonly words: Uint32Array;
  private readonly view: DataView;
  private readonly lanes: Uint32Array;
  private readonly stale: Set<number>;
  /** Journal up to where its frames are known to be stale. */
  private seen = JOURNAL;
  private readonly frames: number;
  private total: [number, number] = [0, 0];

  constructor(memory: WebAssembly.Memory, frames: number) {
    this.view = new DataView(memory.buffer);
    this.frames = frames;
    this.words = new Uint32Array(memory.buffer, FRAMES, (frames * PAGE_SIZE) / 4);
    this.lanes = new Uint32Array(2 * frames);
    this.stale = new Set(Array.from({ length: frames }, (_, n) => n));
  }

  /** The journal grew to `head`. */
  private follow(head: number): void {
    for (; this.seen < head; this.seen += JOURNAL_ENTRY) this.touch(this.view.getUint32(this.seen, true));
  }
  /** Stores down to `head` are taken back: those that a hash has seen have changed memory once more. */
  rewind(head: number): void {
    while (this.seen > head) {
      this.seen -= JOURNAL_ENTRY;
      this.touch(this.view.getUint32(this.seen, true));
    }
  }
  /** The journal ended at `head` and begins anew. */
  restart(head: number): void {
    if (this.stale.size < this.frames) this.follow(head);
    this.seen = JOURNAL;
  }
  /** Guest memory at a physical address has changed. */
  touch(pa: number): void {
    this.stale.add(pa >>> 12);
  }

  /** 64 bits; equal for equal contents, whatever the size of memory behind the last frame in use. */
  value(head: number): bigint {
    this.follow(head);
    for (const frame of this.stale) {
      const start = (frame * PAGE_SIZE) / 4;
      const [a, b] = hashOfFrame(this.words.subarray(start, start + PAGE_SIZE / 4), frame);
      const [oldA, oldB] = [this.lanes[2 * frame] as number, this.lanes[2 * frame + 1] as number];
      this.total = [(this.total[0] - oldA + a) >>> 0, (this.total[1] - oldB + b) >>> 0];
      this.lanes[2 * frame] = a;
      this.lanes[2 * frame + 1] = b;
    }
    this.stale.clear();
    return (BigInt(this.total[0]) << 32n) | BigInt(this.total[1]);
  }
}
