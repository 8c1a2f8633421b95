/** What a link holds, in words: its parts, what it changes, what becomes of it here. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Explained } from '../../scenario/explain.ts';
import type { Asker } from './protocol.ts';
import type { State } from './state.ts';

/** Lines with `-`, `+` or a space before them. */
export function Diff({ lines }: { readonly lines: readonly string[] }) {
  return (
    <pre class="diff">
      {lines.map((line, n) => {
        const Mark = line.startsWith('-') ? 'del' : line.startsWith('+') ? 'ins' : 'span';
        return <Mark key={n}>{`${line}\n`}</Mark>;
      })}
    </pre>
  );
}

/** All that `explain` says of a link. */
export function Holds({ explained }: { readonly explained: Explained }) {
  const { parts, recipe, edits, sentence, details, at } = explained;
  return (
    <div class="holds">
      {parts.length > 0 && (
        <dl>
          {parts.map(({ text, says }) => (
            <div key={text}>
              <dt>{text}</dt>
              <dd>{says}</dd>
            </div>
          ))}
        </dl>
      )}
      {recipe.length > 0 && (
        <>
          <p>Against the named scenario:</p>
          <Diff lines={recipe} />
        </>
      )}
      {edits.map(({ block, lines }) => (
        <div key={block}>
          <p>
            The cell <code>{block}</code>:
          </p>
          {lines.length > 0 ? <Diff lines={lines} /> : <p class="dim">no difference</p>}
        </div>
      ))}
      {parts.length > 0 && recipe.length + edits.length === 0 && (
        <p>No difference from the named scenario.</p>
      )}
      <p>
        {explained.outcome === 'cannot-run' && <b>cannot run: </b>}
        {sentence}
        {at && <span class="dim"> At {at}.</span>}
      </p>
      {details.length > 0 && (
        <details>
          <summary>{explained.outcome === 'cannot-run' ? 'What was recorded' : 'Every difference'}</summary>
          <pre class="diff">{details.join('\n')}</pre>
        </details>
      )}
    </div>
  );
}

function CurrentLink({ state, ask }: { readonly state: State; readonly ask: Asker }) {
  const explained = useSignal<Explained | undefined>(undefined);
  const failed = useSignal('');
  const link = state.link.value;
  useEffect(() => {
    if (!link) return;
    let current = true;
    ask({ kind: 'explain', link, base: state.base }).then((answer) => {
      if (!current) return;
      if (answer.kind === 'failed') failed.value = answer.reason;
      else {
        failed.value = '';
        explained.value = answer.explained;
      }
    });
    return () => {
      current = false;
    };
  }, [link]);
  if (!link) {
    const { slug, version } = state.outline.value;
    return (
      <p>
        No link can say this run: no page has the scenario {slug} v{version} with this set-up. The mail block
        carries it whole.
      </p>
    );
  }
  return (
    <>
      <p class="whole">{link}</p>
      {failed.value && <p class="bad">{failed}</p>}
      {explained.value && <Holds explained={explained.value} />}
    </>
  );
}

/** The link to the moment in view, explained before anybody trusts it. */
export function LinkPanel({ state, ask }: { readonly state: State; readonly ask: Asker }) {
  const open = useSignal(false);
  return (
    <details
      class="js about-link"
      onToggle={({ currentTarget }) => {
        open.value = currentTarget.open;
      }}
    >
      <summary>What this link holds</summary>
      {open.value && (
        <div class="body">
          <CurrentLink state={state} ask={ask} />
        </div>
      )}
    </details>
  );
}
