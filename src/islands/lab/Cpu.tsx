/** The processor at this boundary: what changed, whose GS and CPL, and every register. */
import { useComputed } from '@preact/signals';
import { type CpuRow, cpuRows } from './cpu.ts';
import type { State } from './state.ts';

function Row({ row: { name, value, meaning, changed, before } }: { readonly row: CpuRow }) {
  return (
    <tr class={changed ? 'changed' : undefined}>
      <th scope="row">{name}</th>
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
            <Row key={row.name} row={row} />
          ))}
          {moved.map((row) => (
            <Row key={row.name} row={row} />
          ))}
        </tbody>
      </table>
      <details>
        <summary>All general registers</summary>
        <table class="cpu" aria-label="General registers">
          {HEAD}
          <tbody>
            {rows.general.map((row) => (
              <Row key={row.name} row={row} />
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
