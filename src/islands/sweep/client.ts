/** The worker of one island. */
import { type WorkerClient, workerClient } from '../worker-client.ts';
import type { Message, Request } from './protocol.ts';

/** A client; `hear` gets every message. */
export const createClient = (hear: (message: Message) => void): WorkerClient<Request> =>
  workerClient<Request, Message>(
    () => new Worker(new URL('../sweep-worker.ts', import.meta.url), { type: 'module' }),
    hear,
  );
