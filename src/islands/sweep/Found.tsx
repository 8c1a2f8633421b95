/** What a sweep found: the shortest recipe of each break, opened, copied, mailed. */
import { useSignal } from '@preact/signals';
import { FATES, fateOf } from '../../explore/fate.ts';
import { type Found as Broken, isOfUnwinder } from '../../explore/found.ts';
import { INVARIANTS } from '../../scenario/invariants.ts';
import { Chip } from './Outcomes.tsx';
import { count, scopeOf, verdictOf } from './say.ts';
import { BASE, LINKED, type State } from './state.ts';

/** The verdict in a line, and everything that it is about. */
export function Verdict({ state }: { readonly state: Pick<State, 'report' | 'phase'> }) {
  const report = state.report.value;
  const phase = state.phase.value;
  if (!report) {
    return (
      <p class="verdict" role="status">
        {phase.kind === 'running' ? 'Sweeping. Nothing is claimed yet.' : ''}
        {phase.kind === 'cancelled'
          ? 'Cancelled: what is drawn was swept, and nothing is claimed of it.'
          : ''}
        {phase.kind === 'refused' ? 'This cannot be swept.' : ''}
      </p>
    );
  }
  const { clean, text } = verdictOf(report);
  const took = phase.kind === 'done' && phase.elapsed !== undefined ? phase.elapsed : undefined;
  return (
    <div class="verdict" role="status">
      <p>
        <Chip letter={clean ? 'o' : (letterOf(report.violations[0]) ?? 'A')} /> <b>{text}</b>
        {took !== undefined && <span class="dim"> Took {(took / 1000).toFixed(1)} s.</span>}
      </p>
      <p class="scope">{scopeOf(report).join(' ')}</p>
    </div>
  );
}

const letterOf = (found: Broken | undefined): string | undefined =>
  FATES.find(({ invariant }) => invariant !== undefined && invariant === found?.invariant)?.letter;

export function FoundList({ state }: { readonly state: State }) {
  const found = state.report.value?.violations ?? [];
  if (found.length === 0) return null;
  return (
    <section class="found" aria-label={`Shortest recipes, ${state.title}`}>
      <h2>Shortest recipes</h2>
      <div class="cards">
        {found.slice(0, LINKED).map((one, n) => (
          <Card key={`${n}${one.sentence}`} state={state} found={one} n={n} />
        ))}
      </div>
      {found.length > LINKED && (
        <details>
          <summary>{found.length - LINKED} more kinds of breaks</summary>
          <ul>
            {found.slice(LINKED).map((one) => (
              <li key={one.recipe + one.sentence}>
                <b>{one.invariant}</b> {one.sentence}{' '}
                <span class="dim">({count(one.schedules)} schedules)</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Card({ state, found, n }: { readonly state: State; readonly found: Broken; readonly n: number }) {
  const { invariant, sentence, step, schedules } = found;
  const door = state.doors.value[n];
  const recipe = door?.recipe ?? found.recipe;
  const letter = letterOf(found) ?? 'A';
  return (
    <article class="card">
      <p>
        <Chip letter={letter} /> <b>{invariant}</b>{' '}
        <span class="dim">{fateOf(letter) && INVARIANTS[invariant]}</span>
      </p>
      <p>
        {sentence.charAt(0).toUpperCase() + sentence.slice(1)}, at boundary {step}.{' '}
        <span class="dim">
          {isOfUnwinder(invariant)
            ? `${count(schedules)} states`
            : schedules === 1
              ? 'One schedule'
              : `${count(schedules)} schedules`}
          .
        </span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{recipe.trimEnd()}</pre>
      <RunActions state={state} recipe={recipe} link={door?.link} boundary={step} />
    </article>
  );
}

/** What can be done with a run: opened, linked, copied, mailed. */
export function RunActions({
  state,
  recipe,
  link,
  boundary,
}: {
  readonly state: State;
  readonly recipe: string;
  /** From `/s/` on. */
  readonly link: string | undefined;
  readonly boundary: number;
}) {
  const said = useSignal('');
  const mail = useSignal('');
  const copy = (text: string) => async () => {
    said.value = '';
    try {
      await navigator.clipboard.writeText(text);
      said.value = 'Copied';
    } catch {
      said.value = text; // the clipboard is refused: show it, to be copied by hand
    }
  };
  const write = async () => {
    mail.value = await state.mail(recipe, boundary);
  };
  return (
    <footer class="acts">
      {link && (
        <a class="btn" href={BASE + link}>
          Open this run
        </a>
      )}
      <span class="js">
        {link && (
          <button type="button" class="btn" onClick={() => copy(location.origin + BASE + link)()}>
            Copy link
          </button>
        )}
        <button type="button" class="btn" onClick={copy(recipe)}>
          Copy recipe
        </button>
        <button type="button" class="btn" onClick={write}>
          For a mail
        </button>
        <output class="copied">{said}</output>
      </span>
      {mail.value && (
        <div class="mail">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>{mail}</pre>
          <button type="button" class="btn" onClick={() => copy(mail.value)()}>
            Copy the mail
          </button>
        </div>
      )}
    </footer>
  );
}
