/** The guest of the bench: forty instructions in the mix of entry code (stack, per-CPU words, tests, calls, narrow forms). */
import { assemble } from '../../asm/assemble.ts';
import { problemText } from '../../asm/source.ts';
import { AddressSpace } from '../../engine/address-space.ts';
import type { Backend } from '../../engine/backends/executor.ts';
import { Machine } from '../../engine/machine.ts';
import type { Field } from '../../isa/state.ts';

export const TEXT = 0xffff_ffff_8100_0000n;
export const DATA = 0xffff_8880_0000_0000n;
export const STACK_TOP = 0xffff_c900_0000_4000n;
const IST_TOP = 0xffff_c900_0001_1000n;
const TABLES = 0xffff_fe00_0000_0000n;
const GDT = TABLES + 0xc00n;
const TSS = TABLES + 0xd00n;
const CS = 0x10n;

/** The loop ends when R15 has been counted down; the handler of an NMI is `nmi`. */
const PROGRAM = `
top: push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8
     mov %rsp,%rbx
     mov %gs:8,%rax
     add $3,%rax
     mov %rax,%gs:8
     cmp $100,%rax
     jb top
     testb $3,16(%rbx)
     js top
     lea 5(%rax,%rcx,8),%rdx
     xor %rax,%rdx
     call leaf
     and $0xffff,%rdx
     inc %rcx
     shl $4,%rdx
     or %rcx,%rdx
     sub %rdx,%rsi
     mov %esi,%edi
     cmpl $1,%gs:16
     je top
     movzbl %gs:9,%eax
     pop %r8; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax
     dec %r15
     jne top
     hlt
leaf: push %rbp
     mov %rsp,%rbp
     mov 8(%rbp),%r8
     add %rax,%r8
     leave
     ret
nmi: push %rax; push %rcx; push %rdx
     mov %gs:24,%rax
     inc %rax
     mov %rax,%gs:24
     call leaf
     pop %rdx; pop %rcx; pop %rax
     iretq
`;

/** Bytes of the program, and where its labels lie. */
export function program(): { readonly bytes: Uint8Array; readonly labels: ReadonlyMap<string, bigint> } {
  const { image, problems } = assemble(
    [{ page: 'bench', name: 'bench', line: 1, lines: ['.text', ...PROGRAM.split('\n')] }],
    {
      sections: [
        { name: '.text', address: TEXT, writable: false, executable: true, user: false, limit: 0x1000 },
      ],
    },
  );
  const [first] = problems;
  if (first) throw new Error(problemText(first));
  return {
    bytes: image.segments[0]?.bytes ?? new Uint8Array(),
    labels: new Map(image.symbols.map(({ name, address }) => [name, address])),
  };
}

/** A machine in the loop, `transitions` on; 400 are enough for everything to be mapped and decoded. */
export function machineOf(backend: Backend | undefined, transitions = 400): Machine {
  const machine = new Machine({ frames: 64, ...(backend ? { backend } : {}) });
  const space = new AddressSpace(machine);
  const { bytes, labels } = program();
  space.map(TEXT, 1, { executable: true });
  space.map(STACK_TOP - 0x4000n, 4, { writable: true });
  space.map(IST_TOP - 0x1000n, 1, { writable: true });
  space.map(DATA, 1, { writable: true });
  space.map(TABLES, 1, { writable: true });
  space.write(TEXT, bytes);
  const nmi = labels.get('nmi') ?? TEXT;
  const gate =
    (nmi & 0xffffn) | (CS << 16n) | (1n << 32n) | (0x8en << 40n) | (((nmi >> 16n) & 0xffffn) << 48n);
  space.writeWords(TABLES + 32n, [gate, nmi >> 32n]);
  space.writeWords(GDT + CS, [0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]);
  space.writeWords(DATA + 8n, [1000n]);
  space.write(TSS + 36n, new Uint8Array(new BigUint64Array([IST_TOP]).buffer));
  const start: Readonly<Partial<Record<Field, bigint>>> = {
    rip: TEXT,
    rsp: STACK_TOP - 0x100n,
    cs: CS,
    ss: 0x18n,
    cr3: space.root,
    idtBase: TABLES,
    idtLimit: 0x1ffn,
    gdtBase: GDT,
    gdtLimit: 0x37n,
    tssBase: TSS,
    gsBase: DATA,
    r15: 1n << 40n,
  };
  for (const [name, value] of Object.entries(start)) machine.set(name as Field, value);
  machine.run(transitions);
  machine.keyframe();
  return machine;
}
