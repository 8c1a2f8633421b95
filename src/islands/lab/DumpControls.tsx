/** What a reader may change before a dump: the rows of ORC, who dumps, and what was proposed in July 2016. */
import { useSignal } from '@preact/signals';
import type { OrcBase, OrcRow, OrcType } from '../../image/orc.ts';
import type { Dump, RowInForce } from '../../scenario/dump.ts';
import { CHOICE, type Dumping } from './dumping.ts';
import { switchesIn } from './recipe-text.ts';

const BASES: readonly OrcBase[] = ['sp', 'bp', 'sp-indirect', 'bp-indirect', 'dx', 'undefined'];
const TYPES: readonly OrcType[] = ['call', 'regs', 'regs-partial', 'end', 'undefined'];

function RowEditor({ found, dumping }: { found: RowInForce; dumping: Dumping }) {
  const { row } = found;
  if (!row) return null;
  const change = (part: Partial<OrcRow>) => dumping.edit(row.address, { ...row, ...part });
  return (
    <span class="js fields">
      <label>
        from{' '}
        <select
          value={row.base}
          onChange={({ currentTarget }) => change({ base: currentTarget.value as OrcBase })}
        >
          {BASES.map((base) => (
            <option key={base} value={base}>
              {base}
            </option>
          ))}
        </select>
      </label>
      <label>
        {' '}
        plus{' '}
        <input
          type="number"
          step={8}
          value={row.offset}
          onChange={({ currentTarget }) => {
            const offset = Math.trunc(Number(currentTarget.value));
            if (Math.abs(offset) < 0x8000) change({ offset });
          }}
        />
      </label>
      <label>
        {' '}
        lies{' '}
        <select
          value={row.type}
          onChange={({ currentTarget }) => change({ type: currentTarget.value as OrcType })}
        >
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ))}
        </select>
      </label>{' '}
      <button type="button" class="btn" onClick={() => dumping.edit(row.address, undefined)}>
        Delete the row
      </button>
    </span>
  );
}

/** The rows by which ORC leaves each live function; any can be changed, and the traces follow. */
export function Rows({ dump, dumping }: { dump: Dump; dumping: Dumping }) {
  const chosen = useSignal(0);
  const found = dump.rows[chosen.value] ?? dump.rows[0];
  if (!found) return null;
  const changes = dumping.edits.value.length;
  return (
    <div class="orc">
      <noscript>
        <p>ORC rows in force:</p>
        <ul>
          {dump.rows.map(({ at, text }) => (
            <li key={at}>
              {at}: <code>{text}</code>
            </li>
          ))}
        </ul>
      </noscript>
      <p class="js">
        <label>
          ORC row in force at{' '}
          <select
            value={String(chosen.value)}
            onChange={({ currentTarget }) => {
              chosen.value = Number(currentTarget.value);
            }}
          >
            {dump.rows.map(({ at }, n) => (
              <option key={n} value={String(n)}>
                {at}
              </option>
            ))}
          </select>
        </label>
        : <code>{found.text}</code> {found.edited && <b>changed</b>}
      </p>
      <p>
        <RowEditor found={found} dumping={dumping} />{' '}
        {changes > 0 && (
          <button type="button" class="btn" onClick={dumping.restore}>
            Put {changes === 1 ? 'the row' : `${changes} rows`} back
          </button>
        )}
      </p>
      <p class="dim js">
        Where a row is deleted, the one before it is in force: that is how the table is read.
      </p>
    </div>
  );
}

/** Words below the end of the NMI stack that a reader may try: those of the records. */
const LINKS = ['', 'end-9', 'end-14', 'end-17'];

export function Choices({ dumping, recipe }: { dumping: Dumping; recipe: string }) {
  const own = switchesIn(recipe);
  const value = (name: string): string => dumping.switches.value[name] ?? own[name] ?? '';
  const pick = (
    name: string,
    label: string,
    options: readonly (readonly [value: string, text: string])[],
  ) => (
    <label>
      {label}{' '}
      <select value={value(name)} onChange={({ currentTarget }) => dumping.set(name, currentTarget.value)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const links = [...new Set([...LINKS, value('nmi-link')])];
  return (
    <div class="js choices">
      <fieldset>
        <legend>Who dumps</legend>
        {CHOICE.map(({ id, name }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={dumping.unwinders.value.includes(id)}
              onChange={({ currentTarget }) => dumping.choose(id, currentTarget.checked)}
            />{' '}
            {name}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>What was proposed</legend>
        {pick(
          'nmi-link',
          'the NMI stack leads on by',
          links.map((one) => [one, one ? one.replace(/-(\d+)/, '[-$1]') : 'end[-2]']),
        )}
        {pick('next-frame', '"next frame is at"', [
          ['', 'not printed'],
          ['links', 'by the words'],
          ['unwinder', 'by the unwinder'],
        ])}
        {pick('user-regs', 'no user registers at the end', [
          ['', 'is fine'],
          ['warn', 'warns'],
        ])}
        {pick('dump', 'a dump from', [
          ['', 'here'],
          ['registers', 'saved registers'],
          ['registers-own-stack', 'saved registers, 6.12.0'],
        ])}
      </fieldset>
    </div>
  );
}
