/** The moments of a run that have a name, and the spans between them. */
import type { Span, Step } from './timeline.ts';

/** What is known of a boundary that may be a step. */
export interface Mark {
  readonly boundary: number;
  /** What led there. */
  readonly told: string;
  /** `NMI 2`, `#BP` where the transition was a delivery. */
  readonly delivered: string | undefined;
  /** `IRETQ`, `ERETS` where the transition was a return from an event. */
  readonly returned: string | undefined;
  /** The global label that control has reached. */
  readonly label: string | undefined;
  /** What the page says of that label. */
  readonly sentence: string;
}

/** Deliveries, returns, arrivals at global labels, the first boundary and the last. */
export function stepsOf(marks: readonly Mark[], last: number): readonly Step[] {
  const taken = new Map<string, number>();
  const unique = (name: string): string => {
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  };
  return marks.flatMap(({ boundary, told, delivered, returned, label, sentence }): Step[] => {
    if (boundary > 0 && boundary < last && !delivered && !returned && !label) return [];
    const event = delivered
      ? delivered.replace(/^#/, '').replace(' ', '-').toLowerCase()
      : returned
        ? returned.replace('IRETQ', 'iret').toLowerCase()
        : boundary === 0
          ? 'start'
          : 'end';
    const kind =
      boundary === 0
        ? 'start'
        : delivered?.startsWith('NMI')
          ? 'nmi'
          : delivered
            ? 'event'
            : returned
              ? 'return'
              : label
                ? 'label'
                : 'end';
    const name = boundary === 0 ? (label ?? 'start') : (delivered ?? returned ?? label ?? 'end');
    const says = kind === 'label' && sentence ? sentence : told;
    return [{ boundary, name, kind, checkpoint: unique(label ?? event), sentence: says }];
  });
}

/** The stretches of boundaries, up to the last, at which something holds. */
export function spansOf(last: number, holds: (boundary: number) => boolean): readonly Span[] {
  const spans: { from: number; to: number }[] = [];
  for (let boundary = 0; boundary <= last; boundary++) {
    if (!holds(boundary)) continue;
    const open = spans.at(-1);
    if (open && open.to === boundary - 1) open.to = boundary;
    else spans.push({ from: boundary, to: boundary });
  }
  return spans;
}
