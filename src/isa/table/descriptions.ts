/** What each family of instructions is for, in a sentence, and where the manual tells it. Generated pages head with it. */
// biome-ignore-all format: a family is a line

/** One family; see `family.ts`. */
export interface Description {
  readonly group: string;
  /** One or two sentences for somebody who knows the machine and has forgotten this instruction. */
  readonly text: string;
  /** Where the manual has it: `SDM volume 2B, "POPF/POPFD/POPFQ"`. */
  readonly manual: string;
}

type Entry = readonly [text: string, section?: string];

const GROUPS: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  data: {
    mov: ['Copies a value between registers, memory and immediates. MOVABS has an immediate or an address of 64 bits.'],
    movnti: ['Stores a register past the caches; this model has none, so it is a plain store.'],
    lea: ['Computes an address and keeps it, without touching memory; no segment base is added.'],
    movzx: ['Copies a narrow value into a wider register and fills the rest with zeros.'],
    movsx: ['Copies a narrow value into a wider register and fills the rest with its sign.', 'MOVSX/MOVSXD'],
    cbw: ['Doubles the accumulator in place: AL to AX, AX to EAX, EAX to RAX, with the sign.', 'CBW/CWDE/CDQE'],
    cwd: ['Fills rDX with the sign of rAX, to make a dividend for IDIV.', 'CWD/CDQ/CQO'],
    xchg: ['Swaps two operands. With memory it is locked, whether a LOCK prefix is written or not.'],
    xadd: ['Adds, and gives back what was there before: fetch-and-add when locked.'],
    cmpxchg: ['Stores the source if the destination equals the accumulator, else loads the accumulator from it.'],
    cmpxchg8b: ['Compare-and-exchange of 8 bytes with EDX:EAX and ECX:EBX.', 'CMPXCHG8B/CMPXCHG16B'],
    cmpxchg16b: ['Compare-and-exchange of 16 aligned bytes with RDX:RAX and RCX:RBX.', 'CMPXCHG8B/CMPXCHG16B'],
    bswap: ['Reverses the bytes of a register, to change endianness.'],
    cmovcc: ['Copies the source if a condition holds. The source is read either way, and a 32-bit destination is zero-extended either way.', 'CMOVcc'],
    setcc: ['Sets a byte to 1 if a condition holds, else to 0.', 'SETcc'],
    xlat: ['Loads AL from a table of bytes at RBX, indexed by AL.', 'XLAT/XLATB'],
  },
  arithmetic: {
    add: ['Adds the source to the destination.'],
    adc: ['Adds the source and CF, to carry from one word into the next.'],
    sub: ['Subtracts the source from the destination.'],
    sbb: ['Subtracts the source and CF, to borrow from one word into the next.'],
    cmp: ['Subtracts and keeps only the flags.'],
    inc: ['Adds one and leaves CF alone.'],
    dec: ['Subtracts one and leaves CF alone.'],
    neg: ['Subtracts from zero. CF is clear only for zero.'],
    mul: ['Unsigned product of the accumulator, twice as wide as its factors.'],
    imul: ['Signed product: twice as wide with one operand, cut to the width of the destination with two or three.'],
    div: ['Unsigned quotient and remainder of a dividend twice as wide as the divisor. A quotient that does not fit raises #DE.'],
    idiv: ['Signed quotient, rounded towards zero, and a remainder with the sign of the dividend. A quotient that does not fit raises #DE.'],
  },
  logic: {
    and: ['Bitwise and.'],
    or: ['Bitwise or.'],
    xor: ['Bitwise exclusive or; of a register with itself, the usual way to clear it.'],
    not: ['Inverts every bit; no flag changes.'],
    test: ['Bitwise and that keeps only the flags.'],
  },
  bits: {
    shl: ['Shifts left; the last bit out goes to CF. SAL is the same instruction.', 'SAL/SAR/SHL/SHR'],
    shr: ['Shifts right and fills with zeros; the last bit out goes to CF.', 'SAL/SAR/SHL/SHR'],
    sar: ['Shifts right and fills with the sign; the last bit out goes to CF.', 'SAL/SAR/SHL/SHR'],
    rol: ['Rotates left; CF becomes a copy of the lowest bit.', 'RCL/RCR/ROL/ROR'],
    ror: ['Rotates right; CF becomes a copy of the highest bit.', 'RCL/RCR/ROL/ROR'],
    rcl: ['Rotates left with CF as one more bit above the top.', 'RCL/RCR/ROL/ROR'],
    rcr: ['Rotates right with CF as one more bit below the bottom.', 'RCL/RCR/ROL/ROR'],
    shld: ['Shifts left and fills from the top of a second register.'],
    shrd: ['Shifts right and fills from the bottom of a second register.'],
    bt: ['Copies one bit to CF. With a register as bit number and memory as operand, the number reaches beyond the word.'],
    bts: ['Copies one bit to CF and sets it.'],
    btr: ['Copies one bit to CF and clears it.'],
    btc: ['Copies one bit to CF and inverts it.'],
    bsf: ['Number of the lowest bit that is set. A zero source sets ZF and leaves the destination alone.'],
    bsr: ['Number of the highest bit that is set. A zero source sets ZF and leaves the destination alone.'],
    tzcnt: ['Counts the zeros below the lowest one; the width for a zero source.'],
    lzcnt: ['Counts the zeros above the highest one; the width for a zero source.'],
    popcnt: ['Counts the ones.'],
  },
  stack: {
    push: ['Stores below RSP and moves RSP there. A fault leaves RSP as it was.'],
    pop: ['Loads from RSP and moves RSP up. POP %rsp ends with the popped value.'],
    pushf: ['Pushes RFLAGS, with RF and VM shown as clear.', 'PUSHF/PUSHFD/PUSHFQ'],
    popf: ['Loads RFLAGS from the stack, as far as the ring may change it: IOPL in ring 0, IF up to IOPL.', 'POPF/POPFD/POPFQ'],
    enter: ['Makes a stack frame, with copies of outer frame pointers.'],
    leave: ['Undoes a stack frame: RSP from RBP, then RBP from the stack.'],
  },
  control: {
    jmp: ['Jumps to a direct target, or to an address in a register or in memory.'],
    jcc: ['Jumps if a condition holds.', 'Jcc'],
    jrcxz: ['Jumps if RCX is zero; no flag is looked at.', 'Jcc'],
    loop: ['Counts RCX down and jumps while it is not zero; LOOPE and LOOPNE look at ZF, too. No flag changes.', 'LOOP/LOOPcc'],
    call: ['Pushes the address behind it and jumps.'],
    ret: ['Pops the address to go on at; with an immediate, drops so many bytes more.'],
    int: ['Delivers the event with this vector as software does: the gate must be open to the ring.', 'INT n/INTO/INT3/INT1'],
    int3: ['Breakpoint in one byte: delivers #BP behind itself.', 'INT n/INTO/INT3/INT1'],
    int1: ['Delivers #DB behind itself, with no bit in DR6 for it.', 'INT n/INTO/INT3/INT1'],
    iretq: ['Returns from an interrupt or exception: pops RIP, CS, RFLAGS, RSP and SS, and opens the NMI latch.', 'IRET/IRETD/IRETQ'],
    ud2: ['Raises #UD, today and in every processor to come.', 'UD'],
    lcall: ['Call through a far pointer: another code segment of the same ring. A gate is not modelled.', 'CALL'],
    ljmp: ['Jump through a far pointer: another code segment of the same ring. A gate is not modelled.', 'JMP'],
    lret: ['Return to a segment and an address, to an outer ring if the segment says so.', 'RET'],
    endbr64: ['Marks where an indirect branch may land when branch tracking is on; else a no-op.', 'ENDBR64'],
    nop: ['Does nothing for as many bytes as it has. Its reserved forms are hints that older processors pass over.'],
    pause: ['Tells the processor that it spins in a loop; in this model a no-op.'],
  },
  string: {
    movs: ['Copies from RSI to RDI and moves both on; REP does so RCX times, and can be interrupted between any two.', 'MOVS/MOVSB/MOVSW/MOVSD/MOVSQ'],
    stos: ['Stores the accumulator at RDI and moves on; REP does so RCX times.', 'STOS/STOSB/STOSW/STOSD/STOSQ'],
    lods: ['Loads the accumulator from RSI and moves on.', 'LODS/LODSB/LODSW/LODSD/LODSQ'],
    cmps: ['Compares what RSI and RDI point to and moves both on; REPZ goes on while equal, REPNZ while not.', 'CMPS/CMPSB/CMPSW/CMPSD/CMPSQ'],
    scas: ['Compares the accumulator with what RDI points to and moves on; REPZ goes on while equal, REPNZ while not.', 'SCAS/SCASB/SCASW/SCASD'],
    ins: ['Moves data between a port and memory at RDI or RSI.', 'INS/INSB/INSW/INSD'],
  },
  flags: {
    clc: ['Clears CF.'],
    stc: ['Sets CF.'],
    cmc: ['Inverts CF.'],
    cld: ['Clears DF: string instructions go up.'],
    std: ['Sets DF: string instructions go down.'],
    cli: ['Clears IF: maskable interrupts wait. NMIs do not.'],
    sti: ['Sets IF. If it was clear, interrupts wait for one more instruction.'],
    lahf: ['Copies the low five status flags to AH.'],
    sahf: ['Loads the low five status flags from AH.'],
    clac: ['Clears AC: SMAP forbids the kernel to touch user memory again.'],
    stac: ['Sets AC: SMAP lets the kernel touch user memory.'],
  },
  entry: {
    syscall: ['Enters ring 0 at IA32_LSTAR; RIP and RFLAGS go to RCX and R11, RSP stays as the user had it.'],
    sysretq: ['Returns to ring 3 at RCX with RFLAGS from R11. RSP is up to the kernel.', 'SYSRET'],
    sysenter: ['Enters ring 0 at IA32_SYSENTER_EIP, the older way.'],
    sysexit: ['Returns from SYSENTER.'],
    swapgs: ['Exchanges GS.base with IA32_KERNEL_GS_BASE: the first thing an entry from user mode does.'],
    erets: ['Returns from a FRED event within ring 0.'],
    eretu: ['Returns from a FRED event to ring 3.'],
    lkgs: ['Loads GS, with the base into IA32_KERNEL_GS_BASE instead of GS.base.'],
    vmcall: ['Calls the hypervisor, on Intel.'],
    vmmcall: ['Calls the hypervisor, on AMD.'],
  },
  registers: {
    'mov-cr': ['Reads or writes a control register, in ring 0.', 'MOV: control registers'],
    'mov-dr': ['Reads or writes a debug register, in ring 0.', 'MOV: debug registers'],
    clts: ['Clears CR0.TS.'],
    lmsw: ['Loads the low four bits of CR0.'],
    smsw: ['Stores the low bits of CR0.'],
    rdmsr: ['Reads the model-specific register that ECX names into EDX:EAX.'],
    wrmsr: ['Writes EDX:EAX to the model-specific register that ECX names.'],
    wrmsrns: ['WRMSR without its serialisation.'],
    xgetbv: ['Reads an extended control register.'],
    xsetbv: ['Writes an extended control register.'],
  },
  segments: {
    'mov-seg': ['Reads or writes a segment register. MOV to SS holds back NMIs and debug traps for one instruction.', 'MOV'],
    rdfsbase: ['Reads FS.base or GS.base.', 'RDFSBASE/RDGSBASE'],
    wrfsbase: ['Writes FS.base or GS.base, from any ring if CR4.FSGSBASE is set.', 'WRFSBASE/WRGSBASE'],
    lgdt: ['Loads base and limit of the GDT.', 'LGDT/LIDT'],
    lidt: ['Loads base and limit of the IDT.', 'LGDT/LIDT'],
    sgdt: ['Stores base and limit of the GDT.'],
    sidt: ['Stores base and limit of the IDT.'],
    ltr: ['Loads the task register: says where the TSS is, and so where RSP0 and the IST are.'],
    str: ['Stores the selector of the TSS.'],
    lldt: ['Loads the selector of the LDT.'],
    sldt: ['Stores the selector of the LDT.'],
    lar: ['Access rights of the segment a selector names, with ZF set if it may be asked.'],
    lsl: ['Limit of the segment a selector names, with ZF set if it may be asked. Kernels hide the CPU number there.'],
    lfs: ['Loads a far pointer from memory: an offset into a register and a selector into FS, GS or SS. LSS begins no shadow.', 'LDS/LES/LFS/LGS/LSS'],
    verr: ['ZF tells whether a segment can be read.', 'VERR/VERW'],
    verw: ['ZF tells whether a segment can be written. Kernels run it for what it clears inside silicon, which has no effect here.', 'VERR/VERW'],
  },
  memory: {
    invlpg: ['Forgets the translation of one page.'],
    invd: ['Empties the caches without writing them back; this model has none.'],
    wbinvd: ['Writes the caches back and empties them; this model has none.'],
    clflush: ['Writes one line of the caches back and drops it.'],
    lfence: ['Waits for earlier loads. One CPU that runs in order has nothing to wait for.'],
    mfence: ['Waits for earlier loads and stores. One CPU that runs in order has nothing to wait for.'],
    sfence: ['Waits for earlier stores. One CPU that runs in order has nothing to wait for.'],
    prefetch: ['Asks for a line of memory ahead of time. It never faults, and here does nothing.', 'PREFETCHh, PREFETCHW'],
  },
  processor: {
    hlt: ['Waits for an interrupt. The run stops in front of it and says so.'],
    cpuid: ['Tells what the processor can do.'],
    rdtsc: ['Reads the time-stamp counter.'],
    rdtscp: ['Reads the time-stamp counter and IA32_TSC_AUX, after earlier instructions.'],
    rdpmc: ['Reads a performance counter.'],
    rdpid: ['Reads IA32_TSC_AUX, where kernels keep the CPU number.'],
    rdrand: ['A random number from the hardware generator.'],
    rdseed: ['A random seed from the hardware source.'],
    monitor: ['Chooses the line of memory that MWAIT waits for.'],
    mwait: ['Waits for a store to the line MONITOR chose.'],
    in: ['Reads a port.'],
    out: ['Writes a port.'],
  },
  vectors: {
    x87: ['Opcodes of the x87 floating-point unit.'],
    fwait: ['Waits for the x87 unit and raises what it has to raise.', 'WAIT/FWAIT'],
    sse: ['Opcodes of MMX, SSE and their successors; kernels are built without them.', 'appendix A'],
    avx: ['The VEX and EVEX prefixes of AVX and AVX-512.', 'appendix A'],
    fxsave: ['Stores x87 and SSE state.'],
    fxrstor: ['Loads x87 and SSE state.'],
    ldmxcsr: ['Loads MXCSR.'],
    stmxcsr: ['Stores MXCSR.'],
    xsave: ['Stores the extended states that are enabled.'],
    xrstor: ['Loads the extended states that are enabled.'],
    xsaveopt: ['Stores the extended states that changed.'],
  },
  prefixes: {
    addr32: ['The 67 prefix: addresses of 32 bits.', '2.1.1'],
  },
};

