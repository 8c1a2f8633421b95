/** The processor at this boundary: what changed, whose GS and CPL, and every register. */
import { useComputed } from '@preact/signals';
import { type CpuRow, cpuRows } from './cpu.ts';
import type { State } from './state.ts';

function Row({ row, state }: { readonly row: CpuRow; readonly state: State }) {
  const { name, register, value, meaning, changed, before } = row;
  const chosen = state.register.value === register;
  return (
    <tr class={changed ? 'changed' : undefined} aria-current={chosen ? 'true' : undefined}>
      <th scope="row">
        {!state.live.value && name}
        {state.live.value && (
          <button
            type="button"
            class="reg"
            disabled={!state.ready.value}
            title={`where ${name} comes from`}
            onClick={() => state.ofRegister(register)}
          >
            {name}
          </button>
        )}
      </th>
      <td class="v">{value}</td>
      <td class="m">
        {changed && before !== undefined && before !== meaning && <s>{before}</s>} {meaning}
      </td>
    </tr>
  );
}

const HEAD = (
  <thead class="vh">
    <tr>
      <th scope="col">register</th>
      <th scope="col">value, hexadecimal</th>
      <th scope="col">means</th>
    </tr>
  </thead>
);

/** Registers of control at once, the general ones in a fold that is open where one of them changed. */
export function Cpu({ state }: { readonly state: State }) {
  const rows = useComputed(() => {
    const frame = state.frame.value;
    state.came.value; // the frame before may come later
    return cpuRows(frame, state.frames.value[frame.boundary - 1]);
  }).value;
  const moved = rows.general.filter(({ changed }) => changed);
  return (
    <>
      <h2 class="ph">
        CPU <small>the bar says: changed by this step</small>
      </h2>
      <table class="cpu" aria-label="Registers of control">
        {HEAD}
        <tbody>
          {rows.control.map((row) => (
            <Row key={row.name} row={row} state={state} />
          ))}
          {moved.map((row) => (
            <Row key={row.name} row={row} state={state} />
          ))}
        </tbody>
      </table>
      <details>
        <summary>All general registers</summary>
        <table class="cpu" aria-label="General registers">
          {HEAD}
          <tbody>
            {rows.general.map((row) => (
              <Row key={row.name} row={row} state={state} />
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
