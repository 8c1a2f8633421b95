/** Test vectors that a processor made: facts, read by `npm test` and written by `host/job.ts --record`. */
export const GOLDEN = new URL('golden/host.jsonl.gz', import.meta.url);
