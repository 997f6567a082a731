/* Limits on committed memory. */
#include "rules.h"

static jp_status limit_process(struct rules_host *host, const struct rules_job *job, uint64_t mib) {
    return rules_limit(host, job->job, (struct jp_job_extended_limits){.process_memory_limit_bytes = mib * MIB}, LIMIT(PROCESS_MEMORY));
}

static jp_status limit_job(struct rules_host *host, const struct rules_job *job, uint64_t mib) {
    return rules_limit(host, job->job, (struct jp_job_extended_limits){.job_memory_limit_bytes = mib * MIB}, LIMIT(JOB_MEMORY));
}

static void over_a_process_limit_the_allocation_fails(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(limit_process(host, &job, 200) == JP_OK, "200 MiB for each");
    EXPECT(host->commit(host, pid, 100 * MIB), "100 fit");
    EXPECT(!host->commit(host, pid, 150 * MIB), "150 more do not");
    EXPECT(host->alive(host, pid), "the process lives");
    EXPECT(host->told(host, job.key, JP_MSG_PROCESS_MEMORY_LIMIT, pid), "the port is told which one it was");
    EXPECT(host->commit(host, rules_member(host, &job), 150 * MIB), "another has its own 200");
}

static void over_a_job_limit_the_allocation_fails(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t one = rules_member(host, &job), two = rules_member(host, &job);
    EXPECT(limit_job(host, &job, 300) == JP_OK, "300 MiB for all");
    EXPECT(host->commit(host, one, 150 * MIB), "150 fit");
    EXPECT(!host->commit(host, two, 180 * MIB), "180 by another do not");
    EXPECT(host->told(host, job.key, JP_MSG_JOB_MEMORY_LIMIT, two), "the port is told who tried");
    EXPECT(host->alive(host, one) && host->alive(host, two), "both live");
}

static void memory_that_is_given_back_can_be_had_again(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t one = rules_member(host, &job), two = rules_member(host, &job), code;
    EXPECT(limit_job(host, &job, 300) == JP_OK, "300 MiB for all");
    EXPECT(host->commit(host, one, 200 * MIB) && !host->commit(host, two, 200 * MIB), "one has it");
    host->decommit(host, one, 200 * MIB);
    EXPECT(host->commit(host, two, 200 * MIB), "then the other");
    host->exit(host, two, 0);
    EXPECT(host->ended(host, two, &code) && host->commit(host, one, 200 * MIB), "what ends gives back all");
}

static void memory_from_before_is_not_examined(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_process(host);
    EXPECT(host->commit(host, pid, 300 * MIB), "a process has 300 MiB");
    EXPECT(limit_process(host, &job, 200) == JP_OK, "a job allows 200");
    EXPECT(rules_assign(host, job.job, pid) == JP_OK, "it may join");
    EXPECT(host->alive(host, pid), "and lives");
    EXPECT(!host->commit(host, pid, 50 * MIB), "but gets no more");
    struct rules_job shared = rules_job(host);
    uint32_t other = rules_process(host);
    EXPECT(host->commit(host, other, 300 * MIB) && limit_job(host, &shared, 200) == JP_OK, "the same with 200 for all");
    EXPECT(rules_assign(host, shared.job, other) == JP_OK && host->alive(host, other), "it may join");
    EXPECT(!host->commit(host, other, 50 * MIB), "what it has counts from then on");
}

static void peaks_are_kept(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t one = rules_member(host, &job), two = rules_member(host, &job);
    EXPECT(limit_job(host, &job, 4096) == JP_OK, "a limit, so that it is counted");
    EXPECT(host->commit(host, one, 100 * MIB) && host->commit(host, two, 60 * MIB), "160 MiB");
    host->decommit(host, one, 100 * MIB);
    struct jp_job_extended_limits now = rules_get(host, job.job, JP_JOB_ExtendedLimitInformation).extended_limits;
    EXPECT(now.peak_job_memory_bytes >= 160 * MIB, "the job's peak has both");
    EXPECT(now.peak_process_memory_bytes >= 100 * MIB && now.peak_process_memory_bytes < 160 * MIB, "the process's peak the larger one");
}

static void usage_is_told_while_it_lasts(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(limit_job(host, &job, 4096) == JP_OK, "a limit, so that it is counted");
    EXPECT(host->commit(host, pid, 100 * MIB), "100 MiB");
    EXPECT(rules_get(host, job.job, JP_JOB_MemoryUsageInformation).memory_usage.job_memory_bytes >= 100 * MIB, "are in use");
    host->decommit(host, pid, 100 * MIB);
    struct jp_job_memory_usage now = rules_get(host, job.job, JP_JOB_MemoryUsageInformation).memory_usage;
    EXPECT(now.job_memory_bytes < 100 * MIB, "and given back");
    EXPECT(now.peak_job_memory_bytes >= 100 * MIB, "the peak stays");
}

static void setting_limits_leaves_the_peaks_alone(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(limit_job(host, &job, 4096) == JP_OK && host->commit(host, pid, 100 * MIB), "100 MiB");
    struct jp_job_extended_limits zero = {.job_memory_limit_bytes = 2048 * MIB, .peak_job_memory_bytes = 1};
    EXPECT(rules_limit(host, job.job, zero, LIMIT(JOB_MEMORY)) == JP_OK, "the limit changes");
    struct jp_job_extended_limits now = rules_get(host, job.job, JP_JOB_ExtendedLimitInformation).extended_limits;
    EXPECT(now.peak_job_memory_bytes >= 100 * MIB && now.peak_process_memory_bytes >= 100 * MIB, "the peaks do not");
}

const struct rule rules_of_memory[] = {
    {"over_a_process_limit_the_allocation_fails", PAGE_BASIC, "JOB_OBJECT_LIMIT_PROCESS_MEMORY JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT",
     NEEDS_MEMORY, over_a_process_limit_the_allocation_fails},
    {"over_a_job_limit_the_allocation_fails", PAGE_BASIC, "JOB_OBJECT_LIMIT_JOB_MEMORY JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", NEEDS_MEMORY,
     over_a_job_limit_the_allocation_fails},
    {"memory_that_is_given_back_can_be_had_again", PAGE_BASIC, "JOB_OBJECT_LIMIT_JOB_MEMORY", NEEDS_MEMORY,
     memory_that_is_given_back_can_be_had_again},
    {"memory_from_before_is_not_examined", PAGE_ASSIGN, "AssignProcessToJobObject JOB_OBJECT_LIMIT_PROCESS_MEMORY", NEEDS_MEMORY,
     memory_from_before_is_not_examined},
    {"peaks_are_kept", PAGE_EXTENDED, "JobObjectExtendedLimitInformation", NEEDS_MEMORY, peaks_are_kept},
    {"usage_is_told_while_it_lasts", PAGE_QUERY, "JobObjectMemoryUsageInformation", NEEDS_MEMORY | NEEDS_USAGE, usage_is_told_while_it_lasts},
    {"setting_limits_leaves_the_peaks_alone", PAGE_EXTENDED, "JobObjectExtendedLimitInformation SetInformationJobObject", NEEDS_MEMORY,
     setting_limits_leaves_the_peaks_alone},
    {0}};
