/** An operand as text gives it to the encoder. */
export type AsmOperand =
  /** A register by name, without the percent sign: `rax`, `ah`, `ss`, `cr3`. */
  | { readonly kind: 'register'; readonly name: string }
  /** `wide`: the value is symbolic, so the field keeps its full size: 32 bits, or 64 for MOVABS. */
  | { readonly kind: 'immediate'; readonly value: bigint; readonly wide: boolean }
  /** With base `rip` the displacement is counted from the end of the instruction. */
  | {
      readonly kind: 'memory';
      readonly segment: 'fs' | 'gs' | undefined;
      readonly base: string | undefined;
      readonly index: string | undefined;
      readonly scale: 1 | 2 | 4 | 8;
      readonly displacement: bigint;
      readonly wide: boolean;
    }
  /** A branch target, measured from the end of the instruction; `wide` keeps 32 bits. */
  | { readonly kind: 'target'; readonly distance: bigint; readonly wide: boolean }
  /** `*%rax`, `*8(%rsp)` */
  | { readonly kind: 'indirect'; readonly operand: AsmOperand };
