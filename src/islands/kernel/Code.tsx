/** A routine: instructions, what may be written over them, and the ORC rows beside them. */
import { useSignal } from '@preact/signals';
import { type ListingRow, offsetText } from '../../image/vmlinux/listing.ts';
import { Hex } from '../lab/parts.tsx';
import { fragmentOf } from './address.ts';
import type { State, View } from './state.ts';

/** Rows that are drawn unasked: the longest routines have some ten thousand. */
const DRAWN = 1500;

/** The text of an instruction, with the name that it branches to as a link: to a routine, or to a row of this one. */
function Instruction({ row, link }: { readonly row: ListingRow; readonly link: (symbol: string) => string }) {
  const { text, target, inside } = row;
  const at = target === undefined ? -1 : text.lastIndexOf(target);
  if (target === undefined || at < 0) return <code>{text}</code>;
  const symbol = target.replace(/\+0x[\da-f]+$/, '');
  const toRow = (event: MouseEvent & { readonly currentTarget: HTMLElement }): void => {
    const found = event.currentTarget
      .closest('table')
      ?.querySelector<HTMLElement>(`tr[data-at="${inside}"] th`);
    if (!found) return;
    event.preventDefault();
    found.scrollIntoView({ block: 'center' });
    found.focus();
  };
  return (
    <code>
      {text.slice(0, at)}
      <a href={link(symbol)} onClick={inside === undefined ? undefined : toRow}>
        {target}
      </a>
      {text.slice(at + target.length)}
    </code>
  );
}

/** Rows under the label that they follow. */
function groups(rows: readonly ListingRow[]): readonly (readonly ListingRow[])[] {
  const found: ListingRow[][] = [];
  for (const row of rows) {
    if (row.labels.length > 0 || found.length === 0) found.push([]);
    found.at(-1)?.push(row);
  }
  return found;
}

export function Code({ state, view }: { readonly state: State; readonly view: View }) {
  const all = useSignal<View | undefined>(undefined);
  const { listing } = view;
  const { rows, symbol, noOrc } = listing;
  const drawn = all.value === view ? rows : rows.slice(0, DRAWN);
  const link = (name: string): string =>
    `#${fragmentOf({ symbol: name, features: listing.features, build: state.wanted.value?.build })}`;
  return (
    <>
      {noOrc !== undefined && <p class="none">No ORC rows: {noOrc}.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="scroller" tabIndex={0} aria-label={`Code of ${symbol}`}>
        <table class="routine">
          <thead>
            <tr>
              <th scope="col">at</th>
              <th scope="col" class="wide-only">
                address
              </th>
              <th scope="col" class="wide-only">
                bytes
              </th>
              <th scope="col">instruction</th>
              <th scope="col" class="wide-only">
                ORC row from here on
              </th>
            </tr>
          </thead>
          {groups(drawn).map((group) => (
            <tbody key={group[0]?.offset}>
              {group[0]?.labels.map((label) => (
                <tr key={label} class="label">
                  <th scope="rowgroup" colSpan={5}>
                    {label}
                  </th>
                </tr>
              ))}
              {group.map((row) => (
                <tr key={row.offset} data-at={row.offset} class={row.orc.length > 0 ? 'turns' : undefined}>
                  <th scope="row" tabIndex={-1}>
                    {offsetText(row.offset)}
                  </th>
                  <td class="wide-only">
                    <Hex value={row.address} />
                  </td>
                  <td class="bytes wide-only">{row.bytes}</td>
                  <td>
                    {row.orc.map((one) => (
                      <span key={one} class="above">
                        orc {one}
                      </span>
                    ))}
                    <Instruction row={row} link={link} />
                    {row.alternatives.map((one) => (
                      <span key={one} class="alternative">
                        {one}
                      </span>
                    ))}
                  </td>
                  <td class="row wide-only">
                    {row.orc.map((one) => (
                      <span key={one}>{one}</span>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </section>
      {drawn.length < rows.length && (
        <p class="rest">
          The first {drawn.length} of {rows.length} instructions.{' '}
          <button
            type="button"
            class="btn"
            onClick={() => {
              all.value = view;
            }}
          >
            Show all
          </button>
        </p>
      )}
    </>
  );
}
