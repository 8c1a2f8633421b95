/**
 * From hints and code to ORC rows: a walk over all paths of an image's kernel text, as tools/objtool/check.c and orc_gen.c
 * do it (read at 5.18 and at 6.17). It starts at every function with nothing but a return address on the stack, and at every
 * hint with what the hint says; where two paths meet they must agree; what none reaches is told.
 *
 * Not modelled: jump tables, return thunks, and lists of functions that never return.
 */
import type { Problem } from '../../asm/source.ts';
import {
  type Alternative,
  type Image,
  lineAt,
  type Segment,
  segmentAt,
  symbolAt,
  type UnwindHint,
} from '../../image/image.ts';
import { type OrcRow, OrcTable } from '../../image/orc.ts';
import { type DecodeProblem, decode } from '../../isa/decode.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { afterOp, type Cfi, declared, FUNCTION, isUnchanged, mismatch, rowOf } from './cfi.ts';
import { flowOf, stackOps } from './stack-op.ts';

export interface Checked {
  readonly rows: readonly OrcRow[];
  /** In the order of addresses, each with its place in the text. */
  readonly warnings: readonly Problem[];
}

/** A path that is still to be walked. */
interface Path {
  readonly address: bigint;
  readonly cfi: Cfi;
  /** First instruction of the function it began in; undefined for entry code. */
  readonly func: bigint | undefined;
  /** The alternative whose bytes are read, within its range. */
  readonly alternative: Alternative | undefined;
}

const NOP = 0x90;
/** Longer than any instruction. */
const FETCHED = 16;

class Walk {
  readonly #image: Image;
  readonly #code: readonly Segment[];
  readonly #hints: ReadonlyMap<bigint, UnwindHint>;
  readonly #saves: ReadonlySet<bigint>;
  readonly #functions: Set<bigint>;
  readonly #warnings = new Map<string, { readonly address: bigint; readonly problem: Problem }>();
  /** Shapes by address, and the places where one path has come by already, per alternative. */
  readonly #shapes = new Map<bigint, Cfi>();
  readonly #visited = new Set<string>();
  readonly #todo: Path[] = [];

  constructor(image: Image) {
    this.#image = image;
    this.#code = image.segments.filter(({ executable, user }) => executable && !user);
    const hints = image.hints ?? [];
    this.#hints = new Map(hints.filter(({ kind }) => kind !== 'save').map((hint) => [hint.address, hint]));
    this.#saves = new Set(hints.filter(({ kind }) => kind === 'save').map(({ address }) => address));
    this.#functions = new Set(image.functions?.filter((one) => this.#isCode(one)));
  }

