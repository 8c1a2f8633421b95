import { expect, test } from 'vitest';
import { against, type Claim, choices, claimsOf, shows, type Told } from '../../src/explore/claims.ts';
import { sweep } from '../../src/explore/sweep.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { designsOf } from '../../src/scenario/library.ts';

const pages = libraryOnDisk();
/** Short sweeps; `npm run test:deep` makes the whole ones. */
const claims = designsOf(pages).flatMap((design) =>
  claimsOf(design, pages, { most: 2, window: 2 }).map((claim) => ({ design, text: claim.text, claim })),
);

test.each(claims)('$design $text', ({ claim }) => {
  const found = new Set<string>();
  const reports = claim.asks.map((ask) => {
    const place = `${ask.starts} ${ask.bodies}`;
    if (found.has(place)) return undefined;
    const report = sweep(ask, pages);
    if ('problems' in report) throw new Error(report.problems.map(({ message }) => message).join('\n'));
    if (claim.kind === 'breaks' && shows(claim, report)) found.add(place);
    return report;
  });
  expect(against(claim, reports)).toEqual([]);
});

test('every design claims something', () => {
  const claiming = new Set(claims.map(({ design }) => design));
  expect(designsOf(pages).filter((design) => !claiming.has(design))).toEqual([]);
});

test('events of several kinds are taken in every number that a bound allows', () => {
  expect(choices(['nmi'], 3)).toEqual([['nmi', 'nmi', 'nmi']]);
  expect(choices(['nmi', 'mc'], 2)).toEqual([
    ['nmi', 'nmi'],
    ['nmi', 'mc'],
    ['mc', 'mc'],
  ]);
  expect(choices(['a', 'b', 'c'], 3)).toHaveLength(10);
});

const claimed = (kind: Claim['kind']): Claim => {
  const sweep = {
    events: ['nmi', 'mc'] as const,
    bound: 2,
    starts: ['a', 'b'],
    bodies: ['quiet'],
    without: [],
    judge: [],
    cured: [],
    right: false,
    place: { page: 'here', line: 1, column: 1 },
  };
  const ask = (start: string) => ({ design: 'd', events: ['nmi', 'mc'], starts: [start], bodies: ['quiet'] });
  return { kind, sweep, text: '', asks: [ask('a'), ask('b')] };
};
const told = (...injects: readonly string[]): Told => ({
  schedules: 9,
  untold: [],
  violations: injects.map((events) => ({
    invariant: 'I1',
    sentence: 'gone',
    recipe: `scenario found v0\ndesign d\n${events}\n`,
  })),
});
const BOTH = 'inject nmi at b1\ninject mc at b2';

test('a promise is broken by what is found, by what cannot be judged, and by silence', () => {
  const promise = claimed('promises');
  expect(against(promise, [told(), told()])).toEqual([]);
  expect(against(promise, [told(), told(BOTH)])[0]).toMatch(/^I1: gone\nscenario found/);
  expect(against(promise, [told(), { ...told(), untold: [{ name: 'x87', schedules: 1 }] }])).toEqual([
    'not modelled: x87',
  ]);
  expect(against(promise, [told(), { ...told(), schedules: 1 }])).toEqual([
    'nmi,mc from b with quiet: nothing struck',
  ]);
});

test('a hole must be found from every start, and with every kind of event', () => {
  const hole = claimed('breaks');
  expect(against(hole, [told(BOTH), told(BOTH)])).toEqual([]);
  expect(against(hole, [told(BOTH), told()])).toEqual(['from b with quiet: nothing breaks']);
  expect(against(hole, [told(BOTH), told('inject mc at b1')])).toEqual(['from b with quiet: nothing breaks']);
});
