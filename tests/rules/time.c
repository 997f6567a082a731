/* Limits on CPU time, of a job and of each process. */
#include "rules.h"

static jp_status limit_job_time(struct rules_host *host, const struct rules_job *job, uint64_t ms) {
    return rules_limit(host, job->job, (struct jp_job_extended_limits){.basic.per_job_user_time_limit_100ns = rules_ms(ms)}, LIMIT(JOB_TIME));
}

static jp_status set_action(struct rules_host *host, struct jp_job *job, uint32_t action) {
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_EndOfJobTimeInformation, .end_of_job_time_action = action});
}

static void at_the_end_of_job_time_all_are_terminated(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t busy = rules_member(host, &job), idle = rules_member(host, &job), code;
    EXPECT(rules_get(host, job.job, JP_JOB_EndOfJobTimeInformation).end_of_job_time_action == JP_JOB_OBJECT_TERMINATE_AT_END_OF_JOB,
           "terminating is the default");
    EXPECT(limit_job_time(host, &job, 500) == JP_OK, "half a second");
    host->burn(host, busy, 400);
    EXPECT(host->alive(host, busy) && host->alive(host, idle), "within the limit both live");
    host->burn(host, busy, 600);
    EXPECT(host->ended(host, busy, &code) && code == ERROR_QUOTA, "over it the busy one ends with ERROR_NOT_ENOUGH_QUOTA");
    EXPECT(host->ended(host, idle, &code) && code == ERROR_QUOTA, "and the idle one too");
    EXPECT(host->told(host, job.key, JP_MSG_ACTIVE_PROCESS_ZERO, 0), "the job is empty");
    EXPECT(rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting.total_terminated_processes == 2, "both count as terminated");
}

static void job_time_is_measured_from_when_it_was_set(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), code;
    host->burn(host, pid, 500);
    EXPECT(limit_job_time(host, &job, 400) == JP_OK, "less than was used already");
    host->burn(host, pid, 200);
    EXPECT(host->alive(host, pid), "what was used before does not count");
    host->burn(host, pid, 400);
    EXPECT(host->ended(host, pid, &code), "the limit is enforced on top of it");
}

static void preserving_keeps_the_clock(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), code;
    EXPECT(limit_job_time(host, &job, 600) == JP_OK, "a job time");
    host->burn(host, pid, 400);
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){.basic.active_process_limit = 5},
                       LIMIT(ACTIVE_PROCESS) | LIMIT(PRESERVE_JOB_TIME)) == JP_OK, "another limit is changed");
    struct jp_job_basic_limits now = rules_get(host, job.job, JP_JOB_BasicLimitInformation).basic_limits;
    EXPECT(now.limit_flags == (LIMIT(ACTIVE_PROCESS) | LIMIT(JOB_TIME)), "the job time is still set");
    EXPECT(now.per_job_user_time_limit_100ns == rules_ms(600), "as it was");
    host->burn(host, pid, 400);
    EXPECT(host->ended(host, pid, &code), "and its clock went on");
}

static void setting_it_again_restarts_the_clock(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(limit_job_time(host, &job, 600) == JP_OK, "a job time");
    host->burn(host, pid, 400);
    EXPECT(limit_job_time(host, &job, 600) == JP_OK, "the same again");
    host->burn(host, pid, 400);
    EXPECT(host->alive(host, pid), "the time begins anew");
}

static void job_time_and_preserving_exclude_each_other(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_extended_limits limits = {.basic.per_job_user_time_limit_100ns = rules_ms(600)};
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(JOB_TIME) | LIMIT(PRESERVE_JOB_TIME)), ERROR_PARAMETER), "both: 87");
    EXPECT(rules_limit(host, job.job, limits, LIMIT(PRESERVE_JOB_TIME)) == JP_OK, "preserving nothing is no fault");
    EXPECT(rules_get(host, job.job, JP_JOB_BasicLimitInformation).basic_limits.limit_flags == 0, "and sets nothing");
}

static void a_job_time_can_be_lifted(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(limit_job_time(host, &job, 300) == JP_OK, "a job time");
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){0}, 0) == JP_OK, "is lifted");
    host->burn(host, pid, 600);
    EXPECT(host->alive(host, pid), "nobody is ended");
}

