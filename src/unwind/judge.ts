/**
 * Judges traces by the recorded truth. A link rule is asked one thing, whether it leads to the stacks that were really
 * interrupted, at the right RSP; a frame-pointer walk must name every live function, in order, and nothing else.
 */
import { addressText, functionText, listText, stackText } from './describe.ts';
import { found, isUser } from './found.ts';
import type { LinkTrace } from './link-rules.ts';
import { isAt, type Judgement, type Trace, type Truth, type TruthEntry, type View } from './view.ts';

export { found };

export interface Judged {
  readonly judgement: Judgement;
  /** A plain sentence without the unwinder's name. */
  readonly reason: string;
}

/** `do_work+0x1c` of a text address. */
type Name = (address: bigint) => string;

interface Place {
  readonly stack: string;
  readonly sp: bigint;
}

const stopped = (said: boolean): Judgement => (said ? 'stops-early-and-says' : 'stops-early-silently');
const wrong = (said: boolean): Judgement => (said ? 'wrong-and-says' : 'wrong-silently');

/** The stacks that were interrupted, nearest first: contexts on another stack than the one after them. */
function switches(truth: Truth): readonly TruthEntry[] {
  const contexts = truth.entries.filter(({ how }) => how !== 'return');
  return contexts.slice(1).filter(({ stack }, n) => stack !== contexts[n]?.stack);
}

/** RSP of the task where it was interrupted: S. */
const taskSp = (truth: Truth): bigint | undefined =>
  truth.entries.find(({ how, stack }) => how === 'interrupted' && stack === 'TASK')?.sp;

const textOf = (name: Name, entries: readonly TruthEntry[]): string =>
  listText(entries.map(({ ip }) => functionText(name(ip))));

/** Functions of the truth that the trace lacks. */
function missing(trace: Trace, truth: Truth): readonly TruthEntry[] {
  const answers = found(trace, truth);
  return truth.entries.filter(
    (entry, n) => !isUser(entry) && (answers[n] === 'missing' || answers[n] === 'lost'),
  );
}

/**
 * Compares a trace with the truth at the same boundary.
 *
 * Unless `always`, `not-asked` when neither RSP nor any live context is on the NMI stack. `name` symbolises text addresses; stack
 * addresses are told by their distance from T or from S, the RSP at which the task was interrupted.
 */
export function judge(trace: Trace, truth: Truth, view: View, name: Name, always = false): Judged {
  if (!always && truth.entries.every(({ stack }) => stack !== 'NMI')) {
    return { judgement: 'not-asked', reason: 'is not asked: nothing is alive on the NMI stack.' };
  }
  if ('last' in trace) return judgeLink(trace as LinkTrace, truth, view, name);
  return SCANS.test(trace.unwinder) ? judgeScan(trace, truth, name) : judgeFrames(trace, truth, name);
}

/** Dumps that list every text address. */
const SCANS = /^(guess|dump-trace$)/;

/** Such a dump must have all live functions, and vouch for no other. */
function judgeScan(trace: Trace, truth: Truth, name: Name): Judged {
  const said = trace.end === 'warned';
  const alive = truth.entries.filter((entry) => !isUser(entry));
  const dead = trace.entries.find(({ ip, guess }) => !guess && !alive.some((entry) => isAt(entry, ip)));
  if (dead)
    return {
      judgement: wrong(said),
      reason: `lists ${functionText(name(dead.ip))} without a ?, which is not alive there.`,
    };
  const gone = missing(trace, truth);
  if (gone.length > 0)
    return { judgement: stopped(said), reason: `${trace.reason}; lacks ${textOf(name, gone)}.` };
  const more = trace.entries.length - alive.length;
  const others = more > 0 ? `, and ${more} more ${more > 1 ? 'lines' : 'line'} with a ?` : '';
  return { judgement: 'right', reason: `lists all ${alive.length} live functions${others}.` };
}

