/* The keeper against the host that it runs on: what it holds, when it ends, who may take it. Prints TAP. The keeper is this program again,
 * and so are the members of jobs, and a service whose handles are closed by a crash. */
#include "sinks.h"
#include "tap.h"

#include "base/str.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/job_object.h"
#include "win32/keeper.h"
#include "win32/wide.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

LONG NTAPI NtSuspendProcess(HANDLE process); /* no header declares it */

enum { WATCH = 1000, LOOKS_MS = 3500 /* in which a keeper has looked at its jobs more than once */ };

static struct jp_backend *backend;
static const struct jp_backend_ops *ops;
static bool wine;
static char *own_path;
static HANDLE exit_told; /* a semaphore: one for each end of a keeper */

static const char only_windows[] = "Wine keeps a job's name while it has members, also without a handle";

/* --- surroundings --- */

static void on_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++)
        if (watches[i] == WATCH)
            ReleaseSemaphore(exit_told, 1, NULL);
}

static bool end_is_told(void) { return WaitForSingleObject(exit_told, PATIENCE_MS) == WAIT_OBJECT_0; }

static char *job_name(const char *what) { return jp_sprintf("Local\\jp-keeper-test-%lu-%s", GetCurrentProcessId(), what); }

static bool can_open(const char *name) {
    wchar_t *wide = jp_win32_wide(name);
    HANDLE job = OpenJobObjectW(JOB_OBJECT_QUERY, FALSE, wide);
    jp_free(wide);
    if (job)
        CloseHandle(job);
    return job != NULL;
}

static struct jp_job *obtain(const char *name) {
    static uint64_t key = 16;
    struct jp_job_obtained obtained = {0};
    if (ops->job_obtain(backend, name, key++, &obtained, &error) != JP_OK)
        STATUS(error.status, JP_OK, "a job is made");
    return obtained.job;
}

/* A member that waits until it is ended. */
static struct jp_process *launch_in(struct jp_job *job) {
    char *line = jp_sprintf("\"%s\" wait", own_path);
    struct jp_launch wanted = {.command_line = line, .chain = &job, .chain_length = 1};
    struct jp_process *process = NULL;
    jp_status status = ops->process_launch(backend, &wanted, &process, &error);
    if (status != JP_OK && wine && error.win32 == ERROR_INTERNAL_ERROR) /* one in some thousands, on a busy machine */
        status = ops->process_launch(backend, &wanted, &process, &error);
    if (status == JP_OK)
        status = ops->process_resume(process, &error);
    if (status != JP_OK)
        STATUS(status, JP_OK, "a member is launched");
    jp_free(line);
    return process;
}

struct kept {
    struct jp_keeper *keeper;
    uint32_t pid;
    int64_t start_100ns;
    HANDLE process;
};

static bool start(struct kept *kept) {
    *kept = (struct kept){0};
    if (!STATUS(ops->keeper_start(backend, WATCH, &kept->keeper, &error), JP_OK, "a keeper starts"))
        return false;
    ops->keeper_facts(kept->keeper, &kept->pid, &kept->start_100ns);
    kept->process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_TERMINATE | SYNCHRONIZE, FALSE, kept->pid);
    return CHECK(kept->process && kept->start_100ns > 0, "it says which process it is, and since when");
}

static bool lives(const struct kept *kept) { return WaitForSingleObject(kept->process, 0) == WAIT_TIMEOUT; }

/* Its exit code; -1: it lives on. */
static int ends(const struct kept *kept, DWORD within_ms) {
    DWORD code = 0;
    if (WaitForSingleObject(kept->process, within_ms) != WAIT_OBJECT_0)
        return -1;
    GetExitCodeProcess(kept->process, &code);
    return (int)code;
}

/* --- with a service --- */

