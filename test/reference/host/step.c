/*
 * Runs single instructions on this machine's processor, in user mode, and says what each one did.
 *
 * A child process keeps two mappings and nothing else: a code page (read, execute) and 64 KiB of data (read,
 * write). This process shares both, puts bytes and memory there, sets the child's registers, and lets it run one
 * instruction by ptrace(2): PTRACE_SINGLESTEP, which sets TF, or, where TF would show in the result, PTRACE_CONT up
 * to the HLT behind the instruction.
 *
 * Cases come on standard input and results go to standard output, as structs below, in the machine's byte order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define CODE 0x10000000ul
#define CODE_SIZE 0x1000ul
#define DATA 0x20000000ul
#define DATA_SIZE 0x10000ul
#define USER_END 0x7ffffffff000ul
#define HLT 0xf4
#define MOST_STEPS 70000

/* Encoding order: RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15. */
struct state {
	uint64_t reg[16], rip, rflags, fs_base, gs_base;
};
/* How to run: one step; steps until RIP moves (a repeated string instruction); on to the HLT behind it. */
enum { STEP, REPEAT, TO_HLT };
struct request {
	struct state in;
	uint64_t how, length;
	uint8_t bytes[32];
	uint64_t ranges; /* so many struct range follow, each with its bytes, padded to a multiple of 8 */
};
struct range {
	uint64_t at, length;
};
struct result {
	struct state out;
	uint64_t signal, code, address; /* signal 0: the instruction retired */
	uint64_t ranges;                /* bytes that changed, as in a request */
};

static pid_t child;
static uint8_t before[DATA_SIZE];
static uint8_t *const code = (uint8_t *)CODE, *const data = (uint8_t *)DATA;

