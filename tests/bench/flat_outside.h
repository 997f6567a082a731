/* What lies below and beside the code whose cost is counted: the simulated kernel, which is left out of the count, and accounts that cost
 * nothing, because they only say that all is on the disk. */
#ifndef JP_BENCH_FLAT_OUTSIDE_H
#define JP_BENCH_FLAT_OUTSIDE_H

#include "../sim/kernel.h"

/* Counting, by callgrind: between these two, less what the kernel does. The figures go into a dump of this name. Without callgrind nothing
 * happens. */
void count_begin(void);
void count_end(const char *name, size_t count); /* `count`: how often what is counted was done; it stands behind the name */
void count_pause(bool pause);                   /* ... and goes on; may be nested */

/* The simulated kernel's backend, counted out. */
struct jp_backend *outside_backend(struct jp_sim *sim);

struct jp_accounts *outside_accounts(void);
/* Tells those who wait for it that the disk has it; the newest event that it has. */
uint64_t outside_commit(void);

#endif