static void test_life(void) {
    struct kept kept;
    char *one_name = job_name("one"), *other_name = job_name("other");
    struct jp_job *one = obtain(one_name), *other = obtain(other_name);
    if (!start(&kept))
        return;
    BOOL in_job = TRUE;
    IsProcessInJob(kept.process, one->handle, &in_job);
    CHECK(!in_job, "it is in no job of ours");
    STATUS(ops->keeper_hold(kept.keeper, one, &error), JP_OK, "it holds a job");
    STATUS(ops->keeper_hold(kept.keeper, one, &error), JP_OK, "holding it again is fine");
    STATUS(ops->keeper_hold(kept.keeper, other, &error), JP_OK, "it holds another");
    CHECK(ends(&kept, LOOKS_MS) == -1, "while the service is there, it holds empty jobs too");
    ops->keeper_let_go(kept.keeper, one);
    ops->job_close(one);
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    while (can_open(one_name) && jp_win32_now_ms() < until)
        SwitchToThread();
    CHECK(!can_open(one_name) && lives(&kept), "it lets go of one, whose name is gone then");
    struct jp_job *stranger = obtain(one_name); /* now, because a keeper knows a job by its address, which the other's end would free */
    ops->job_close(other);
    CHECK(can_open(other_name), "the other's name lives on without the service's handle");
    other = obtain(other_name);
    ops->keeper_let_go(kept.keeper, stranger);
    CHECK(lives(&kept), "to let go of what it does not hold is nothing");
    ops->job_close(stranger);
    ops->job_close(other);
    ops->keeper_close(kept.keeper);
    CHECK(ends(&kept, PATIENCE_MS) == JP_KEEPER_DONE && !can_open(other_name), "its pipe closed, with only an empty job, it ends");
    CHECK(WaitForSingleObject(exit_told, 200) == WAIT_TIMEOUT, "of a keeper that was closed nothing is told");
    CloseHandle(kept.process);
    jp_free(one_name);
    jp_free(other_name);
}

static void test_last(void) {
    struct kept kept;
    char *name = job_name("last");
    struct jp_job *job = obtain(name);
    if (!start(&kept))
        return;
    ops->keeper_hold(kept.keeper, job, &error);
    ops->keeper_let_go(kept.keeper, job);
    CHECK(ends(&kept, PATIENCE_MS) == JP_KEEPER_DONE, "without the last job it ends");
    CHECK(end_is_told(), "and that is told");
    STATUS(ops->keeper_hold(kept.keeper, job, &error), JP_E_NO_PROCESS, "it holds nothing more");
    ops->keeper_let_go(kept.keeper, job);
    ops->keeper_close(kept.keeper);
    CloseHandle(kept.process);
    ops->job_close(job);
    jp_free(name);
}

static void test_killed(void) {
    struct kept kept;
    char *name = job_name("killed");
    struct jp_job *job = obtain(name);
    if (!start(&kept))
        return;
    ops->keeper_hold(kept.keeper, job, &error);
    TerminateProcess(kept.process, 77);
    CHECK(end_is_told(), "the end of one that somebody kills is told");
    struct kept next;
    if (start(&next)) {
        STATUS(ops->keeper_hold(next.keeper, job, &error), JP_OK, "another holds the job");
        STATUS(ops->keeper_hold(kept.keeper, job, &error), JP_OK, "the dead one says that it has it");
        ops->keeper_let_go(kept.keeper, job);
        STATUS(ops->keeper_hold(kept.keeper, job, &error), JP_E_NO_PROCESS, "and takes nothing new");
        ops->keeper_close(next.keeper);
        CloseHandle(next.process);
    }
    ops->keeper_close(kept.keeper);
    CloseHandle(kept.process);
    ops->job_close(job);
    jp_free(name);
}

