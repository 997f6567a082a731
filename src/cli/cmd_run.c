/* The command run: a command in a pool, in the caller's own session and console.
 *
 * The process is created suspended, the service puts it into the pool, and only then is it let go. Whatever goes wrong
 * before that ends it without one of its instructions having run. */
#include "cli/cli.h"

#include "base/cmdline.h"
#include "win32/wide.h"

#include <windows.h>

enum { END_TIMEOUT_MS = 5000 };

const struct jp_option jp_run_options[] = {
    {"pool", "NAME", JP_OPTION_TEXT, "pool", "the pool (required)"},
    {"timeout", "TIME", JP_OPTION_DURATION, "timeout", "how long to wait for room, if the pool lets callers wait (as the pool says)"},
    {0},
};

/* ---------------------------------------------------------------------------------------------------------- Ctrl-C */

/* The process that is not let go yet. If we are ended now, it must end too: nobody else would ever resume it. */
static struct {
    SRWLOCK lock;
    HANDLE process; /* NULL once it runs */
} held = {SRWLOCK_INIT, NULL};

/* Ctrl-C and Ctrl-Break go to everyone on the console: they are the command's business, and we wait for what it makes of
 * them. (Ignoring them with SetConsoleCtrlHandler(NULL, TRUE) would be inherited by the command.) */
static BOOL WINAPI on_control(DWORD control) {
    AcquireSRWLockExclusive(&held.lock);
    bool runs = held.process == NULL;
    if (!runs)
        TerminateProcess(held.process, (UINT)STATUS_CONTROL_C_EXIT);
    ReleaseSRWLockExclusive(&held.lock);
    return runs && (control == CTRL_C_EVENT || control == CTRL_BREAK_EVENT);
}

/* --------------------------------------------------------------------------------------------------------- the process */

static HANDLE inheritable(DWORD stream) {
    HANDLE handle = GetStdHandle(stream);
    if (handle != NULL && handle != INVALID_HANDLE_VALUE)
        SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    return handle;
}

static jp_status create_failed(DWORD code, const char *program, struct jp_error *error) {
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateProcessW",
                             "cannot run \"%s\": there is no such program here or in PATH (what cmd.exe knows by itself, and"
                             " scripts, run with: cmd /c %s)", program, program);
    return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateProcessW", "cannot run \"%s\"", program);
}

/* Creates the process suspended, and held. */
static jp_status create_held(const struct jp_cli *cli, PROCESS_INFORMATION *ret_child, struct jp_error *error) {
    char *line = jp_cmdline_from_argv((const char *const *)cli->arguments, cli->argument_count);
    if (line == NULL)
        return jp_fail(error, JP_E_PARAMS, "\"%s\" cannot be a program's name", cli->arguments[0]);
    wchar_t *wide = jp_win32_wide(line);
    STARTUPINFOW startup = {
        .cb = sizeof startup,
        .dwFlags = STARTF_USESTDHANDLES,
        .hStdInput = inheritable(STD_INPUT_HANDLE),
        .hStdOutput = inheritable(STD_OUTPUT_HANDLE),
        .hStdError = inheritable(STD_ERROR_HANDLE),
    };
    AcquireSRWLockExclusive(&held.lock); /* a Ctrl-C between the next two lines waits until there is something to end */
    SetConsoleCtrlHandler(on_control, TRUE);
    BOOL created = CreateProcessW(NULL, wide, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, ret_child);
    DWORD code = GetLastError();
    held.process = created ? ret_child->hProcess : NULL;
    ReleaseSRWLockExclusive(&held.lock);
    jp_free(wide);
    jp_free(line);
    return created ? JP_OK : create_failed(code, cli->arguments[0], error);
}

static jp_status let_go(const PROCESS_INFORMATION *child, struct jp_error *error) {
    AcquireSRWLockExclusive(&held.lock);
    DWORD suspended = ResumeThread(child->hThread);
    DWORD code = GetLastError();
    if (suspended != (DWORD)-1)
        held.process = NULL;
    ReleaseSRWLockExclusive(&held.lock);
    return suspended != (DWORD)-1 ? JP_OK
                                  : jp_fail_win32(error, JP_E_SYSTEM, code, "ResumeThread", "cannot start the new process");
}

/* What the service needs to take in exactly this process. */
static jp_status describe(const PROCESS_INFORMATION *child, cJSON *params, struct jp_error *error) {
    FILETIME start, exit, kernel, user;
    BOOL known = GetProcessTimes(child->hProcess, &start, &exit, &kernel, &user);
    DWORD code = GetLastError();
    if (!known)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "GetProcessTimes", "cannot tell when the new process began");
    jp_json_add_u64(params, "pid", child->dwProcessId);
    jp_json_add_u64(params, "startTime", (uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime);
    return JP_OK;
}

/* From held to running in the pool. JP_EXIT_OK, or the exit code after the reason was given. Takes `params`. */
static int bring_in(struct jp_cli *cli, const PROCESS_INFORMATION *child, cJSON *params) {
    struct jp_error error = {0};
    if (describe(child, params, &error) != JP_OK) {
        cJSON_Delete(params);
        jp_complain("%s", error.text);
        return JP_EXIT_FAILED;
    }
    cJSON *assigned = NULL;
    /* A pool may let its callers wait for room, for a time that only it knows. Ctrl-C ends the waiting, and the process. */
    int code = jp_cli_call(cli, "pool.assign", params, JP_CLIENT_NO_TIMEOUT, &assigned);
    cJSON_Delete(assigned);
    if (code == JP_EXIT_OK && let_go(child, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    }
    return code;
}

static int wait_for(HANDLE process) {
    DWORD exit_code = JP_EXIT_FAILED;
    WaitForSingleObject(process, INFINITE);
    if (!GetExitCodeProcess(process, &exit_code))
        jp_complain("the exit code of the command is unknown (error %lu)", (unsigned long)GetLastError());
    return (int)exit_code;
}

int jp_command_run(struct jp_cli *cli, cJSON *options) {
    int code = cJSON_GetObjectItemCaseSensitive(options, "pool") == NULL ? jp_cli_misuse(cli, "which pool? Give --pool NAME")
                                                                         : jp_cli_connect(cli);
    PROCESS_INFORMATION child;
    struct jp_error error = {0};
    if (code == JP_EXIT_OK && create_held(cli, &child, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    }
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    code = bring_in(cli, &child, options);
    if (code == JP_EXIT_OK) {
        code = wait_for(child.hProcess);
    } else {
        TerminateProcess(child.hProcess, JP_EXIT_FAILED);
        WaitForSingleObject(child.hProcess, END_TIMEOUT_MS);
        jp_complain("nothing was run");
    }
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
    return code;
}
