/** What the dumps ask of the worker. Fetched when somebody opens them. */
import { dumpAt, trustedOver } from '../../scenario/dump.ts';
import type { Library } from '../../scenario/library.ts';
import type { DumpAsk, Dumped, Failed, TrustedAsk, TrustedSpans } from './protocol.ts';
import { own } from './standing.ts';

export function answerDump({ recipe, ...ask }: DumpAsk, pages: Library): Dumped | Failed {
  const dump = dumpAt(own(recipe), pages, ask);
  return typeof dump === 'string' ? { kind: 'failed', reason: dump } : { kind: 'dumped', dump };
}

export function answerTrusted(
  { recipe, unwinders, last }: TrustedAsk,
  pages: Library,
): TrustedSpans | Failed {
  const spans = trustedOver(own(recipe), pages, unwinders, last);
  return typeof spans === 'string' ? { kind: 'failed', reason: spans } : { kind: 'trusted', spans };
}
