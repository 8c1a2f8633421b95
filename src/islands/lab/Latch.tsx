/** The latch and what it means, and the few registers that decide the nested path. */
import { modeOf } from './cpu.ts';
import type { State } from './state.ts';
import { wordAt } from './words.ts';

const Lamp = ({ on, kind, name, note }: { on: boolean; kind: string; name: string; note: string }) => (
  <div class={`lamp ${kind}${on ? ' on' : ''}`}>
    <span class="bulb" aria-hidden="true" />
    <span>
      <b>{name}</b>
      <small>{note}</small>
    </span>
  </div>
);

/** Two lamps and a line of facts: of the whole laboratory, whose registers stand in a table, who is at work. */
export function Latch({ state, whole }: { readonly state: State; readonly whole: boolean }) {
  const { latch, stack, flags, at } = state.frame.value;
  const { executing } = state.outline.value;
  const flag = executing === undefined ? undefined : wordAt(state.frame.value, executing);
  const facts = whole
    ? modeOf(state.frame.value)
    : [
        ['RIP', at],
        ['RSP', stack.text],
        ['flags', flags || 'none'],
        ...(flag ? [['executing', flag.meaning]] : []),
      ];
  return (
    <>
      <h2 class="ph">NMI latch</h2>
      <div class="lamps">
        <Lamp
          kind="block"
          on={latch.blocked}
          name={latch.blocked ? 'NMIs blocked' : 'NMIs open'}
          note={latch.blocked ? 'until the next IRET of any kind' : 'the next NMI is taken at once'}
        />
        <Lamp
          kind="pend"
          on={latch.pending}
          name={latch.pending ? '1 pending' : 'none pending'}
          note={latch.pending ? 'further ones merge into it' : 'room for one'}
        />
        <dl class="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}
