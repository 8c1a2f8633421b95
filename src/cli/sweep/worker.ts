/** A thread of a sweep: assembles once, then explores the units that it is sent, one by one. */
import { parentPort, workerData } from 'node:worker_threads';
import { sweepUnit, type Unit } from '../../explore/merge.ts';
import { partsOf, type SweepAsk } from '../../explore/sweep.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';

const ask: SweepAsk = workerData;
const ready = partsOf(ask, libraryOnDisk());
if ('problems' in ready) throw new Error(ready.problems.map(({ message }) => message).join('; '));
const { parts } = ready;
parentPort?.on('message', (unit: Unit) => parentPort?.postMessage(sweepUnit(ask, parts, unit)));