static void die(const char *what)
{
	fprintf(stderr, "cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static void trace(int request, void *address, void *value, const char *what)
{
	if (ptrace(request, child, address, value) != 0)
		die(what);
}

static void fill(struct user_regs_struct *u, const struct state *s)
{
	const uint64_t *r = s->reg;

	memset(u, 0, sizeof *u);
	u->rax = r[0], u->rcx = r[1], u->rdx = r[2], u->rbx = r[3];
	u->rsp = r[4], u->rbp = r[5], u->rsi = r[6], u->rdi = r[7];
	u->r8 = r[8], u->r9 = r[9], u->r10 = r[10], u->r11 = r[11];
	u->r12 = r[12], u->r13 = r[13], u->r14 = r[14], u->r15 = r[15];
	u->rip = s->rip, u->eflags = s->rflags;
	u->fs_base = s->fs_base, u->gs_base = s->gs_base;
	u->cs = 0x33, u->ss = 0x2b;
	u->orig_rax = -1; /* no system call to restart */
}

static void take(struct state *s, const struct user_regs_struct *u)
{
	const uint64_t reg[16] = { u->rax, u->rcx, u->rdx, u->rbx, u->rsp, u->rbp, u->rsi, u->rdi,
				   u->r8,  u->r9,  u->r10, u->r11, u->r12, u->r13, u->r14, u->r15 };

	memcpy(s->reg, reg, sizeof reg);
	s->rip = u->rip, s->rflags = u->eflags;
	s->fs_base = u->fs_base, s->gs_base = u->gs_base;
}

/* Let the child run; returns the signal it stopped with. */
static int go(int how, siginfo_t *info)
{
	int status;

	trace(how, 0, 0, "resume the child");
	if (waitpid(child, &status, 0) != child)
		die("wait for the child");
	if (!WIFSTOPPED(status)) {
		fprintf(stderr, "the child ended: status 0x%x\n", status);
		exit(1);
	}
	trace(PTRACE_GETSIGINFO, 0, info, "read the signal");
	return WSTOPSIG(status);
}

/* Run a few bytes of our own in the child. */
static struct state own(const uint8_t *bytes, size_t length, struct state s)
{
	struct user_regs_struct u;
	siginfo_t info;

	memset(code, HLT, CODE_SIZE);
	memcpy(code, bytes, length);
	s.rip = CODE;
	fill(&u, &s);
	trace(PTRACE_SETREGS, 0, &u, "set registers");
	go(PTRACE_SINGLESTEP, &info);
	trace(PTRACE_GETREGS, 0, &u, "read registers");
	take(&s, &u);
	return s;
}

/* The child gives up everything but the two mappings: its own stack and program, and the vDSO. */
static void unmap(uint64_t from, uint64_t to)
{
	const uint8_t syscall_bytes[] = { 0x0f, 0x05 };
	struct state s = { .rflags = 0x202 };

	s.reg[0] = SYS_munmap, s.reg[7] = from, s.reg[6] = to - from;
	if (own(syscall_bytes, sizeof syscall_bytes, s).reg[0] != 0) {
		fprintf(stderr, "cannot unmap 0x%lx to 0x%lx in the child\n", from, to);
		exit(1);
	}
}

/* ptrace does not write ID and its neighbours, which POPF may have set: POPF clears them again. */
static void clear_flags(void)
{
	const uint8_t popfq[] = { 0x9d };
	const uint64_t plain = 0x202;
	struct state s = { .rflags = 0x202 };

	memcpy(data, &plain, sizeof plain);
	s.reg[4] = DATA;
	own(popfq, sizeof popfq, s);
}

static void start(void)
{
	int status;

	if (mmap(code, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != code ||
	    mmap(data, DATA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != data)
		die("map code and data");
	child = fork();
	if (child < 0)
		die("start a child");
	if (child == 0) {
		if (mprotect(code, CODE_SIZE, PROT_READ | PROT_EXEC) != 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
			_exit(1);
		raise(SIGSTOP);
		_exit(1);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		die("trace a child");
	trace(PTRACE_SETOPTIONS, 0, (void *)PTRACE_O_EXITKILL, "tie the child to this process");
	unmap(0, CODE);
	unmap(CODE + CODE_SIZE, DATA);
	unmap(DATA + DATA_SIZE, USER_END);
}

static int read_all(void *to, size_t length)
{
	return length == 0 || fread(to, length, 1, stdin) == 1;
}

static int in_data(const struct range *r)
{
	return r->at >= DATA && r->length <= DATA_SIZE && r->at - DATA <= DATA_SIZE - r->length;
}

static void run(const struct request *q, struct result *o)
{
	struct user_regs_struct u;
	siginfo_t info;
	int n, signal, done = 0;

	memset(o, 0, sizeof *o);
	fill(&u, &q->in);
	trace(PTRACE_SETREGS, 0, &u, "set registers");
	for (n = 0; !done && n < MOST_STEPS; n++) {
		signal = go(q->how == TO_HLT ? PTRACE_CONT : PTRACE_SINGLESTEP, &info);
		trace(PTRACE_GETREGS, 0, &u, "read registers");
		done = 1;
		if (signal == SIGTRAP && info.si_code == TRAP_TRACE)
			done = q->how != REPEAT || u.rip != q->in.rip;
		else if (!(q->how == TO_HLT && signal == SIGSEGV && u.rip != q->in.rip && u.rip - CODE < CODE_SIZE &&
			   code[u.rip - CODE] == HLT)) {
			o->signal = signal;
			o->code = info.si_code;
			o->address = (uint64_t)info.si_addr;
		}
	}
	take(&o->out, &u);
}

static void write_changes(struct result *o)
{
	uint64_t at, end;
	static const uint8_t padding[8];
	static struct range found[DATA_SIZE / 2];

	if (memcmp(before, data, DATA_SIZE) != 0)
		for (at = 0; at < DATA_SIZE; at = end + 1) {
			for (end = at; end < DATA_SIZE && data[end] != before[end]; end++)
				;
			if (end > at)
				found[o->ranges++] = (struct range){ DATA + at, end - at };
		}
	fwrite(o, sizeof *o, 1, stdout);
	for (uint64_t n = 0; n < o->ranges; n++) {
		fwrite(&found[n], sizeof found[n], 1, stdout);
		fwrite((void *)found[n].at, found[n].length, 1, stdout);
		fwrite(padding, -found[n].length & 7, 1, stdout);
	}
}

int main(int count, char **arguments)
{
	static struct request q;
	static struct result o;

	/* glibc has the kernel write to a thread's own memory (rseq); the child will have none. */
	if (count > 0 && !getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		execv("/proc/self/exe", arguments);
	}
	start();
	while (read_all(&q, sizeof q)) {
		const uint64_t offset = q.in.rip - CODE;

		if (o.out.rflags & ~0x54fd7ul)
			clear_flags();
		memset(code, HLT, CODE_SIZE);
		if (q.length > sizeof q.bytes)
			return 1;
		for (uint64_t n = 0; n < q.length && offset + n < CODE_SIZE; n++)
			code[offset + n] = q.bytes[n];
		memset(data, 0, DATA_SIZE);
		for (uint64_t n = 0; n < q.ranges; n++) {
			struct range r;
			uint8_t skipped[8];

			if (!read_all(&r, sizeof r) || !in_data(&r) || !read_all((void *)r.at, r.length) ||
			    !read_all(skipped, -r.length & 7))
				return 1;
		}
		memcpy(before, data, DATA_SIZE);
		run(&q, &o);
		write_changes(&o);
	}
	return 0;
}