/* What it gets is less than what the service has. */
static void test_rights(void) {
    struct kept kept;
    char *name = job_name("rights");
    struct jp_job *job = obtain(name);
    HANDLE less = NULL;
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting;
    CHECK(DuplicateHandle(GetCurrentProcess(), job->handle, GetCurrentProcess(), &less, JOB_OBJECT_QUERY, FALSE, 0) &&
              QueryInformationJobObject(less, JobObjectBasicAccountingInformation, &accounting, sizeof accounting, NULL),
          "the right to query is enough to ask whether a job is empty");
    CHECK(!TerminateJobObject(less, 1) && GetLastError() == ERROR_ACCESS_DENIED, "and not enough to end it");
    CloseHandle(less);
    if (!start(&kept))
        return;
    struct jp_process *process = NULL;
    STATUS(ops->process_open(backend, kept.pid, kept.start_100ns, JP_PROCESS_ASSIGN, NULL, &process, &error), JP_E_DENIED,
           "the keeper cannot be put into a pool");
    STATUS(ops->process_open(backend, kept.pid, kept.start_100ns, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_OK, "it can be looked at");
    CHECK(ops->process_is_critical(process), "no rule takes it");
    struct jp_process_facts facts;
    if (STATUS(ops->process_facts(process, &facts, &error), JP_OK, "its facts are there")) {
        CHECK(facts.start_100ns == kept.start_100ns, "with the start that it was recorded with");
        CHECK(facts.parent_pid == GetCurrentProcessId() && facts.image && strstr(facts.image, "keeper_test.exe"), "it is a child, of our program");
        jp_process_facts_clear(&facts);
    }
    ops->process_close(process);
    ops->keeper_close(kept.keeper);
    CHECK(ends(&kept, PATIENCE_MS) == JP_KEEPER_DONE, "one that was given nothing ends with its pipe");
    CloseHandle(kept.process);
    ops->job_close(job);
    jp_free(name);
}

/* --- garbage --- */

/* Writes the bytes to the keeper program as its service would, and closes the pipe if `then_close`. The exit code; -1: it lives. */
static int feed(const void *bytes, size_t length, bool then_close) {
    wchar_t *path = jp_win32_wide(own_path), line[1100];
    swprintf(line, 1100, L"\"%ls\" keeper", path);
    jp_free(path);
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    HANDLE input, output;
    CreatePipe(&input, &output, &inheritable, 0);
    SetHandleInformation(output, HANDLE_FLAG_INHERIT, 0);
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = input};
    PROCESS_INFORMATION keeper;
    CreateProcessW(NULL, line, NULL, NULL, TRUE, DETACHED_PROCESS, NULL, NULL, &startup, &keeper);
    CloseHandle(input);
    CloseHandle(keeper.hThread);
    DWORD written, code = (DWORD)-1;
    WriteFile(output, bytes, (DWORD)length, &written, NULL);
    if (then_close)
        CloseHandle(output);
    if (WaitForSingleObject(keeper.hProcess, PATIENCE_MS) == WAIT_OBJECT_0)
        GetExitCodeProcess(keeper.hProcess, &code);
    else
        TerminateProcess(keeper.hProcess, 1);
    if (!then_close)
        CloseHandle(output);
    CloseHandle(keeper.hProcess);
    return (int)code;
}

