import { expect, test } from 'vitest';
import { lab } from './lab.ts';

test('mail prints a block that runs again from any quoting', async () => {
  const { status, stdout, stderr } = await lab(['mail', 'nested-nmi', '--host', 'nmi.example.org']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(25);
  const link =
    /^\[1\] (https:\/\/nmi\.example\.org\/s\/nested-nmi\/v0#t144~\w{8})$/.exec(lines.at(-1) ?? '')?.[1] ?? '';
  expect((await lab(['run', '-'], stdout.replace(/^/gm, '> > '))).status).toBe(0);
  // A link, a file and a pasted mail give the same bytes as the scenario's name.
  expect(await lab(['mail', link, '--host', 'nmi.example.org'])).toEqual({ status: 0, stdout, stderr: '' });
  expect(await lab(['mail', '-', '--host', 'nmi.example.org'], stdout)).toEqual({
    status: 0,
    stdout,
    stderr: '',
  });
  const data = JSON.parse((await lab(['mail', 'nested-nmi', '--json'])).stdout);
  expect(data).toMatchObject({
    problems: [],
    boundary: 144,
    link: link.replace('https://nmi.example.org', ''),
  });
});

test('a changelog of a draft is a problem: status 1, and the text all the same', async () => {
  const { status, stdout, stderr } = await lab(['mail', 'nested-nmi', '--changelog', '--at', 'repeat_nmi']);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'invalid citation: nested-nmi v0 is a draft and may change; a changelog stays',
  });
  expect(stdout).toMatch(/\nLink: https:\/\/\S+#t25~\w{8}\n$/);
});

test('link prints an address that opens', async () => {
  const { status, stdout } = await lab([
    'link',
    'nested-nmi',
    '--at',
    'repeat_nmi',
    '--host',
    'a.example/lab/',
  ]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^https:\/\/a\.example\/lab\/s\/nested-nmi\/v0#t25~\w{8}\n$/);
  expect((await lab(['run', stdout.trim()])).status).toBe(0);
  expect(JSON.parse((await lab(['link', 'nested-nmi', '--at', 'b3', '--json'])).stdout)).toMatchObject({
    boundary: 3,
    path: expect.stringMatching(/^\/s\/nested-nmi\/v0#t3~/),
    digest: expect.stringMatching(/^\w{8}$/),
  });
  // What has no page is said by the nearest scenario that has one, if there is one.
  const recipe = (setUp: string) => `scenario mine v0 ${setUp} inject nmi at b5`;
  const near = await lab(['link', '-'], recipe('design linux-4.2 start user-task'));
  expect(near.stdout).toMatch(/^https:\S+\/s\/[\w-]+\/v0#t0\.n5[\w.]*~\w{8}\n$/);
  expect((await lab(['run', near.stdout.trim()])).status).toBe(0);
  expect(await lab(['link', '-'], recipe('design popf-ret start user-task'))).toEqual({
    status: 1,
    stdout: '',
    stderr: 'missing link: no page has the scenario mine v0, nor another with this design and start',
  });
});

test('explain: same 0, changed 1, cannot run 2', async () => {
  const link = (await lab(['link', 'nested-nmi'])).stdout.trim();
  const same = await lab(['explain', link]);
  expect(same.status).toBe(0);
  expect(same.stdout).toContain('the cursor at boundary 144');
  const changed = await lab(['explain', link.replace(/~.*/, '~ggggggg2'), '--json']);
  expect(changed.status).toBe(1);
  expect(JSON.parse(changed.stdout)).toMatchObject({ outcome: 'changed', parts: expect.any(Array) });
  expect((await lab(['explain', '/s/nested-nmi/v9'])).status).toBe(2);
});

test('lint: nothing 0, findings 1, bad input 2', async () => {
  expect(await lab(['lint', '-'], (await lab(['mail', 'nested-nmi'])).stdout)).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  });
  const { status, stdout } = await lab(['lint', '-'], 'This patch fixes do_nmi.\n');
  expect(status).toBe(1);
  expect(stdout.split('\n')[0]).toBe(
    'standard input:1:1: give the code an order instead of a report on the patch [Documentation/process/submitting-patches.rst, "Describe your changes"]',
  );
  expect(JSON.parse((await lab(['lint', '-', '--json'], 'a\tb')).stdout)).toMatchObject([
    { rule: 'tabs', line: 1, column: 2 },
  ]);
});

test('bad input is one sentence and status 2', async () => {
  const refused = async (...args: string[]) => {
    const { status, stderr } = await lab(args);
    return `${status} ${stderr}`;
  };
  expect(await refused('mail')).toBe('2 missing scenario: lab mail SLUG|LINK|FILE|-');
  expect(await refused('mail', 'nested')).toMatch(/^2 unknown scenario: nested \(there is /);
  expect(await refused('mail', 'nested-nmi', '--at', 'nowhere')).toMatch(
    /^2 unknown checkpoint: nowhere \(there is task, /,
  );
  expect(await refused('link', '/s/nested-nmi/v9#t1')).toMatch(
    /^2 cannot run: unknown version: nested-nmi v9/,
  );
  expect(await refused('link', 'nested-nmi', '--at', 'b999')).toBe('2 invalid boundary: b999 (0 to 255)');
  expect(await refused('explain')).toBe('2 missing link: lab explain LINK');
  expect(await refused('lint', 'nowhere.txt')).toBe('2 unknown file: nowhere.txt');
  expect(await refused('lint', 'package.json', '--columns', '7')).toBe('2 invalid columns: 7 (20 to 1000)');
});

test('a race table with its set-up line runs; without it the design is missing', async () => {
  const table = '> task   NMI\n> nmi at task+2\n>        nmi at b40, waits\n';
  const { status, stdout } = await lab(['run', '-', '--json'], `> design linux-4.2  body int3\n${table}`);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    slug: 'race-table',
    verdict: 'returns',
    counts: { 'nmi-served': 2 },
  });
  expect(await lab(['run', '-'], table)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/missing design$/),
  });
});