function judgeLink(trace: LinkTrace, truth: Truth, view: View, name: Name): Judged {
  const said = trace.end === 'warned';
  const expected = switches(truth);
  const walked = trace.path.slice(1);
  const task = taskSp(truth);
  const text = ({ stack, sp }: Place): string => {
    if (stack === '') return "the user's RSP";
    const address = addressText(view.stacks, sp, task);
    return `${address}, ${address.startsWith('S') ? 'the task' : stackText(stack)}`;
  };

  for (const [n, step] of walked.entries()) {
    const truly = expected[n];
    if (truly?.sp === step.sp) continue;
    return { judgement: wrong(said), reason: astray(trace, truth, step, truly, text, name, said) };
  }
  const next = expected[walked.length];
  // The end of the task stack is where user mode begins; the link of an exception stack that user code was interrupted for is its RSP.
  const home =
    next !== undefined && isUser(next) && (trace.end === 'complete' || trace.last?.value === next.sp);
  const goal = home ? next : walked.length > 0 ? walked.at(-1) : undefined;
  if (!next || home) {
    if (trace.end !== 'complete' && !home)
      return { judgement: stopped(said), reason: `${trace.reason}, so the walk ends.` };
    const through = walked.slice(0, home ? undefined : -1).map(text);
    const via = through.length > 0 ? `through ${listText(through)}, ` : '';
    return { judgement: 'right', reason: goal ? `leads ${via}to ${text(goal)}.` : `${trace.reason}.` };
  }
  const before = next ? `, so the walk ends before ${text(next)}` : '';
  return { judgement: stopped(said), reason: `${trace.reason}${before}.` };
}

/** Why a link that leads to the wrong place is wrong, and what it costs. */
function astray(
  trace: LinkTrace,
  truth: Truth,
  step: Place,
  truly: TruthEntry | undefined,
  text: (place: Place) => string,
  name: Name,
  said: boolean,
): string {
  const gone = missing(trace, truth);
  const drops = gone.length > 0 ? `drops ${textOf(name, gone)}` : 'lists words that are no longer alive';
  const shown = said ? 'and says so' : 'and nothing shows it';
  if (truly?.stack === step.stack) {
    const where = step.sp > truly.sp ? 'high' : 'low';
    const [held] = text(step).split(', ');
    const [meant] = text(truly).split(', ');
    return `holds ${held}, not ${meant}: the walk starts too ${where} on ${stackText(step.stack)}, ${drops}, ${shown}.`;
  }
  const instead = truly ? `, not to ${text(truly)}` : ', where nothing is alive';
  return `leads to ${text(step)}${instead}: the walk ${drops}, ${shown}.`;
}

function judgeFrames(trace: Trace, truth: Truth, name: Name): Judged {
  const said = trace.end === 'warned';
  const expected = truth.entries.filter((entry) => !isUser(entry));
  const wrongAt = trace.entries.findIndex(({ ip }, n) => {
    const truly = expected[n];
    return !truly || !isAt(truly, ip);
  });
  const warns = said ? ', and warns' : '';
  if (wrongAt === -1) {
    const rest = expected.slice(trace.entries.length);
    if (rest.length === 0 && trace.end === 'complete') {
      const count = expected.length;
      const lists = count === 1 ? 'lists the one live function' : `lists all ${count} live functions`;
      return { judgement: 'right', reason: `${lists} and ${trace.reason}.` };
    }
    const lacks = rest.length > 0 ? `; ${textOf(name, rest)} ${rest.length > 1 ? 'are' : 'is'} missing` : '';
    return { judgement: stopped(said), reason: `${trace.reason}${warns}${lacks}.` };
  }
  const shown = said ? 'and says so' : 'and nothing shows it';
  const at = trace.entries[wrongAt];
  const again = expected.findIndex((entry, n) => n > wrongAt && at !== undefined && isAt(entry, at.ip));
  if (again > wrongAt) {
    const skipped = textOf(name, expected.slice(wrongAt, again));
    const why = wrongAt === 1 ? 'RBP does not lead to its frame' : 'no frame leads there';
    return { judgement: wrong(said), reason: `skips ${skipped}, since ${why}, ${shown}.` };
  }
  return {
    judgement: wrong(said),
    reason: `lists ${functionText(name(at?.ip ?? 0n))}, which is not alive there, ${shown}.`,
  };
}
