/* What a request over the pipe costs: one client for two servers, the service and the plainest one there can be.
 * Prints one line of JSON about what came of it. */
#include "../e2e/programs/pipe_io.h"

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_LINE = 64 << 10, MAX_COUNT = 10000000, MAX_WARM_UP = 1000, PATIENCE_MS = 30000 };

static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.list\"}\n";

static int fail(const char *what) {
    fprintf(stderr, "pipe_bench: %s (Windows error %lu)\n", what, (unsigned long)GetLastError());
    return FAILURE;
}

static void path_of(const wchar_t *name, wchar_t *path, size_t size) { swprintf(path, size, L"\\\\.\\pipe\\%ls", name); }

/* --------------------------------------------------------------------------------------------------------- the server */

/* The answer to everything: as long as the service's, and nothing was done for it. */
static char answer[MAX_LINE];
static size_t answer_length;

static bool make_answer(unsigned long length) {
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"", tail[] = "\"}\n";
    if (length < sizeof head + sizeof tail - 2 || length > sizeof answer)
        return false;
    memset(answer, 'x', length);
    memcpy(answer, head, sizeof head - 1);
    memcpy(answer + length - (sizeof tail - 1), tail, sizeof tail - 1);
    answer_length = length;
    return true;
}

static DWORD WINAPI serve(void *pipe) {
    char bytes[4096];
    DWORD length;
    bool open = true;
    while (open && ReadFile(pipe, bytes, sizeof bytes, &length, NULL))
        for (DWORD i = 0; open && i < length; i++)
            open = bytes[i] != '\n' || send_all(pipe, answer, answer_length);
    CloseHandle(pipe);
    return 0;
}

/* Blocking calls, a thread for each client; until somebody ends it. */
static int run_server(const wchar_t *name, unsigned long length) {
    wchar_t path[280];
    path_of(name, path, sizeof path / sizeof path[0]);
    if (!make_answer(length))
        return fail("that is no length for an answer");
    for (bool first = true;; first = false) {
        HANDLE pipe = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES,
                                       MAX_LINE, MAX_LINE, 0, NULL);
        if (pipe == INVALID_HANDLE_VALUE)
            return fail("cannot make the pipe");
        if (first) {
            puts("ready");
            fflush(stdout);
        }
        if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
            return fail("cannot wait for a client");
        HANDLE thread = CreateThread(NULL, 0, serve, pipe, 0, NULL);
        if (thread == NULL)
            return fail("cannot start a thread");
        CloseHandle(thread);
    }
}

/* --------------------------------------------------------------------------------------------------------- the client */

static HANDLE connect_to(const wchar_t *name) {
    wchar_t path[280];
    path_of(name, path, sizeof path / sizeof path[0]);
    uint64_t deadline = GetTickCount64() + PATIENCE_MS;
    while (GetTickCount64() < deadline) {
        HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                                  SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY)
            return pipe;
        WaitNamedPipeW(path, PATIENCE_MS);
    }
    return INVALID_HANDLE_VALUE;
}

static int64_t ticks(void) {
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

/* One question and its answer, whose length is returned; 0 if there is none, or it is not what was asked for. Nothing else is on
 * its way, so what is read ends where the answer does. */
static size_t ask(HANDLE pipe) {
    static char line[MAX_LINE];
    size_t used = 0;
    if (!send_all(pipe, request, sizeof request - 1))
        return 0;
    while (used == 0 || line[used - 1] != '\n') {
        DWORD length;
        if (used + 1 == sizeof line || !ReadFile(pipe, line + used, (DWORD)(sizeof line - 1 - used), &length, NULL))
            return 0;
        used += length;
    }
    line[used] = '\0';
    return strstr(line, "\"result\"") != NULL ? used : 0;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void print_figures(size_t bytes, int64_t whole, int64_t *each, unsigned long count) {
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    double per_second = (double)frequency.QuadPart, us = 1e6 / per_second;
    qsort(each, count, sizeof *each, compare);
    printf("{\"answerBytes\": %zu, \"rate\": %.1f, \"p50\": %.1f, \"p99\": %.1f}\n", bytes, (double)count * per_second / (double)whole,
           (double)each[(count - 1) * 50 / 100] * us, (double)each[(count - 1) * 99 / 100] * us);
}

static int run_client(const wchar_t *name, unsigned long count) {
    if (count == 0 || count > MAX_COUNT)
        return fail("that is no number of requests");
    HANDLE pipe = connect_to(name);
    int64_t *each = calloc(count, sizeof *each);
    if (pipe == INVALID_HANDLE_VALUE || each == NULL)
        return fail("cannot connect");
    size_t bytes = ask(pipe);
    for (unsigned long i = 0; i < count / 10 && i < MAX_WARM_UP; i++)
        ask(pipe);
    int64_t begin = ticks(), last = begin;
    for (unsigned long i = 0; i < count; i++) {
        if (bytes == 0 || ask(pipe) != bytes)
            return fail("no answer, or not always the same one");
        int64_t now = ticks();
        each[i] = now - last;
        last = now;
    }
    CloseHandle(pipe);
    print_figures(bytes, last - begin, each, count);
    free(each);
    return 0;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    if (argc == 4 && wcscmp(argv[1], L"echo-server") == 0)
        return run_server(argv[2], wcstoul(argv[3], NULL, 10));
    if (argc == 4 && wcscmp(argv[1], L"client") == 0)
        return run_client(argv[2], wcstoul(argv[3], NULL, 10));
    fputs("pipe_bench echo-server PIPE BYTES: answers each line with one of so many bytes\n"
          "pipe_bench client PIPE COUNT: asks so many times for the list of pools, one request at a time\n", stderr);
    return USAGE_ERROR;
}
