/** Decoded text in linear memory: one record an instruction, written when the interpreter asks for it. */
import { decode } from '../../../isa/decode.ts';
import type { Instruction } from '../../../isa/instruction.ts';
import { FRAME_FLAG, FRAME_FLAGS, FRAMES, offsetOf, PAGE_SIZE } from '../../layout.ts';
import { type Fetched, LONGEST, prepare } from '../fetch.ts';
import { ADDR32, CROSSING, caseNumber, LINK, UNRESOLVED } from './cases.ts';
import {
  NOWHERE,
  RECORD,
  RECORD_COUNT,
  RECORD_SIZE,
  RECORDS,
  SHORT_BIT,
  TABLE_COUNT,
  TABLE_OF,
  TABLE_SIZE,
  TABLES,
  WORD,
} from './layout.ts';

/** The most records that one instruction can need: its own, the one behind, its target or the parts of its address. */
const NEEDED = 3;

type Address = Pick<Fetched, 'base' | 'index' | 'scale' | 'displacement' | 'ripRelative'>;
/** The base is what `ADDR32` has computed. */
const SHORT_ADDRESS: Address = {
  base: WORD.shortAddress,
  index: offsetOf.zero,
  scale: 1n << BigInt(SHORT_BIT),
  displacement: 0n,
  ripRelative: false,
};

export class Text {
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly forget: () => void;
  /** Frames whose instructions are kept. */
  private readonly frames: number[] = [];
  /** Records that stand for places outside the page they are used in, by distance from that page. */
  private readonly outside = new Map<bigint, number>();
  /** Records that were written, and the place that the record behind each stands for. */
  private readonly ends = new Map<number, number>();
  /** Branches and links to places that were not decoded yet, by the record of the place. */
  private readonly leading = new Map<number, number[]>();
  /** Taken from the first on, in a row where instructions follow on each other; and what only branches lead to, from the last. */
  private records = 0;
  private far = 0;

