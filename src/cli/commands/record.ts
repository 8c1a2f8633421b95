import { readFileSync, writeFileSync } from 'node:fs';
import { problemText } from '../../asm/source.ts';
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
  help: `Runs every scenario on the pages and writes ${FILE}. Prints what differs from before.\n--check  writes nothing; exit status 1 if something differs`,
  async run(given) {
    const parsed = args(given, { check: { type: 'boolean' } }, 0);
    if (!parsed) return 2;
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
    for (const slug of Object.keys(before)) {
      if (after[slug]) continue;
      console.log(`${slug}: gone`);
      changes++;
    }
    if (parsed.values.check) return changes > 0 ? 1 : 0;
    writeFileSync(FILE, `${JSON.stringify(after, null, 2)}\n`);
    console.log(`${Object.keys(after).length} scenarios recorded, ${changes} changes`);
    return 0;
  },
};
