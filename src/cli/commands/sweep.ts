import { availableParallelism } from 'node:os';
import { WINDOW } from '../../explore/sweep.ts';
import { BUDGET } from '../../scenario/run.ts';
import { whole } from '../sweep/ask.ts';
import { carryOut } from '../sweep/carry-out.ts';
import { mergeFiles, type SweepFile, writeSweep } from '../sweep/file.ts';
import { planOf } from '../sweep/plan.ts';
import { isEmpty, sweepText } from '../sweep/text.ts';
import { args, type Command, json, refuse } from './command.ts';

const OPTIONS = {
  events: { type: 'string', multiple: true },
  start: { type: 'string', multiple: true },
  body: { type: 'string', multiple: true },
  handler: { type: 'string', multiple: true },
  without: { type: 'string', multiple: true },
  window: { type: 'string' },
  budget: { type: 'string' },
  judge: { type: 'string', multiple: true },
  right: { type: 'boolean' },
  anywhere: { type: 'boolean' },
  unpruned: { type: 'boolean' },
  jobs: { type: 'string' },
  shard: { type: 'string' },
  out: { type: 'string' },
  resume: { type: 'string' },
  merge: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** Options that say what is swept; a file to go on from says it too. */
const OF_THE_ASK = [
  'events',
  'start',
  'body',
  'handler',
  'without',
  'window',
  'budget',
  'judge',
  'right',
  'anywhere',
  'unpruned',
  'shard',
] as const;
const MOST_JOBS = 256;

export const sweep: Command = {
  name: 'sweep',
  summary: 'runs a design with events at every boundary and shows what breaks',
  usage: [
    'sweep DESIGN --events LIST [--start NAME,..] [--body NAME,..] [--without SAFEGUARD,..] [--judge UNWINDER,..] [--json]',
    '       lab sweep DESIGN --events LIST --shard I/N --out FILE',
    '       lab sweep --resume FILE',
    '       lab sweep --merge FILE... [--json]',
  ].join('\n'),
  help: [
    'DESIGN     a design (its page), or a scenario as for lab run (SLUG, LINK, FILE, -) whose design, start, body,',
    '           without and edits are taken; its own events are not',
    '--events   what may strike in one run: nmi,nmi is at most two NMIs',
    '--start    where runs begin, --body (or --handler) what the handler does; those of the promise on the',
    "           design's page for such events unless told, without one all that it has",
    '--without  safeguards that are taken away',
    `--window   transitions of the task, with no event alive, in which an event may still strike; ${WINDOW} unless told`,
    `--budget   transitions after which a run is taken to have no end; ${BUDGET} unless told`,
    '--judge    unwinders that are asked at every state of every run, each state once: orc-6.12, frame-pointer-6.12, end-2, ...;',
    '           where one is wrong or stops and nothing shows it, and no gap with a name is the reason, I6 breaks;',
    '           runs then meet only where unwinders see the same, too, so that pruned or not they say the same',
    '--right    with --judge: it is not enough to say that a trace stops, it must be right (I12)',
    '--anywhere events strike at every boundary, cause or not; some of the runs are impossible',
    '--unpruned runs every schedule to its end, also where runs meet',
    '--jobs     threads, one a core unless told; the result does not depend on them',
    '--shard    I/N does one part of N, I from 1 to N; --merge puts all N together',
    '--out      writes the JSON to FILE, also what is done when it is stopped, and every half minute',
    '--resume   goes on with what FILE holds, and writes it again (or another --out); DESIGN and its options may be',
    '           given once more, and must then be the same',
    '--json     {design, events, where, starts, bodies, without, window, budget, anywhere, pruned, code, model, boundaries, schedules,',
    '           distinct, strikes, violations: [{invariant, recipe, step, sentence, start, body, schedules}], untold, elapsedMs};',
    '           with --judge also judged: [{unwinder, states: {right, ...}, gaps}]; schedules of I6 are states',
    '           of a shard also {shard, units}, of a sweep that was stopped {partial: true, units}',
    '',
    'lab sweep linux-4.2 --events nmi,nmi                       two NMIs at any two boundaries',
    'lab sweep linux-4.2 --events nmi --start user-task --json  one, from one start, for programs',
    'lab sweep linux-4.2 --events nmi --body int3 --judge orc-6.12,end-2',
    'lab sweep linux-4.2 --events nmi,nmi,nmi --shard 2/4 --out part-2.json',
    'lab sweep --merge part-1.json part-2.json part-3.json part-4.json',
    '',
    'Exit status: 0 all was judged and nothing breaks, 1 something breaks, cannot be judged or was not done because the',
    'sweep was stopped (Ctrl-C prints what is done) or because no event could strike, 2 bad input.',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, OPTIONS, Number.POSITIVE_INFINITY);
    if (!parsed) return 2;
    const { values, positionals } = parsed;
    const show = (file: SweepFile): 0 | 1 => {
      console.log(values.json ? json(file) : sweepText(file));
      const clean = file.violations.length === 0 && file.untold.length === 0;
      return clean && !file.partial && !isEmpty(file) ? 0 : 1;
    };

    if (values.merge) {
      const other = OF_THE_ASK.find((name) => values[name] !== undefined) ?? (values.resume && 'resume');
      if (other) return refuse(`invalid option: --${other} (--merge takes files)`) ?? 2;
      const merged = mergeFiles(positionals);
      if ('problem' in merged) return refuse(merged.problem) ?? 2;
      return keep(values.out, merged) ?? show(merged);
    }

    const [what, more] = positionals;
    if (more !== undefined) return refuse(`unknown argument: ${more}`) ?? 2;
    const {
      jobs: threads,
      out = values.resume,
      resume,
      json: _,
      merge: __,
      body,
      handler,
      ...wishes
    } = values;
    const jobs = whole(threads, 'jobs', MOST_JOBS) ?? availableParallelism();
    if (typeof jobs === 'string') return refuse(jobs) ?? 2;
    const bodies = body || handler ? [...(body ?? []), ...(handler ?? [])] : undefined;
    const plan = planOf(what, { ...wishes, body: bodies }, resume);
    if ('problems' in plan) return refuse(plan.problems.join('\n')) ?? 2;
    if (plan.finished) return keep(out, plan.finished) ?? show(plan.finished);

    const carried = await carryOut(plan, jobs, out);
    if ('problem' in carried) return refuse(carried.problem) ?? 2;
    const { file, failure } = carried;
    const status = show(file);
    if (failure) refuse(failure);
    if (file.partial)
      refuse(
        out === undefined
          ? 'partial: to go on, save this as JSON (--json, or --out FILE from the start) and run lab sweep --resume FILE'
          : `partial: to go on, run lab sweep --resume ${out}`,
      );
    return status;
  },
};

/** Writes a file if one is wanted; exit status 2 if that fails. */
function keep(path: string | undefined, file: SweepFile): 2 | undefined {
  const problem = path === undefined ? undefined : writeSweep(path, file);
  return problem === undefined ? undefined : (refuse(problem) ?? 2);
}
