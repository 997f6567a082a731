/* How long after a process has ended a subscriber reads that it has. Prints one line of JSON: milliseconds, the median and the 99th of a
 * hundred, until the line was read ("line") and until a wait on the process's handle was over ("wait"), both from the moment in which the
 * process was told to end, and by one clock.
 *
 * The wait is the baseline: nobody can know of an end earlier than it. Processes are launched one after the other in the pool "bench", so that
 * the row and the event of each one's beginning are on their way to the disk when it ends. */
#include "../e2e/programs/pipe_io.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_LINE = 8192, MAX_COUNT = 10000, PATIENCE_MS = 60000, WARM_UP = 3 };

static const wchar_t leave_name[] = L"JobPool.delay_bench.leave";

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "delay_bench: %s (Windows error %lu)\n", what, (unsigned long)GetLastError());
    exit(FAILURE);
}

static double now_ms(void) {
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return (double)now.QuadPart * 1e3 / (double)frequency.QuadPart;
}

/* --- the pipe: a line at a time --- */

struct client {
    HANDLE pipe;
    char buffer[MAX_LINE];
    size_t used, line; /* bytes there, and those of the line that was read last */
};

static void connect_client(struct client *client, const wchar_t *name) {
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%ls", name);
    while ((client->pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, NULL)) ==
               INVALID_HANDLE_VALUE &&
           GetLastError() == ERROR_PIPE_BUSY)
        WaitNamedPipeW(path, PATIENCE_MS);
    if (client->pipe == INVALID_HANDLE_VALUE)
        fail("cannot connect");
}

static const char *read_line(struct client *client) {
    char *end;
    DWORD length;
    memmove(client->buffer, client->buffer + client->line, client->used - client->line);
    client->used -= client->line;
    while ((end = memchr(client->buffer, '\n', client->used)) == NULL) {
        if (client->used == sizeof client->buffer ||
            !ReadFile(client->pipe, client->buffer + client->used, (DWORD)(sizeof client->buffer - client->used), &length, NULL))
            fail("nothing more comes through the pipe");
        client->used += length;
    }
    *end = '\0';
    client->line = (size_t)(end - client->buffer) + 1;
    return client->buffer;
}

static const char *ask(struct client *client, const char *request) {
    if (!send_all(client->pipe, request, strlen(request)))
        fail("cannot ask");
    const char *answer = read_line(client);
    if (strstr(answer, "\"result\"") == NULL) {
        fprintf(stderr, "%s\n", answer);
        fail("the service refuses");
    }
    return answer;
}

/* --- the subscriber, on a thread of its own --- */

static struct {
    struct client client;
    HANDLE read; /* event: a line was read */
    volatile LONG pid;
    double at_ms;
} subscriber;

static DWORD WINAPI subscribe(void *context) {
    (void)context;
    for (;;) {
        const char *pid = strstr(read_line(&subscriber.client), "\"pid\":");
        double at_ms = now_ms();
        if (pid == NULL)
            fail("what was read is no process's end");
        subscriber.at_ms = at_ms;
        subscriber.pid = (LONG)strtoul(pid + 6, NULL, 10);
        SetEvent(subscriber.read);
    }
}

static void begin_subscriber(const wchar_t *pipe, bool durable) {
    char request[300];
    connect_client(&subscriber.client, pipe);
    snprintf(request, sizeof request,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"pools\":[\"bench\"],"
             "\"messages\":[\"JOB_OBJECT_MSG_EXIT_PROCESS\"],\"durable\":%s}}\n", durable ? "true" : "false");
    ask(&subscriber.client, request);
    subscriber.read = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (subscriber.read == NULL || CreateThread(NULL, 0, subscribe, NULL, 0, NULL) == NULL)
        fail("cannot start a thread");
}

/* --- one end after the other --- */

