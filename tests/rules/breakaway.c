/* Children that leave the jobs of their parents. */
#include "rules.h"

/* A member of `outer`, and of `inner` below it, where the jobs have these limit flags. */
static uint32_t chained(struct rules_host *host, struct rules_job *outer, uint32_t outer_flags, struct rules_job *inner, uint32_t inner_flags) {
    static const struct jp_job_extended_limits none;
    *outer = rules_job(host);
    *inner = rules_job(host);
    uint32_t pid = rules_member(host, outer);
    EXPECT(rules_assign(host, inner->job, pid) == JP_OK, "a chain of two");
    EXPECT(rules_limit(host, outer->job, none, outer_flags) == JP_OK && rules_limit(host, inner->job, none, inner_flags) == JP_OK,
           "the flags are set");
    return pid;
}

static void without_leave_no_child_breaks_away(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), child = 0;
    EXPECT(host->spawn(host, &(struct rules_child){.parent = pid, .breakaway = true}, &child) == ERROR_DENIED, "CreateProcess: access denied");
    EXPECT(host->count(host, job.key, JP_MSG_NEW_PROCESS) == 1, "there is no child");
}

static void with_leave_a_child_that_asks_is_outside(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), child = 0, plain;
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){0}, LIMIT(BREAKAWAY_OK)) == JP_OK, "breaking away is allowed");
    EXPECT(host->spawn(host, &(struct rules_child){.parent = pid, .breakaway = true}, &child) == 0, "a child asks for it");
    EXPECT(!rules_in(host, job.job, child), "and is outside");
    plain = rules_child(host, pid);
    EXPECT(rules_in(host, job.job, plain), "one that does not ask is inside");
}

static void silently_every_child_is_outside(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){0}, LIMIT(SILENT_BREAKAWAY_OK)) == JP_OK, "silent breakaway");
    uint32_t child = rules_child(host, pid), grandchild = rules_child(host, child);
    EXPECT(!rules_in(host, job.job, child), "a child is outside without asking");
    EXPECT(!rules_in(host, job.job, grandchild), "and so are its children");
    EXPECT(rules_in(host, job.job, pid), "the parent stays");
}

static void breakaway_ends_at_the_first_job_that_forbids_it(struct rules_host *host) {
    struct rules_job outer, inner;
    uint32_t child = 0, pid = chained(host, &outer, 0, &inner, LIMIT(BREAKAWAY_OK));
    EXPECT(host->spawn(host, &(struct rules_child){.parent = pid, .breakaway = true}, &child) == 0, "a child breaks away");
    EXPECT(!rules_in(host, inner.job, child), "from the job that allows it");
    EXPECT(rules_in(host, outer.job, child), "the one above keeps it");
}

static void silent_breakaway_ends_there_too(struct rules_host *host) {
    struct rules_job outer, inner;
    uint32_t pid = chained(host, &outer, LIMIT(BREAKAWAY_OK), &inner, LIMIT(SILENT_BREAKAWAY_OK));
    uint32_t child = rules_child(host, pid);
    EXPECT(!rules_in(host, inner.job, child), "it leaves the silent one");
    EXPECT(rules_in(host, outer.job, child), "the one where it has to ask keeps it");
}

static void breakaway_goes_up_a_chain_that_allows_it(struct rules_host *host) {
    struct rules_job outer, inner;
    uint32_t child = 0, pid = chained(host, &outer, LIMIT(BREAKAWAY_OK), &inner, LIMIT(BREAKAWAY_OK));
    EXPECT(host->spawn(host, &(struct rules_child){.parent = pid, .breakaway = true}, &child) == 0, "a child breaks away");
    EXPECT(!rules_in(host, inner.job, child) && !rules_in(host, outer.job, child), "from both");
}

static void the_immediate_job_decides_first(struct rules_host *host) {
    struct rules_job outer, inner;
    uint32_t pid = chained(host, &outer, LIMIT(SILENT_BREAKAWAY_OK), &inner, 0);
    uint32_t child = rules_child(host, pid);
    EXPECT(rules_in(host, inner.job, child) && rules_in(host, outer.job, child), "where it forbids, parents that allow do not matter");
}

const struct rule rules_of_breakaway[] = {
    {"without_leave_no_child_breaks_away", PAGE_CREATION_FLAGS, "JOB_OBJECT_LIMIT_BREAKAWAY_OK", NEEDS_BREAKAWAY,
     without_leave_no_child_breaks_away},
    {"with_leave_a_child_that_asks_is_outside", PAGE_BASIC, "JOB_OBJECT_LIMIT_BREAKAWAY_OK JobObjectExtendedLimitInformation",
     NEEDS_BREAKAWAY, with_leave_a_child_that_asks_is_outside},
    {"silently_every_child_is_outside", PAGE_BASIC, "JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK JobObjectExtendedLimitInformation", NEEDS_BREAKAWAY,
     silently_every_child_is_outside},
    {"breakaway_ends_at_the_first_job_that_forbids_it", PAGE_NESTED, "JOB_OBJECT_LIMIT_BREAKAWAY_OK", NEEDS_BREAKAWAY | NEEDS_NESTING,
     breakaway_ends_at_the_first_job_that_forbids_it},
    {"silent_breakaway_ends_there_too", PAGE_NESTED, "JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK", NEEDS_BREAKAWAY | NEEDS_NESTING,
     silent_breakaway_ends_there_too},
    {"breakaway_goes_up_a_chain_that_allows_it", PAGE_NESTED, "JOB_OBJECT_LIMIT_BREAKAWAY_OK", NEEDS_BREAKAWAY | NEEDS_NESTING,
     breakaway_goes_up_a_chain_that_allows_it},
    {"the_immediate_job_decides_first", PAGE_NESTED, "JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK", NEEDS_BREAKAWAY | NEEDS_NESTING,
     the_immediate_job_decides_first},
    {0}};
