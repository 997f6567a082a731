/* What the idle service is measured beside, and with.
 *
 *   idle_bench sleep                       is a member: it sleeps until it is ended
 *   idle_bench wait THREADS JOBS [PID ...] waits for the ends of these processes and for the messages of so many jobs
 *
 * The second is the least that can watch so much: one completion port for all jobs, the system's own waits for the handles, one thread that
 * is in GetQueuedCompletionStatusEx for ever, and as many more that sleep as are wanted (each has a stack). What wakes it, and what memory it
 * has, is the host's. Says "ready" when it waits. */
#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, MAX_JOBS = 100000, MAX_THREADS = 100, FIRST_PID = 4, ENTRIES = 64 };

static HANDLE port;

static _Noreturn void fail(const char *call) {
    fprintf(stderr, "idle_bench: %s fails with %lu\n", call, GetLastError());
    exit(EXIT_FAILURE);
}

static void CALLBACK process_ended(void *argument, BOOLEAN timed_out) {
    (void)timed_out;
    PostQueuedCompletionStatus(port, 0, 0, argument);
}

static void watch(const wchar_t *text) {
    DWORD pid = wcstoul(text, NULL, 10);
    HANDLE wait, process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
    if (!process)
        fail("OpenProcess");
    if (!RegisterWaitForSingleObject(&wait, process, process_ended, (void *)(ULONG_PTR)pid, INFINITE, WT_EXECUTEONLYONCE))
        fail("RegisterWaitForSingleObject");
}

static void create_job(size_t number) {
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT association = {.CompletionKey = (void *)(ULONG_PTR)(number + 1), .CompletionPort = port};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (!job)
        fail("CreateJobObjectW");
    if (!SetInformationJobObject(job, JobObjectAssociateCompletionPortInformation, &association, sizeof association))
        fail("SetInformationJobObject");
}

static DWORD WINAPI sleep_for_ever(void *argument) {
    (void)argument;
    Sleep(INFINITE);
    return 0;
}

static _Noreturn void wait_for_ever(void) {
    OVERLAPPED_ENTRY entries[ENTRIES];
    ULONG count;
    puts("ready");
    fflush(stdout);
    while (GetQueuedCompletionStatusEx(port, entries, ENTRIES, &count, INFINITE, FALSE))
        ;
    fail("GetQueuedCompletionStatusEx");
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    if (argc == 2 && wcscmp(argv[1], L"sleep") == 0)
        return (int)sleep_for_ever(NULL);
    bool waits = argc >= FIRST_PID && wcscmp(argv[1], L"wait") == 0;
    unsigned long threads = waits ? wcstoul(argv[2], NULL, 10) : 0, jobs = waits ? wcstoul(argv[3], NULL, 10) : 0;
    if (!waits || threads > MAX_THREADS || jobs > MAX_JOBS) {
        fputs("idle_bench sleep | wait THREADS JOBS [PID ...]: tests/bench/idle.py says what for\n", stderr);
        return USAGE_ERROR;
    }
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!port)
        fail("CreateIoCompletionPort");
    for (size_t i = 0; i < jobs; i++)
        create_job(i);
    for (int i = FIRST_PID; i < argc; i++)
        watch(argv[i]);
    for (size_t i = 0; i < threads; i++)
        if (!CreateThread(NULL, 0, sleep_for_ever, NULL, 0, NULL))
            fail("CreateThread");
    wait_for_ever();
}