  /** @param forget forgets all translations */
  constructor(memory: WebAssembly.Memory, forget: () => void) {
    this.view = new DataView(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.forget = forget;
    this.clear(NOWHERE, 0n);
  }

  /**
   * Decode the instruction at physical address `pa`. `next` gives the physical address of the page behind
   * it, or -1; it is asked only if the instruction may reach so far. Returns whether there is one.
   */
  decode(pa: number, next: () => number): boolean {
    const room = PAGE_SIZE - (pa % PAGE_SIZE);
    const here = this.bytes.subarray(FRAMES + pa, FRAMES + pa + Math.min(room, LONGEST));
    const found = decode(here);
    if (!('problem' in found)) return this.write(pa, found, undefined);
    if (found.problem !== 'truncated' || room >= LONGEST) return false;
    const second = next();
    if (second < 0) return false;
    const whole = new Uint8Array(LONGEST);
    whole.set(here);
    whole.set(this.bytes.subarray(FRAMES + second, FRAMES + second + LONGEST - room), room);
    const crossing = decode(whole);
    return !('problem' in crossing) && this.write(pa, crossing, second);
  }

  /** Bytes were changed from outside: what was decoded from them is void. */
  changed(pa: number, length: number): void {
    for (let at = pa - (pa % 8); at < pa + length; at += 8) {
      const frame = Math.floor(at / PAGE_SIZE);
      if (((this.bytes[FRAME_FLAGS + frame] ?? 0) & FRAME_FLAG.text) === 0) {
        at = (frame + 1) * PAGE_SIZE - 8;
        continue;
      }
      const table = this.view.getUint32(TABLE_OF + frame * 4, true);
      const offset = at % PAGE_SIZE;
      for (let byte = Math.max(offset - LONGEST + 1, 0); byte < offset + 8; byte++) {
        const record = this.view.getUint32(table + byte * 4, true);
        if (record !== 0) this.view.setUint32(record + RECORD.case, UNRESOLVED, true);
      }
      if (offset < LONGEST)
        this.view.setUint32(WORD.headStores, this.view.getUint32(WORD.headStores, true) + 1, true);
    }
  }

  private write(pa: number, instruction: Instruction, second: number | undefined): boolean {
    const number = caseNumber(instruction.shape);
    if (number === undefined) return false;
    if (this.records + this.far + NEEDED > RECORD_COUNT || this.frames.length + 2 > TABLE_COUNT) this.reset();
    const frame = Math.floor(pa / PAGE_SIZE);
    const offset = pa % PAGE_SIZE;
    const table = this.tableOf(frame);
    const secondTable = second === undefined ? 0 : this.tableOf(Math.floor(second / PAGE_SIZE));
    const end = offset + instruction.length;
    const at = this.rowAt(table, offset, end);
    const { view } = this;
    const operands = prepare(instruction, this.bytes);
    const word32 = (field: number, value: number): void => view.setUint32(at + field, value, true);
    const word16 = (field: number, value: number): void => view.setUint16(at + field, value, true);
    const short = operands.memory && operands.addressWidth === 32;
    const own = short ? ADDR32 : number;
    word32(RECORD.case, second === undefined ? own : CROSSING);
    view.setUint8(at + RECORD.rights, operands.rights);
    view.setUint8(at + RECORD.noTrack, operands.noTrack ? 1 : 0);
    for (const slot of ['a', 'b', 'c'] as const) word16(RECORD[slot], operands.registers[slot] ?? 0);
    word16(RECORD.segment, operands.segment);
    view.setUint8(at + RECORD.length, instruction.length);
    word16(RECORD.inner, own);
    word32(RECORD.second, secondTable);
    word32(RECORD.headStores, view.getUint32(WORD.headStores, true));
    view.setBigUint64(at + RECORD.immediate, instruction.immediate, true);
    if (short) {
      const parts = this.takeFar(0n);
      this.address(parts, operands, end);
      view.setUint16(parts + RECORD.inner, number, true);
      this.address(at, SHORT_ADDRESS, end);
      word32(RECORD.target, parts);
    } else {
      this.address(at, operands, end);
      this.lead(at, this.place(table, BigInt(end) + instruction.distance));
    }
    return true;
  }
  /** The parts of an address but its segment; one relative to RIP counts from the page. */
  private address(
    record: number,
    { base, index, scale, displacement, ripRelative }: Address,
    end: number,
  ): void {
    const { view } = this;
    view.setUint16(record + RECORD.base, ripRelative ? WORD.textPage : base, true);
    view.setUint16(record + RECORD.index, index, true);
    view.setUint8(record + RECORD.scale, Number(scale));
    const from = ripRelative ? displacement + BigInt(end) : displacement;
    view.setBigUint64(record + RECORD.displacement, BigInt.asUintN(64, from), true);
  }

  /** The record of a place that a branch leads to, counted from the page of a frame. */
  private place(table: number, offset: bigint): number {
    if (offset >= 0n && offset < BigInt(PAGE_SIZE)) {
      const known = this.known(table, Number(offset)) || this.takeFar(offset);
      this.view.setUint32(table + Number(offset) * 4, known, true);
      return known;
    }
    const known = this.outside.get(offset) ?? this.takeFar(offset);
    this.outside.set(offset, known);
    return known;
  }
  private known(table: number, offset: number): number {
    return offset < PAGE_SIZE ? this.view.getUint32(table + offset * 4, true) : 0;
  }
  /**
   * The record for an instruction, with one behind it that stands for its end. A record that has something else behind it
   * becomes a link to a new one.
   */
  private rowAt(table: number, offset: number, end: number): number {
    const old = this.known(table, offset);
    if (old !== 0 && this.ends.get(old) === end) return old;
    const last = RECORDS + (this.records - 1) * RECORD_SIZE;
    const at = old === last && !this.ends.has(old) ? old : this.take(BigInt(offset));
    this.ends.set(at, end);
    if (at !== old) {
      this.view.setUint32(table + offset * 4, at, true);
      for (const one of this.leading.get(old) ?? [])
        if (this.view.getUint32(one + RECORD.target, true) === old) this.lead(one, at);
      this.leading.delete(old);
      if (old !== 0) this.link(old, at);
    }
    const behind = this.take(BigInt(end));
    const there = this.known(table, end);
    if (there !== 0) this.link(behind, there);
    else if (end < PAGE_SIZE) this.view.setUint32(table + end * 4, behind, true);
    return at;
  }
  private link(from: number, to: number): void {
    this.view.setUint32(from + RECORD.case, LINK, true);
    this.lead(from, to);
  }
  /** What leads to a record that is not written yet is told when that becomes a link. */
  private lead(from: number, to: number): void {
    this.view.setUint32(from + RECORD.target, to, true);
    if (this.ends.has(to)) return;
    const leading = this.leading.get(to) ?? [];
    leading.push(from);
    this.leading.set(to, leading);
  }
  private take(offset: bigint): number {
    const at = RECORDS + this.records++ * RECORD_SIZE;
    this.clear(at, offset);
    return at;
  }
  private takeFar(offset: bigint): number {
    const at = RECORDS + (RECORD_COUNT - ++this.far) * RECORD_SIZE;
    this.clear(at, offset);
    return at;
  }
  private clear(at: number, offset: bigint): void {
    this.bytes.fill(0, at, at + RECORD_SIZE);
    this.view.setUint32(at + RECORD.case, UNRESOLVED, true);
    this.view.setBigInt64(at + RECORD.offset, offset, true);
  }
  /** The table of a frame. A frame that had none may be cached as one to write to. */
  private tableOf(frame: number): number {
    const known = this.view.getUint32(TABLE_OF + frame * 4, true);
    if (known !== 0) return known;
    const table = TABLES + this.frames.length * TABLE_SIZE;
    this.frames.push(frame);
    this.bytes.fill(0, table, table + TABLE_SIZE);
    this.view.setUint32(TABLE_OF + frame * 4, table, true);
    this.bytes[FRAME_FLAGS + frame] = (this.bytes[FRAME_FLAGS + frame] ?? 0) | FRAME_FLAG.text;
    this.forget();
    return table;
  }
  /** Begin anew when the tables or records are used up. The first table that is made then forgets all translations. */
  private reset(): void {
    for (const frame of this.frames) {
      this.view.setUint32(TABLE_OF + frame * 4, 0, true);
      this.bytes[FRAME_FLAGS + frame] = (this.bytes[FRAME_FLAGS + frame] ?? 0) & ~FRAME_FLAG.text;
    }
    this.frames.length = 0;
    this.outside.clear();
    this.ends.clear();
    this.leading.clear();
    this.records = 0;
    this.far = 0;
  }
}
