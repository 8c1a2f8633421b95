/** As much of gdb's remote protocol as it takes to stop QEMU in front of an instruction and to pass on monitor commands. */
import { connect, type Socket } from 'node:net';

export class Gdb {
  private readonly socket: Socket;
  private text = '';
  private wake: () => void = () => undefined;
  private closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.wake();
    });
    const close = (): void => {
      this.closed = true;
      this.wake();
    };
    socket.on('close', close);
    socket.on('error', close);
  }

  /** Connects to a socket that may not be there yet. @throws Error when it never comes */
  static async open(path: string): Promise<Gdb> {
    for (let tries = 0; tries < 100; tries++) {
      const socket = await new Promise<Socket | undefined>((done) => {
        const one = connect(path, () => done(one));
        one.once('error', () => done(undefined));
      });
      if (socket) return new Gdb(socket);
      await pause(50);
    }
    throw new Error(`missing socket: ${path}`);
  }

  /** Sends a packet and takes its answer. */
  async ask(packet: string): Promise<string> {
    this.send(packet);
    return this.answer();
  }
  /** Goes on running; `answer` waits for the next stop. */
  send(packet: string): void {
    const sum = [...packet].reduce((all, one) => (all + one.charCodeAt(0)) & 0xff, 0);
    this.socket.write(`$${packet}#${sum.toString(16).padStart(2, '0')}`);
  }
  /** A command of QEMU's monitor that has nothing to say. @throws Error with what it said all the same */
  async monitor(command: string): Promise<void> {
    const said = (await this.asked(command)).trim();
    if (said !== '') throw new Error(`${command}: ${said}`);
  }
  /** A command of QEMU's monitor, and its output, which comes before the answer. */
  async asked(command: string): Promise<string> {
    let [said, found] = ['', await this.ask(`qRcmd,${Buffer.from(command).toString('hex')}`)];
    while (found.startsWith('O') && found !== 'OK') {
      said += Buffer.from(found.slice(1), 'hex').toString();
      found = await this.answer();
    }
    return said;
  }
  /** Stops a processor that runs or is halted; the answer to what made it run comes then. */
  halt(): void {
    this.socket.write('\x03');
  }
  async interrupt(): Promise<void> {
    this.halt();
    await this.answer();
  }
  close(): void {
    this.socket.destroy();
  }

  /** The next packet; empty once the other end has gone. */
  async answer(): Promise<string> {
    while (true) {
      const found = /^[^$]*\$([^#]*)#[0-9a-f]{2}/.exec(this.text);
      if (found) {
        this.text = this.text.slice(found[0].length);
        this.socket.write('+');
        return found[1] ?? '';
      }
      if (this.closed) return '';
      await new Promise<void>((done) => {
        this.wake = done;
      });
    }
  }
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((done) => setTimeout(done, milliseconds));
