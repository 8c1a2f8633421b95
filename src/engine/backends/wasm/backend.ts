/**
 * The interpreter in WebAssembly: the default engine. Its module is staged from the same semantics as every
 * other meaning (`staging/`), at build time (`generate.ts`); nothing here knows what an instruction does.
 *
 * What it does itself: instructions, event delivery, IRET, the walk, journal, log, marks. What it asks for:
 *
 * * *Decoding.* It leaves `run` at an instruction that has no record. Here the record is written, and it goes on.
 * * *A fetch that faults, bytes that are no instruction.* The bigint backend makes that one transition on
 *   the same memory, so the fault is latched by the same words. It is the only case that is handed over.
 *
 * Translations and records are caches in linear memory. Frames that the walk has read or that hold decoded
 * text are flagged; a store to one, or its undo, takes the slow path, which forgets what it must. The
 * bigint backend serves as the machine's reader meanwhile, and follows what is forgotten by a count.
 */
import { ATTENTION, FRAMES, JOURNAL_ENTRY, offsetOf } from '../../layout.ts';
import type { BigintBackend } from '../bigint.ts';
import type { Backend, Executed, Executor } from '../executor.ts';
import { TLB, TRANSLATIONS_END, WORD } from './layout.ts';
import { BYTES, CHARACTERS, MODULE_TEXT } from './module.ts';
import { Text } from './text.ts';
import { vendorBits } from './vendor-bits.ts';

/** What the module exports. */
interface Exports {
  /** Transitions made; its complement when it could not go on by itself. */
  readonly run: (budget: number) => number;
  /** Physical address of an instruction, or -1 when its fetch would fault. */
  readonly fetch: (rip: bigint) => number;
  readonly refreshAttention: () => void;
  readonly mark: (place: number) => void;
  readonly undo: (place: number) => void;
}

/** The bytes of the module. */
export const engineBytes = (): Uint8Array<ArrayBuffer> => bytesOf(MODULE_TEXT, CHARACTERS, BYTES);

/** What `moduleText` of generate.ts has written. */
function bytesOf(text: string, characters: string, hex: string): Uint8Array<ArrayBuffer> {
  const places = new Uint8Array(0x80);
  for (let n = 0; n < characters.length; n++) places[characters.charCodeAt(n)] = n;
  const order = Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const single = characters.length - 2;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let place = places[text.charCodeAt(at)] ?? 0;
    if (place >= single) place = (place - single + 1) * single + (places[text.charCodeAt(++at)] ?? 0);
    bytes[length++] = order[place] ?? 0;
  }
  return bytes.slice(0, length);
}

let compiled: WebAssembly.Module | undefined;

/** Compile the module, once. A page does this in its worker: the main thread should not wait for it. */
export async function compileEngine(): Promise<Backend> {
  compiled ??= await WebAssembly.compile(engineBytes());
  return wasm();
}

/** The backend for `new Machine({ backend: wasm() })`; compiles at once unless `compileEngine` has. */
export function wasm(): Backend {
  compiled ??= new WebAssembly.Module(engineBytes());
  return wasmOf(compiled);
}

/** The backend of a module that was made just now. */
const wasmOf =
  (module: WebAssembly.Module): Backend =>
  (executed) =>
    new WasmBackend(executed, module);

const FULL = Number(ATTENTION.full);

class WasmBackend implements Executor {
  private readonly words: Int32Array;
  private readonly translations: Int32Array;
  private readonly reader: BigintBackend;
  private readonly text: Text;
  private readonly made: Exports;
  private generation = 0;

  constructor({ memory, frames, vendor, reader }: Executed, module: WebAssembly.Module) {
    this.words = new Int32Array(memory.buffer, 0, FRAMES / 4);
    this.translations = new Int32Array(memory.buffer, TLB, (TRANSLATIONS_END - TLB) / 4);
    this.reader = reader;
    this.text = new Text(memory, () => this.translations.fill(-1));
    this.made = new WebAssembly.Instance(module, { engine: { memory } }).exports as unknown as Exports;
    this.translations.fill(-1);
    this.setWord(WORD.guestSize, frames * 0x1000);
    this.setWord(WORD.vendor, vendorBits(vendor));
    // A frame that only now is known as a page table may be cached as one to write to.
    reader.onPageTable = () => this.translations.fill(-1);
  }
  private word(at: number): number {
    return this.words[at >> 2] as number;
  }
  private setWord(at: number, value: number): void {
    this.words[at >> 2] = value;
  }

  run(budget: number): number {
    let made = 0;
    let decoded = false;
    // What asked has not happened yet: where its walk has filled the journal, the run stops behind it.
    let full = 0;
    while (made < budget) {
      const ran = this.made.run(full === 0 ? budget - made : 1);
      this.follow();
      if (ran >= 0) {
        made += ran;
        full = this.demand(full);
        if (this.word(offsetOf.stop) === 0 && made < budget) continue;
        return made;
      }
      made += ~ran;
      // What was decoded and is asked for again at once is left to the oracle: no input hangs.
      decoded = !(decoded && ran === -1) && this.decode();
      full |= this.word(offsetOf.attention) & FULL;
      this.setWord(offsetOf.attention, this.word(offsetOf.attention) & ~FULL);
      if (decoded) continue;
      const one = this.byReader();
      full = this.demand(full);
      if (one === 0) return made;
      made += one;
    }
    return made;
  }
  /** Ask for attention again; nothing is left to ask for. */
  private demand(full: number): number {
    this.setWord(offsetOf.attention, this.word(offsetOf.attention) | full);
    return 0;
  }
  private decode(): boolean {
    const pa = this.word(WORD.fetched);
    if (pa < 0) return false;
    const rip = this.reader.get('rip');
    return this.text.decode(pa, () => this.made.fetch(((rip >> 12n) + 1n) << 12n));
  }
  /** One transition of the reader's. */
  private byReader(): number {
    let head = this.word(offsetOf.journalHead);
    const made = this.reader.run(1);
    for (; head < this.word(offsetOf.journalHead); head += JOURNAL_ENTRY)
      this.text.changed(this.word(head), 8);
    this.translations.fill(-1);
    return made;
  }
  /** What the module has forgotten, the reader must forget. */
  private follow(): void {
    const generation = this.word(WORD.generation);
    if (generation !== this.generation) this.reader.flush();
    this.generation = generation;
  }

  flush(): void {
    this.translations.fill(-1);
    this.reader.flush();
  }
  changed(pa: number, length: number): void {
    this.text.changed(pa, length);
    this.flush();
  }
  refreshAttention(): void {
    this.made.refreshAttention();
  }
  mark(place: number): void {
    this.made.mark(place);
  }
  undo(place: number): void {
    this.made.undo(place);
    this.follow();
  }
}
