/* Access rights: what a handle may be used for, and who gets one. */
#include "rules.h"

/* Which of the four kinds of call the handle allows. */
enum { MAY_ASSIGN = JP_JOB_OBJECT_ASSIGN_PROCESS, MAY_SET = JP_JOB_OBJECT_SET_ATTRIBUTES, MAY_QUERY = JP_JOB_OBJECT_QUERY,
       MAY_TERMINATE = JP_JOB_OBJECT_TERMINATE };

static uint32_t use(struct rules_host *host, struct jp_job *job, uint32_t pid) {
    struct jp_job_info info;
    uint32_t may = 0;
    if (rules_query(host, job, JP_JOB_BasicLimitInformation, &info) == JP_OK)
        may |= MAY_QUERY;
    else
        EXPECT(rules_error.win32 == ERROR_DENIED, "querying fails with access denied");
    if (rules_limit(host, job, (struct jp_job_extended_limits){0}, 0) == JP_OK)
        may |= MAY_SET;
    else
        EXPECT(rules_error.win32 == ERROR_DENIED, "setting fails with access denied");
    if (rules_assign(host, job, pid) == JP_OK)
        may |= MAY_ASSIGN;
    else
        EXPECT(rules_error.win32 == ERROR_DENIED, "assigning fails with access denied");
    if (host->backend->ops->job_terminate(job, 1, &rules_error) == JP_OK)
        may |= MAY_TERMINATE;
    else
        EXPECT(rules_error.win32 == ERROR_DENIED, "terminating fails with access denied");
    return may;
}

static void opened_with(struct rules_host *host, uint32_t access, uint32_t expected) {
    struct rules_job job = rules_job(host);
    struct jp_job *opened;
    uint32_t pid = rules_process(host);
    if (!EXPECT(rules_open(host, RULES_WHO, job.name, access, &opened) == JP_OK, "the job is opened"))
        return;
    EXPECT(use(host, opened, pid) == expected, "the handle allows what it was opened for, and nothing else");
    EXPECT(rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting.total_processes == (expected & MAY_ASSIGN ? 1 : 0),
           "and what was refused was not done");
}

static void assigning_needs_its_right(struct rules_host *host) { opened_with(host, JP_JOB_OBJECT_ASSIGN_PROCESS, MAY_ASSIGN); }
static void setting_needs_its_right(struct rules_host *host) { opened_with(host, JP_JOB_OBJECT_SET_ATTRIBUTES, MAY_SET); }
static void querying_needs_its_right(struct rules_host *host) { opened_with(host, JP_JOB_OBJECT_QUERY, MAY_QUERY); }
static void terminating_needs_its_right(struct rules_host *host) { opened_with(host, JP_JOB_OBJECT_TERMINATE, MAY_TERMINATE); }
static void the_right_to_security_is_for_nothing_else(struct rules_host *host) { opened_with(host, JP_JOB_OBJECT_SET_SECURITY_ATTRIBUTES, 0); }

static void all_access_is_all(struct rules_host *host) {
    opened_with(host, JP_JOB_OBJECT_ALL_ACCESS, MAY_ASSIGN | MAY_SET | MAY_QUERY | MAY_TERMINATE);
}

static void membership_needs_the_right_to_query(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_job *opened;
    struct jp_process *process;
    bool contains;
    uint32_t pid = rules_member(host, &job);
    EXPECT(rules_open(host, RULES_WHO, job.name, JP_JOB_OBJECT_TERMINATE, &opened) == JP_OK, "opened to terminate");
    if (!EXPECT(ops->process_open(host->backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &process, &rules_error) == JP_OK, "a process"))
        return;
    EXPECT(rules_refused(ops->job_contains(opened, process, &contains, &rules_error), ERROR_DENIED), "IsProcessInJob: access denied");
    ops->process_close(process);
}

static void a_users_job_is_the_users(struct rules_host *host) {
    const char *name = rules_name(host, "Local\\");
    struct jp_job *job, *opened;
    EXPECT(rules_create(host, RULES_USER, name, NULL, &job, NULL) == JP_OK, "a user makes a job");
    EXPECT(rules_open(host, RULES_USER, name, JP_JOB_OBJECT_ALL_ACCESS, &opened) == JP_OK, "and may open it");
    EXPECT(rules_refused(rules_open(host, RULES_OTHER_USER, name, JP_JOB_OBJECT_QUERY, &opened), ERROR_DENIED), "another user may not");
    EXPECT(rules_refused(rules_create(host, RULES_OTHER_USER, name, NULL, &opened, NULL), ERROR_DENIED), "not even by creating it");
}

