/** The keys of the laboratory, as they work and as its help lists them. */

interface Key {
  readonly keys: readonly string[];
  readonly what: string;
  /** For those that work anywhere in the laboratory outside text fields; the others belong to the part that has the focus. */
  readonly action?: string;
}

export const KEYS: readonly Key[] = [
  { keys: ['Left', 'Right'], what: 'one boundary, on the slider' },
  { keys: ['Page Up', 'Page Down'], what: 'one named step, on the slider' },
  { keys: ['Home', 'End'], what: 'first and last boundary, on the slider' },
  { keys: ['+', '-', '0'], what: 'zoom in, zoom out, whole run, on the slider' },
  { keys: ['[', ']'], what: 'one named step back, one on' },
  { keys: ['n'], what: 'next event', action: 'next-event' },
  { keys: ['p'], what: 'previous event', action: 'previous-event' },
  { keys: ['o'], what: 'one boundary on, over a whole event', action: 'over' },
  { keys: ['b'], what: 'one boundary back, over a whole event', action: 'back-over' },
  { keys: ['w'], what: 'last writer of the chosen word or register', action: 'writer' },
  { keys: ['W'], what: 'its next write', action: 'next-write' },
  { keys: ['f'], what: 'the chosen event strikes at the boundary in view', action: 'fire' },
  { keys: ['Up', 'Down'], what: 'choose a word, in its table' },
  { keys: ['Up', 'Down', 'Left', 'Right'], what: 'choose a word of any stack, in the picture' },
  { keys: ['Up', 'Down', 'Enter', 'f'], what: 'choose a line of the code, go to it, place the event there' },
  { keys: ['Left', 'Right', 'Delete'], what: 'move an event, take it away, on its token' },
  {
    keys: ['s'],
    what: 'presentation: large type, one part at a time; digits choose it, arrows go by step, Escape ends it',
    action: 'present',
  },
  { keys: ['?'], what: 'this list', action: 'help' },
];

/** The action of a key; undefined for those that have none everywhere. */
export const keyAction = (key: string): string | undefined =>
  KEYS.find(({ keys, action }) => action !== undefined && keys.includes(key))?.action;