  run(): Checked {
    for (const func of this.#functions) this.#begin(func, FUNCTION, func);
    for (const { address } of this.#hints.values()) this.#begin(address, FUNCTION, undefined);
    const rows = this.#rows();
    const warnings = [...this.#warnings.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
    return { rows, warnings: warnings.map(({ problem }) => problem) };
  }

  #begin(address: bigint, cfi: Cfi, func: bigint | undefined): void {
    const hinted = this.#hints.get(address);
    if (func === undefined && (hinted?.kind === 'restore' || this.#shapes.has(address))) return;
    this.#todo.push({
      address,
      cfi,
      func: hinted && hinted.kind !== 'func' ? undefined : func,
      alternative: undefined,
    });
    for (let path = this.#todo.pop(); path; path = this.#todo.pop()) {
      let next: Path | undefined = path;
      while (next) next = this.#step(next);
    }
  }

  #isCode(address: bigint): boolean {
    return this.#code.includes(segmentAt(this.#image, address) as Segment);
  }

  #warn(address: bigint, message: string): void {
    const origins = lineAt(this.#image, address)?.origins ?? [
      { page: this.#name(address), line: 0, column: 0 },
    ];
    const [place, ...via] = origins as readonly [Problem, ...Problem[]];
    const problem = {
      page: place.page,
      line: place.line,
      column: place.column,
      message,
      ...(via.length > 0 && { via }),
    };
    const key = `${address} ${message}`;
    if (!this.#warnings.has(key)) this.#warnings.set(key, { address, problem });
  }

  #name(address: bigint): string {
    return symbolAt(this.#image, address)?.name ?? `0x${address.toString(16)}`;
  }

  #fetch(address: bigint, alternative: Alternative | undefined): Instruction | DecodeProblem {
    if (alternative) {
      const at = Number(address - alternative.address);
      const bytes = new Uint8Array(alternative.length + FETCHED).fill(NOP);
      bytes.set(alternative.bytes.subarray(0, alternative.length));
      return decode(bytes, at);
    }
    const segment = segmentAt(this.#image, address) as Segment;
    return decode(segment.bytes, Number(address - segment.address));
  }

  /** One instruction of a path. The rest of the path, or undefined where it ends. */
  #step({ address, cfi: arriving, func, alternative }: Path): Path | undefined {
    if (!this.#isCode(address)) {
      if (arriving.base !== 'undefined') this.#warn(address - 1n, 'control runs off the end of the code');
      return undefined;
    }
    const hint = this.#hints.get(address);
    const cfi = hint ? this.#hinted(hint, arriving) : arriving;
    const key = `${address} ${alternative ? this.#image.alternatives?.indexOf(alternative) : ''}`;
    const before = this.#visited.has(key);
    const other = this.#shapes.get(address);
    const conflict = hint || !other ? undefined : mismatch(other, cfi);
    if (conflict !== undefined) {
      this.#warn(
        address,
        `${before ? 'stack state mismatch' : 'stack layout conflict in alternatives'}: ${conflict}`,
      );
      return undefined;
    }
    if (before) return undefined;
    this.#visited.add(key);
    if (!other) this.#shapes.set(address, cfi);

    for (const one of alternative ? [] : (this.#image.alternatives ?? []))
      if (one.address === address) this.#todo.push({ address, cfi, func, alternative: one });

    const instruction = this.#fetch(address, alternative);
    if ('problem' in instruction) {
      this.#warn(address, `cannot be decoded: ${instruction.problem}`);
      return undefined;
    }
    const next = address + BigInt(instruction.length);
    const behind = this.#operate(address, next, cfi, func, instruction);
    return behind && this.#flow({ address, cfi: behind, func, alternative }, next, instruction);
  }

  #hinted(hint: UnwindHint, arriving: Cfi): Cfi {
    if (hint.kind === 'func') return FUNCTION;
    if (hint.kind !== 'restore')
      return declared(hint.base, hint.offset, hint.kind as Cfi['type'], hint.signal);
    const saves = [...this.#saves].filter((one) => one < hint.address);
    const save = saves.reduce((last, one) => (one > last ? one : last), 0n);
    const kept = this.#shapes.get(save);
    if (!kept)
      this.#warn(hint.address, 'UNWIND_HINT_RESTORE without an UNWIND_HINT_SAVE that was walked before it');
    return kept ?? arriving;
  }

  #operate(
    address: bigint,
    next: bigint,
    from: Cfi,
    func: bigint | undefined,
    instruction: Instruction,
  ): Cfi | undefined {
    let cfi = from;
    for (const op of stackOps(instruction)) {
      if (cfi.base === 'undefined' && func !== undefined) {
        this.#warn(address, 'undefined stack state: a function changes a stack that nobody knows');
        return undefined;
      }
      const behind = afterOp(cfi, op);
      if (typeof behind !== 'string') cfi = behind;
      else if (!this.#hints.has(next)) {
        this.#warn(address, `unsupported change of the stack pointer: ${behind}`);
        return undefined;
      }
    }
    return cfi;
  }

  #flow({ address, cfi, func, alternative }: Path, next: bigint, instruction: Instruction): Path | undefined {
    const inside = alternative && next < alternative.address + BigInt(alternative.length);
    const rest: Path = { address: next, cfi, func, alternative: inside ? alternative : undefined };
    const direct = instruction.shape.a.kind === 'j';
    const target = BigInt.asUintN(64, next + instruction.distance);
    const flow = flowOf(instruction);
    switch (flow) {
      case 'call':
        if (direct && this.#isCode(target) && !this.#hints.has(target) && !this.#functions.has(target)) {
          this.#functions.add(target);
          this.#todo.push({ address: target, cfi: FUNCTION, func: target, alternative: undefined });
        }
        return this.#into(rest, address);
      case 'jump':
      case 'branch':
        if (direct) this.#jump(target, rest, address);
        else if (func !== undefined && !isUnchanged(cfi))
          this.#warn(address, 'a function is left by a jump with its stack frame in place');
        return flow === 'branch' ? this.#into(rest, address) : undefined;
      case 'return':
        if (func !== undefined && !isUnchanged(cfi))
          this.#warn(
            address,
            'return with modified stack frame: RSP or a saved register is not as it was at the beginning',
          );
        return undefined;
      case 'switch':
        if (func !== undefined && !this.#hints.has(next))
          this.#warn(address, `unsupported instruction in a function: ${instruction.row.mnemonic}`);
        return this.#comesBack(next) ? rest : undefined;
      case 'dead-end':
        return this.#comesBack(next) ? rest : undefined;
      case 'next':
        return this.#into(rest, address);
    }
  }

