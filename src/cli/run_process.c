/* The process of the command run: created suspended, held until it may run, tied to us if so wished, and waited for. */
#include "cli/run.h"

#include "base/cmdline.h"
#include "win32/filetime.h"
#include "win32/host.h"
#include "win32/wide.h"

enum { END_TIMEOUT_MS = 5000, STREAMS = 3, LEFT_BEHIND = 1 };

static const DWORD streams[STREAMS] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

/* ---------------------------------------------------------------------------------------------------------- Ctrl-C */

/* The process that is not let go yet. If we are ended now, it must end too: nobody else would ever resume it. */
static struct {
    SRWLOCK lock;
    HANDLE process; /* NULL once it runs */
} held = {SRWLOCK_INIT, NULL};

/* What the console tells, it tells everyone on it: that is the command's business, and we wait for what it makes of it, to pass on its
 * exit code. (Ignoring it with SetConsoleCtrlHandler(NULL, TRUE) would be inherited by the command.) When the console closes or the
 * system goes down, Windows ends us as soon as this returns, or in some seconds: the command gets all of them. A user's logging off is
 * told to services and what they started; it is no end for anybody. */
static BOOL WINAPI on_control(DWORD control) {
    AcquireSRWLockExclusive(&held.lock);
    bool runs = held.process == NULL;
    if (!runs)
        TerminateProcess(held.process, (UINT)STATUS_CONTROL_C_EXIT);
    ReleaseSRWLockExclusive(&held.lock);
    if (runs && (control == CTRL_CLOSE_EVENT || control == CTRL_SHUTDOWN_EVENT))
        Sleep(INFINITE);
    return runs;
}

/* --------------------------------------------------------------------------------------------------------- its streams */

struct birth {
    STARTUPINFOEXW startup;
    HANDLE null;             /* detached: for what is not a file */
    HANDLE passed[STREAMS];  /* detached: all that it inherits, each once */
    DWORD passed_count;
};

static HANDLE inheritable(DWORD stream) {
    HANDLE handle = GetStdHandle(stream);
    if (handle != NULL && handle != INVALID_HANDLE_VALUE)
        SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    return handle;
}

static void pass(struct birth *birth, HANDLE handle) {
    for (DWORD i = 0; i < birth->passed_count; i++)
        if (birth->passed[i] == handle)
            return;
    birth->passed[birth->passed_count++] = handle;
}

/* A pipe that it kept open would let whoever reads from us wait for its end as well. */
static HANDLE for_detached(struct birth *birth, DWORD stream) {
    HANDLE handle = GetStdHandle(stream);
    bool file = handle != NULL && handle != INVALID_HANDLE_VALUE && GetFileType(handle) == FILE_TYPE_DISK;
    handle = file ? inheritable(stream) : birth->null;
    pass(birth, handle);
    return handle;
}

static jp_status detach(struct birth *birth, struct jp_error *error) {
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    birth->null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);
    DWORD code = GetLastError();
    if (birth->null == INVALID_HANDLE_VALUE)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateFileW", "cannot open NUL");
    STARTUPINFOW *info = &birth->startup.StartupInfo;
    info->hStdInput = for_detached(birth, STD_INPUT_HANDLE);
    info->hStdOutput = for_detached(birth, STD_OUTPUT_HANDLE);
    info->hStdError = for_detached(birth, STD_ERROR_HANDLE);
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    LPPROC_THREAD_ATTRIBUTE_LIST attributes = jp_alloc(size);
    if (!InitializeProcThreadAttributeList(attributes, 1, 0, &size)) {
        code = GetLastError();
        jp_free(attributes);
        return jp_fail_win32(error, JP_E_SYSTEM, code, "InitializeProcThreadAttributeList", "cannot prepare the new process");
    }
    birth->startup.lpAttributeList = attributes;
    if (!UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, birth->passed,
                                   birth->passed_count * sizeof *birth->passed, NULL, NULL)) {
        code = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, code, "UpdateProcThreadAttribute", "cannot prepare the new process");
    }
    return JP_OK;
}

