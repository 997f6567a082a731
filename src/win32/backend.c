/* Owns the backend: its table of operations, its port, its privileges, and what it knows of the host. */
#include "win32/backend.h"

#include "base/str.h"
#include "win32/host.h"
#include "win32/internal.h"
#include "win32/privileges.h"
#include "win32/security.h"
#include "win32/user_environment.h"
#include "win32/wide.h"

static const struct jp_capabilities *capabilities(struct jp_backend *backend) { return &jp__backend(backend)->capabilities; }

static const struct jp_backend_ops operations = {
    .capabilities = capabilities,
    .job_obtain = jp__job_obtain,
    .job_create = jp__job_create,
    .job_open = jp__job_open,
    .job_close = jp__job_close,
    .job_query = jp__job_query,
    .job_set = jp__job_set,
    .job_assign = jp__job_assign,
    .job_terminate = jp__job_terminate,
    .job_contains = jp__job_contains,
    .job_grant_user_handle = jp__job_grant_user_handle,
    .token_of_process = jp__token_of_process,
    .token_of_account = jp__token_of_account,
    .token_free = jp__token_free,
    .session_of = jp__session_of,
    .account_sid = jp__account_sid,
    .descriptor_new = jp__descriptor_new,
    .descriptor_free = jp__descriptor_free,
    .descriptor_rights = jp__descriptor_rights,
    .process_open = jp__process_open,
    .process_close = jp__process_close,
    .process_facts = jp__process_facts,
    .process_usage = jp__process_usage,
    .sample = jp__sample,
    .process_adjust = jp__process_adjust,
    .process_freeze = jp__process_freeze,
    .process_request_stop = jp__process_request_stop,
    .process_is_debugged = jp__process_is_debugged,
    .process_is_critical = jp__process_is_critical,
    .process_exited = jp__process_exited,
    .process_terminate = jp__process_terminate,
    .process_check_token = jp__process_check_token,
    .process_watch = jp__process_watch,
    .process_launch = jp__process_launch,
    .process_resume = jp__process_resume,
    .keeper_start = jp__keeper_start,
    .keeper_facts = jp__keeper_facts,
    .keeper_hold = jp__keeper_hold,
    .keeper_let_go = jp__keeper_let_go,
    .keeper_close = jp__keeper_close,
    .keeper_dismiss = jp__keeper_dismiss,
};

/* SYSTEM and Administrators, and whoever runs us if that is somebody else: `--console`. */
static jp_status make_job_security(struct jp_win32_security *ret_security, struct jp_error *error) {
    uint32_t win32;
    PSID own = jp_win32_own_user(&win32);
    char *sid = own ? jp_win32_sid_text(own) : NULL;
    char *sddl = sid ? jp_sprintf("D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%s)", sid) : jp_strdup("D:P(A;;GA;;;SY)(A;;GA;;;BA)");
    jp_free(sid);
    jp_free(own);
    jp_status status = jp_win32_security_from_sddl(sddl, ret_security, error);
    jp_free(sddl);
    return status;
}

static void enable(HANDLE token, const char *name, const struct jp_log *log) {
    TOKEN_PRIVILEGES privilege = {.PrivilegeCount = 1, .Privileges[0].Attributes = SE_PRIVILEGE_ENABLED};
    wchar_t *wide = jp_win32_wide(name);
    bool known = LookupPrivilegeValueW(NULL, wide, &privilege.Privileges[0].Luid);
    jp_free(wide);
    if (!known)
        return;
    /* Succeeds also where the token does not have it; the last error tells. Not having it is normal in a console. */
    AdjustTokenPrivileges(token, FALSE, &privilege, 0, NULL, NULL);
    DWORD win32 = GetLastError();
    if (win32 != ERROR_SUCCESS)
        jp_log(log, JP_LOG_DEBUG, "%s is not held", name);
}

static void enable_privileges(const struct jp_log *log) {
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token)) {
        DWORD win32 = GetLastError();
        jp_log(log, JP_LOG_WARNING, "cannot enable privileges: %s (%lu)", jp_win32_text(win32), (unsigned long)win32);
        return;
    }
    for (const struct jp_privilege *privilege = jp_win32_privileges; privilege->name; privilege++)
        if (privilege->enable)
            enable(token, privilege->name, log);
    CloseHandle(token);
}

/* Launched programs get a console of their own that nobody sees: without one, each console program that they start in turn
 * would open a window. Wine starts the console's host as a child of the program, so inside its job, as one more member; there
 * programs go without, and Wine opens no windows for their children. */
static DWORD console_flag(void) { return jp_win32_is_wine() ? DETACHED_PROCESS : CREATE_NO_WINDOW; }

jp_status jp_win32_backend_new(const struct jp_win32_backend_options *options, struct jp_backend **ret_backend,
                               struct jp_error *error) {
    struct jp_win32_backend *backend = jp_alloc(sizeof *backend);
    backend->base.ops = &operations;
    backend->log = options->log;
    backend->stop_helper = options->stop_helper;
    backend->keeper_option = options->keeper;
    jp_status status = make_job_security(&backend->job_security, error);
    if (status == JP_OK)
        status = jp_win32_port_new(&options->sinks, &backend->port, error);
    if (status != JP_OK) {
        jp_win32_security_free(&backend->job_security);
        jp_free(backend);
        return status;
    }
    enable_privileges(options->log);
    backend->console_flag = console_flag();
    backend->environments = jp__user_environments_new();
    jp__probe(options->log, &backend->capabilities);
    *ret_backend = &backend->base;
    return JP_OK;
}

void jp_win32_backend_free(struct jp_backend *base) {
    if (!base)
        return;
    struct jp_win32_backend *backend = jp__backend(base);
    jp_win32_port_free(backend->port);
    jp__user_names_free(backend);
    jp__user_environments_free(backend->environments);
    jp_free(backend->capabilities.host);
    jp_win32_security_free(&backend->job_security);
    jp_free(backend);
}

void jp_win32_backend_counters(const struct jp_backend *backend, struct jp_win32_port_counters *ret_counters) {
    jp_win32_port_counters(((const struct jp_win32_backend *)backend)->port, ret_counters);
}
