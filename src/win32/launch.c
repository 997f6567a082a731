/* Owns the birth of processes: suspended, inside their jobs, as the principal or with a token that is lent, with nothing inherited
 * but its standard handles. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/principal.h"
#include "win32/user_environment.h"
#include "win32/wide.h"

/* Everything that one launch holds until the process exists. All zero is a valid empty one. */
struct birth {
    const struct jp_launch *launch;
    DWORD console_flag;
    HANDLE token; /* what the process gets, a primary token; NULL: the service's own */
    wchar_t *command_line;
    wchar_t *directory; /* NULL: the service's own */
    wchar_t *environment;
    wchar_t *profile; /* of its user; NULL: there is none, or the process is the service's own */
    struct jp__standard_handles handles;
    HANDLE *jobs;
    LPPROC_THREAD_ATTRIBUTE_LIST attributes;
    PROCESS_INFORMATION process;
};

/* As which the process is to run, in words: after "as". */
static const char *runner(const struct jp_launch *launch) {
    const struct jp_principal *runs = launch->token ? launch->token : launch->principal;
    return runs ? runs->name : "the service";
}

const struct jp_principal *jp__opener(const struct jp_launch *launch) {
    return launch->run_as != JP_TOKEN_NONE ? launch->token : launch->principal;
}

/* Of a token that is impersonated, or of the service's own. */
static jp_status duplicate_primary(const struct jp_principal *from, const char *name, HANDLE *ret_token, struct jp_error *error) {
    const DWORD access = TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT |
                         TOKEN_ADJUST_SESSIONID;
    HANDLE own = NULL;
    if (!from && !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "OpenProcessToken", "cannot open the service's own token");
    }
    BOOL duplicated = DuplicateTokenEx(from ? from->token : own, access, NULL, SecurityImpersonation, TokenPrimary, ret_token);
    DWORD win32 = duplicated ? 0 : GetLastError();
    if (own)
        CloseHandle(own);
    if (!duplicated)
        return jp_fail_win32(error, JP_E_DENIED, win32, "DuplicateTokenEx", "cannot start a process as %s", name);
    return JP_OK;
}

/* A token that is lent comes from a session of its own; the process belongs into that of whoever launches it, where its pool has a
 * job. Only SYSTEM may move a token (SeTcbPrivilege). */
static jp_status move_to_session(HANDLE token, uint32_t session, const char *name, struct jp_error *error) {
    DWORD now, length, wanted = session;
    if (GetTokenInformation(token, TokenSessionId, &now, sizeof now, &length) && now == wanted)
        return JP_OK;
    if (SetTokenInformation(token, TokenSessionId, &wanted, sizeof wanted))
        return JP_OK;
    DWORD win32 = GetLastError();
    return jp_fail_win32(error, win32 == ERROR_PRIVILEGE_NOT_HELD ? JP_E_SESSION : JP_E_SYSTEM, win32, "SetTokenInformation",
                         "cannot start a process as %s in session %lu: its token is of another session, and only a service that runs as "
                         "SYSTEM can change that",
                         name, (unsigned long)session);
}

static jp_status primary_token(struct birth *birth, struct jp_error *error) {
    const struct jp_launch *launch = birth->launch;
    const struct jp_principal *runs = launch->token ? launch->token : launch->principal;
    if (!runs && !launch->filter)
        return JP_OK;
    /* Also tells a client that came with identification level what it lacks, before Windows does it in its own words. */
    jp_status status = jp_win32_impersonate(launch->principal, error);
    if (status != JP_OK)
        return status;
    jp_win32_revert(launch->principal);
    status = duplicate_primary(runs, runner(launch), &birth->token, error);
    if (status == JP_OK && launch->token)
        status = move_to_session(birth->token, jp__session_of(NULL, launch->principal), runner(launch), error);
    if (status == JP_OK && launch->filter)
        status = jp__token_filter(&birth->token, launch->filter, error);
    return status;
}

