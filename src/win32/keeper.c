/* Owns the service's end of the keeper: its birth, which handles it has, and the pipe that tells it of them (keeper.h; keeper_main.c is
 * the other end). */
#include "win32/keeper.h"

#include "base/str.h"
#include "win32/filetime.h"
#include "win32/internal.h"
#include "win32/wide.h"

#include <aclapi.h>
#include <string.h>

/* Some thousand records wait in the pipe before the keeper counts as one that does not read. */
enum { PIPE_BYTES = 64 * 1024 };

struct jp_keeper {
    struct jp_win32_backend *backend;
    struct jp_keeper *next; /* of the backend's */
    HANDLE process, pipe, wait;
    uint32_t pid;
    struct jp_map held; /* a job's address -> the value of the handle that the keeper has to it */
    bool ending;        /* it was told to let go of the last */
};

/* --- its birth --- */

struct birth {
    HANDLE input; /* its end of the pipe */
    wchar_t *image, *line, *directory;
    LPPROC_THREAD_ATTRIBUTE_LIST attributes;
    PSECURITY_DESCRIPTOR descriptor;
    PROCESS_INFORMATION process;
};

/* The service's end does not wait: a keeper that somebody stops in a debugger must not stop the service. */
static jp_status make_pipe(struct birth *birth, HANDLE *ret_pipe, struct jp_error *error) {
    DWORD no_wait = PIPE_READMODE_BYTE | PIPE_NOWAIT;
    if (CreatePipe(&birth->input, ret_pipe, NULL, PIPE_BYTES) && SetNamedPipeHandleState(*ret_pipe, &no_wait, NULL, NULL) &&
        SetHandleInformation(birth->input, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        return JP_OK;
    DWORD win32 = GetLastError();
    return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreatePipe", "cannot make the pipe to the keeper");
}

static jp_status make_attributes(struct birth *birth, struct jp_error *error) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    LPPROC_THREAD_ATTRIBUTE_LIST attributes = jp_alloc(size);
    DWORD win32 = 0;
    if (!InitializeProcThreadAttributeList(attributes, 1, 0, &size)) {
        win32 = GetLastError();
        jp_free(attributes);
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "InitializeProcThreadAttributeList", "cannot prepare the keeper");
    }
    birth->attributes = attributes;
    if (UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &birth->input, sizeof birth->input, NULL, NULL))
        return JP_OK;
    win32 = GetLastError();
    return jp_fail_win32(error, JP_E_SYSTEM, win32, "UpdateProcThreadAttribute", "cannot prepare the keeper");
}

static jp_status prepare(struct birth *birth, const wchar_t *option, HANDLE *ret_pipe, struct jp_error *error) {
    birth->image = jp__own_image();
    char *image = jp_win32_utf8(birth->image), *word = jp_win32_utf8(option);
    char *line = image ? jp_sprintf("\"%s\" %s", image, word) : NULL;
    birth->line = jp_win32_wide(line); /* CreateProcessW writes into it */
    jp_free(line);
    jp_free(word);
    jp_free(image);
    UINT room = GetSystemDirectoryW(NULL, 0); /* not the service's own folder, which then could not be moved */
    birth->directory = jp_alloc((room + 1) * sizeof *birth->directory);
    if (!birth->line || room == 0 || GetSystemDirectoryW(birth->directory, room) == 0)
        return jp_fail(error, JP_E_SYSTEM, "cannot start the keeper: Windows does not say where this program, or the system folder, is");
    /* Nobody gets rights to the keeper that he does not have to the service. Failing that, the token's default is the same for both. */
    GetSecurityInfo(GetCurrentProcess(), SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL, &birth->descriptor);
    jp_status status = make_pipe(birth, ret_pipe, error);
    return status == JP_OK ? make_attributes(birth, error) : status;
}

static DWORD create(struct birth *birth, DWORD more_flags) {
    SECURITY_ATTRIBUTES security = {.nLength = sizeof security, .lpSecurityDescriptor = birth->descriptor};
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = birth->input},
                              .lpAttributeList = birth->attributes};
    DWORD flags = DETACHED_PROCESS | EXTENDED_STARTUPINFO_PRESENT | more_flags;
    BOOL created = CreateProcessW(birth->image, birth->line, &security, NULL, TRUE, flags, NULL, birth->directory, &startup.StartupInfo,
                                  &birth->process);
    return created ? 0 : GetLastError();
}