static jp_status prepare(struct birth *birth, const struct jp_run_start *start, struct jp_error *error) {
    birth->startup.StartupInfo = (STARTUPINFOW){.cb = start->detach ? sizeof birth->startup : sizeof(STARTUPINFOW), .dwFlags = STARTF_USESTDHANDLES};
    if (start->detach)
        return detach(birth, error);
    birth->startup.StartupInfo.hStdInput = inheritable(streams[0]);
    birth->startup.StartupInfo.hStdOutput = inheritable(streams[1]);
    birth->startup.StartupInfo.hStdError = inheritable(streams[2]);
    return JP_OK;
}

static void clean_up(struct birth *birth) {
    if (birth->startup.lpAttributeList != NULL) {
        DeleteProcThreadAttributeList(birth->startup.lpAttributeList);
        jp_free(birth->startup.lpAttributeList);
    }
    if (birth->null != NULL && birth->null != INVALID_HANDLE_VALUE)
        CloseHandle(birth->null);
}

/* --------------------------------------------------------------------------------------------------------- its creation */

/* Our own environment is changed: the command inherits it, and is searched in its PATH. */
static jp_status set_environment(const cJSON *env, struct jp_error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, env) {
        wchar_t *name = jp_win32_wide(item->string), *value = jp_win32_wide(cJSON_GetStringValue(item));
        BOOL set = SetEnvironmentVariableW(name, value);
        DWORD code = GetLastError();
        jp_free(name);
        jp_free(value);
        if (!set && code != ERROR_ENVVAR_NOT_FOUND) /* to remove what is not there is done */
            return jp_fail_win32(error, JP_E_PARAMS, code, "SetEnvironmentVariableW", "cannot set the environment variable \"%s\"", item->string);
    }
    return JP_OK;
}

static jp_status create_failed(DWORD code, const struct jp_run_start *start, struct jp_error *error) {
    const char *program = start->arguments[0];
    if (code == ERROR_DIRECTORY)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateProcessW", "cannot run \"%s\" in \"%s\": there is no such folder", program,
                             start->cwd == NULL ? "." : start->cwd);
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateProcessW",
                             "cannot run \"%s\": there is no such program here or in PATH (what cmd.exe knows by itself, and"
                             " scripts, run with: cmd /c %s)", program, program);
    return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateProcessW", "cannot run \"%s\"", program);
}

/* A console of its own that nobody sees; src/win32/backend.c says why not so under Wine. */
static DWORD creation_flags(const struct jp_run_start *start) {
    DWORD flags = CREATE_SUSPENDED;
    if (start->detach)
        flags |= EXTENDED_STARTUPINFO_PRESENT | CREATE_NEW_PROCESS_GROUP | (jp_win32_is_wine() ? DETACHED_PROCESS : CREATE_NO_WINDOW);
    return flags;
}

static jp_status create_held(const struct jp_run_start *start, struct birth *birth, wchar_t *line, struct jp_run_child *ret_child,
                             struct jp_error *error) {
    PROCESS_INFORMATION made = {0};
    wchar_t *folder = jp_win32_wide(start->cwd);
    DWORD flags = creation_flags(start);
    AcquireSRWLockExclusive(&held.lock); /* a Ctrl-C between the next two lines waits until there is something to end */
    SetConsoleCtrlHandler(on_control, TRUE);
    BOOL created = CreateProcessW(NULL, line, NULL, NULL, TRUE, flags, NULL, folder, &birth->startup.StartupInfo, &made);
    DWORD code = GetLastError();
    held.process = created ? made.hProcess : NULL;
    ReleaseSRWLockExclusive(&held.lock);
    jp_free(folder);
    if (!created)
        return create_failed(code, start, error);
    ret_child->process = made.hProcess;
    ret_child->thread = made.hThread;
    ret_child->pid = made.dwProcessId;
    FILETIME began, exit, kernel, user;
    if (!GetProcessTimes(made.hProcess, &began, &exit, &kernel, &user)) {
        code = GetLastError();
        jp_run_end_held(ret_child);
        return jp_fail_win32(error, JP_E_SYSTEM, code, "GetProcessTimes", "cannot tell when the new process began");
    }
    ret_child->start_100ns = (uint64_t)jp_win32_from_filetime(began);
    return JP_OK;
}

