/**
 * The kernels that Debian ships today, opened and read: `npm run test:kernels`. Their symbols are compared with those of the packages'
 * own tables where another program can read these, their entry text with its ORC rows, and files made wrong are refused. Then each is
 * booted in QEMU and compared with it; `npm run test:kernels -- --booted` does only that.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { nodeDecompressors } from '../../src/cli/kernel/decompressors.ts';
import { compareKernels } from '../../src/explore/vmlinux/difference.ts';
import type { RecordedKernel } from '../../src/explore/vmlinux/kernel-record.ts';
import { readBzImage } from '../../src/image/archive/bzimage.ts';
import { readDeb } from '../../src/image/archive/deb.ts';
import { type Kernel, openKernel } from '../../src/image/kernel-file.ts';
import {
  attemptLater,
  type FileProblem,
  fileProblemText,
  isProblem,
  Reader,
} from '../../src/image/reading.ts';
import { about } from '../../src/image/vmlinux/about.ts';
import { makeCapsule } from '../../src/image/vmlinux/capsule.ts';
import { listing, listingLines } from '../../src/image/vmlinux/listing.ts';
import { listRoutine, routineEnd } from '../../src/image/vmlinux/routine.ts';
import { KERNEL_PATHS, USUAL_CUTS } from '../../src/scenario/vmlinux/kernel-paths.ts';
import { openBench } from '../../src/scenario/vmlinux/kernel-run.ts';
import { RECORD_LOST } from '../../src/scenario/vmlinux/kernel-unwound.ts';
import { random } from '../image/build/bytes.ts';
import { giveUp, Missing, need } from '../reference/tools.ts';
import { judgePatchedText, MACHINES } from './bytes.ts';
import { type Package, packages } from './cache.ts';
import { judgeBacktraces } from './qemu/backtraces.ts';
import { NotBooted, QEMU, qemuVersion } from './qemu/boot.ts';
import { judgeInQemu, tellPeculiarities } from './qemu/judge.ts';
import { compareRecorded, FEATURES, record, sweepAll } from './sweeps.ts';

const MUTATIONS = 50;

/** Symbols that bringing a kernel up needs, and the labels of nested NMIs. */
const NEEDED = [
  ['asm_exc_nmi', 'exc_nmi', 'first_nmi', 'nested_nmi', 'nested_nmi_out', 'repeat_nmi', 'end_repeat_nmi'],
  ['nmi_restore', 'paranoid_entry', 'paranoid_exit', 'error_entry', 'error_return', 'entry_SYSCALL_64'],
  ['asm_exc_debug', 'asm_exc_machine_check', 'asm_exc_page_fault', 'asm_exc_double_fault', 'def_idts'],
  ['idt_table', 'cpu_tss_rw', 'gdt_page', 'exception_stacks', '__per_cpu_offset', '__x86_return_thunk'],
].flat();

/** Routines whose every instruction must be known and have an ORC row. */
const ENTRY = ['asm_exc_nmi', 'asm_exc_debug', 'asm_exc_machine_check', 'asm_exc_page_fault'];
const MORE = ['paranoid_entry', 'paranoid_exit', 'error_entry', 'error_return', 'entry_SYSCALL_64'];

/** Whether what sweeps say is written down, and not compared: `npm run test:kernels -- --record`. */
const RECORDS = process.argv.includes('--record');
const sweeps: RecordedKernel[] = [];

let passed = 0;
let failed = 0;
function check(what: string, holds: boolean, instead: unknown = ''): void {
  if (holds) passed++;
  else {
    failed++;
    console.log(`failed: ${what} ${instead}`.trim());
  }
}