  /** Whether control leads away and comes back to the next instruction: UD2 of a WARN, IRETQ to the next line. The hint says so. */
  #comesBack(next: bigint): boolean {
    return this.#hints.get(next)?.kind === 'restore';
  }

  /** On to the next instruction, unless another function begins there. */
  #into(path: Path, from: bigint): Path | undefined {
    const { address, func } = path;
    if (func === undefined || func === address || !this.#functions.has(address)) return path;
    this.#warn(from, `${this.#name(func)} runs on into the function ${this.#name(address)}`);
    return undefined;
  }

  #jump(target: bigint, path: Path, from: bigint): void {
    const { func, cfi } = path;
    if (!this.#isCode(target)) this.#warn(from, `a jump out of the code, to 0x${target.toString(16)}`);
    else if (func !== undefined && this.#functions.has(target) && target !== func) {
      // The other function returns to this one's caller, which must find the stack as it left it.
      if (!isUnchanged(cfi))
        this.#warn(from, `a jump to the function ${this.#name(target)} with a stack frame in place`);
    } else {
      const { alternative } = path;
      const end = (alternative?.address ?? 0n) + BigInt(alternative?.length ?? 0);
      const inside = alternative && target >= alternative.address && target < end;
      this.#todo.push({ ...path, address: target, alternative: inside ? alternative : undefined });
    }
  }

  /** One row for each change, from section to section; what no path reaches has none, and nor has what follows a section. */
  #rows(): readonly OrcRow[] {
    const rows: OrcRow[] = [];
    const unreached: bigint[] = [];
    for (const { address: begin, bytes } of this.#code) {
      const end = begin + BigInt(bytes.length);
      let last: OrcRow | undefined;
      let told = false;
      const add = (row: OrcRow): void => {
        if (!last || !alike(last, row)) rows.push(row);
        last = row;
      };
      for (const { address, length } of this.#statements(begin, end)) {
        const cfi = this.#shapes.get(address);
        add(rowOf(address, cfi));
        if (cfi) told = false;
        else if (!told && !this.#isFiller(address)) {
          unreached.push(address);
          told = true;
        }
        // Within an alternative, other instructions may begin where these do not.
        for (let at = address + 1n; at < address + BigInt(length); at++) {
          const inner = this.#shapes.get(at);
          if (inner) add(rowOf(at, inner));
        }
      }
      if (last) rows.push(rowOf(end, undefined));
    }
    // A walk that was given up reaches nothing behind that: only a clean one can tell.
    if (this.#warnings.size === 0)
      for (const address of unreached)
        this.#warn(address, 'unreachable instruction: no function and no hint leads here');
    return rows;
  }

  /** Instructions of the text, in order: those that were assembled, and those that were walked. */
  *#statements(begin: bigint, end: bigint): Generator<{ readonly address: bigint; readonly length: number }> {
    const lengths = new Map<bigint, number>();
    for (const { address, kind } of this.#image.statements ?? [])
      if (address !== undefined && kind === 'instruction')
        lengths.set(address, lineAt(this.#image, address)?.length ?? 1);
    for (const address of this.#shapes.keys()) {
      if (lengths.has(address)) continue;
      const found = segmentAt(this.#image, address) && this.#fetch(address, undefined);
      if (this.#visited.has(`${address} `))
        lengths.set(address, found && 'length' in found ? found.length : 1);
    }
    let expected = begin;
    const addresses = [...lengths.keys()].filter((one) => one >= begin && one < end);
    for (const address of addresses.sort((a, b) => (a < b ? -1 : 1))) {
      const length = lengths.get(address) ?? 1;
      // Bytes that nobody runs: padding, or data.
      if (address > expected) yield { address: expected, length: Number(address - expected) };
      yield { address, length };
      expected = address + BigInt(length);
    }
  }

  #isFiller(address: bigint): boolean {
    const found = this.#fetch(address, undefined);
    if ('problem' in found) return true;
    return ['nop', 'int3', 'ud2'].includes(found.row.mnemonic) || !this.#isInstruction(address);
  }

  #isInstruction(address: bigint): boolean {
    return (
      this.#image.statements?.some((one) => one.address === address && one.kind === 'instruction') ?? false
    );
  }
}

const alike = (a: OrcRow, b: OrcRow): boolean =>
  a.base === b.base &&
  a.offset === b.offset &&
  a.bpBase === b.bpBase &&
  a.bpOffset === b.bpOffset &&
  a.type === b.type &&
  a.signal === b.signal;

/** Rows and warnings of an image. Never throws for what code does, and always ends: each instruction is walked once. */
export const checkStacks = (image: Image): Checked => new Walk(image).run();

/** The image with its rows, where its text has said anything about stacks. */
export function withOrc(image: Image): Image {
  if (image.orc || (image.hints ?? []).length === 0) return image;
  return { ...image, orc: new OrcTable(checkStacks(image).rows) };
}
