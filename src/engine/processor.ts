/** The derived words of `MachineOps`, bound to the functions that say them. Every backend extends this. */
import { IF, RF, TF } from '../isa/flags.ts';
import { type Rights, VECTOR, type Width } from '../isa/ops.ts';
import { CR4 } from '../isa/state.ts';
import { armBreakpoints, executionBreakpoints, meetBreakpoints } from './events/debug.ts';
import { deliverByFred } from './events/fred.ts';
import { returnToSupervisor, returnToUser } from './events/fred-return.ts';
import { deliver } from './events/idt.ts';
import { returnFromInterrupt } from './events/iret.ts';
import { postSoftwareException, postSoftwareInterrupt, postSystemEvent, postTrap } from './events/pending.ts';
import { refreshAttention, stepByNewFlags } from './events/shadows.ts';
import { type Event, MachineOps } from './machine-ops.ts';
import { ends, loadSlow, rightsOf, storeSlow, translate } from './paging.ts';

export abstract class Processor<V> extends MachineOps<V> {
  /** Inside `together`. */
  protected gathering = false;

  translate(va: V, rights: V): V {
    return translate(this, va, rights);
  }
  loadSlow(width: Width, va: V, rights: V): V {
    return loadSlow(this, width, va, rights);
  }
  storeSlow(width: Width, va: V, value: V, rights: V): void {
    storeSlow(this, width, va, value, rights);
  }
  executionBreakpoints(): V {
    return executionBreakpoints(this);
  }
  meetBreakpoints(va: V, bytes: number, rights: V): void {
    meetBreakpoints(this, va, this.word(bytes), rights);
  }
  probe(va: V, bytes: number, access: Rights): void {
    const rights = typeof access === 'object' ? this.operandRights(true) : this.word(rightsOf(access, true));
    ends(this, va, bytes, rights);
  }
  interrupt(vector: number | V): void {
    // INT1 says its vector as a number, INT n (CD 01) as an operand.
    if (typeof vector !== 'number') postSoftwareInterrupt(this, vector);
    else if (vector === VECTOR.DB) postTrap(this, vector);
    else postSoftwareException(this, vector);
    this.hold();
  }
  systemEvent(vector: number): void {
    postSystemEvent(this, vector);
    this.hold();
  }
  /**
   * Only a repeated string instruction stays. What arrives between two iterations pushes RF set (SDM vol 3,
   * 18.3.1.1), and so does a fault of the next one.
   */
  stay(): void {
    this.setRflags(this.word(RF), RF);
    this.hold();
  }
  returnFromInterrupt(width: Width): void {
    returnFromInterrupt(this, width);
  }
  returnFromEvent(to: 'supervisor' | 'user'): void {
    if (to === 'supervisor') returnToSupervisor(this);
    else returnToUser(this);
  }
  stepByNewFlags(): void {
    stepByNewFlags(this);
  }
  /** The IDT, or FRED where CR4 has it. */
  deliver(event: Event<V>): void {
    this.when(
      this.bit(this.get('cr4'), CR4.fred),
      () => deliverByFred(this, event),
      () => deliver(this, event),
    );
  }
  refreshAttention(): void {
    if (!this.gathering) refreshAttention(this);
  }
  override together(body: () => void): void {
    const outer = this.gathering;
    this.gathering = true;
    try {
      body();
    } finally {
      this.gathering = outer;
    }
    this.refreshAttention();
  }
  armBreakpoints(): void {
    armBreakpoints(this);
  }
  /** TF, IF and RF are causes of attention. */
  override setRflags(image: V, mask: bigint): void {
    super.setRflags(image, mask);
    if ((mask & (TF | IF | RF)) !== 0n) this.refreshAttention();
  }
  heading(_text: string): void {}
  symbol(_name: string, value: number): V {
    return this.word(value);
  }
  isOneOf(vector: V, list: readonly number[]): V {
    const map = list.reduce((bits, one) => bits | (1n << BigInt(one)), 0n);
    return this.and(
      this.below(vector, this.word(32)),
      this.bit(this.shr(this.word(map), this.and(vector, this.word(31))), 0),
    );
  }
}
