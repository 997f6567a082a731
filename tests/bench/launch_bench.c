/* What a launch costs: through the service, and by the one call that it comes down to. Prints one line of JSON about what came of it.
 *
 * "create" is the baseline, and the least that a launch into a pool can be: CreateProcessW with the list of jobs that the process is
 * born in, NUL for its standard handles and these alone inherited, as pool.launch has it. Both sides start the same program, which ends
 * at once: this one, with "nothing". Each launcher is a thread that starts one process after the other: "call" is the time until the
 * call returns (the answer is there), "end" the time until the process has ended, and "rate" counts the latter, all launchers together.
 * "run" starts commands as a shell does, in turn: one beside the other in the same minute. */
#include "../e2e/programs/pipe_io.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_LINE = 4096, MAX_LAUNCHERS = 64, MAX_COUNT = 100000, PATIENCE_MS = 60000 };

static struct {
    const wchar_t *pipe;
    bool durable;
    unsigned long count; /* of each launcher */
    DWORD console; /* how the process stands to ours, in creation flags */
    HANDLE job;
    HANDLE null;
    wchar_t command[600];
} with;

struct launcher {
    HANDLE thread;
    HANDLE pipe;
    double *call_ms, *end_ms;
    const char *failed;
    DWORD error;
};

static int fail(const char *what, DWORD error) {
    fprintf(stderr, "launch_bench: %s (Windows error %lu)\n", what, (unsigned long)error);
    return FAILURE;
}

static double now_ms(void) {
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart * 1e3 / (double)frequency.QuadPart;
}

static bool give_up(struct launcher *launcher, const char *what) {
    launcher->error = GetLastError();
    launcher->failed = what;
    return false;
}

static bool wait_for_end(struct launcher *launcher, HANDLE process) {
    bool ended = WaitForSingleObject(process, PATIENCE_MS) == WAIT_OBJECT_0 || give_up(launcher, "the process does not end");
    CloseHandle(process);
    return ended;
}

/* --------------------------------------------------------------------------------------------------------- by one call */

static bool make_job(void) {
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT association = {.CompletionKey = &with, .CompletionPort = port};
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    with.job = CreateJobObjectW(NULL, NULL);
    with.null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable, OPEN_EXISTING, 0, NULL);
    return port != NULL && with.job != NULL && with.null != INVALID_HANDLE_VALUE &&
           SetInformationJobObject(with.job, JobObjectAssociateCompletionPortInformation, &association, sizeof association);
}

static bool create(struct launcher *launcher, HANDLE *ret_process) {
    union {
        max_align_t aligned;
        char bytes[512];
    } room;
    SIZE_T size = sizeof room;
    LPPROC_THREAD_ATTRIBUTE_LIST attributes = (LPPROC_THREAD_ATTRIBUTE_LIST)&room;
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = with.null,
                                              .hStdOutput = with.null, .hStdError = with.null},
                              .lpAttributeList = attributes};
    PROCESS_INFORMATION process;
    wchar_t command[600];
    wcscpy(command, with.command);
    if (!InitializeProcThreadAttributeList(attributes, 2, 0, &size) ||
        !UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &with.null, sizeof with.null, NULL, NULL) ||
        !UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &with.job, sizeof with.job, NULL, NULL) ||
        !CreateProcessW(NULL, command, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT | with.console, NULL, NULL, &startup.StartupInfo, &process))
        return give_up(launcher, "cannot start the process");
    DeleteProcThreadAttributeList(attributes);
    CloseHandle(process.hThread);
    *ret_process = process.hProcess;
    return true;
}

/* --------------------------------------------------------------------------------------------------- through the service */

static bool connect_to_service(struct launcher *launcher) {
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%ls", with.pipe);
    while ((launcher->pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, NULL)) ==
               INVALID_HANDLE_VALUE &&
           GetLastError() == ERROR_PIPE_BUSY)
        WaitNamedPipeW(path, PATIENCE_MS);
    return launcher->pipe != INVALID_HANDLE_VALUE || give_up(launcher, "cannot connect");
}

