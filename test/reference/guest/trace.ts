/** What an implementation did: the state in front of every instruction that it attempted, scene by scene. */
import { GPR } from '../../../src/isa/state.ts';
import type { Guest } from './image.ts';

/** What is compared. A peer whose trace leaves a word out has no such key. */
export const WORDS = [
  'rip',
  'rflags',
  ...GPR,
  ...(['cs', 'ss', 'ds', 'es', 'cpl', 'cr0', 'cr2', 'cr3', 'cr4', 'efer', 'dr0', 'dr6', 'dr7'] as const),
] as const;
export type Word = (typeof WORDS)[number];
export type Step = Readonly<Partial<Record<Word, bigint>>>;

/** Steps of every scene by name, from its first instruction to the first of the next one's preparation. */
export type Scenes = ReadonlyMap<string, readonly Step[]>;

export function scenesOf(steps: readonly Step[], guest: Guest): Scenes {
  const [start, next] = [guest.at('to_scene'), guest.at('next_scene')];
  const scenes = new Map<string, Step[]>();
  let list: Step[] | undefined;
  let last: bigint | undefined;
  for (const step of steps) {
    if (last === start) {
      list = [];
      scenes.set(guest.name(step.rip ?? 0n).replace(/^scene_/, ''), list);
    }
    list?.push(step);
    if (step.rip === next) list = undefined;
    last = step.rip;
  }
  return scenes;
}