/* Without a wish the process begins in its user's profile, or in the system folder for a user that has none. */
static wchar_t *start_directory(const struct birth *birth) {
    if (birth->launch->directory)
        return jp_win32_wide(birth->launch->directory);
    if (!birth->token)
        return NULL;
    const wchar_t *profile = birth->profile;
    if (profile && GetFileAttributesW(profile) != INVALID_FILE_ATTRIBUTES)
        return wcscpy(jp_alloc((wcslen(profile) + 1) * sizeof *profile), profile);
    DWORD room = GetSystemDirectoryW(NULL, 0);
    wchar_t *directory = jp_alloc((room + 1) * sizeof *directory);
    GetSystemDirectoryW(directory, room + 1);
    return directory;
}

/* The list points into `birth`, which outlives it. `with_jobs`: born in the jobs, before its first thread could run. */
static jp_status make_attributes(struct birth *birth, bool with_jobs, struct jp_error *error) {
    const struct jp_launch *launch = birth->launch;
    DWORD count = with_jobs ? 2 : 1;
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, count, 0, &size);
    birth->attributes = jp_alloc(size);
    if (!InitializeProcThreadAttributeList(birth->attributes, count, 0, &size)) {
        DWORD win32 = GetLastError();
        jp_free(birth->attributes);
        birth->attributes = NULL;
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "InitializeProcThreadAttributeList", "cannot prepare the launch");
    }
    BOOL updated = UpdateProcThreadAttribute(birth->attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, birth->handles.opened,
                                             birth->handles.count * sizeof *birth->handles.opened, NULL, NULL);
    if (updated && with_jobs)
        updated = UpdateProcThreadAttribute(birth->attributes, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, birth->jobs,
                                            launch->chain_length * sizeof *birth->jobs, NULL, NULL);
    if (!updated) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "UpdateProcThreadAttribute", "cannot prepare the launch");
    }
    return JP_OK;
}

static void drop_attributes(struct birth *birth) {
    if (!birth->attributes)
        return;
    DeleteProcThreadAttributeList(birth->attributes);
    jp_free(birth->attributes);
    birth->attributes = NULL;
}

/* Whether it may do what the service may. Of a client that launches with its own token that is found out once. */
static bool is_ours(const struct birth *birth) {
    const struct jp_launch *launch = birth->launch;
    if (launch->token || launch->filter || !launch->principal)
        return jp__token_is_ours(birth->token);
    atomic_int *known = &launch->principal->ours;
    if (*known == JP_PRINCIPAL_UNKNOWN)
        *known = jp__token_is_ours(birth->token) ? JP_PRINCIPAL_OURS : JP_PRINCIPAL_OTHER;
    return *known == JP_PRINCIPAL_OURS;
}

/* A window of a client's program belongs on that client's desktop. A token that is lent, or that of another user in our own session,
 * may not use the window station there is; the empty string lets Windows give it one of its own. */
static wchar_t *desktop_for(const struct birth *birth) {
    static wchar_t interactive[] = L"winsta0\\default", own[] = L"";
    if (!birth->token || is_ours(birth))
        return NULL;
    if (birth->launch->token)
        return own;
    return jp__session_of(NULL, birth->launch->principal) != jp__own_session() ? interactive : own;
}

/* No CREATE_NEW_PROCESS_GROUP: it would switch Ctrl+C off for all that the program starts, and a console of its own keeps
 * ours away as it is. No CREATE_DEFAULT_ERROR_MODE: see harden.c. Returns 0 or the Win32 error. */