static void a_descriptor_says_who_may_what(struct rules_host *host) {
    const char *name = rules_name(host, "Local\\"), *sddl = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x20004;;;WD)";
    struct jp_job *job, *opened;
    EXPECT(rules_create(host, RULES_ADMIN, name, sddl, &job, NULL) == JP_OK, "administrators all, everybody may look");
    EXPECT(rules_open(host, RULES_USER, name, JP_JOB_OBJECT_QUERY, &opened) == JP_OK, "a user may look");
    EXPECT(rules_refused(rules_open(host, RULES_USER, name, JP_JOB_OBJECT_TERMINATE, &opened), ERROR_DENIED), "and not terminate");
    EXPECT(rules_open(host, RULES_ADMIN, name, JP_JOB_OBJECT_ALL_ACCESS, &opened) == JP_OK, "an administrator may do all");
}

static void our_jobs_are_closed_to_users(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job *opened;
    EXPECT(rules_refused(rules_open(host, RULES_USER, job.name, JP_JOB_OBJECT_ASSIGN_PROCESS, &opened), ERROR_DENIED), "a user may not use it");
    EXPECT(rules_open(host, RULES_ADMIN, job.name, JP_JOB_OBJECT_ALL_ACCESS, &opened) == JP_OK, "an administrator may");
}

static void who_only_identifies_itself_opens_nothing(struct rules_host *host) {
    const char *name = rules_name(host, "Local\\");
    struct jp_job *job, *opened;
    EXPECT(rules_create(host, RULES_USER, name, NULL, &job, NULL) == JP_OK, "a user makes a job");
    EXPECT(rules_open(host, RULES_NOBODY, name, JP_JOB_OBJECT_QUERY, &opened) == JP_E_DENIED, "a token to look at does not open it");
    EXPECT(rules_create(host, RULES_NOBODY, NULL, NULL, &opened, NULL) == JP_E_DENIED, "nor makes one");
}

const struct rule rules_of_rights[] = {
    {"assigning_needs_its_right", PAGE_RIGHTS, "JOB_OBJECT_ASSIGN_PROCESS OpenJobObject AssignProcessToJobObject", NEEDS_RIGHTS,
     assigning_needs_its_right},
    {"setting_needs_its_right", PAGE_RIGHTS, "JOB_OBJECT_SET_ATTRIBUTES OpenJobObject SetInformationJobObject", NEEDS_RIGHTS,
     setting_needs_its_right},
    {"querying_needs_its_right", PAGE_RIGHTS, "JOB_OBJECT_QUERY OpenJobObject QueryInformationJobObject", NEEDS_RIGHTS, querying_needs_its_right},
    {"terminating_needs_its_right", PAGE_RIGHTS, "JOB_OBJECT_TERMINATE OpenJobObject TerminateJobObject", NEEDS_RIGHTS,
     terminating_needs_its_right},
    {"the_right_to_security_is_for_nothing_else", PAGE_RIGHTS, "JOB_OBJECT_SET_SECURITY_ATTRIBUTES OpenJobObject", NEEDS_RIGHTS,
     the_right_to_security_is_for_nothing_else},
    {"all_access_is_all", PAGE_RIGHTS, "JOB_OBJECT_ALL_ACCESS OpenJobObject", NEEDS_RIGHTS, all_access_is_all},
    {"membership_needs_the_right_to_query", PAGE_IS_IN_JOB, "IsProcessInJob JOB_OBJECT_QUERY", NEEDS_RIGHTS, membership_needs_the_right_to_query},
    {"a_users_job_is_the_users", PAGE_RIGHTS, "CreateJobObject OpenJobObject", NEEDS_SECURITY, a_users_job_is_the_users},
    {"a_descriptor_says_who_may_what", PAGE_RIGHTS, "CreateJobObject OpenJobObject JOB_OBJECT_QUERY JOB_OBJECT_TERMINATE", NEEDS_SECURITY,
     a_descriptor_says_who_may_what},
    {"our_jobs_are_closed_to_users", PAGE_RIGHTS, "OpenJobObject JOB_OBJECT_ASSIGN_PROCESS", NEEDS_SECURITY, our_jobs_are_closed_to_users},
    {"who_only_identifies_itself_opens_nothing", PAGE_OPEN, "OpenJobObject CreateJobObject", NEEDS_SECURITY,
     who_only_identifies_itself_opens_nothing},
    {0}};
