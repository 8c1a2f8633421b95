/** The architectural state as text: what a digest is made of, equal under every backend. */
import { CR4, FIELDS, type Field } from '../isa/state.ts';
import { RESET } from './layout.ts';

/** Fields that are not architectural: caches of other fields, scratch, and the tool's own. */
const INTERNAL: ReadonlySet<Field> = new Set<Field>([
  'zero',
  'flagResult',
  'flagCarry',
  'rflagsRest',
  'cpl',
  'armedBreakpoints',
  'metBreakpoints',
  'raisedVector',
  'raisedCode',
  'attention',
  'stop',
  'journalHead',
  'logHead',
]);

/** RFLAGS at reset (SDM vol 3, table 10-1). */
const RFLAGS_AT_RESET = 2n;

/** What they hold means something only while something is pending. */
const OF_PENDING: ReadonlySet<Field> = new Set<Field>([
  'pendingVector',
  'pendingCode',
  'pendingRip',
  'pendingInfo',
]);

const SHOWN = FIELDS.filter((name) => !INTERNAL.has(name));

/** What only FRED delivers of it. */
const ofFred = (cr4: bigint): boolean => ((cr4 >> BigInt(CR4.fred)) & 1n) !== 0n;

/** One sorted `name=value` a line in hexadecimal; values as at reset are left out, RFLAGS is canonical. */
export function describeState(get: (field: Field) => bigint, rflags: bigint): string {
  const pending = get('pendingKind') !== 0n;
  const info = pending && ofFred(get('cr4'));
  const shown = SHOWN.filter((name) => (name === 'pendingInfo' ? info : pending || !OF_PENDING.has(name)));
  const lines = shown.map((name): readonly [string, bigint, bigint] => [name, get(name), RESET[name] ?? 0n]);
  lines.push(['rflags', rflags, RFLAGS_AT_RESET]);
  return lines
    .filter(([, value, reset]) => value !== reset)
    .map(([name, value]) => `${name}=${value.toString(16)}`)
    .sort()
    .join('\n');
}
