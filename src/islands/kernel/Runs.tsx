/** What runs the kernel that is open: it comes when a reader first asks for a run. */
import { RunPanel } from './RunPanel.tsx';
import { createRuns, type Runs as State } from './runs.ts';
import { SweepPanel } from './SweepPanel.tsx';

export { createRuns, type State };

export const Runs = ({ runs }: { readonly runs: State }) => (
  <>
    <RunPanel runs={runs} />
    <SweepPanel runs={runs} />
  </>
);
