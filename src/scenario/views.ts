/** A running machine as unwinders see it, at whatever boundary it stands. */
import { segmentAt, symbolize } from '../image/image.ts';
import type { View } from '../unwind/view.ts';
import type { Execution } from './execution.ts';
import { isWithin, pageReader } from './page-reader.ts';

/** Registers that a row of ORC may count from. */
const COUNTED_FROM = ['rax', 'rdx', 'rdi', 'r10', 'r13'] as const;

export class Views {
  private readonly execution: Execution;
  /** Eight bytes of kernel memory; undefined where nothing is mapped. Page tables are taken to stay as they are. */
  readonly read: View['read'];
  private readonly isText: View['isText'];
  private readonly isEntryText: (address: bigint) => boolean;
  private readonly symbolize: (address: bigint) => string;

  constructor(execution: Execution) {
    const { image } = execution;
    this.execution = execution;
    const text = image.segments
      .filter(({ executable, user }) => executable && !user)
      .map(({ address, bytes }) => [address, address + BigInt(bytes.length)] as const);
    this.read = pageReader(execution.booted.machine, execution.booted.space, text);
    this.isText = (address) => isWithin(text, address);
    this.isEntryText = (address) => segmentAt(image, address)?.name === '.entry.text';
    this.symbolize = (address) => symbolize(image, address);
  }

  /** The state now. Its memory is the machine's: to be used before that goes on. */
  now(): View {
    const { booted, image, program } = this.execution;
    const { machine } = booted;
    return {
      rip: machine.get('rip'),
      rsp: machine.get('rsp'),
      rbp: machine.get('rbp'),
      cpl: machine.low('cpl'),
      read: this.read,
      stacks: program.design.stacks,
      isText: this.isText,
      isEntryText: this.isEntryText,
      registers: Object.fromEntries(COUNTED_FROM.map((name) => [name, machine.get(name)])),
      orc: image.orc,
      symbolize: this.symbolize,
    };
  }
}