/* A service that runs in a job (a container, a test) goes on with a keeper inside that job, if it must. */
static jp_status give_birth(struct birth *birth, const struct jp_log *log, struct jp_error *error) {
    BOOL in_job = FALSE;
    IsProcessInJob(GetCurrentProcess(), NULL, &in_job);
    DWORD win32 = create(birth, in_job ? CREATE_BREAKAWAY_FROM_JOB : 0);
    if (win32 == ERROR_ACCESS_DENIED && in_job) {
        jp_log(log, JP_LOG_WARNING, "the service runs in a job that lets nobody out: the keeper is in it too, and ends with it");
        win32 = create(birth, 0);
    }
    if (win32 != 0)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateProcess", "cannot start the keeper");
    CloseHandle(birth->process.hThread);
    return JP_OK;
}

static void clean_up(struct birth *birth) {
    if (birth->attributes)
        DeleteProcThreadAttributeList(birth->attributes);
    jp_free(birth->attributes);
    if (birth->input)
        CloseHandle(birth->input);
    LocalFree(birth->descriptor);
    jp_free(birth->directory);
    jp_free(birth->line);
    jp_free(birth->image);
}

jp_status jp__keeper_start(struct jp_backend *base, uint64_t watch, struct jp_keeper **ret_keeper, struct jp_error *error) {
    struct jp_win32_backend *backend = jp__backend(base);
    if (!backend->keeper_option)
        return jp_fail(error, JP_E_UNSUPPORTED, "this program has no keeper");
    struct birth birth = {0};
    struct jp_keeper *keeper = jp_alloc(sizeof *keeper);
    keeper->backend = backend;
    jp_status status = prepare(&birth, backend->keeper_option, &keeper->pipe, error);
    if (status == JP_OK)
        status = give_birth(&birth, backend->log, error);
    clean_up(&birth);
    keeper->process = birth.process.hProcess;
    keeper->pid = birth.process.dwProcessId;
    keeper->next = backend->keepers;
    backend->keepers = keeper;
    if (status == JP_OK)
        status = jp_win32_watch(keeper->process, watch, &keeper->wait, error);
    if (status != JP_OK) {
        jp__keeper_close(keeper); /* it has nothing to hold, and ends with its pipe */
        return status;
    }
    *ret_keeper = keeper;
    return JP_OK;
}

/* --- its life --- */

void jp__keeper_facts(const struct jp_keeper *keeper, uint32_t *ret_pid, int64_t *ret_start_100ns) {
    FILETIME start, end, kernel, user;
    *ret_pid = keeper->pid;
    bool made = jp__process_is_made(keeper->process);
    *ret_start_100ns = GetProcessTimes(keeper->process, &start, &end, &kernel, &user) && made ? jp_win32_from_filetime(start) : 0;
}

bool jp__is_keeper(const struct jp_win32_backend *backend, uint32_t pid) {
    const struct jp_keeper *keeper = backend->keepers;
    while (keeper && keeper->pid != pid)
        keeper = keeper->next;
    return keeper != NULL;
}

/* All of a record or an end of the keeper, so that it never reads one from its middle. */
static bool tell(struct jp_keeper *keeper, uint32_t operation, HANDLE handle) {
    struct jp_keeper_record record = {.operation = operation, .handle = (uintptr_t)handle};
    DWORD length = 0;
    if (WriteFile(keeper->pipe, &record, sizeof record, &length, NULL) && length == sizeof record)
        return true;
    jp_log(keeper->backend->log, JP_LOG_WARNING, "the keeper (process %lu) cannot be told what to hold: it is ended", (unsigned long)keeper->pid);
    TerminateProcess(keeper->process, JP_KEEPER_GIVEN_UP); /* its end is told by the watch, and somebody starts another */
    return false;
}

