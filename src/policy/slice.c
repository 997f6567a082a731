/* A hard cap on CPU rate by suspending: how much of each slice the members run. */
#include "policy/policy.h"

enum { HUNDREDTHS = 10000 }; /* a rate of 100 % */

/* As long as it would have been right to run in the slice before. No debt is kept: paying it back would mean resting for longer than
 * a slice, which programs notice. */
uint32_t jp_policy_slice_ms(uint32_t rate, uint32_t processors, uint64_t used_100ns, uint32_t last_run_ms) {
    rate = rate < HUNDREDTHS ? rate : HUNDREDTHS;
    processors = processors ? processors : 1;
    uint64_t share = (uint64_t)JP_SLICE_MS * processors * rate; /* 100 ns: a millisecond is 10,000 of them, and 100 % is that many too */
    uint64_t run = JP_SLICE_MS;
    if (!last_run_ms) /* nobody knows how many processors they keep busy: perhaps all */
        run = share / processors / HUNDREDTHS;
    else if (used_100ns && share < used_100ns * JP_SLICE_MS / last_run_ms)
        run = share * last_run_ms / used_100ns;
    return run ? (uint32_t)run : 1; /* who never ran would never end */
}
