/** The worker of the island. */
import { type WorkerClient, workerClient } from '../worker-client.ts';
import type { Message, Request } from './protocol.ts';

/** A client; `hear` gets every message. */
export const createClient = (hear: (message: Message) => void): WorkerClient<Request> =>
  workerClient<Request, Message>(
    () => new Worker(new URL('../kernel-worker.ts', import.meta.url), { type: 'module' }),
    hear,
  );