static void a_job_whose_time_is_up_takes_nobody(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), late = rules_process(host), code;
    EXPECT(limit_job_time(host, &job, 200) == JP_OK, "a job time");
    host->burn(host, pid, 400);
    EXPECT(host->ended(host, pid, &code), "is used up");
    EXPECT(rules_refused(rules_assign(host, job.job, late), ERROR_QUOTA), "the next one is refused");
    EXPECT(host->ended(host, late, &code), "and terminated");
    EXPECT(limit_job_time(host, &job, 5000) == JP_OK, "the limit is set anew");
    EXPECT(rules_assign(host, job.job, rules_process(host)) == JP_OK, "then it takes others");
}

static void who_brings_too_much_time_joins_and_is_reported(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_process(host);
    host->burn(host, pid, 600);
    EXPECT(limit_job_time(host, &job, 200) == JP_OK && set_action(host, job.job, JP_JOB_OBJECT_POST_AT_END_OF_JOB) == JP_OK, "a job time");
    EXPECT(rules_assign(host, job.job, pid) == JP_OK, "the call succeeds");
    EXPECT(host->told(host, job.key, JP_MSG_END_OF_JOB_TIME, 0), "the violation is reported");
}

static void posting_tells_and_cancels_the_limit(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(set_action(host, job.job, JP_JOB_OBJECT_POST_AT_END_OF_JOB) == JP_OK, "post at the end");
    EXPECT(rules_get(host, job.job, JP_JOB_EndOfJobTimeInformation).end_of_job_time_action == JP_JOB_OBJECT_POST_AT_END_OF_JOB, "reads back");
    EXPECT(limit_job_time(host, &job, 300) == JP_OK, "a job time");
    host->burn(host, pid, 600);
    EXPECT(host->told(host, job.key, JP_MSG_END_OF_JOB_TIME, 0), "a message comes, without a pid");
    EXPECT(host->alive(host, pid), "the process goes on");
    EXPECT(!(rules_get(host, job.job, JP_JOB_BasicLimitInformation).basic_limits.limit_flags & LIMIT(JOB_TIME)), "the limit is cleared");
    host->burn(host, pid, 600);
    EXPECT(host->count(host, job.key, JP_MSG_END_OF_JOB_TIME) == 0, "and no second message comes");
}

static void posting_without_a_port_terminates(struct rules_host *host) {
    struct rules_job silent = {0};
    uint32_t pid = rules_process(host), code;
    EXPECT(rules_create(host, RULES_WHO, NULL, NULL, &silent.job, NULL) == JP_OK, "a job without a port");
    EXPECT(rules_assign(host, silent.job, pid) == JP_OK && set_action(host, silent.job, JP_JOB_OBJECT_POST_AT_END_OF_JOB) == JP_OK, "post");
    EXPECT(limit_job_time(host, &silent, 200) == JP_OK, "a job time");
    host->burn(host, pid, 500);
    EXPECT(host->ended(host, pid, &code) && code == ERROR_QUOTA, "is enforced by terminating");
}

static void an_unknown_action_is_refused(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_refused(set_action(host, job.job, 2), ERROR_PARAMETER), "there are two actions");
}

static void a_process_over_its_time_is_ended(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t busy = rules_member(host, &job), idle = rules_member(host, &job), code;
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){.basic.per_process_user_time_limit_100ns = rules_ms(300)},
                       LIMIT(PROCESS_TIME)) == JP_OK, "a time for each process");
    host->burn(host, idle, 200);
    host->burn(host, busy, 600);
    EXPECT(host->ended(host, busy, &code) && code == ERROR_QUOTA, "who is over it ends");
    EXPECT(host->told(host, job.key, JP_MSG_END_OF_PROCESS_TIME, busy), "the port is told which");
    EXPECT(host->alive(host, idle), "their sum does not matter");
}

static void process_time_holds_for_those_who_are_there(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), code;
    host->burn(host, pid, 500);
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){.basic.per_process_user_time_limit_100ns = rules_ms(200)},
                       LIMIT(PROCESS_TIME)) == JP_OK, "less than it has used");
    EXPECT(host->ended(host, pid, &code), "it is ended");
}

