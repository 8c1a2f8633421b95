/** Where kernels are opened: in the reader's browser, and not on the page's own thread. Nothing is sent anywhere. */
import type { Decompressor } from '../image/compressed/decompress.ts';
import { createAnswers } from './kernel/answers.ts';
import type { Message, Request } from './kernel/protocol.ts';

/** Milliseconds between two words on how far it is. */
const FRAME = 100;

const gzip: Decompressor = async function* (compressed) {
  const packed = new Blob([compressed as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
  } finally {
    // After an error there is nothing left to cancel.
    await reader.cancel().catch(() => {});
  }
};

const pack = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
};

let told = Number.NEGATIVE_INFINITY;
let last = '';
const tell = (message: Message): void => {
  if (message.kind === 'opening') {
    const now = performance.now();
    if (message.what === last && now - told < FRAME) return;
    told = now;
    last = message.what;
  } else last = '';
  self.postMessage(message);
};

const answer = createAnswers({ gzip }, pack, tell);
/** One request after the other. */
let before: Promise<void> = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<Request>) => {
  before = before.then(() => answer(data));
};
