import type { Kernel } from '../../image/kernel-file.ts';
import { about } from '../../image/vmlinux/about.ts';
import { unwoundLines } from '../../scenario/vmlinux/unwound-text.ts';
import type { Answer, Asked } from './answer.ts';
import { benchOf, eventsOf, pathOf } from './asked-run.ts';

/** `lab kernel FILE run`: one event through the kernel's own entry and back, others on the way. */
export function run(kernel: Kernel, asked: Asked): Answer {
  const { at, event = 'nmi', path: named, user = false } = asked.options ?? {};
  // Without a place the event is the path itself.
  const path = pathOf(named ?? (at === undefined ? event : 'nmi'));
  if (typeof path !== 'string') return path;
  const events = at === undefined ? [] : eventsOf(event);
  if ('problem' in events) return events;
  const places = at?.split(',') ?? [];
  if (places.length !== events.length)
    return { problem: `invalid places: ${places.length} for ${events.length} events` };
  const made = benchOf(kernel, asked);
  if ('problem' in made) return made;
  const strikes = events.map((one, n) => ({ event: one, at: places[n] ?? '' }));
  const done = made.bench.run({ path, user, strikes });
  if ('problem' in done) return done;
  const { version } = about(kernel);
  const { verdict, invariant, reason, steps, place, cut, text, struck, unchecked, unwound } = done;
  return {
    value: { version, features: asked.features ?? null, ...done },
    failed: verdict !== 'returned',
    lines: [
      `verdict:   ${verdict}${invariant ? `: ${invariant}` : ''}${reason ? `: ${reason}` : ''}`,
      `path:      ${path} from ${done.user ? 'user' : 'kernel'} mode, ${steps} transitions, ends at ${place}`,
      `text:      ${text}${asked.features === undefined ? '' : ` for a processor with: ${asked.features}`}`,
      ...struck.map((one) => `struck:    ${one.event} at ${one.at}, boundary ${one.boundary}`),
      `cut:       ${cut.length > 0 ? `${cut.join(', ')} (called, and returned at once)` : 'nothing that was called'}`,
      ...unchecked.map((one) => `unchecked: ${one}`),
      ...unwoundLines(unwound),
    ],
  };
}
