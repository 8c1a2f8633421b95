/** An example run again, in a browser, in a situation that may have been edited. */
import { type SituationProblem, situationOf, unhex } from './block.ts';
import { type Driver, engineDriver } from './driver.ts';
import { type View, view } from './view.ts';

let driver: Driver | undefined;

/** Runs `bytes` (hexadecimal) in a situation written as in the tests; a problem with the text is a sentence. */
export function again(bytes: string, written: string): View | SituationProblem {
  const before = situationOf(written);
  if ('problem' in before) return before;
  driver ??= engineDriver();
  return view(driver, unhex(bytes), before);
}