static void write_launch(char *request, size_t size) {
    char own[600], escaped[1200], *end = escaped;
    wchar_t path[500];
    GetModuleFileNameW(NULL, path, sizeof path / sizeof path[0]);
    if (!WideCharToMultiByte(CP_UTF8, 0, path, -1, own, sizeof own, NULL, NULL))
        fail("cannot name this program");
    for (const char *at = own; *at; at++) {
        if (*at == '\\')
            *end++ = '\\';
        *end++ = *at;
    }
    *end = '\0';
    snprintf(request, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.launch\",\"params\":{\"pool\":\"bench\",\"command\":\"\\\"%s\\\" leave\"}}\n", escaped);
}

static HANDLE launch(struct client *client, const char *request, DWORD *ret_pid) {
    const char *pid = strstr(ask(client, request), "\"pid\":");
    *ret_pid = pid ? strtoul(pid + 6, NULL, 10) : 0;
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, *ret_pid);
    if (process == NULL)
        fail("cannot open the process");
    return process;
}

static void end_one(struct client *client, const char *request, HANDLE leave, HANDLE here, double *ret_line_ms, double *ret_wait_ms) {
    DWORD pid;
    HANDLE process = launch(client, request, &pid);
    if (WaitForSingleObject(here, PATIENCE_MS) != WAIT_OBJECT_0)
        fail("the process does not begin");
    double begin_ms = now_ms();
    SetEvent(leave);
    if (WaitForSingleObject(process, PATIENCE_MS) != WAIT_OBJECT_0)
        fail("the process does not end");
    *ret_wait_ms = now_ms() - begin_ms;
    if (WaitForSingleObject(subscriber.read, PATIENCE_MS) != WAIT_OBJECT_0 || (DWORD)subscriber.pid != pid)
        fail("the subscriber does not read of its end");
    *ret_line_ms = subscriber.at_ms - begin_ms;
    CloseHandle(process);
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double of_hundred(const double *sorted, size_t count, size_t percent) { return sorted[(count - 1) * percent / 100]; }

static int measure(const wchar_t *pipe, bool durable, unsigned long count) {
    static struct client client;
    char request[2000];
    double *line_ms = calloc(count, sizeof *line_ms), *wait_ms = calloc(count, sizeof *wait_ms);
    HANDLE leave = CreateEventW(NULL, FALSE, FALSE, leave_name), here = CreateEventW(NULL, FALSE, FALSE, L"JobPool.delay_bench.here");
    if (line_ms == NULL || wait_ms == NULL || leave == NULL || here == NULL)
        fail("cannot prepare");
    begin_subscriber(pipe, durable);
    connect_client(&client, pipe);
    write_launch(request, sizeof request);
    for (unsigned long i = 0; i < WARM_UP; i++)
        end_one(&client, request, leave, here, &line_ms[0], &wait_ms[0]);
    for (unsigned long i = 0; i < count; i++)
        end_one(&client, request, leave, here, &line_ms[i], &wait_ms[i]);
    qsort(line_ms, count, sizeof *line_ms, compare);
    qsort(wait_ms, count, sizeof *wait_ms, compare);
    printf("{\"line_p50\": %.3f, \"line_p99\": %.3f, \"wait_p50\": %.3f, \"wait_p99\": %.3f}\n", of_hundred(line_ms, count, 50),
           of_hundred(line_ms, count, 99), of_hundred(wait_ms, count, 50), of_hundred(wait_ms, count, 99));
    return 0;
}

/* The process: is there, and ends when it is told to. */
static int leave_when_told(void) {
    HANDLE leave = OpenEventW(SYNCHRONIZE, FALSE, leave_name), here = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"JobPool.delay_bench.here");
    SetEvent(here);
    return WaitForSingleObject(leave, PATIENCE_MS) != WAIT_OBJECT_0;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    unsigned long count = argc == 4 ? wcstoul(argv[3], NULL, 10) : 0;
    if (argc == 2 && wcscmp(argv[1], L"leave") == 0)
        return leave_when_told();
    if (count == 0 || count > MAX_COUNT) {
        fputs("delay_bench PIPE durable|quick COUNT: so many processes end, one after the other, and a subscriber reads of it\n", stderr);
        return USAGE_ERROR;
    }
    return measure(argv[1], wcscmp(argv[2], L"durable") == 0, count);
}
