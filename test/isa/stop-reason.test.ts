import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { STOP_REASONS, stopNumber, stopReasonOf } from '../../src/isa/stop-reason.ts';

test('every reason has a number of its own, and those that marks and memory hold stay what they are', () => {
  expect(new Set(STOP_REASONS).size).toBe(STOP_REASONS.length);
  for (const [n, reason] of STOP_REASONS.entries()) {
    expect(stopNumber(reason)).toBe(n);
    expect(stopReasonOf(n)).toBe(reason);
  }
  // New ones come behind these.
  expect(stopNumber('not modelled: gate outside ring 0')).toBe(54);
  const first = STOP_REASONS.slice(0, 55).join('\n');
  expect(createHash('sha256').update(first).digest('hex').slice(0, 16)).toBe('333fa5c087f58979');
});
