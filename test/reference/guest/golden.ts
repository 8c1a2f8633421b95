/** What peers did, kept: one line of JSON a scene, of every step the words that changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Run } from './peers.ts';
import type { Scenes, Step, Word } from './trace.ts';

type Changes = Readonly<Partial<Record<Word, string>>>;

const fileOf = ({ peer, kind }: Run): URL => new URL(`../golden/${peer}-${kind}.jsonl.gz`, import.meta.url);

export function writeGolden(run: Run, scenes: Scenes): void {
  const lines = [...scenes].map(([scene, steps]) =>
    JSON.stringify({ scene, steps: steps.map((step, n) => changesOf(step, steps[n - 1])) }),
  );
  writeFileSync(fileOf(run), gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
}

/** Words that a step leaves out but the one before has are kept as empty. */
function changesOf(step: Step, before: Step = {}): Changes {
  const gone = Object.keys(before).filter((word) => !(word in step));
  const changed = Object.entries(step).filter(([word, value]) => before[word as Word] !== value);
  return Object.fromEntries([
    ...gone.map((word) => [word, '']),
    ...changed.map(([word, value]) => [word, value.toString(16)]),
  ]);
}

export function readGolden(run: Run): Scenes {
  const text = gunzipSync(readFileSync(fileOf(run))).toString();
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const { scene, steps } = JSON.parse(line) as { scene: string; steps: readonly Changes[] };
        let step: Step = {};
        return [scene, steps.map((changes) => (step = after(step, changes)))];
      }),
  );
}

const after = (step: Step, changes: Changes): Step => {
  const next: Partial<Record<Word, bigint>> = { ...step };
  for (const [word, value] of Object.entries(changes)) {
    if (value === '') delete next[word as Word];
    else next[word as Word] = BigInt(`0x${value}`);
  }
  return next;
};
