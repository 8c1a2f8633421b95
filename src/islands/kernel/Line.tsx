/** A line for a command line, to be copied. */
import { useSignal } from '@preact/signals';

export function Line({ text }: { readonly text: string }) {
  const said = useSignal('');
  return (
    <p class="line">
      <code>{text}</code>{' '}
      <button
        type="button"
        class="btn"
        aria-label="Copy the command"
        onClick={async () => {
          try {
            await navigator.clipboard.writeText(text);
            said.value = 'Copied';
          } catch {
            said.value = 'The clipboard is refused: select the line';
          }
        }}
      >
        Copy
      </button>{' '}
      <output>{said}</output>
    </p>
  );
}