jp_status jp__keeper_hold(struct jp_keeper *keeper, struct jp_job *job, struct jp_error *error) {
    unsigned long pid = keeper->pid;
    if (jp_map_get_u64(&keeper->held, (uintptr_t)job))
        return JP_OK;
    if (keeper->held.count == JP_KEEPER_MAX_JOBS)
        return jp_fail(error, JP_E_QUOTA, "the keeper (process %lu) holds %d jobs already", pid, JP_KEEPER_MAX_JOBS);
    if (keeper->ending || jp__process_has_ended(keeper->process))
        return jp_fail(error, JP_E_NO_PROCESS, "the keeper (process %lu) has ended", pid);
    HANDLE handle;
    if (!DuplicateHandle(GetCurrentProcess(), job->handle, keeper->process, &handle, JOB_OBJECT_QUERY, FALSE, 0)) {
        DWORD win32 = GetLastError();
        jp_status status = jp__process_has_ended(keeper->process) ? JP_E_NO_PROCESS : JP_E_SYSTEM;
        return jp_fail_win32(error, status, win32, "DuplicateHandle", "cannot give %s to the keeper (process %lu)", job->label, pid);
    }
    if (!tell(keeper, JP_KEEPER_HOLD, handle))
        return jp_fail(error, JP_E_NO_PROCESS, "the keeper (process %lu) does not read: it is ended", pid);
    jp_map_put_u64(&keeper->held, (uintptr_t)job, handle);
    return JP_OK;
}

void jp__keeper_let_go(struct jp_keeper *keeper, struct jp_job *job) {
    HANDLE handle = jp_map_remove_u64(&keeper->held, (uintptr_t)job);
    if (!handle || jp__process_has_ended(keeper->process))
        return;
    tell(keeper, JP_KEEPER_LET_GO, handle);
    keeper->ending = keeper->held.count == 0;
}

void jp__keeper_close(struct jp_keeper *keeper) {
    if (!keeper)
        return;
    struct jp_keeper **link = &keeper->backend->keepers;
    while (*link != keeper)
        link = &(*link)->next;
    *link = keeper->next;
    jp_win32_unwatch(keeper->wait);
    if (keeper->pipe)
        CloseHandle(keeper->pipe);
    if (keeper->process)
        CloseHandle(keeper->process);
    jp_map_free(&keeper->held);
    jp_free(keeper);
}

/* --- that of the earlier run --- */

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '\\');
    return slash ? slash + 1 : path;
}

/* Whether the process runs a program of our file's name (which an update may have put elsewhere), as a keeper. A host that does not
 * tell command lines is believed the rest. */
static bool runs_as_keeper(HANDLE process, uint32_t pid, const wchar_t *option) {
    wchar_t *wide = jp__own_image();
    char *own = jp_win32_utf8(wide), *image = jp__image(process), *line = jp__command_line(process, pid), *word = jp_win32_utf8(option);
    bool same = own && image && jp_ascii_equal_nocase(file_name(own), file_name(image));
    size_t length = line ? strlen(line) : 0, tail = strlen(word);
    if (line)
        same = same && length > tail && line[length - tail - 1] == ' ' && strcmp(line + length - tail, word) == 0;
    jp_free(word);
    jp_free(line);
    jp_free(image);
    jp_free(own);
    jp_free(wide);
    return same;
}

jp_status jp__keeper_dismiss(struct jp_backend *base, uint32_t pid, int64_t start_100ns, struct jp_error *error) {
    const DWORD access = PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    const wchar_t *option = jp__backend(base)->keeper_option;
    HANDLE process;
    if (!option || start_100ns == 0)
        return jp_fail(error, JP_E_OTHER_PROCESS, "nothing says that process %lu is a keeper", (unsigned long)pid);
    jp_status status = jp__open_process(pid, start_100ns, access, true, "the service", &process, error);
    if (status == JP_E_OTHER_PROCESS) /* the pid is, the keeper is not */
        return jp_fail(error, JP_E_NO_PROCESS, "the keeper of the earlier run (process %lu) is gone", (unsigned long)pid);
    if (status != JP_OK)
        return status;
    if (!runs_as_keeper(process, pid, option)) {
        status = jp_fail(error, JP_E_OTHER_PROCESS, "process %lu is not a keeper of this program", (unsigned long)pid);
    } else if (!TerminateProcess(process, JP_KEEPER_DISMISSED)) {
        DWORD win32 = GetLastError();
        if (!jp__process_has_ended(process))
            status = jp_fail_win32(error, JP_E_SYSTEM, win32, "TerminateProcess", "cannot end the keeper of the earlier run (process %lu)",
                                   (unsigned long)pid);
    }
    CloseHandle(process);
    return status;
}
