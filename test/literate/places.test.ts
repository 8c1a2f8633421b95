import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { typeErrors } from '../../src/literate/types.ts';

const BROKEN = 'test/literate/broken.mdx';

test('each wrong statement is reported at its line and column of the page', () => {
  const { stdout, stderr } = spawnSync('vitest', ['run', '--config', 'test/literate/broken.config.ts'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const report = stdout + stderr;
  expect(report).toContain('Tests  7 failed | 2 passed');
  const frames = [...report.matchAll(/❯ .*broken\.mdx:(\d+:\d+)/g)].map(([, place]) => place);
  expect(frames).toEqual(['14:80', '18:14', '10:24', '22:1', '25:44', '41:2', '50:25']);
  expect(report).toContain(`FAIL  ${BROKEN}:29 > nothing fails here`);
  expect(report).toContain(`${BROKEN}:41:2: unknown mnemonic: movqq`);
  expect(report).toContain(`${BROKEN}:43:1: duplicate label: entry`);
  expect(report).toContain(`${BROKEN}:50:25: expected deliveries 2, got 1`);
  expect(report).toContain(`${BROKEN}:14:80: expected twice(2) to be 5, got 4`);
});

test('so is a type error', () => {
  expect(typeErrors([BROKEN])).toEqual([
    `${BROKEN}:34:7: error TS2322: Type 'number' is not assignable to type 'string'.`,
  ]);
});