static void a_period_of_accounting_begins_with_the_job_time(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    host->burn(host, pid, 300);
    EXPECT(limit_job_time(host, &job, 60000) == JP_OK, "a job time");
    struct jp_job_accounting now = rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting;
    EXPECT(now.total_user_time_100ns >= rules_ms(250), "the total has what was used");
    EXPECT(now.this_period_total_user_time_100ns < now.total_user_time_100ns, "the period does not");
    host->burn(host, pid, 200);
    now = rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting;
    EXPECT(now.this_period_total_user_time_100ns >= rules_ms(150), "what comes after counts for it");
}

const struct rule rules_of_time[] = {
    {"at_the_end_of_job_time_all_are_terminated", PAGE_END_OF_JOB,
     "JobObjectEndOfJobTimeInformation JOB_OBJECT_TERMINATE_AT_END_OF_JOB JOB_OBJECT_LIMIT_JOB_TIME JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO",
     NEEDS_TIMES | NEEDS_END_OF_JOB, at_the_end_of_job_time_all_are_terminated},
    {"job_time_is_measured_from_when_it_was_set", PAGE_BASIC, "JOB_OBJECT_LIMIT_JOB_TIME", NEEDS_TIMES,
     job_time_is_measured_from_when_it_was_set},
    {"preserving_keeps_the_clock", PAGE_BASIC, "JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME JOB_OBJECT_LIMIT_JOB_TIME", NEEDS_TIMES,
     preserving_keeps_the_clock},
    {"setting_it_again_restarts_the_clock", PAGE_BASIC, "JOB_OBJECT_LIMIT_JOB_TIME", NEEDS_TIMES, setting_it_again_restarts_the_clock},
    {"job_time_and_preserving_exclude_each_other", PAGE_BASIC, "JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME JOB_OBJECT_LIMIT_JOB_TIME",
     NEEDS_LIMITS | NEEDS_CHECKS, job_time_and_preserving_exclude_each_other},
    {"a_job_time_can_be_lifted", PAGE_SET, "SetInformationJobObject JOB_OBJECT_LIMIT_JOB_TIME", NEEDS_TIMES, a_job_time_can_be_lifted},
    {"a_job_whose_time_is_up_takes_nobody", PAGE_END_OF_JOB, "AssignProcessToJobObject JOB_OBJECT_LIMIT_JOB_TIME", NEEDS_TIMES,
     a_job_whose_time_is_up_takes_nobody},
    {"who_brings_too_much_time_joins_and_is_reported", PAGE_ASSIGN,
     "AssignProcessToJobObject JOB_OBJECT_LIMIT_JOB_TIME JOB_OBJECT_MSG_END_OF_JOB_TIME", NEEDS_TIMES | NEEDS_END_OF_JOB,
     who_brings_too_much_time_joins_and_is_reported},
    {"posting_tells_and_cancels_the_limit", PAGE_END_OF_JOB,
     "JobObjectEndOfJobTimeInformation JOB_OBJECT_POST_AT_END_OF_JOB JOB_OBJECT_MSG_END_OF_JOB_TIME", NEEDS_TIMES | NEEDS_END_OF_JOB,
     posting_tells_and_cancels_the_limit},
    {"posting_without_a_port_terminates", PAGE_END_OF_JOB, "JOB_OBJECT_POST_AT_END_OF_JOB JobObjectEndOfJobTimeInformation",
     NEEDS_TIMES | NEEDS_END_OF_JOB, posting_without_a_port_terminates},
    {"an_unknown_action_is_refused", PAGE_END_OF_JOB, "JobObjectEndOfJobTimeInformation", NEEDS_END_OF_JOB | NEEDS_CHECKS,
     an_unknown_action_is_refused},
    {"a_process_over_its_time_is_ended", PAGE_BASIC, "JOB_OBJECT_LIMIT_PROCESS_TIME JOB_OBJECT_MSG_END_OF_PROCESS_TIME", NEEDS_TIMES,
     a_process_over_its_time_is_ended},
    {"process_time_holds_for_those_who_are_there", PAGE_BASIC, "JOB_OBJECT_LIMIT_PROCESS_TIME", NEEDS_TIMES,
     process_time_holds_for_those_who_are_there},
    {"a_period_of_accounting_begins_with_the_job_time", PAGE_ACCOUNTING, "JobObjectBasicAccountingInformation JOB_OBJECT_LIMIT_JOB_TIME",
     NEEDS_TIMES, a_period_of_accounting_begins_with_the_job_time},
    {0}};