/* A job of ours alone: no handle of it is inherited, so it closes with us. */
static jp_status make_job(HANDLE *ret_job, struct jp_error *error) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    DWORD code = GetLastError();
    if (job == NULL)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateJobObjectW", "cannot tie the command to this program");
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) {
        code = GetLastError();
        CloseHandle(job);
        return jp_fail_win32(error, JP_E_SYSTEM, code, "SetInformationJobObject", "cannot tie the command to this program");
    }
    *ret_job = job;
    return JP_OK;
}

jp_status jp_run_create(const struct jp_run_start *start, struct jp_run_child *ret_child, struct jp_error *error) {
    struct birth birth = {0};
    *ret_child = (struct jp_run_child){0};
    char *line = jp_cmdline_from_argv((const char *const *)start->arguments, start->argument_count);
    if (line == NULL)
        return jp_fail(error, JP_E_PARAMS, "\"%s\" cannot be a program's name", start->arguments[0]);
    wchar_t *wide = jp_win32_wide(line);
    jp_free(line);
    jp_status status = set_environment(start->env, error);
    if (status == JP_OK && start->end_tree)
        status = make_job(&ret_child->job, error);
    if (status == JP_OK)
        status = prepare(&birth, start, error);
    if (status == JP_OK)
        status = create_held(start, &birth, wide, ret_child, error);
    clean_up(&birth);
    jp_free(wide);
    if (status != JP_OK)
        jp_run_close(ret_child);
    return status;
}

/* --------------------------------------------------------------------------------------------------------- its life */

/* Below the pool's jobs, in which it is by now: born in ours, it could join no pool that others are in. */
static jp_status tie(const struct jp_run_child *child, struct jp_error *error) {
    if (child->job == NULL || AssignProcessToJobObject(child->job, child->process))
        return JP_OK;
    DWORD code = GetLastError();
    return jp_fail_win32(error, JP_E_SYSTEM, code, "AssignProcessToJobObject", "cannot tie the command to this program");
}

jp_status jp_run_let_go(struct jp_run_child *child, struct jp_error *error) {
    jp_status status = tie(child, error);
    if (status != JP_OK)
        return status;
    AcquireSRWLockExclusive(&held.lock);
    DWORD suspended = ResumeThread(child->thread);
    DWORD code = GetLastError();
    if (suspended != (DWORD)-1)
        held.process = NULL;
    ReleaseSRWLockExclusive(&held.lock);
    return suspended != (DWORD)-1 ? JP_OK
                                  : jp_fail_win32(error, JP_E_SYSTEM, code, "ResumeThread", "cannot start the new process");
}

int jp_run_wait(const struct jp_run_child *child) {
    DWORD exit_code = JP_EXIT_FAILED;
    WaitForSingleObject(child->process, INFINITE);
    if (!GetExitCodeProcess(child->process, &exit_code))
        jp_complain("the exit code of the command is unknown (error %lu)", (unsigned long)GetLastError());
    return (int)exit_code;
}

void jp_run_end_tree(struct jp_run_child *child) {
    if (child->job != NULL)
        TerminateJobObject(child->job, LEFT_BEHIND);
}

void jp_run_end_held(struct jp_run_child *child) {
    AcquireSRWLockExclusive(&held.lock);
    held.process = NULL;
    ReleaseSRWLockExclusive(&held.lock);
    TerminateProcess(child->process, JP_EXIT_FAILED);
    WaitForSingleObject(child->process, END_TIMEOUT_MS);
}

void jp_run_close(struct jp_run_child *child) {
    HANDLE handles[] = {child->thread, child->process, child->job};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (handles[i] != NULL)
            CloseHandle(handles[i]);
    *child = (struct jp_run_child){0};
}
