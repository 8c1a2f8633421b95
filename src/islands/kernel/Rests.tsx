/** What a verdict rests on: what was cut, what was not asked, and what ORC made of it. */
import type { ComponentChildren } from 'preact';
import type { UnwoundCounts } from '../../scenario/vmlinux/unwound-count.ts';
import { unwoundLines } from '../../scenario/vmlinux/unwound-text.ts';

interface Said {
  readonly cut: readonly string[];
  readonly unchecked: readonly string[];
  readonly unwound: UnwoundCounts | undefined;
}

export function Rests({
  said: { cut, unchecked, unwound },
  children,
}: {
  readonly said: Said;
  readonly children?: ComponentChildren;
}) {
  const [summary = '', ...rest] = unwoundLines(unwound);
  return (
    <>
      <p class="scope">
        {children}
        {cut.length > 0 ? (
          <>
            Cut, so that they return at once: <code>{cut.join(', ')}</code>.
          </>
        ) : (
          'Nothing that was called was cut.'
        )}{' '}
        {unchecked.map((one) => `Unchecked: ${one}. `)}
        {summary.replace(/^ORC: +/, 'ORC: ')}.
      </p>
      {rest.length > 0 && (
        <details>
          <summary>Where ORC is wrong or short: {rest.length}</summary>
          <ul>
            {rest.map((line) => (
              <li key={line}>{line.trim()}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
