/* Limits on the user interface. */
#include "rules.h"

static jp_status set_ui(struct rules_host *host, struct jp_job *job, uint32_t restrictions) {
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_BasicUIRestrictions, .ui_restrictions = restrictions});
}

static uint32_t ui_of(struct rules_host *host, struct jp_job *job) { return rules_get(host, job, JP_JOB_BasicUIRestrictions).ui_restrictions; }

static void each_ui_limit_is_taken(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    for (uint32_t flag = 1; flag & JP_JOB_OBJECT_UI_VALID_FLAGS; flag <<= 1) {
        EXPECT(set_ui(host, job.job, flag) == JP_OK, "it is set");
        EXPECT(ui_of(host, job.job) == flag, "and reads back");
    }
    EXPECT(set_ui(host, job.job, JP_JOB_OBJECT_UILIMIT_ALL) == JP_OK && ui_of(host, job.job) == JP_JOB_OBJECT_UILIMIT_ALL, "all at once");
    EXPECT(set_ui(host, job.job, JP_JOB_OBJECT_UILIMIT_NONE) == JP_OK && ui_of(host, job.job) == JP_JOB_OBJECT_UILIMIT_NONE, "and lifted");
}

static void unknown_ui_limits_are_refused(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_refused(set_ui(host, job.job, JP_JOB_OBJECT_UI_VALID_FLAGS + 1), ERROR_PARAMETER), "a flag that there is not");
}

static void a_job_with_ui_limits_takes_nobody_from_a_job(struct rules_host *host) {
    struct rules_job first = rules_job(host), limited = rules_job(host);
    uint32_t inside = rules_member(host, &first), outside = rules_process(host);
    EXPECT(set_ui(host, limited.job, JP_JOB_OBJECT_UILIMIT_DESKTOP) == JP_OK, "a job with UI limits");
    EXPECT(rules_refused(rules_assign(host, limited.job, inside), 0), "refuses who is in a job");
    EXPECT(host->alive(host, inside), "who lives on");
    EXPECT(rules_assign(host, limited.job, outside) == JP_OK, "and takes who is in none");
}

static void nor_does_anything_nest_below_it(struct rules_host *host) {
    struct rules_job limited = rules_job(host), below = rules_job(host);
    uint32_t pid = rules_member(host, &limited);
    EXPECT(set_ui(host, limited.job, JP_JOB_OBJECT_UILIMIT_READCLIPBOARD) == JP_OK, "a job with UI limits");
    EXPECT(rules_refused(rules_assign(host, below.job, pid), 0), "its members can be in no other");
}

static void nested_jobs_take_no_ui_limits(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    EXPECT(rules_refused(set_ui(host, parent.job, JP_JOB_OBJECT_UILIMIT_HANDLES), 0), "the parent takes none");
    EXPECT(rules_refused(set_ui(host, child.job, JP_JOB_OBJECT_UILIMIT_HANDLES), 0), "nor does the child");
    EXPECT(ui_of(host, parent.job) == 0 && ui_of(host, child.job) == 0, "they have none");
}

static void a_user_handle_is_granted_and_taken_back(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    const struct jp_backend_ops *ops = host->backend->ops;
    EXPECT(set_ui(host, job.job, JP_JOB_OBJECT_UILIMIT_HANDLES) == JP_OK, "a job that may use no foreign handles");
    EXPECT(ops->job_grant_user_handle(job.job, host->user_handle, true, NULL, &rules_error) == JP_OK, "one is granted");
    EXPECT(ops->job_grant_user_handle(job.job, host->user_handle, false, NULL, &rules_error) == JP_OK, "and taken back");
    EXPECT(rules_refused(ops->job_grant_user_handle(job.job, 0, true, NULL, &rules_error), 0), "no handle cannot be granted");
}

static void a_handle_of_another_session_cannot_be_granted(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_principal *remote = host->principal(host, RULES_OTHER_SESSION);
    EXPECT(ops->job_grant_user_handle(job.job, host->user_handle, true, remote, &rules_error) == JP_E_SESSION, "its desktop is not ours");
}

#define ALL_UI                                                                                              \
    "JOB_OBJECT_UILIMIT_NONE JOB_OBJECT_UILIMIT_HANDLES JOB_OBJECT_UILIMIT_READCLIPBOARD JOB_OBJECT_UILIMIT_WRITECLIPBOARD "     \
    "JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS JOB_OBJECT_UILIMIT_DISPLAYSETTINGS JOB_OBJECT_UILIMIT_GLOBALATOMS "                     \
    "JOB_OBJECT_UILIMIT_DESKTOP JOB_OBJECT_UILIMIT_EXITWINDOWS JOB_OBJECT_UILIMIT_ALL"

const struct rule rules_of_ui[] = {
    {"each_ui_limit_is_taken", PAGE_UI, "JobObjectBasicUIRestrictions " ALL_UI, NEEDS_UI, each_ui_limit_is_taken},
    {"unknown_ui_limits_are_refused", PAGE_UI, "JobObjectBasicUIRestrictions JOB_OBJECT_UI_VALID_FLAGS", NEEDS_UI | NEEDS_CHECKS,
     unknown_ui_limits_are_refused},
    {"a_job_with_ui_limits_takes_nobody_from_a_job", PAGE_ASSIGN, "AssignProcessToJobObject JOB_OBJECT_UILIMIT_DESKTOP",
     NEEDS_UI | NEEDS_NESTING, a_job_with_ui_limits_takes_nobody_from_a_job},
    {"nor_does_anything_nest_below_it", PAGE_NESTED, "AssignProcessToJobObject JOB_OBJECT_UILIMIT_READCLIPBOARD", NEEDS_UI | NEEDS_NESTING,
     nor_does_anything_nest_below_it},
    {"nested_jobs_take_no_ui_limits", PAGE_NESTED, "JobObjectBasicUIRestrictions JOB_OBJECT_UILIMIT_HANDLES", NEEDS_UI | NEEDS_NESTING,
     nested_jobs_take_no_ui_limits},
    {"a_user_handle_is_granted_and_taken_back", PAGE_GRANT, "UserHandleGrantAccess JOB_OBJECT_UILIMIT_HANDLES", NEEDS_UI,
     a_user_handle_is_granted_and_taken_back},
    {"a_handle_of_another_session_cannot_be_granted", PAGE_GRANT, "UserHandleGrantAccess", NEEDS_SESSIONS,
     a_handle_of_another_session_cannot_be_granted},
    {0}};
