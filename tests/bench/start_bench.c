/* The least that a service with so many pools has to do when it starts: make as many job objects with names, and attach a completion port
 * to each. Then it says so, as a service would that answers. Prints one line of JSON when all are there, and ends. */
#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_COUNT = 1000000 };

static int fail(const char *what) {
    fprintf(stderr, "start_bench: %s (Windows error %lu)\n", what, (unsigned long)GetLastError());
    return FAILURE;
}

static double now_ms(void) {
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart * 1e3 / (double)frequency.QuadPart;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    unsigned long count = argc == 2 ? wcstoul(argv[1], NULL, 10) : 0;
    if (count == 0 || count > MAX_COUNT) {
        fputs("start_bench COUNT: makes so many job objects, each with a name and the port\n", stderr);
        return USAGE_ERROR;
    }
    double begin = now_ms();
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (port == NULL)
        return fail("cannot make the port");
    for (unsigned long i = 0; i < count; i++) {
        wchar_t name[64];
        JOBOBJECT_ASSOCIATE_COMPLETION_PORT association = {.CompletionKey = (void *)(uintptr_t)(i + 16), .CompletionPort = port};
        swprintf(name, sizeof name / sizeof name[0], L"Global\\JobPoolBench.%lu.%lu", (unsigned long)GetCurrentProcessId(), i);
        HANDLE job = CreateJobObjectW(NULL, name);
        if (job == NULL || GetLastError() == ERROR_ALREADY_EXISTS ||
            !SetInformationJobObject(job, JobObjectAssociateCompletionPortInformation, &association, sizeof association))
            return fail("cannot make a job object");
    }
    printf("{\"ms\": %.3f}\n", now_ms() - begin);
    return 0;
}
