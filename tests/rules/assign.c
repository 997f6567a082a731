/* Who may join a job, and what becomes of those who may not. */
#include "rules.h"

static const struct jp_job_extended_limits one_process = {.basic.active_process_limit = 1};

static void an_assigned_process_is_in_the_job(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_process(host);
    EXPECT(!rules_in(host, job.job, pid), "it is not in the job before");
    EXPECT(rules_assign(host, job.job, pid) == JP_OK, "it is assigned");
    EXPECT(rules_in(host, job.job, pid), "it is in the job");
    EXPECT(rules_in(host, NULL, pid), "it is in some job");
    EXPECT(host->told(host, job.key, JP_MSG_NEW_PROCESS, pid), "the port is told of it");
    struct jp_job_info info = rules_get(host, job.job, JP_JOB_BasicProcessIdList);
    EXPECT(info.pids.count == 1 && info.pids.items[0] == pid, "it is on the list of pids");
    jp_job_info_clear(&info);
}

static void an_association_cannot_be_broken_or_doubled(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    rules_assign(host, job.job, pid); /* the page does not say with which result */
    struct jp_job_info info = rules_get(host, job.job, JP_JOB_BasicAccountingInformation);
    EXPECT(info.accounting.active_processes == 1, "one process is counted once");
    EXPECT(rules_in(host, job.job, pid), "and stays in the job");
}

static void the_process_handle_needs_its_rights(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    const struct jp_backend_ops *ops = host->backend->ops;
    uint32_t pid = rules_process(host);
    struct jp_process *observed;
    if (!EXPECT(ops->process_open(host->backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &observed, &rules_error) == JP_OK, "it is opened"))
        return;
    EXPECT(rules_refused(ops->job_assign(job.job, observed, &rules_error), ERROR_DENIED), "without SET_QUOTA and TERMINATE: access denied");
    ops->process_close(observed);
    EXPECT(host->alive(host, pid), "and nothing happens to the process");
}

static void a_process_that_has_exited_is_refused(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    const struct jp_backend_ops *ops = host->backend->ops;
    uint32_t pid = rules_process(host), code;
    struct jp_process *process;
    if (!EXPECT(ops->process_open(host->backend, pid, 0, JP_PROCESS_ASSIGN, NULL, &process, &rules_error) == JP_OK, "it is opened"))
        return;
    host->exit(host, pid, 0);
    EXPECT(host->ended(host, pid, &code), "it ends");
    EXPECT(ops->job_assign(job.job, process, &rules_error) == JP_E_NO_PROCESS, "it is said to have exited, whatever Windows calls it");
    ops->process_close(process);
}

static void over_the_limit_the_process_is_ended(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t first = rules_member(host, &job), second = rules_process(host), code;
    EXPECT(rules_limit(host, job.job, one_process, LIMIT(ACTIVE_PROCESS)) == JP_OK, "one process is allowed");
    EXPECT(rules_refused(rules_assign(host, job.job, second), ERROR_QUOTA), "the second is refused");
    EXPECT(host->ended(host, second, &code), "and ended");
    EXPECT(host->alive(host, first), "the first lives");
    EXPECT(host->told(host, job.key, JP_MSG_ACTIVE_PROCESS_LIMIT, 0), "the port is told, without a pid");
    EXPECT(host->count(host, job.key, JP_MSG_NEW_PROCESS) == 1, "and not of a new process");
}

static void a_child_over_the_limit_is_not_started(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t parent = rules_member(host, &job), child = 0;
    EXPECT(rules_limit(host, job.job, one_process, LIMIT(ACTIVE_PROCESS)) == JP_OK, "one process is allowed");
    EXPECT(host->spawn(host, &(struct rules_child){.parent = parent}, &child) != 0, "it cannot start another");
    EXPECT(host->alive(host, parent), "and lives");
    EXPECT(host->told(host, job.key, JP_MSG_ACTIVE_PROCESS_LIMIT, 0), "the port is told");
}