static void test_garbage(void) {
    static const struct {
        struct jp_keeper_record record;
        const char *what;
    } rows[] = {
        {{.operation = 3, .handle = 4}, "an operation that there is not ends it"},
        {{.operation = JP_KEEPER_HOLD, .zero = 1, .handle = 4}, "so does a record with more in it"},
        {{.operation = JP_KEEPER_HOLD, .handle = 0}, "and no handle"},
        {{.operation = JP_KEEPER_HOLD, .handle = 0x7FFC}, "and a handle that it does not have"},
        {{.operation = JP_KEEPER_LET_GO, .handle = 4}, "and to let go of what it does not hold"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK(feed(&rows[i].record, sizeof rows[i].record, false) == JP_KEEPER_GARBAGE, rows[i].what);
    CHECK(feed("GET / HTTP/1.1\r\n\r\n", 18, false) == JP_KEEPER_GARBAGE, "and what is not for it at all");
    CHECK(feed("half", 4, true) == JP_KEEPER_DONE, "half a record is none: the service died while it wrote");
}

/* A keeper that nobody reads for: suspended, as in a debugger. The service goes on. */
static void test_stopped(void) {
    struct kept kept;
    char *name = job_name("stopped");
    struct jp_job *job = obtain(name);
    if (!start(&kept))
        return;
    ops->keeper_hold(kept.keeper, job, &error);
    HANDLE handle = OpenProcess(PROCESS_ALL_ACCESS, FALSE, kept.pid);
    CHECK(NtSuspendProcess(handle) >= 0, "a keeper is stopped");
    uint64_t longest_ms = 0; /* all of them together may take long on a busy machine */
    char *more_name = job_name("more");
    struct jp_job *more = obtain(more_name);
    jp_status status = JP_OK;
    for (int i = 0; i < 20000 && status == JP_OK; i++) {
        uint64_t began = jp_win32_now_ms();
        status = ops->keeper_hold(kept.keeper, more, &error);
        ops->keeper_let_go(kept.keeper, more);
        uint64_t took_ms = jp_win32_now_ms() - began;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    printf("# %s; the longest call took %" PRIu64 " ms\n", status == JP_OK ? "" : error.text, longest_ms);
    CHECK(status == JP_E_NO_PROCESS && longest_ms < PATIENCE_MS, "the service does not wait for it");
    CHECK(ends(&kept, PATIENCE_MS) == JP_KEEPER_GIVEN_UP && end_is_told(), "it is given up, and its end told");
    CloseHandle(handle);
    ops->keeper_close(kept.keeper);
    CloseHandle(kept.process);
    ops->job_close(more);
    ops->job_close(job);
    jp_free(more_name);
    jp_free(name);
}

/* --- without a service --- */

/* A service that holds two jobs, one with a member, says who its keeper is, and dies when it is told to. */
static int be_service(const char *full_name, const char *empty_name) {
    struct kept kept;
    struct jp_job *full = obtain(full_name), *empty = obtain(empty_name);
    if (!full || !empty || ops->keeper_start(backend, WATCH, &kept.keeper, &error) || ops->keeper_hold(kept.keeper, full, &error) ||
        ops->keeper_hold(kept.keeper, empty, &error))
        return 1;
    struct jp_process *member = launch_in(full);
    struct jp_process_facts facts;
    ops->keeper_facts(kept.keeper, &kept.pid, &kept.start_100ns);
    if (!member || ops->process_facts(member, &facts, &error))
        return 1;
    printf("%" PRIu32 " %" PRId64 " %" PRIu32 "\n", kept.pid, kept.start_100ns, facts.pid);
    fflush(stdout);
    getchar();
    TerminateProcess(GetCurrentProcess(), 9);
    return 0;
}

struct service {
    HANDLE process, input, output;
};

static bool run_service(struct service *service, const char *full, const char *empty, struct kept *kept, HANDLE *ret_member) {
    char *line_text = jp_sprintf("\"%s\" service %s %s", own_path, full, empty);
    wchar_t *line = jp_win32_wide(line_text);
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    CreatePipe(&startup.hStdInput, &service->input, &inheritable, 0);
    CreatePipe(&service->output, &startup.hStdOutput, &inheritable, 0);
    SetHandleInformation(service->input, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(service->output, HANDLE_FLAG_INHERIT, 0);
    PROCESS_INFORMATION process;
    bool started = CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process);
    jp_free(line);
    jp_free(line_text);
    CloseHandle(startup.hStdInput);
    CloseHandle(startup.hStdOutput);
    if (!started)
        return false;
    CloseHandle(process.hThread);
    service->process = process.hProcess;
    char text[200] = "";
    DWORD length = 0;
    uint32_t member = 0;
    if (!ReadFile(service->output, text, sizeof text - 1, &length, NULL) ||
        sscanf(text, "%" SCNu32 " %" SCNd64 " %" SCNu32, &kept->pid, &kept->start_100ns, &member) != 3)
        return false;
    kept->process = OpenProcess(PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, kept->pid);
    *ret_member = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, member);
    return kept->process && *ret_member;
}

static void kill_service(struct service *service) {
    TerminateProcess(service->process, 9);
    WaitForSingleObject(service->process, PATIENCE_MS);
    CloseHandle(service->process);
    CloseHandle(service->input);
}

/* Whether what the dead service wrote to has no other writer. */
static bool is_let_go(HANDLE pipe) {
    DWORD length;
    return !PeekNamedPipe(pipe, NULL, 0, NULL, &length, NULL) && GetLastError() == ERROR_BROKEN_PIPE;
}

static void test_crash(void) {
    char *full = job_name("full"), *empty = job_name("empty");
    struct service service = {0};
    struct kept kept = {0};
    HANDLE member = NULL;
    if (!CHECK(run_service(&service, full, empty, &kept, &member), "a service with a keeper runs"))
        return;
    kill_service(&service);
    CHECK(ends(&kept, LOOKS_MS) == -1, "its service killed, the keeper lives on while a job has a member");
    CHECK(!can_open(empty), "it has let go of the job that is empty");
    CHECK(can_open(full), "the other one can be opened by its name");
    CHECK(is_let_go(service.output), "it keeps nothing else of the service's open");
    TerminateProcess(member, 0);
    CloseHandle(member); /* under Wine a process has its job until nobody holds it */
    CHECK(ends(&kept, PATIENCE_MS) == JP_KEEPER_DONE, "when that is empty too, it ends");
    CHECK(!can_open(full), "and the name is gone");
    CloseHandle(service.output);
    CloseHandle(kept.process);
    jp_free(full);
    jp_free(empty);
}

static void test_dismiss(void) {
    static const char what[] = "without the keeper the name is gone, though a member lives";
    char *full = job_name("dismissed"), *empty = job_name("dismissed-empty");
    struct service service = {0};
    struct kept kept = {0};
    HANDLE member = NULL;
    if (!CHECK(run_service(&service, full, empty, &kept, &member), "another one runs"))
        return;
    kill_service(&service);
    STATUS(ops->keeper_dismiss(backend, kept.pid, kept.start_100ns + 1, &error), JP_E_NO_PROCESS, "not a process that began at another time");
    STATUS(ops->keeper_dismiss(backend, kept.pid, 0, &error), JP_E_OTHER_PROCESS, "nor one whose start nobody knows");
    FILETIME start_time, end_time, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &start_time, &end_time, &kernel, &user);
    int64_t own_start = (int64_t)((uint64_t)start_time.dwHighDateTime << 32 | start_time.dwLowDateTime);
    STATUS(ops->keeper_dismiss(backend, GetCurrentProcessId(), own_start, &error), JP_E_OTHER_PROCESS,
           "nor one of our program that is no keeper");
    CHECK(lives(&kept), "the keeper is there yet");
    STATUS(ops->keeper_dismiss(backend, kept.pid, kept.start_100ns, &error), JP_OK, "the keeper of the earlier run is dismissed");
    CHECK(ends(&kept, PATIENCE_MS) == JP_KEEPER_DISMISSED, "it ends");
    CHECK(WaitForSingleObject(member, 0) == WAIT_TIMEOUT, "the member does not");
    if (wine)
        skip(what, only_windows);
    else
        CHECK(!can_open(full), what);
    STATUS(ops->keeper_dismiss(backend, kept.pid, kept.start_100ns, &error), JP_E_NO_PROCESS, "there is nobody to be dismissed twice");
    TerminateProcess(member, 0);
    CloseHandle(service.output);
    CloseHandle(kept.process);
    CloseHandle(member);
    jp_free(full);
    jp_free(empty);
}

/* --- all --- */

static bool set_up(void) {
    wchar_t path[1024];
    GetModuleFileNameW(NULL, path, 1024);
    own_path = jp_win32_utf8(path);
    exit_told = CreateSemaphoreW(NULL, 0, 1000, NULL);
    struct jp_win32_backend_options options = {.sinks = {.packets = pass_over_packets, .exits = on_exits}, .keeper = L"keeper"};
    if (jp_win32_backend_new(&options, &backend, &error) != JP_OK)
        return false;
    ops = backend->ops;
    wine = strstr(ops->capabilities(backend)->host, "Wine") != NULL;
    return true;
}

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    if (argc > 1 && wcscmp(argv[1], L"keeper") == 0)
        return jp_win32_keeper();
    if (argc > 1 && wcscmp(argv[1], L"wait") == 0)
        return (int)WaitForSingleObject(CreateEventW(NULL, TRUE, FALSE, NULL), 60000);
    bool started = set_up();
    if (argc > 3 && wcscmp(argv[1], L"service") == 0)
        return started ? be_service(jp_win32_utf8(argv[2]), jp_win32_utf8(argv[3])) : 1;
    if (!CHECK(started, "the backend starts"))
        return 1;
    test_life();
    test_last();
    test_killed();
    test_rights();
    test_garbage();
    test_stopped();
    test_crash();
    test_dismiss();
    jp_win32_backend_free(backend);
    jp_free(own_path);
    return finish();
}