/** What another program unpacks; undefined where it is not there. */
function otherwise(program: string, given: readonly string[], input: Uint8Array): Buffer | undefined {
  const { stdout, error } = spawnSync(program, given, {
    input,
    maxBuffer: 1 << 29,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  return error || stdout.length === 0 ? undefined : stdout;
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function judge({ name, bytes, sha256 }: Package): Promise<void> {
  const kernel = await openKernel(bytes, nodeDecompressors);
  if (isProblem(kernel)) {
    check(`${name} opens`, false, fileProblemText(kernel));
    return;
  }
  const found = about(kernel);
  console.log(`${name}: ${found.banner}`);
  console.log(
    `  build id ${found.buildId}, package sha256 ${sha256.slice(0, 16)}, ${kernel.wrapping.compression}`,
  );
  console.log(
    `  ${found.symbols} symbols, ${found.orc?.rows} ORC rows in the format of ${found.orc?.format}`,
  );
  check(`${name} has a version`, found.version !== undefined);
  check(`${name} has a build id of 20 bytes`, found.buildId?.length === 40, found.buildId);
  check(`${name} has its configuration`, /^CONFIG_UNWINDER_ORC=y$/m.test(kernel.wrapping.config ?? ''));
  check(
    `${name} has five interrupt stacks`,
    found.ist?.map(({ ist }) => ist).join() === '3,2,1,4,5',
    found.ist,
  );
  for (const one of NEEDED) check(`${name} knows ${one}`, kernel.symbols.address(one) !== undefined);
  judgeOrc(name, kernel);
  for (const one of [...ENTRY, ...MORE]) judgeRoutine(name, kernel, one);
  judgeTypes(name, kernel);
  judgeThunks(name, kernel);
  const swept = sweepAll(name, kernel, check);
  sweeps.push(swept);
  if (!RECORDS) compareRecorded(swept, check);
  await judgeCapsule(name, kernel);
  check(`${name} differs from itself in nothing`, compareKernels(kernel, kernel).differences.length === 0);
  await judgeBytes(name, bytes);
  await judgeMutations(name, bytes);
}

/** All rows are read, and stand in the order of their addresses in the file already. */
function judgeOrc(name: string, kernel: Kernel): void {
  const { orc, orcTable } = kernel;
  if (!orc || isProblem(orcTable)) {
    check(`${name} has ORC rows`, false);
    return;
  }
  check(
    `${name}: every ORC row is read`,
    orcTable.rows.length === orc.count,
    `${orcTable.rows.length} of ${orc.count}`,
  );
  const place = new DataView(orc.addresses.buffer, orc.addresses.byteOffset, orc.addresses.length);
  const address = (n: number): number => 4 * n + place.getInt32(4 * n, true);
  let unsorted = 0;
  for (let n = 1; n < orc.count; n++) if (address(n) < address(n - 1)) unsorted++;
  check(`${name}: ORC rows are sorted`, unsorted === 0, unsorted);
}

/** Every instruction as linked is known; so is every one patched for a processor with mitigations. */
function judgeRoutine(name: string, kernel: Kernel, routine: string): void {
  const from = kernel.symbols.address(routine);
  const table = kernel.orcTable;
  if (from === undefined || isProblem(table)) return;
  const end = routineEnd(kernel, from);
  const numbers = FEATURES.map((one) => kernel.features.number(one));
  check(`${name}: the features of a processor are known`, !numbers.includes(undefined), numbers);
  const features = new Set(numbers.map((one) => one ?? 0));
  for (const [text, chosen] of [
    ['as linked', undefined],
    ['patched', features],
  ] as const) {
    const listed = listRoutine(kernel, from, end, chosen);
    if (isProblem(listed)) check(`${name}: ${routine} ${text}`, false, fileProblemText(listed));
    else {
      const unknown = listed.find(({ instruction }) => !instruction);
      check(
        `${name}: ${routine} ${text} is known`,
        listed.length > 3 && !unknown,
        unknown?.address.toString(16),
      );
      const clac = listed.filter((one) => one.text === 'clac').length;
      if (ENTRY.includes(routine))
        check(`${name}: ${routine} ${text} has CLAC only if patched`, clac === (chosen ? 1 : 0), clac);
      const bare = listed.find(({ address }) => !table.find(address));
      check(`${name}: ${routine} ${text} has ORC rows`, !bare, bare?.address.toString(16));
    }
  }
}

/** Return thunks of other processors: at every boundary it is known which functions are live, and ORC is silent about none. */
function judgeThunks(name: string, kernel: Kernel): void {
  for (const thunk of ['unret', 'srso', 'srso_alias', 'call_depth', 'bug_its']) {
    const numbers = ['smap', 'fsgsbase', 'retpoline', 'rethunk', thunk].map((one) =>
      kernel.features.number(one),
    );
    const features = new Set(numbers.filter((one) => one !== undefined));
    const bench = openBench(kernel, { cut: USUAL_CUTS, features });
    if ('problem' in bench) check(`${name} is brought up with ${thunk}`, false, bench.problem);
    else
      for (const path of KERNEL_PATHS)
        for (const user of path === 'syscall' ? [true] : [false, true]) {
          const run = bench.run({ path, user, strikes: [] });
          const unwound = 'problem' in run ? undefined : run.unwound;
          const what = `${name}: ${path} from ${user ? 'user' : 'kernel'} mode, with ${thunk}`;
          check(`${what}, is judged`, unwound !== undefined && !(RECORD_LOST in unwound.gaps), unwound?.gaps);
          check(
            `${what}, no ORC row is silent`,
            unwound?.findings.length === 0,
            unwound?.findings[0]?.reason,
          );
        }
  }
}

/** Structures whose layout the architecture fixes. */
function judgeTypes(name: string, kernel: Kernel): void {
  const offset = (structure: string, path: string): number | undefined => {
    const found = kernel.memberOf(structure, path);
    return found && !isProblem(found) ? found.offset : undefined;
  };
  check(`${name}: pt_regs.ip`, offset('pt_regs', 'ip') === 128);
  check(`${name}: pt_regs.orig_ax`, offset('pt_regs', 'orig_ax') === 120);
  check(`${name}: tss_struct.x86_tss.ist`, offset('tss_struct', 'x86_tss.ist') === 36);
  check(`${name}: task_struct.thread.sp`, (offset('task_struct', 'thread.sp') ?? 0) > 0);
}

/** A capsule of the entries shows them as the kernel does, as linked and patched, and is small. */
async function judgeCapsule(name: string, kernel: Kernel): Promise<void> {
  const routines = [...ENTRY, ...MORE];
  const made = makeCapsule(kernel, routines);
  const capsule = isProblem(made) ? made : await openKernel(made, nodeDecompressors);
  if (isProblem(capsule)) {
    check(`${name}: a capsule`, false, fileProblemText(capsule));
    return;
  }
  const shown = (of: Kernel, routine: string, features: readonly string[] | undefined): string => {
    const found = listing(of, routine, of.symbols.address(routine) ?? 0n, { features, orc: true });
    return isProblem(found) ? fileProblemText(found) : listingLines(found).join('\n');
  };
  for (const features of [undefined, [], ['pti', 'pcid', 'smap', 'fsgsbase', 'unret', 'kernel_ibrs']])
    for (const routine of routines)
      check(
        `${name}: ${routine} in a capsule, ${features ?? 'as linked'}`,
        shown(capsule, routine, features) === shown(kernel, routine, features),
      );
  if (!isProblem(made)) {
    const size = gzipSync(made).length;
    console.log(`  a capsule of ${routines.length} routines: ${size} bytes`);
    check(`${name}: the capsule is small`, size < 100_000, size);
  }
}

/** The vmlinuz and the vmlinux are what other programs unpack. */
async function judgeBytes(name: string, bytes: Uint8Array): Promise<void> {
  const deb = await attemptLater(() => readDeb(new Reader(bytes, 'package'), nodeDecompressors));
  if (isProblem(deb)) return;
  const bz = await attemptLater(() => readBzImage(new Reader(deb.bytes, 'bzImage'), nodeDecompressors));
  if (isProblem(bz)) return;
  const header = new Reader(deb.bytes, 'bzImage');
  const start = (header.u8(0x1f1) + 1) * 512 + header.u32(0x248);
  const payload = header.slice(start, header.u32(0x24c) - 4);
  const theirs = otherwise(bz.compression, ['-dc'], payload);
  if (!theirs) console.log(`  not compared: there is no ${bz.compression}`);
  else check(`${name}: ${bz.compression} unpacks the same`, sha(theirs) === sha(bz.vmlinux));
}

/** Fifty files made wrong: of each, what was opened, or what was read and where. */
async function judgeMutations(name: string, bytes: Uint8Array): Promise<void> {
  const deb = await attemptLater(() => readDeb(new Reader(bytes, 'package'), nodeDecompressors));
  if (isProblem(deb)) return;
  const next = random(2016);
  const refused = new Map<string, number>();
  for (let n = 0; n < MUTATIONS; n++) {
    const file = Uint8Array.from(deb.bytes);
    const at = next() % (n % 2 ? file.length : 0x300);
    file[at] = (file[at] ?? 0) ^ (1 << (next() % 8));
    const cut = n % 5 === 0 ? file.subarray(0, next() % file.length) : file;
    const found: Kernel | FileProblem | Error = await openKernel(cut, nodeDecompressors).catch(
      (reason: Error) => reason,
    );
    check(`${name}: mutation ${n} gives a value or a problem`, !(found instanceof Error), found);
    const said = found instanceof Error ? 'thrown' : isProblem(found) ? found.reading : 'opened';
    refused.set(said, (refused.get(said) ?? 0) + 1);
  }
  console.log(`  mutations: ${[...refused].map(([said, count]) => `${said} ${count}`).join(', ')}`);
}

/** The same kernels booted in QEMU. @throws Missing where that cannot be */
async function judgeBooted(found: readonly Package[]): Promise<void> {
  need(QEMU, 'qemu-system-x86');
  console.log(qemuVersion());
  tellPeculiarities();
  for (const { name, bytes } of found) {
    const deb = await attemptLater(() => readDeb(new Reader(bytes, 'package'), nodeDecompressors));
    const kernel = isProblem(deb) ? deb : await openKernel(deb.bytes, nodeDecompressors);
    if (isProblem(deb) || isProblem(kernel)) continue;
    console.log(name);
    try {
      await judgeInQemu(name, kernel, deb.bytes, check);
      await judgeBacktraces(name, kernel, deb.bytes, check);
      for (const machine of MACHINES) await judgePatchedText(name, kernel, deb.bytes, machine, check);
    } catch (reason) {
      if (reason instanceof NotBooted) throw new Missing(`${name} in QEMU: ${reason.message}`);
      throw reason;
    }
  }
}

const found = packages();
if (typeof found === 'string') {
  giveUp(new Missing(found));
} else {
  check('there is one kernel of each series', found.length >= 2, found.length);
  if (!process.argv.includes('--booted')) for (const one of found) await judge(one);
  if (RECORDS) record(sweeps);
  await judgeBooted(found).catch(giveUp);
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