static void a_full_job_stays_full_while_the_refused_one_is_held(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t first = rules_member(host, &job), refused = rules_process(host), next = rules_process(host), code;
    EXPECT(rules_limit(host, job.job, one_process, LIMIT(ACTIVE_PROCESS)) == JP_OK, "one process is allowed");
    host->hold(host, refused, true);
    EXPECT(rules_refused(rules_assign(host, job.job, refused), ERROR_QUOTA), "the second is refused");
    host->exit(host, first, 0);
    EXPECT(host->ended(host, first, &code) && host->ended(host, refused, &code), "both have ended");
    EXPECT(rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting.active_processes == 1, "but one is still counted");
    EXPECT(rules_refused(rules_assign(host, job.job, next), ERROR_QUOTA), "and a third is refused");
    host->hold(host, refused, false);
    EXPECT(rules_assign(host, job.job, rules_process(host)) == JP_OK, "until nobody holds it: then one may join");
}

static void tried_associations_are_counted(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    rules_member(host, &job);
    EXPECT(rules_limit(host, job.job, one_process, LIMIT(ACTIVE_PROCESS)) == JP_OK, "one process is allowed");
    EXPECT(rules_refused(rules_assign(host, job.job, rules_process(host)), ERROR_QUOTA), "the second is refused");
    struct jp_job_accounting found = rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting;
    EXPECT(found.total_processes == 2, "both are counted");
    EXPECT(found.total_terminated_processes == 1, "one was ended for a limit");
    EXPECT(found.active_processes == 1, "and is not active any more");
}

static void lowering_the_limit_ends_nobody(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t first = rules_member(host, &job), second = rules_member(host, &job);
    EXPECT(rules_limit(host, job.job, one_process, LIMIT(ACTIVE_PROCESS)) == JP_OK, "one process is allowed where two are");
    EXPECT(host->alive(host, first) && host->alive(host, second), "both live");
    EXPECT(rules_refused(rules_assign(host, job.job, rules_process(host)), ERROR_QUOTA), "nobody may join");
}

static void members_are_of_one_session(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t remote = 0;
    rules_member(host, &job);
    EXPECT(host->spawn(host, &(struct rules_child){.as = RULES_OTHER_SESSION, .as_somebody = true}, &remote) == 0, "a process elsewhere");
    EXPECT(rules_refused(rules_assign(host, job.job, remote), ERROR_DENIED), "a process of another session is refused");
    EXPECT(host->alive(host, remote), "and lives");
    struct rules_job other = rules_job(host);
    EXPECT(rules_assign(host, other.job, remote) == JP_OK, "a job of its own takes it");
}

static void nobody_joins_a_terminating_job(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent), near = rules_member(host, &parent), late = rules_process(host), code;
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a job below");
    host->slow_ends(host, true);
    EXPECT(host->backend->ops->job_terminate(parent.job, 7, &rules_error) == JP_OK, "the parent is being terminated");
    EXPECT(rules_refused(rules_assign(host, parent.job, late), ERROR_DENIED), "nobody joins it");
    EXPECT(rules_refused(rules_assign(host, child.job, near), ERROR_DENIED), "nor does its member join a job below it");
    host->slow_ends(host, false);
    EXPECT(host->ended(host, pid, &code) && code == 7, "it is terminated");
    EXPECT(rules_assign(host, parent.job, late) == JP_OK, "after that it takes new ones");
}

static void a_list_of_pids_has_all_however_many(struct rules_host *host) {
    enum { MEMBERS = 60 };
    struct rules_job job = rules_job(host);
    for (int i = 0; i < MEMBERS; i++)
        rules_member(host, &job);
    struct jp_job_info info = rules_get(host, job.job, JP_JOB_BasicProcessIdList);
    EXPECT(info.pids.count == MEMBERS, "all are listed");
    jp_job_info_clear(&info);
}

