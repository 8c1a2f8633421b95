/** Sections and what lies in them. */
import type { Site } from './clause.ts';
import type { Expression } from './expression.ts';
import type { Location, View } from './symbol.ts';

/** Where a section goes. */
export interface SectionOptions {
  readonly name: string;
  readonly address: bigint;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly user: boolean;
  /** Bytes it may hold. */
  readonly limit: number;
}

/** A statement that becomes bytes. */
export interface Item {
  readonly site: Site;
  /** Character of the clause it starts at. */
  readonly at: number;
  readonly text: string;
  readonly comment: string;
  /** Whether only alignment made it. */
  readonly padding?: boolean;
  /** Bytes; while sizes are searched for, the present guess. */
  size: number;
  address: bigint;
  /** Alignment: the size at an address. */
  readonly fit?: (address: bigint) => number;
  /** A gap whose size hangs on where things lie: the size by the present addresses. */
  readonly count?: (view: View) => number;
  /** A branch with a short and a long form. */
  readonly branch?: { readonly target: Expression; readonly short: number; readonly long: number };
  /** Its bytes, when all lies in its place. */
  readonly write: (view: View, self: Item) => Uint8Array;
}

/** Bytes beyond the limit after which nothing more is read: mistakes of a text that is a little too long are all told. */
const EXCESS = 4096;

export class Section {
  readonly options: SectionOptions;
  /** Whether the caller gave it a place; one that has none is read for its mistakes only. */
  readonly listed: boolean;
  readonly items: Item[] = [];
  /** End of its last item, once placed. */
  end = 0n;
  /** First item that does not fit within the limit. */
  overflow: number | undefined;
  #anchor: number;
  #offset = 0;
  /** Bytes that it will have at least. */
  #least = 0;
  readonly #anchors: { next: number };

  constructor(options: SectionOptions, listed: boolean, anchors: { next: number }) {
    this.options = options;
    this.listed = listed;
    this.#anchors = anchors;
    this.#anchor = anchors.next++;
  }

  get here(): Location {
    return { section: this, item: this.items.length, into: 0, anchor: this.#anchor, offset: this.#offset };
  }

  add(item: Item): void {
    this.items.push(item);
    if (!item.fit && !item.count) this.#least += item.size;
    if (!item.fit && !item.count && !item.branch) {
      this.#offset += item.size;
      return;
    }
    this.#anchor = this.#anchors.next++;
    this.#offset = 0;
  }

  /** Gives every item its address by the present sizes. */
  place(): void {
    let address = this.options.address;
    const limit = address + BigInt(this.options.limit);
    this.overflow = undefined;
    this.items.forEach((item, n) => {
      item.address = address;
      if (item.fit) item.size = item.fit(address);
      if (item.size === 0) return;
      address += BigInt(item.size);
      if (this.overflow === undefined && address > limit) this.overflow = n;
    });
    this.end = address;
  }

  /** Whether it is so far beyond its limit that the rest of a text is not worth its time. */
  get stuffed(): boolean {
    return this.listed && this.#least > this.options.limit + EXCESS;
  }

  /** The items within the limit. */
  get kept(): readonly Item[] {
    return this.overflow === undefined ? this.items : this.items.slice(0, this.overflow);
  }
}
