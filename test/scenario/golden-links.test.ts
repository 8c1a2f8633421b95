/** Every link that was ever put into the corpus, opened: it gives what it gave, or says what changed. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MODEL } from '../../src/engine/model.ts';
import { codec } from '../../src/literate/codec.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { explain } from '../../src/scenario/explain.ts';
import { parseLink, printLink } from '../../src/scenario/link.ts';
import { type Opener, openLink } from '../../src/scenario/open-link.ts';
import records from '../../src/scenario/records.json' with { type: 'json' };
import { frozenRow } from '../../src/scenario/registry.ts';
import { opener as fixture } from './registry-fixture/fixture.ts';

const FILE = 'test/scenario/golden-links.txt';
const lines = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const corpus = lines(readFileSync(FILE, 'utf8')).map((line) => {
  const [link = '', wanted = ''] = line.split(' -> ');
  return { link, wanted };
});

const shipped: Opener = { pages: libraryOnDisk(), records, codec };
const tests = fixture();
/** Names that begin with `fixture` are those of the test registry, and so is everything that names nothing. */
const openerOf = (link: string): Opener =>
  /\/s\/(?!fixture)[a-z0-9-]+\/v\d+(#|\/|$)/.test(link) ? shipped : tests;

/** The engine of the test rows is the one that runs here. */
const own = frozenRow(tests.pages, 'fixture-nmi', 1)?.model === MODEL;

/** What a line must give here: an engine that has moved on does not run the rows of an earlier one, and changes drafts. */
function wantedNow(link: string, wanted: string): string {
  if (own || wanted.startsWith('cannot-run')) return wanted;
  return /\/v0/.test(link) ? 'opens' : 'cannot-run missing engine';
}

/** ENTRYLAB_REFREEZE=1, before the first release only, once the test registry was made anew. */
test.runIf(process.env.ENTRYLAB_REFREEZE)('the digests of the corpus are made anew', () => {
  const text = readFileSync(FILE, 'utf8').replace(/^(\S+) -> same \S+$/gm, (_, link: string) => {
    const bare = link.replace(/~.*$/, '');
    const opened = openLink(bare, tests);
    if (opened.kind === 'cannot-run') throw new Error(`${bare}: ${opened.sentence}`);
    const digest = opened.timeline.frames[opened.timeline.cursor]?.digest;
    return `${link === bare ? link : `${bare}~${digest}`} -> same ${digest}`;
  });
  writeFileSync(FILE, text);
});

test('the corpus holds links of every shape', () => {
  expect(corpus.length).toBeGreaterThan(45);
  for (const shape of [/\/v1$/, /\/repeat_nmi/, /\.n\d/, /\.h/, /\.z/, /\/v0/, /fixture-old/, /#~/])
    expect({ shape, found: corpus.some(({ link }) => shape.test(link)) }).toEqual({ shape, found: true });
  for (const outcome of ['same', 'changed', 'cannot-run', 'opens'])
    expect(corpus.filter(({ wanted }) => wanted.startsWith(outcome)).length).toBeGreaterThan(2);
});

describe('opened', () => {
  test.each(corpus)('$link -> $wanted', ({ link, wanted: recorded }) => {
    const wanted = wantedNow(link, recorded);
    const opener = openerOf(link);
    const opened = openLink(link, opener);
    expect(opened.sentence).toMatch(/^[a-z].{8}/);
    expect(explain(link, opener)).toMatchObject({ outcome: opened.kind });
    if (opened.kind === 'cannot-run') {
      expect(wanted).not.toBe('opens');
      expect(`cannot-run ${opened.sentence}`.slice(0, wanted.length)).toBe(wanted);
      return;
    }
    const digest = opened.timeline.frames[opened.timeline.cursor]?.digest;
    if (wanted !== 'opens') expect(opened.kind === 'same' ? `same ${digest}` : opened.kind).toBe(wanted);
    const read = parseLink(link, codec);
    if ('problem' in read) throw new Error(read.problem);
    const again = openLink(printLink(read.state, codec), opener);
    expect({ ...again, link: undefined }).toEqual({ ...opened, link: undefined });
  });
});

/** Before the first release froze anything, nothing was promised to anybody. */
const released = shipped.pages.registry?.entries.some(({ versions }) => versions.length > 0) === true;

test.runIf(released)('no line of the corpus that a commit held has been taken away or changed', () => {
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return ''; // an archive without its history, or no git
    }
  };
  const now = new Set(corpus.map(({ link, wanted }) => `${link} -> ${wanted}`));
  for (const commit of lines(git('log', '--format=%H', '--', FILE)))
    expect({
      commit,
      lost: lines(git('show', `${commit}:${FILE}`)).filter((line) => !now.has(line)),
    }).toEqual({
      commit,
      lost: [],
    });
});
