/** The one worker of a page, started by the first question. */
import type { Answer, Ask, Reply, Request } from './protocol.ts';

const waiting = new Map<number, (answer: Answer) => void>();
let worker: Worker | undefined;
let asked = 0;

function start(): Worker {
  const started = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  started.onmessage = ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  };
  started.onerror = ({ message }) => {
    for (const [id, answer] of waiting)
      answer({ id, kind: 'failed', reason: message || 'the worker did not start' });
    waiting.clear();
    worker = undefined; // the next question starts another
  };
  return started;
}

/** Asks the worker. Never rejects: what goes wrong is an answer of kind `failed`. */
export function ask<Q extends Ask>(question: Q): Promise<Reply<Q>> {
  return new Promise((resolve) => {
    worker ??= start();
    const id = ++asked;
    waiting.set(id, resolve as (answer: Answer) => void);
    worker.postMessage({ ...question, id } satisfies Request);
  });
}
