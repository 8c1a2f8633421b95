/* The guest of the bench in Unicorn: argv is seconds, "hook" or "plain", then text as hexadecimal. Prints million instructions a second. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicorn/unicorn.h>

#define TEXT 0xffffffff81000000ull
#define DATA 0xffff888000000000ull
#define STACK 0xffffc90000000000ull
#define SLICE 400000

static volatile uint64_t seen;

static void each(uc_engine *uc, uint64_t address, uint32_t size, void *user) {
  (void)uc; (void)address; (void)size; (void)user;
  seen++;
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static void check(uc_err error) {
  if (error == UC_ERR_OK) return;
  fprintf(stderr, "%s\n", uc_strerror(error));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint8_t text[4096];
  size_t length = strlen(argv[3]) / 2;
  for (size_t n = 0; n < length; n++) {
    unsigned byte;
    sscanf(argv[3] + 2 * n, "%2x", &byte);
    text[n] = (uint8_t)byte;
  }
  uc_engine *uc;
  check(uc_open(UC_ARCH_X86, UC_MODE_64, &uc));
  check(uc_mem_map(uc, TEXT, 0x1000, UC_PROT_READ | UC_PROT_EXEC));
  check(uc_mem_map(uc, DATA, 0x1000, UC_PROT_READ | UC_PROT_WRITE));
  check(uc_mem_map(uc, STACK, 0x4000, UC_PROT_READ | UC_PROT_WRITE));
  check(uc_mem_write(uc, TEXT, text, length));
  uint64_t rsp = STACK + 0x3f00, gs = DATA, thousand = 1000;
  check(uc_mem_write(uc, DATA + 8, &thousand, 8));
  check(uc_reg_write(uc, UC_X86_REG_RSP, &rsp));
  check(uc_reg_write(uc, UC_X86_REG_GS_BASE, &gs));
  int hooked = strcmp(argv[2], "hook") == 0;
  uc_hook hook;
  if (hooked) check(uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)each, NULL, 1, 0));
  /* A count would hook every instruction: the loop ends at its HLT, when R15 is used up. */
  double from = now(), until = from + atof(argv[1]);
  uint64_t loops = 0;
  do {
    uint64_t chunk = SLICE / 40;
    check(uc_reg_write(uc, UC_X86_REG_R15, &chunk));
    check(uc_emu_start(uc, TEXT, TEXT + 0xfff, 0, 0));
    loops += chunk;
  } while (now() < until);
  printf("%f\n", loops * 40 / (now() - from) / 1e6);
  return 0;
}