static bool write_request(char *request, size_t size) {
    char program[600], escaped[1200], *end = escaped;
    if (!WideCharToMultiByte(CP_UTF8, 0, with.command, -1, program, sizeof program, NULL, NULL))
        return false;
    for (const char *at = program; *at; at++) {
        if (*at == '\\' || *at == '"')
            *end++ = '\\';
        *end++ = *at;
    }
    *end = '\0';
    int length = snprintf(request, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.launch\",\"params\":{\"pool\":\"bench\",\"command\":\"%s\"%s}}\n", escaped,
                          with.durable ? "" : ",\"durable\":false");
    return length > 0 && (size_t)length < size;
}

static bool launch(struct launcher *launcher, HANDLE *ret_process) {
    char line[MAX_LINE];
    size_t used = 0;
    DWORD length;
    if (!write_request(line, sizeof line) || !send_all(launcher->pipe, line, strlen(line)))
        return give_up(launcher, "cannot ask");
    while (used == 0 || line[used - 1] != '\n') {
        if (used + 1 == sizeof line || !ReadFile(launcher->pipe, line + used, (DWORD)(sizeof line - 1 - used), &length, NULL))
            return give_up(launcher, "no answer");
        used += length;
    }
    line[used] = '\0';
    const char *pid = strstr(line, "\"pid\":");
    if (pid == NULL) {
        fputs(line, stderr);
        return give_up(launcher, "nothing was launched");
    }
    *ret_process = OpenProcess(SYNCHRONIZE, FALSE, strtoul(pid + 6, NULL, 10)); /* also if it has ended: the service holds it for a while */
    return *ret_process != NULL || give_up(launcher, "cannot open the process");
}

/* -------------------------------------------------------------------------------------------------------- launchers */

static DWORD WINAPI launch_all(void *context) {
    struct launcher *launcher = context;
    HANDLE process;
    for (unsigned long i = 0; i < with.count; i++) {
        double begin = now_ms();
        if (!(with.pipe ? launch(launcher, &process) : create(launcher, &process)))
            return 1;
        double there = now_ms();
        if (!wait_for_end(launcher, process))
            return 1;
        launcher->call_ms[i] = there - begin;
        launcher->end_ms[i] = now_ms() - begin;
    }
    return 0;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* All begin when all are there. */
static int run_launchers(unsigned long launchers, double *call_ms, double *end_ms, double *ret_whole_ms) {
    struct launcher all[MAX_LAUNCHERS] = {0};
    for (unsigned long i = 0; i < launchers; i++) {
        all[i].call_ms = call_ms + i * with.count;
        all[i].end_ms = end_ms + i * with.count;
        if (with.pipe && !connect_to_service(&all[i]))
            return fail(all[i].failed, all[i].error);
        if ((all[i].thread = CreateThread(NULL, 0, launch_all, &all[i], CREATE_SUSPENDED, NULL)) == NULL)
            return fail("cannot start a thread", GetLastError());
    }
    double begin = now_ms();
    for (unsigned long i = 0; i < launchers; i++)
        ResumeThread(all[i].thread);
    for (unsigned long i = 0; i < launchers; i++)
        WaitForSingleObject(all[i].thread, INFINITE);
    *ret_whole_ms = now_ms() - begin;
    for (unsigned long i = 0; i < launchers; i++) {
        CloseHandle(all[i].thread);
        if (with.pipe)
            CloseHandle(all[i].pipe);
        if (all[i].failed)
            return fail(all[i].failed, all[i].error);
    }
    return 0;
}

static int measure(unsigned long count, unsigned long launchers) {
    if (count == 0 || count > MAX_COUNT || launchers == 0 || launchers > MAX_LAUNCHERS)
        return fail("that is no number of launches", 0);
    size_t room = (size_t)launchers * count;
    double *call_ms = calloc(room, sizeof *call_ms), *end_ms = calloc(room, sizeof *end_ms), whole_ms;
    if (call_ms == NULL || end_ms == NULL || (with.pipe == NULL && !make_job()))
        return fail("cannot prepare", GetLastError());
    with.count = 1; /* everything that is done once has been done */
    int code = run_launchers(launchers, call_ms, end_ms, &whole_ms);
    with.count = count;
    if (code == 0)
        code = run_launchers(launchers, call_ms, end_ms, &whole_ms);
    if (code == 0)
        printf("{\"call\": %.3f, \"end\": %.3f, \"each\": %.3f}\n", median(call_ms, room), median(end_ms, room), whole_ms / (double)room);
    free(call_ms);
    free(end_ms);
    return code;
}

/* ------------------------------------------------------------------------------------------------------ the command line */

static bool run_command(struct launcher *launcher, const wchar_t *command, double *ret_ms) {
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = with.null, .hStdOutput = with.null, .hStdError = with.null};
    PROCESS_INFORMATION process;
    wchar_t line[2000];
    DWORD exit_code = 1;
    wcscpy(line, command);
    double begin = now_ms();
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return give_up(launcher, "cannot start the command");
    CloseHandle(process.hThread);
    if (WaitForSingleObject(process.hProcess, PATIENCE_MS) != WAIT_OBJECT_0 || !GetExitCodeProcess(process.hProcess, &exit_code) || exit_code != 0) {
        fwprintf(stderr, L"%ls ended with %lu\n", command, (unsigned long)exit_code);
        return give_up(launcher, "the command failed");
    }
    *ret_ms = now_ms() - begin;
    CloseHandle(process.hProcess);
    return true;
}

