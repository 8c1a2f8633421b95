import { suggestion } from '../../asm/suggest.ts';
import { type Kernel, openKernel } from '../../image/kernel-file.ts';
import { fileProblemText, isProblem } from '../../image/reading.ts';
import type { Answer, Asked } from '../kernel/answer.ts';
import { nodeDecompressors } from '../kernel/decompressors.ts';
import { disasm } from '../kernel/disasm.ts';
import { info } from '../kernel/info.ts';
import { orc } from '../kernel/orc.ts';
import { run } from '../kernel/run.ts';
import { sweep } from '../kernel/sweep.ts';
import { symbols } from '../kernel/symbols.ts';
import { args, type Command, isFile, json, readInput, refuse } from './command.ts';

interface Action {
  readonly name: string;
  readonly argument: 'none' | 'optional' | 'needed';
  readonly answer: (kernel: Kernel, asked: Asked) => Answer;
}

const ACTIONS: readonly Action[] = [
  { name: 'info', argument: 'none', answer: info },
  { name: 'symbols', argument: 'optional', answer: symbols },
  { name: 'disasm', argument: 'needed', answer: disasm },
  { name: 'orc', argument: 'needed', answer: orc },
  { name: 'run', argument: 'none', answer: run },
  { name: 'sweep', argument: 'none', answer: sweep },
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
} as const;

/** Says on a terminal what is being done; an empty text wipes the line. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${text === '' ? '' : `${text} ...`}\x1b[K`);
};

export const kernel: Command = {
  name: 'kernel',
  summary: 'opens a real kernel: what it is, its symbols, code and ORC rows',
  usage: 'kernel FILE info|symbols [NAME]|disasm SYMBOL|orc SYMBOL|run|sweep [--features LIST] [--orc] [--json]',
  help: [
    'FILE is a .deb, a vmlinuz or a vmlinux for x86-64; - is standard input. Nothing of it is kept or sent anywhere.',
    '',
    'info             version, build id, unwinder, interrupt stacks, mitigations, and what will not run',
    'symbols [NAME]   all symbols, or those whose name holds NAME',
    'disasm SYMBOL    the code of a routine; SYMBOL may be an address in hexadecimal',
    'orc SYMBOL       its ORC rows',
    'run              brings it up without a boot, delivers a quiet NMI through its own entry code and back, and asks the ORC unwinder',
    '                 at every boundary; --event mc, db or pf delivers another one, --path syscall makes a system call',
    'sweep            lets each of --events (nmi,mc,db,pf unless told; nmi+mc is two, one after the other) strike at every boundary of',
    '                 --path where it can occur, and prints what does not return with the run that shows it',
    '',
    "--features  names as in /proc/cpuinfo, and the kernel's own: pti,pcid,smap,fsgsbase,kernel_ibrs,unret; disasm then shows",
    '            the text as it is patched for such a processor, not as it was linked. Returns, retpolines and static calls',
    '            stay as linked. A number may be given as 11*32+4; none is a processor without any',
    '--orc       disasm shows the ORC rows beside the code',
    '--user      run, sweep: the event interrupts user mode',
    '--event E --at SYMBOL+0x9',
    '            run: E (nmi, mc, db, pf) strikes there while --path (nmi, unless told) is under way; SYMBOL+0x9#2 is the second time',
    '            that control comes there; lists go with lists',
    '--cut LIST  run, sweep: functions that return at once; none for nothing. Unless told, those that look for the cause of an event',
    '--json      info: {version, buildId, unwinder, ...}; symbols: [{name, type, address}]; disasm: {symbol, text, rows};',
    '            orc: {symbol, format, rows}; run: {verdict, steps, cut, unwound, ...};',
    '            sweep: {runs, outcomes, boundaries: [{at, verdicts}], findings, unwound, ...}',
    '',
    'Exit status: 0 found, or returned; 1 no symbol is called so, or not returned; 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, OPTIONS, 3);
    if (!parsed) return 2;
    const [file, name, argument] = parsed.positionals;
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
    if (action.argument === 'needed' && argument === undefined)
      return refuse(`missing symbol: lab kernel FILE ${name} SYMBOL`) ?? 2;
    if (action.argument === 'none' && argument !== undefined)
      return refuse(`unknown argument: ${argument}`) ?? 2;
    if (file !== '-' && !isFile(file)) return refuse(`unknown file: ${file}`) ?? 2;

    const opened = await openKernel(readInput(file), nodeDecompressors, progress);
    progress('');
    if (isProblem(opened)) return refuse(fileProblemText(opened)) ?? 2;
    const answer = action.answer(opened, {
      argument,
      features: parsed.values.features,
      options: parsed.values,
      progress,
      orc: parsed.values.orc ?? false,
    });
    if ('problem' in answer) return refuse(answer.problem) ?? (answer.notFound ? 1 : 2);
    if (parsed.values.json) console.log(json(answer.value));
    else console.log(answer.lines.join('\n'));
    return answer.failed ? 1 : 0;
  },
};