static void a_process_is_born_in_its_jobs(struct rules_host *host) {
    struct rules_job outer = rules_job(host), inner = rules_job(host);
    struct jp_job *chain[] = {outer.job, inner.job};
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_launch launch = {.command_line = host->command_line, .chain = chain, .chain_length = 2};
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    if (!EXPECT(ops->process_launch(host->backend, &launch, &process, &rules_error) == JP_OK, "it is started"))
        return;
    ops->process_facts(process, &facts, &rules_error);
    EXPECT(rules_in(host, outer.job, facts.pid) && rules_in(host, inner.job, facts.pid), "it is in both jobs before it runs");
    EXPECT(host->told(host, outer.key, JP_MSG_NEW_PROCESS, facts.pid) && host->told(host, inner.key, JP_MSG_NEW_PROCESS, facts.pid),
           "both ports are told");
    EXPECT(ops->process_terminate(process, 1, &rules_error) == JP_OK, "it is ended");
    jp_process_facts_clear(&facts);
    ops->process_close(process);
}

const struct rule rules_of_assign[] = {
    {"an_assigned_process_is_in_the_job", PAGE_ASSIGN,
     "AssignProcessToJobObject IsProcessInJob JobObjectBasicProcessIdList JOB_OBJECT_MSG_NEW_PROCESS", 0, an_assigned_process_is_in_the_job},
    {"an_association_cannot_be_broken_or_doubled", PAGE_JOBS, "AssignProcessToJobObject JobObjectBasicAccountingInformation", 0,
     an_association_cannot_be_broken_or_doubled},
    {"the_process_handle_needs_its_rights", PAGE_ASSIGN, "AssignProcessToJobObject", 0, the_process_handle_needs_its_rights},
    {"a_process_that_has_exited_is_refused", PAGE_ASSIGN, "AssignProcessToJobObject", 0, a_process_that_has_exited_is_refused},
    {"over_the_limit_the_process_is_ended", PAGE_BASIC,
     "AssignProcessToJobObject JobObjectExtendedLimitInformation JOB_OBJECT_LIMIT_ACTIVE_PROCESS JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT",
     NEEDS_LIMITS, over_the_limit_the_process_is_ended},
    {"a_child_over_the_limit_is_not_started", PAGE_BASIC, "JOB_OBJECT_LIMIT_ACTIVE_PROCESS JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT", NEEDS_LIMITS,
     a_child_over_the_limit_is_not_started},
    {"a_full_job_stays_full_while_the_refused_one_is_held", PAGE_BASIC, "AssignProcessToJobObject JOB_OBJECT_LIMIT_ACTIVE_PROCESS",
     NEEDS_LIMITS, a_full_job_stays_full_while_the_refused_one_is_held},
    {"tried_associations_are_counted", PAGE_ACCOUNTING, "JobObjectBasicAccountingInformation JOB_OBJECT_LIMIT_ACTIVE_PROCESS", NEEDS_LIMITS,
     tried_associations_are_counted},
    {"lowering_the_limit_ends_nobody", PAGE_BASIC, "JOB_OBJECT_LIMIT_ACTIVE_PROCESS SetInformationJobObject", NEEDS_LIMITS,
     lowering_the_limit_ends_nobody},
    {"members_are_of_one_session", PAGE_ASSIGN, "AssignProcessToJobObject", NEEDS_SESSIONS, members_are_of_one_session},
    {"nobody_joins_a_terminating_job", PAGE_ASSIGN, "AssignProcessToJobObject TerminateJobObject", NEEDS_SLOW_END | NEEDS_NESTING,
     nobody_joins_a_terminating_job},
    {"a_list_of_pids_has_all_however_many", PAGE_PIDS, "QueryInformationJobObject JobObjectBasicProcessIdList", 0,
     a_list_of_pids_has_all_however_many},
    {"a_process_is_born_in_its_jobs", PAGE_LAUNCH, "IsProcessInJob JOB_OBJECT_MSG_NEW_PROCESS", NEEDS_NESTING, a_process_is_born_in_its_jobs},
    {0}};
