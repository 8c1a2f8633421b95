/** QEMU's gdb stub as a kernel needs it: registers by name, one step, physical memory, a stop at an address. */
import { Gdb } from '../../reference/qemu/gdb.ts';

/** Values by the names of QEMU's `target.xml`: `rax` to `r15`, `rip`, `eflags`, `cs`, `fs_base`, `k_gs_base`, `cr3`, `efer` ... */
export type QemuRegisters = Readonly<Record<string, bigint>>;

interface RegisterPlace {
  readonly name: string;
  /** In characters of the answer to `g`. */
  readonly from: number;
  readonly to: number;
}

/** What may take part in a single step: `quiet` neither timers nor interrupts, `events` interrupts (QEMU's `Qqemu.sstep`). */
export type StepKind = 'quiet' | 'events';
const STEP: Readonly<Record<StepKind, string>> = { quiet: '7', events: '5' };

/** Bytes of memory in one packet. */
const CHUNK = 1024;

export class KernelGdb {
  readonly #gdb: Gdb;
  readonly #places: readonly RegisterPlace[];

  private constructor(gdb: Gdb, places: readonly RegisterPlace[]) {
    this.#gdb = gdb;
    this.#places = places;
  }

  /** Connects, and reads how registers are laid out. @throws Error where there is no socket, or a description that cannot be read */
  static async open(path: string): Promise<KernelGdb> {
    const gdb = await Gdb.open(path);
    await gdb.ask('qSupported:xmlRegisters=i386');
    const places = await layout(gdb);
    const found = new KernelGdb(gdb, places);
    await found.#ok('Qqemu.PhyMemMode:1');
    return found;
  }

  async registers(): Promise<QemuRegisters> {
    const text = await this.#gdb.ask('g');
    return Object.fromEntries(
      this.#places.map(({ name, from, to }) => [
        name,
        BigInt(`0x${text.slice(from, to).match(/../g)?.reverse().join('') || 0}`),
      ]),
    );
  }

  /** @throws Error for a name that QEMU does not have, or a register that cannot be written */
  async setRegister(name: string, value: bigint): Promise<void> {
    const number = this.#places.findIndex((place) => place.name === name);
    const { from, to } = this.#places[number] ?? { from: 0, to: 0 };
    const bytes = value
      .toString(16)
      .padStart(to - from, '0')
      .match(/../g)
      ?.reverse()
      .join('');
    await this.#ok(`P${number.toString(16)}=${bytes}`);
  }

  /** One instruction, one iteration of a repeated one, or one delivery. */
  async step(): Promise<void> {
    await this.#stopped('s');
  }
  async stepWith(kind: StepKind): Promise<void> {
    await this.#ok(`Qqemu.sstep=0x${STEP[kind]}`);
  }
  /**
   * Runs until one of the addresses is executed.
   *
   * @param patience in milliseconds
   * @returns whether it came there; if not, it was stopped where it was, or is gone
   */
  async runTo(addresses: readonly bigint[], patience: number): Promise<boolean> {
    for (const address of addresses) await this.#ok(`Z1,${address.toString(16)},1`);
    let late = false;
    this.#gdb.send('c');
    const timer = setTimeout(() => {
      late = true;
      this.#gdb.halt();
    }, patience);
    const answer = await this.#gdb.answer();
    clearTimeout(timer);
    if (answer === '') return false;
    for (const address of addresses) await this.#ok(`z1,${address.toString(16)},1`);
    return !late;
  }

  /** Guest physical memory. */
  async readPhysical(from: number, length: number): Promise<Uint8Array> {
    const found = new Uint8Array(length);
    for (let done = 0; done < length; done += CHUNK) {
      const size = Math.min(CHUNK, length - done);
      const text = await this.#gdb.ask(`m${(from + done).toString(16)},${size.toString(16)}`);
      if (text.length !== 2 * size)
        throw new Error(`missing memory: 0x${(from + done).toString(16)} (${text})`);
      found.set(Buffer.from(text, 'hex'), done);
    }
    return found;
  }
  async writePhysical(to: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; done += CHUNK) {
      const part = Buffer.from(bytes.subarray(done, done + CHUNK));
      await this.#ok(`M${(to + done).toString(16)},${part.length.toString(16)}:${part.toString('hex')}`);
    }
  }

  /** A command of the monitor; what it says. */
  monitor(command: string): Promise<string> {
    return this.#gdb.asked(command);
  }
  close(): void {
    this.#gdb.close();
  }

  async #ok(packet: string): Promise<void> {
    const answer = await this.#gdb.ask(packet);
    if (answer !== 'OK') throw new Error(`${packet}: ${answer || 'no answer'}`);
  }
  async #stopped(packet: string): Promise<void> {
    const answer = await this.#gdb.ask(packet);
    if (!/^[ST]/.test(answer)) throw new Error(`${packet}: ${answer || 'QEMU is gone'}`);
  }
}

/** A part of the description of the target, with what it includes. */
async function described(gdb: Gdb, name: string): Promise<string> {
  let [text, more] = ['', true];
  while (more) {
    const answer = await gdb.ask(`qXfer:features:read:${name}:${text.length.toString(16)},7f0`);
    if (!/^[lm]/.test(answer)) throw new Error(`missing description of registers: ${name} (${answer})`);
    text += answer.slice(1);
    more = answer.startsWith('m');
  }
  return text;
}

async function layout(gdb: Gdb): Promise<readonly RegisterPlace[]> {
  const target = await described(gdb, 'target.xml');
  const [, first = ''] = /<xi:include href="([^"]+)"/.exec(target) ?? [];
  const core = (await described(gdb, first)).replace(/<!--[\s\S]*?-->/g, '');
  let at = 0;
  return [...core.matchAll(/<reg name="([^"]+)" bitsize="(\d+)"/g)].map(([, name = '', bits = '0']) => {
    const from = at;
    at += Number(bits) / 4;
    return { name, from, to: at };
  });
}
