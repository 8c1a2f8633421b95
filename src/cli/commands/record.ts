import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemText } from '../../asm/source.ts';
import { entriesText, REGISTRY, readEntries } from '../../literate/registry.ts';
import { libraryOnDisk } from '../../literate/shelves.ts';
import { scenarioOf, scenariosOf } from '../../scenario/library.ts';
import {
  differences,
  differenceText,
  type RecordedRun,
  type Records,
  recordOf,
} from '../../scenario/records.ts';
import { play } from '../../scenario/run.ts';
import { args, type Command, refuse } from './command.ts';

const FILE = 'src/scenario/records.json';

export const record: Command = {
  name: 'record',
  summary: 'records what every scenario shows now',
  usage: 'record [--check]',
  help: [
    `Runs every scenario on the pages and writes ${FILE}. Prints what differs from before.`,
    'A name that is new enters the registry, where it stays. What was recorded of one that is gone is kept for old links.',
    '--check  writes nothing; exit status 1 if something differs',
  ].join('\n'),
  async run(given) {
    const parsed = args(given, { check: { type: 'boolean' } }, 0);
    if (!parsed) return 2;
    const entries = readEntries(REGISTRY);
    const pages = libraryOnDisk();
    const before: Records = JSON.parse(readFileSync(FILE, 'utf8'));
    const after: Record<string, RecordedRun> = {};
    let changes = 0;
    for (const slug of scenariosOf(pages)) {
      const source = scenarioOf(pages, slug);
      if (!source) continue;
      const timeline = play(source, pages);
      if (timeline.frames.length === 0) {
        for (const problem of timeline.problems) refuse(problemText(problem));
        return 2;
      }
      const made = recordOf(timeline);
      after[slug] = made;
      const old = before[slug];
      const lines = old ? differences(old, made).map(differenceText) : ['new'];
      for (const line of lines) console.log(`${slug}: ${line}`);
      changes += lines.length;
    }
    for (const [slug, old] of Object.entries(before)) {
      if (after[slug]) continue;
      console.log(`${slug}: on no page; what was recorded stays`);
      after[slug] = old;
    }
    const added = scenariosOf(pages).filter((slug) => !entries.some((entry) => entry.slug === slug));
    for (const slug of added) console.log(`${slug}: enters the registry`);
    changes += added.length;
    if (parsed.values.check) return changes > 0 ? 1 : 0;
    writeFileSync(FILE, `${JSON.stringify(after, null, 2)}\n`);
    if (added.length > 0) {
      const all = [...entries, ...added.map((slug) => ({ slug, versions: [] }))];
      writeFileSync(join(REGISTRY, 'index.json'), entriesText(all));
    }
    console.log(`${Object.keys(after).length} scenarios recorded, ${changes} changes`);
    return 0;
  },
};