/** Instructions the SDM does not have, or not yet in every edition, and who describes them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  vmcall: 'SDM volume 3C, "VMX instruction reference"',
  x87: 'SDM volume 2A, the instructions that begin with F',
  vmmcall: 'APM volume 3, "VMMCALL"',
  erets: 'Intel, "Flexible Return and Event Delivery", ERETS',
  eretu: 'Intel, "Flexible Return and Event Delivery", ERETU',
  lkgs: 'Intel, "Flexible Return and Event Delivery", LKGS',
};

/** Volume 2 is in four parts, by the first letter; appendices are in the last. */
function manualOf(family: string, section = family.toUpperCase()): string {
  const other = ELSEWHERE[family];
  if (other !== undefined) return other;
  if (/^\d/.test(section)) return `SDM volume 2A, section ${section}`;
  if (section.startsWith('appendix')) return `SDM volume 2D, ${section}`;
  const first = section.charAt(0);
  const part = first <= 'L' ? 'A' : first <= 'U' ? 'B' : first === 'V' ? 'C' : 'D';
  return `SDM volume 2${part}, "${section}"`;
}

/** By family, in the order of the groups. */
export const DESCRIPTIONS: ReadonlyMap<string, Description> = new Map(
  Object.entries(GROUPS).flatMap(([group, families]) =>
    Object.entries(families).map(([family, [text, section]]): [string, Description] => [
      family,
      { group, text, manual: manualOf(family, section) },
    ]),
  ),
);
