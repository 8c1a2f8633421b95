/** The laboratory: the island with all that it can have, there from the first paint on, so that nothing moves when it wakes. */
import Lab, { type Bench, type LabProps } from './Lab.tsx';
import { Compare, Files, OneMore, Origin, Pseudo, Tokens, Travel } from './lab/Workbench.tsx';

const parts = { Compare, Files, OneMore, Origin, Pseudo, Tokens, Travel };

type LaboratoryProps = Omit<LabProps, 'bench'> & Omit<Bench, 'parts'>;

export default function Laboratory({ designs, origin, ...props }: LaboratoryProps) {
  return <Lab {...props} bench={{ parts, designs, origin }} />;
}
