/** Sweeps over kernels that Debian shipped, as `npm run test:kernels -- --record` wrote them. */
import type { RecordedKernel } from './kernel-record.ts';
import recorded from './recorded.json' with { type: 'json' };

export const RECORDED = recorded as unknown as readonly RecordedKernel[];
