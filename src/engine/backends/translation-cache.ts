/** Translations that the walk has found, so that a run need not walk at every access. Never visible. */

/** What an access needs of a page, and what a page grants. */
export const GRANT = { write: 1, user: 2, supervisor: 4, executeAsUser: 8, executeAsSupervisor: 16 } as const;

const ENTRIES = 256;
/** Pages of text, stacks and data often agree in their low bits: multiply them apart (Fibonacci hashing). */
const placeOf = (page: number): number => Math.imul(page, 0x9e37_79b1) >>> 24;

export class TranslationCache {
  /** Page number (address / 4096) of each entry; -1 is no page. */
  private readonly pages = new Float64Array(ENTRIES).fill(-1);
  private readonly frames = new Int32Array(ENTRIES);
  private readonly grants = new Uint8Array(ENTRIES);

  /** Physical address of the frame, or -1 when the page is not cached with these rights. */
  find(page: number, needs: number): number {
    const n = placeOf(page);
    if (this.pages[n] !== page || (needs & ~(this.grants[n] as number)) !== 0) return -1;
    return this.frames[n] as number;
  }
  set(page: number, frame: number, grants: number): void {
    const n = placeOf(page);
    this.pages[n] = page;
    this.frames[n] = frame;
    this.grants[n] = grants;
  }
  flush(): void {
    this.pages.fill(-1);
  }
}
