/* How jobs and their processes end. */
#include "rules.h"

static jp_status kill_on_close(struct rules_host *host, struct jp_job *job) {
    return rules_limit(host, job, (struct jp_job_extended_limits){0}, LIMIT(KILL_ON_JOB_CLOSE));
}

static void terminating_ends_all_with_the_code(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t one = rules_member(host, &job), two = rules_member(host, &job), child = rules_child(host, one), code;
    EXPECT(host->backend->ops->job_terminate(job.job, 42, &rules_error) == JP_OK, "a job is terminated");
    EXPECT(host->ended(host, one, &code) && code == 42, "the first ends with the code");
    EXPECT(host->ended(host, two, &code) && code == 42, "the second");
    EXPECT(host->ended(host, child, &code) && code == 42, "and a child of theirs");
    EXPECT(host->backend->ops->job_terminate(job.job, 43, &rules_error) == JP_OK, "an empty job is terminated without a fault");
}

static void closing_ends_all_if_it_says_so(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), child = rules_child(host, pid), code;
    EXPECT(kill_on_close(host, job.job) == JP_OK, "kill on close");
    rules_close(host, job.job);
    EXPECT(host->ended(host, pid, &code) && host->ended(host, child, &code), "all end with the last handle");
}

static void closing_ends_nobody_otherwise(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    rules_close(host, job.job);
    EXPECT(host->alive(host, pid), "its members live");
    EXPECT(rules_in(host, NULL, pid), "in a job that nobody holds");
}

static void only_the_last_handle_counts(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job *second;
    uint32_t pid = rules_member(host, &job), code;
    EXPECT(kill_on_close(host, job.job) == JP_OK, "kill on close");
    EXPECT(rules_open(host, RULES_WHO, job.name, JP_JOB_OBJECT_QUERY, &second) == JP_OK, "a second handle, with few rights");
    rules_close(host, job.job);
    EXPECT(host->alive(host, pid), "the first is not the last");
    rules_close(host, second);
    EXPECT(host->ended(host, pid, &code), "the second is");
}

static void closing_a_parent_ends_its_child_jobs(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent), code;
    EXPECT(rules_assign(host, child.job, pid) == JP_OK && kill_on_close(host, parent.job) == JP_OK, "a chain of two, the parent kills on close");
    rules_close(host, parent.job);
    EXPECT(host->ended(host, pid, &code), "who is in its child job is in it too");
}

static void a_crash_closes_all_handles(struct rules_host *host) {
    struct rules_job killing = rules_job(host), keeping = rules_job(host);
    uint32_t ends = rules_member(host, &killing), stays = rules_member(host, &keeping), code;
    struct jp_job_info info;
    EXPECT(kill_on_close(host, killing.job) == JP_OK, "one job of two kills on close");
    host->crash(host);
    EXPECT(host->ended(host, ends, &code), "its members end with whoever held it");
    EXPECT(host->alive(host, stays), "those of the other live");
    EXPECT(rules_refused(rules_query(host, keeping.job, JP_JOB_BasicLimitInformation, &info), 0), "no handle is good any more");
    EXPECT(host->count(host, killing.key, JP_MSG_ACTIVE_PROCESS_ZERO) == 0, "and the port is gone");
}

const struct rule rules_of_ends[] = {
    {"terminating_ends_all_with_the_code", PAGE_TERMINATE, "TerminateJobObject", 0, terminating_ends_all_with_the_code},
    {"closing_ends_all_if_it_says_so", PAGE_BASIC, "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE JobObjectExtendedLimitInformation", 0,
     closing_ends_all_if_it_says_so},
    {"closing_ends_nobody_otherwise", PAGE_JOBS, "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE", 0, closing_ends_nobody_otherwise},
    {"only_the_last_handle_counts", PAGE_BASIC, "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE OpenJobObject", 0, only_the_last_handle_counts},
    {"closing_a_parent_ends_its_child_jobs", PAGE_BASIC, "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE", NEEDS_NESTING,
     closing_a_parent_ends_its_child_jobs},
    {"a_crash_closes_all_handles", PAGE_JOBS, "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE", NEEDS_CRASH, a_crash_closes_all_handles},
    {0}};
