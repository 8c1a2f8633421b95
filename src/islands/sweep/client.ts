/** The worker of one island, started by the first question and ended by Cancel. */
import type { Message, Request } from './protocol.ts';

type Asked = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** How the island reaches its worker. */
export interface Client {
  /** Asks, and gives the id that the answers will have. */
  ask(question: Asked): number;
  /** Ends the worker, whatever it does. The next question starts another. */
  cancel(): void;
}

/** A client; `hear` gets every message. */
export function createClient(hear: (message: Message) => void): Client {
  let worker: Worker | undefined;
  let asked = 0;
  const start = (): Worker => {
    const started = new Worker(new URL('../sweep-worker.ts', import.meta.url), { type: 'module' });
    started.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
    started.onerror = ({ message }) => {
      worker = undefined;
      hear({ kind: 'failed', id: asked, reason: message || 'the worker did not start' });
    };
    return started;
  };
  return {
    ask(question) {
      worker ??= start();
      const id = ++asked;
      worker.postMessage({ ...question, id } as Request);
      return id;
    },
    cancel() {
      worker?.terminate();
      worker = undefined;
    },
  };
}