static DWORD call_create(struct birth *birth, bool with_token) {
    const DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT | birth->console_flag;
    STARTUPINFOEXW startup = {
        .StartupInfo =
            {
                .cb = sizeof startup,
                .lpDesktop = desktop_for(birth),
                .dwFlags = STARTF_USESTDHANDLES,
                .hStdInput = birth->handles.standard[0],
                .hStdOutput = birth->handles.standard[1],
                .hStdError = birth->handles.standard[2],
            },
        .lpAttributeList = birth->attributes,
    };
    BOOL created;
    if (with_token)
        created = CreateProcessAsUserW(birth->token, NULL, birth->command_line, NULL, NULL, TRUE, flags, birth->environment,
                                       birth->directory, &startup.StartupInfo, &birth->process);
    else
        created = CreateProcessW(NULL, birth->command_line, NULL, NULL, TRUE, flags, birth->environment, birth->directory,
                                 &startup.StartupInfo, &birth->process);
    return created ? 0 : GetLastError();
}

/* A process is born with the error mode of ours, whatever thread makes it; that of a thread is not inherited. So for a pool that
 * wants its crashes without a word, ours is another one as long as the call takes. Launches come from one thread, so none gets
 * the mode of another; to the service's other threads it means only that a crash of theirs in this moment goes unreported. The
 * other way round (the service always silent, CREATE_DEFAULT_ERROR_MODE for the rest) would give the rest back the boxes that
 * nobody can answer, and never report a crash of the service. */
