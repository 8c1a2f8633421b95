import { suggestion } from '../../asm/suggest.ts';
import { type Kernel, openKernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import type { Answer, Asked } from '../kernel/answer.ts';
import { capsule } from '../kernel/capsule.ts';
import { nodeDecompressors } from '../kernel/decompressors.ts';
import { disasm } from '../kernel/disasm.ts';
import { info } from '../kernel/info.ts';
import { orc } from '../kernel/orc.ts';
import { symbols } from '../kernel/symbols.ts';
import { args, type Command, isFile, json, readInput, refuse } from './command.ts';

interface Action {
  readonly name: string;
  /** Whether one stands behind it; `many` have more behind that. */
  readonly argument: 'none' | 'optional' | 'needed' | 'many';
  /** What its argument is, and how all is written. */
  readonly what?: string;
  readonly usage?: string;
  readonly answer: (kernel: Kernel, asked: Asked) => Answer | Promise<Answer>;
}

/** What runs a kernel brings the whole engine, and is loaded when it is asked for. */
const ACTIONS: readonly Action[] = [
  { name: 'info', argument: 'none', answer: info },
  { name: 'symbols', argument: 'optional', answer: symbols },
  { name: 'disasm', argument: 'needed', answer: disasm },
  { name: 'orc', argument: 'needed', answer: orc },
  {
    name: 'run',
    argument: 'none',
    answer: async (...given) => (await import('../kernel/run.ts')).run(...given),
  },
  {
    name: 'sweep',
    argument: 'none',
    answer: async (...given) => (await import('../kernel/sweep.ts')).sweep(...given),
  },
  { name: 'capsule', argument: 'many', what: 'file', usage: 'FILE capsule OUT SYMBOL...', answer: capsule },
  {
    name: 'diff',
    argument: 'needed',
    what: 'other kernel',
    usage: 'FILE diff OTHER',
    answer: async (...given) => (await import('../kernel/diff.ts')).diff(...given),
  },
];

const OPTIONS = {
  json: { type: 'boolean' },
  features: { type: 'string' },
  orc: { type: 'boolean' },
  path: { type: 'string' },
  event: { type: 'string' },
  events: { type: 'string' },
  at: { type: 'string' },
  user: { type: 'boolean' },
  cut: { type: 'string' },
  sweep: { type: 'boolean' },
} as const;

/** Says on a terminal what is being done; an empty text wipes the line. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${text === '' ? '' : `${text} ...`}\x1b[K`);
};

/** A kernel, or a sentence why it cannot be opened. */
async function opened(file: string): Promise<Kernel | { readonly problem: string }> {
  if (file !== '-' && !isFile(file)) return { problem: `unknown file: ${file}` };
  const found = await openKernel(readInput(file), nodeDecompressors, progress);
  progress('');
  return isProblem(found) ? { problem: fileProblemText(found) } : found;
}

/** Arguments of one command: as many symbols as anybody names. */
const MOST = 100;

export const kernel: Command = {
  name: 'kernel',
  summary: 'opens a real kernel: what it is, its symbols, code and ORC rows',
  usage:
    'kernel FILE info|symbols [NAME]|disasm SYMBOL|orc SYMBOL|run|sweep|capsule OUT SYMBOL...|diff OTHER [--features LIST] [--orc] [--sweep] [--json]',
  help: [
    'FILE is a .deb, a vmlinuz, a vmlinux or a capsule, for x86-64; - is standard input. Nothing of it is sent anywhere.',
    '',
    'info             version, build id, unwinder, interrupt stacks, mitigations, and what will not run',
    'symbols [NAME]   all symbols, or those whose name holds NAME',
    'disasm SYMBOL    the code of a routine; SYMBOL may be an address in hexadecimal',
    'orc SYMBOL       its ORC rows',
    'run              brings it up without a boot, delivers a quiet NMI through its own entry code and back, and asks the ORC unwinder',
    '                 at every boundary; --event mc, db or pf delivers another one, --path syscall makes a system call',
    'sweep            lets each of --events (nmi,mc,db,pf unless told; nmi+mc is two, one after the other) strike at every boundary of',
    '                 --path where it can occur, and prints what does not return with the run that shows it',
    'capsule OUT SYMBOL...',
    '                 writes the pages, symbols and rows of these routines to a small file, which opens like the kernel, here and on',
    '                 the page; gunzip makes an ELF file of it, which other programs read. It holds code under the licence of the kernel',
    'diff OTHER       the entry code of two kernels: instructions, ORC rows, alternatives; with --sweep also the verdicts of a sweep of',
    '                 each, as sweep makes it, side by side where both run the same instruction',
    '',
    "--features  names as in /proc/cpuinfo, and the kernel's own: pti,pcid,smap,fsgsbase,kernel_ibrs,unret; disasm then shows",
    '            the text as it is after boot on such a processor, not as it was linked: alternatives, returns, calls through',
    '            registers, nops for tracing. rethunk, retpoline and bug_its choose thunks; up takes LOCK prefixes out. Static keys',
    '            and calls are as linked. A number may be given as 11*32+4; none is a processor without any',
    '--orc       disasm shows the ORC rows beside the code',
    '--user      run, sweep, diff: the event interrupts user mode',
    '--event E --at SYMBOL+0x9',
    '            run: E (nmi, mc, db, pf) strikes there while --path (nmi, unless told) is under way; SYMBOL+0x9#2 is the second time',
    '            that control comes there, b37 is a boundary; lists go with lists',
    '--cut LIST  run, sweep, diff: functions that return at once; none for nothing. Unless told, those that look for the cause of an event',
    '--json      info: {version, buildId, unwinder, ...}; symbols: [{name, type, address}]; disasm: {symbol, text, rows};',
    '            orc: {symbol, format, rows}; run: {verdict, steps, cut, unwound, ...};',
    '            sweep: {runs, outcomes, boundaries: [{at, verdicts}], findings, unwound, ...}; diff: {same, routines, differences, sweep}',
    '',
    'Exit status: 0 found, returned, or the same; 1 no symbol is called so, not returned, or not the same; 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, OPTIONS, MOST);
    if (!parsed) return 2;
    const [file, name, argument, ...more] = parsed.positionals;
    if (file === undefined) return refuse('missing file: lab kernel FILE info') ?? 2;
    const names = ACTIONS.map((one) => one.name).join(', ');
    if (name === undefined) return refuse(`missing action: lab kernel FILE ACTION (there is ${names})`) ?? 2;
    const action = ACTIONS.find((one) => one.name === name);
    if (!action)
      return (
        refuse(
          `unknown action: ${name}${suggestion(
            name,
            ACTIONS.map((one) => one.name),
          )} (there is ${names})`,
        ) ?? 2
      );
    const { argument: takes, what = 'symbol' } = action;
    if ((takes === 'needed' || takes === 'many') && argument === undefined)
      return refuse(`missing ${what}: lab kernel ${action.usage ?? `FILE ${name} SYMBOL`}`) ?? 2;
    const unknown = takes === 'none' ? argument : takes === 'many' ? undefined : more[0];
    if (unknown !== undefined) return refuse(`unknown argument: ${unknown}`) ?? 2;

    const found = await opened(file);
    if ('problem' in found) return refuse(found.problem) ?? 2;
    const answer = await action.answer(found, {
      argument,
      more,
      features: parsed.values.features,
      options: parsed.values,
      progress,
      orc: parsed.values.orc ?? false,
      open: opened,
    });
    if ('problem' in answer) return refuse(answer.problem) ?? (answer.notFound ? 1 : 2);
    if (parsed.values.json) console.log(json(answer.value));
    else console.log(answer.lines.join('\n'));
    return answer.failed ? 1 : 0;
  },
};
