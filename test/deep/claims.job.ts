/** Every promise and every documented hole of every design page, by whole sweeps; `npm test` makes short ones. */
import { against, claimsOf } from '../../src/explore/claims.ts';
import { libraryOnDisk } from '../../src/literate/shelves.ts';
import { designsOf } from '../../src/scenario/library.ts';
import { swept, Tally } from './swept.ts';

const pages = libraryOnDisk();
const tally = new Tally();
for (const design of designsOf(pages))
  for (const claim of claimsOf(design, pages)) {
    const reports = [];
    for (const ask of claim.asks) {
      const report = await swept(ask, pages);
      const { ms, schedules, distinct } = report;
      const seconds = (ms / 1000).toFixed(1);
      console.log(
        `  ${ask.events} from ${ask.starts}: ${schedules} schedules, ${distinct} runs, ${seconds} s`,
      );
      reports.push(report);
    }
    tally.add(`${design} ${claim.text}`, against(claim, reports));
  }
tally.close();