/* The client's own start and end are in both of its times, so the difference is what the run costs beyond them. */
static int measure_runs(const wchar_t *jobpool, unsigned long count) {
    struct launcher one = {0};
    wchar_t run[1500], bare[1000];
    double *run_ms = calloc(count, sizeof *run_ms), *bare_ms = calloc(count, sizeof *bare_ms), *hello_ms = calloc(count, sizeof *hello_ms),
           *create_ms = calloc(count, sizeof *create_ms);
    if (count == 0 || count > MAX_COUNT || run_ms == NULL || bare_ms == NULL || hello_ms == NULL || create_ms == NULL || !make_job())
        return fail("cannot prepare", GetLastError());
    swprintf(run, sizeof run / sizeof run[0], L"\"%ls\" --pipe %ls run --pool bench -- %ls", jobpool, with.pipe, with.command);
    swprintf(bare, sizeof bare / sizeof bare[0], L"\"%ls\" --version", jobpool);
    for (unsigned long i = 0; i <= count; i++) {
        unsigned long at = i ? i - 1 : 0; /* the first one is not counted */
        HANDLE process;
        bool good = run_command(&one, run, &run_ms[at]) && run_command(&one, bare, &bare_ms[at]) && run_command(&one, with.command, &hello_ms[at]);
        double begin = now_ms();
        if (!good || !create(&one, &process) || !wait_for_end(&one, process))
            return fail(one.failed, one.error);
        create_ms[at] = now_ms() - begin;
    }
    printf("{\"run\": %.3f, \"client\": %.3f, \"hello\": %.3f, \"create\": %.3f}\n", median(run_ms, count), median(bare_ms, count), median(hello_ms, count),
           median(create_ms, count));
    return 0;
}

static int usage(void) {
    fputs("launch_bench create COUNT LAUNCHERS: COUNT processes by each of so many threads, by CreateProcessW\n"
          "launch_bench service PIPE durable|quick COUNT LAUNCHERS: the same by pool.launch, in the pool \"bench\"\n"
          "launch_bench run PIPE JOBPOOL COUNT: `jobpool run`, `jobpool --version`, a program that does nothing, and CreateProcessW in turn\n"
          "launch_bench nothing: does nothing\n", stderr);
    return USAGE_ERROR;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    wchar_t own[500];
    if (argc == 2 && wcscmp(argv[1], L"nothing") == 0)
        return 0;
    GetModuleFileNameW(NULL, own, sizeof own / sizeof own[0]);
    swprintf(with.command, sizeof with.command / sizeof with.command[0], L"\"%ls\" nothing", own);
    with.console = DETACHED_PROCESS; /* as the service has it under Wine */
    if (argc == 4 && wcscmp(argv[1], L"create") == 0)
        return measure(wcstoul(argv[2], NULL, 10), wcstoul(argv[3], NULL, 10));
    with.pipe = argc > 2 ? argv[2] : NULL;
    if (argc == 6 && wcscmp(argv[1], L"service") == 0) {
        with.durable = wcscmp(argv[3], L"durable") == 0;
        return measure(wcstoul(argv[4], NULL, 10), wcstoul(argv[5], NULL, 10));
    }
    with.console = 0; /* a command has its console from who typed it */
    if (argc == 5 && wcscmp(argv[1], L"run") == 0)
        return measure_runs(argv[3], wcstoul(argv[4], NULL, 10));
    return usage();
}
