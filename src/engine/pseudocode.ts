/** What a page shows of the semantics: the same functions that run, told as text. */
import type { Semantics, Shape } from '../isa/ops.ts';
import { NOT_MODELLED, type NotModelled, type StopReason } from '../isa/stop-reason.ts';
import { CASES } from '../isa/table/index.ts';
import { of, truth } from './backends/phrase.ts';
import { Printer } from './backends/print.ts';
import { Recorder } from './backends/record.ts';
import { boundary } from './events/boundary.ts';
import { executionBreakpoints, meetBreakpoints } from './events/debug.ts';
import { deliverByFred } from './events/fred.ts';
import { returnToSupervisor, returnToUser } from './events/fred-return.ts';
import { deliver } from './events/idt.ts';
import { returnFromInterrupt } from './events/iret.ts';
import { beforeInstruction, retire } from './events/shadows.ts';
import type { Event, MachineOps } from './machine-ops.ts';
import { EXPLANATIONS } from './not-modelled.ts';
import { translate } from './paging.ts';
import { INTEL, type Vendor } from './vendor.ts';

/** A semantics in one combination of operand kinds and widths, as the table lists them. */
export interface ShapedSemantics {
  readonly semantics: Semantics;
  readonly shape: Shape;
}

/** `named` makes a value out of a name, `truth` one that is 0 or 1. */
interface Names<V> {
  readonly named: (name: string) => V;
  readonly truth: (name: string) => V;
}
type Told = <V>(m: MachineOps<V>, names: Names<V>) => void;

/** Parts of the machine that have a text of their own. */
export const PARTS = {
  delivery: (m, names) => deliver(m, eventOf(names)),
  iret: (m) => returnFromInterrupt(m, 64),
  fred: (m, names) => deliverByFred(m, eventOf(names)),
  erets: (m) => returnToSupervisor(m),
  eretu: (m) => returnToUser(m),
  boundary: (m) => boundary(m),
  breakpoints: (m) => m.set('metBreakpoints', executionBreakpoints(m)),
  watchpoints: (m, { named }) => meetBreakpoints(m, named('va'), named('bytes'), named('rights')),
  after: (m, { truth }) =>
    retire(m, beforeInstruction(m), { keepsRf: truth('keeps_RF'), ownStep: truth('own_step') }),
  walk: (m, { named }) => {
    translate(m, named('va'), named('rights'));
  },
} as const satisfies Readonly<Record<string, Told>>;
export type Part = keyof typeof PARTS;

const eventOf = <V>({ named, truth }: Names<V>): Event<V> => ({
  vector: named('vector'),
  errorCode: named('error_code'),
  rip: named('return_rip'),
  fault: truth('fault'),
  software: truth('software'),
  machineCheck: truth('machine_check'),
  nmi: truth('nmi'),
});

function tell(part: Part, vendor: Vendor): readonly string[] {
  const printer = new Printer(vendor);
  PARTS[part](printer, { named: of, truth: (name) => truth(name) });
  return printer.text();
}

/** Lines of pseudo-code for one instruction in one shape. */
export function printShape({ semantics, shape }: ShapedSemantics): readonly string[] {
  const printer = new Printer();
  semantics(printer, shape);
  return printer.text();
}
/** Event delivery through the IDT, step by step (SDM vol 3, 6.14). */
export const printDelivery = (vendor: Vendor = INTEL): readonly string[] => tell('delivery', vendor);
/** IRETQ (SDM vol 2, IRET). */
export const printIret = (vendor: Vendor = INTEL): readonly string[] => tell('iret', vendor);
/** Event delivery by FRED (SDM vol 3, 8.3), and its returns, ERETS and ERETU (SDM vol 3, 8.4). */
export const printFredDelivery = (vendor: Vendor = INTEL): readonly string[] => tell('fred', vendor);
export const printErets = (vendor: Vendor = INTEL): readonly string[] => tell('erets', vendor);
export const printEretu = (vendor: Vendor = INTEL): readonly string[] => tell('eretu', vendor);
/** What is looked at between two instructions, in order, and what becomes of a delivery that faults. */
export const printBoundary = (vendor: Vendor = INTEL): readonly string[] => tell('boundary', vendor);
/** Which instruction breakpoints keep the instruction at RIP from being executed (SDM vol 3, 17.3.1.1). */
export const printBreakpoints = (vendor: Vendor = INTEL): readonly string[] => tell('breakpoints', vendor);
/** Which data breakpoints an access meets (SDM vol 3, 17.3.1.2). */
export const printWatchpoints = (vendor: Vendor = INTEL): readonly string[] => tell('watchpoints', vendor);
/** What follows an instruction that ran under TF, RF or a shadow. */
export const printAfterInstruction = (vendor: Vendor = INTEL): readonly string[] => tell('after', vendor);
/** The page walk (SDM vol 3, 4.5 to 4.7). */
export const printWalk = (vendor: Vendor = INTEL): readonly string[] => tell('walk', vendor);

/** One line each: what an instruction may read, write (and from what), raise, and stop for. */
export function recordShape({ semantics, shape }: ShapedSemantics): readonly string[] {
  const recorder = new Recorder();
  semantics(recorder, shape);
  return summary(recorder);
}
/** The same for a part of the machine. */
export function recordPart(part: Part): readonly string[] {
  const recorder = new Recorder();
  const source = (name: string): ReadonlySet<string> => new Set([name]);
  PARTS[part](recorder, { named: source, truth: source });
  return summary(recorder);
}

function summary({ reads, writes, raises, stops }: Recorder): readonly string[] {
  const list = (names: Iterable<string>): string => [...names].join(', ') || 'nothing';
  const edges = [...writes].map(
    ([place, sources]) => `${place} <- ${[...sources].join(' + ') || 'constant'}`,
  );
  return [
    `reads ${list(reads)}`,
    `writes ${edges.join('; ') || 'nothing'}`,
    `raises ${list(raises)}`,
    ...(stops.size > 0 ? [`stops ${list(stops)}`] : []),
  ];
}

/** A name the engine stops with, and what stops with it: mnemonics, or parts of the machine. */
export interface NotModelledBy {
  readonly name: NotModelled;
  /** One sentence. */
  readonly meaning: string;
  readonly by: readonly string[];
}

/** `outs` of `addr32 rep outs/8 m`: without prefixes, width, operands and the parentheses of what has no text. */
const mnemonicOf = (name: string): string =>
  name
    .replace(/^(addr32 |rep |repn?z )+/, '')
    .replace(/[/ ].*$/, '')
    .replace(/[()]/g, '');

/** Every `not modelled: NAME` that any instruction or part of the machine may stop with, by name. */
export function notModelled(): readonly NotModelledBy[] {
  const found = new Map<NotModelled, Set<string>>();
  const note = (stops: ReadonlySet<StopReason>, by: string): void => {
    for (const name of NOT_MODELLED)
      if (stops.has(`not modelled: ${name}`)) found.set(name, (found.get(name) ?? new Set()).add(by));
  };
  for (const { semantics, shape, name } of CASES) {
    const recorder = new Recorder();
    semantics(recorder, shape);
    note(recorder.stops, mnemonicOf(name));
  }
  for (const part of Object.keys(PARTS) as Part[]) {
    const recorder = new Recorder();
    const source = (name: string): ReadonlySet<string> => new Set([name]);
    PARTS[part](recorder, { named: source, truth: source });
    note(recorder.stops, part);
  }
  return [...found]
    .map(([name, by]) => ({ name, meaning: EXPLANATIONS[name], by: [...by].sort() }))
    .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}