static DWORD call_create_in_mode(struct birth *birth, bool with_token) {
    if (!birth->launch->no_error_dialogs)
        return call_create(birth, with_token);
    UINT before = SetErrorMode(GetErrorMode() | SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    DWORD win32 = call_create(birth, with_token);
    SetErrorMode(before);
    return win32;
}

/* Returns 0 or the Win32 error. */
static uint32_t create(struct birth *birth, struct jp_error *error) {
    const struct jp_principal *principal = birth->launch->principal, *opens = jp__opener(birth->launch);
    if (!birth->token)
        return call_create_in_mode(birth, false);

    /* The program's file is opened with the rights of the thread: it must be the client who may read it, not we. Also with a token
     * that is lent: what it may do is for what runs, and not for saying what is to run. A template says that itself. */
    if (jp_win32_impersonate(opens, error) != JP_OK)
        return ERROR_BAD_IMPERSONATION_LEVEL;
    DWORD win32 = call_create_in_mode(birth, true);
    jp_win32_revert(opens);
    /* An administrator's console has no right to hand out tokens. It needs none to start what it could start by itself;
     * for a client that is any less, or just different, this stays a failure, as it does for a process that is to be. */
    if (win32 == ERROR_PRIVILEGE_NOT_HELD && is_ours(birth) && (!principal || jp__token_is_ours(principal->token)))
        return call_create_in_mode(birth, false);
    return win32;
}

/* Nothing of it has run yet, so ending it loses nothing. */
static void end_process(struct birth *birth) {
    TerminateProcess(birth->process.hProcess, ERROR_PROCESS_ABORTED);
    CloseHandle(birth->process.hThread);
    CloseHandle(birth->process.hProcess);
    birth->process = (PROCESS_INFORMATION){0};
}

static jp_status create_failed(const struct birth *birth, uint32_t win32, struct jp_error *error) {
    const struct jp_launch *launch = birth->launch;
    jp_status status = win32 == ERROR_ACCESS_DENIED || win32 == ERROR_PRIVILEGE_NOT_HELD ? JP_E_DENIED : JP_E_SYSTEM;
    if (win32 == ERROR_NOT_ENOUGH_QUOTA && launch->chain_length > 0)
        status = JP_E_POOL_FULL;
    return jp_fail_win32(error, status, win32, birth->token ? "CreateProcessAsUser" : "CreateProcess", "cannot start %s%s%s%s",
                         launch->command_line, birth->token ? " as " : "", birth->token ? runner(launch) : "",
                         launch->filter ? " with fewer rights" : "");
}

/* Some packaged programs refuse to be born in a job but take one afterwards (microsoft/WSL#40607). Suspended, they have
 * run nothing in between. The refusal's code is also that of other refusals: those just happen again. */
static jp_status create_then_assign(struct birth *birth, struct jp_error *error) {
    drop_attributes(birth);
    jp_status status = make_attributes(birth, false, error);
    if (status != JP_OK)
        return status;
    uint32_t win32 = create(birth, error);
    if (win32 != 0)
        return create_failed(birth, win32, error);
    struct jp_process process = {.handle = birth->process.hProcess, .pid = birth->process.dwProcessId};
    for (size_t i = 0; i < birth->launch->chain_length && status == JP_OK; i++)
        status = jp__job_assign(birth->launch->chain[i], &process, error);
    if (status != JP_OK)
        end_process(birth);
    return status;
}

static jp_status create_in_jobs(struct birth *birth, struct jp_error *error) {
    bool in_jobs = birth->launch->chain_length > 0;
    jp_status status = make_attributes(birth, in_jobs, error);
    if (status != JP_OK)
        return status;
    uint32_t win32 = create(birth, error);
    if (win32 == 0)
        return JP_OK;
    bool may_be_the_jobs = win32 == ERROR_ACCESS_DENIED || win32 == ERROR_NOT_SUPPORTED || win32 == ERROR_INVALID_PARAMETER;
    if (in_jobs && may_be_the_jobs)
        return create_then_assign(birth, error);
    return create_failed(birth, win32, error);
}

/* What a filtered token cannot read is not what its user has. */
static jp_status make_environment(struct birth *birth, struct jp_win32_backend *backend, struct jp_error *error) {
    struct jp_user_environments *remembered = birth->launch->filter ? NULL : backend->environments;
    wchar_t *of_user = NULL;
    jp_status status = birth->token ? jp__user_environment(remembered, birth->token, &of_user, &birth->profile, error) : JP_OK;
    if (status == JP_OK)
        status = jp__environment(of_user, birth->launch->environment, &birth->environment, error);
    jp_free(of_user);
    return status;
}

static jp_status prepare(struct birth *birth, struct jp_win32_backend *backend, struct jp_error *error) {
    const struct jp_launch *launch = birth->launch;
    jp_status status = primary_token(birth, error);
    if (status == JP_OK)
        status = make_environment(birth, backend, error);
    if (status == JP_OK)
        status = jp__open_standard_handles(launch, &birth->handles, error);
    if (status != JP_OK)
        return status;
    birth->command_line = jp_win32_wide(launch->command_line); /* CreateProcessW writes into it */
    birth->directory = start_directory(birth);
    birth->jobs = jp_alloc((launch->chain_length + 1) * sizeof *birth->jobs);
    for (size_t i = 0; i < launch->chain_length; i++)
        birth->jobs[i] = launch->chain[i]->handle;
    return JP_OK;
}

static void clean_up(struct birth *birth) {
    drop_attributes(birth);
    jp_free(birth->jobs);
    jp_free(birth->directory);
    jp_free(birth->command_line);
    jp__close_standard_handles(&birth->handles);
    jp_free(birth->environment);
    jp_free(birth->profile);
    if (birth->token)
        CloseHandle(birth->token);
}

jp_status jp__process_launch(struct jp_backend *backend, const struct jp_launch *launch, struct jp_process **ret_process,
                             struct jp_error *error) {
    struct birth birth = {.launch = launch, .console_flag = jp__backend(backend)->console_flag};
    jp_status status = prepare(&birth, jp__backend(backend), error);
    if (status == JP_OK)
        status = create_in_jobs(&birth, error);
    if (status == JP_OK) {
        struct jp_process *process = jp_alloc(sizeof *process);
        process->handle = birth.process.hProcess;
        process->thread = birth.process.hThread;
        process->pid = birth.process.dwProcessId;
        process->backend = jp__backend(backend);
        *ret_process = process;
    }
    clean_up(&birth);
    return status;
}

jp_status jp__process_resume(struct jp_process *process, struct jp_error *error) {
    if (ResumeThread(process->thread) == (DWORD)-1) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "ResumeThread", "cannot let process %lu run", (unsigned long)process->pid);
    }
    CloseHandle(process->thread);
    process->thread = NULL;
    return JP_OK;
}
