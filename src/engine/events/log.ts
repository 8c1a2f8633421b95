/** The truth log as it lies in linear memory: six words an entry, written by the core while it runs. */
import { LOGGED } from '../../isa/ops.ts';
import { LOG_ENTRY } from '../layout.ts';

/** What an unwinder is judged by. */
export interface LogEntry {
  readonly kind: 'call' | 'return' | 'delivery' | 'iret';
  /** RIP of the CALL, RET or IRET; for a delivery RIP of the interrupted code, as pushed. */
  readonly rip: bigint;
  /** Address of the return address, or of the RIP word of the event's frame. */
  readonly rsp: bigint;
  /** Where a CALL will return to; else where control goes now. */
  readonly target: bigint;
  /** Vector of a delivery, else 0. */
  readonly vector: number;
  /** RSP of the interrupted code: before a delivery, after an IRET; else 0. */
  readonly outerRsp: bigint;
}

const KINDS: ReadonlyMap<number, LogEntry['kind']> = new Map(
  Object.entries(LOGGED).map(([name, n]) => [n, name as LogEntry['kind']]),
);

/** The entries of `view` from address `from` up to `head`. */
export function* readLog(view: DataView, from: number, head: number): Generator<LogEntry> {
  const word = (at: number): bigint => view.getBigUint64(at, true);
  for (let at = from; at < head; at += LOG_ENTRY) {
    const kind = KINDS.get(view.getUint8(at));
    if (kind === undefined) return;
    yield {
      kind,
      vector: view.getUint8(at + 1),
      rip: word(at + 8),
      rsp: word(at + 16),
      target: word(at + 24),
      outerRsp: word(at + 32),
    };
  }
}
