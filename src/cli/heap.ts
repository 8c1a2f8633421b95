/**
 * For whoever makes machines by the hundred in Node; to be imported first. V8 counts the whole memory of a machine, 12 MB of
 * which it touches one or two, and collects all garbage after every 64 MB of such memory: that is after every fifth machine, and
 * it is most of what one costs. Counted with the heap, that memory is collected as the heap grows.
 */
import { setFlagsFromString } from 'node:v8';

// Older ones do not know it, and say so on the terminal.
if (Number.parseInt(process.versions.node, 10) >= 24)
  setFlagsFromString('--external-memory-accounted-in-global-limit');
