/** A worker that the first question starts and Cancel ends. */

type Without<R> = R extends { readonly id: number } ? Omit<R, 'id'> : never;

/** How an island reaches its worker. */
export interface WorkerClient<Request extends { readonly id: number }> {
  /** Asks, and gives the id that the answers will have. */
  ask(question: Without<Request>): number;
  /** Ends the worker, whatever it does. The next question starts another. */
  cancel(): void;
}

/** An error of ours, or a worker that did not start. */
export interface Failed {
  readonly kind: 'failed';
  readonly id: number;
  readonly reason: string;
}

/** A client; `hear` gets every message. */
export function workerClient<Request extends { readonly id: number }, Message>(
  start: () => Worker,
  hear: (message: Message | Failed) => void,
): WorkerClient<Request> {
  let worker: Worker | undefined;
  let asked = 0;
  const started = (): Worker => {
    const one = start();
    one.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
    one.onerror = ({ message }) => {
      worker = undefined;
      hear({ kind: 'failed', id: asked, reason: message || 'the worker did not start' });
    };
    return one;
  };
  return {
    ask(question) {
      worker ??= started();
      const id = ++asked;
      worker.postMessage({ ...question, id });
      return id;
    },
    cancel() {
      worker?.terminate();
      worker = undefined;
    },
  };
}
