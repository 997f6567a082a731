/* A hard cap on CPU rate by suspending: how much of each slice the members run. */
#include "policy/policy.h"

enum { HUNDREDTHS = 10000 }; /* a rate of 100 % */

static uint64_t least(uint64_t one, uint64_t other) { return one < other ? one : other; }

uint32_t jp_policy_slice_ms(uint32_t rate, uint32_t processors, uint64_t used_100ns, uint32_t last_run_ms) {
    rate = rate < HUNDREDTHS ? rate : HUNDREDTHS;
    processors = processors ? processors : 1;
    /* A slice's share in 100 ns: 1 ms is 10,000 of them, and so is 100 % of the rate. */
    uint64_t share = (uint64_t)JP_SLICE_MS * processors * rate;
    uint64_t overdrawn = used_100ns > share ? used_100ns - share : 0; /* is paid back now */
    if (overdrawn >= share)
        return 0;
    uint64_t left = share - overdrawn, run;
    if (!last_run_ms) /* nobody knows how many processors they keep busy: perhaps all */
        run = left / processors / HUNDREDTHS;
    else if (!used_100ns)
        run = JP_SLICE_MS;
    else if (used_100ns / last_run_ms >= left) /* in one millisecond more than there is */
        run = 0;
    else
        run = left * last_run_ms / used_100ns;
    return (uint32_t)least(run ? run : 1, JP_SLICE_MS); /* who never ran would never end */
}
