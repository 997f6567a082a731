/* Asks service.ping over the pipe, as the client of all servers that are compared: so many connections at once, each with a thread of its own and so
 * many questions outstanding. Each answer must be, byte for byte, the one that its question has. Prints one line of JSON.
 *
 * Questions all have one length, and so have answers, so that counting and comparing them costs next to nothing. What is free is asked anew as soon
 * as it is known, in one write for all that one read has brought. */
#include "../e2e/programs/pipe_io.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_COUNT = 9000000, MAX_CONNECTIONS = 64, MAX_OUTSTANDING = 256, TEXT = 128, PATIENCE_MS = 30000, WARM_UP = 1000 };
enum { FIRST_ID = 1000000, ID_DIGITS = 7 };

/* A question, or what comes back, with the place of its id. */
struct message {
    char text[TEXT];
    size_t length, id_at;
};

static struct message question, reply;

struct asker {
    HANDLE pipe, thread;
    unsigned long outstanding, count, warm_up; /* the first are not counted */
    int64_t *each; /* how long each took; NULL where several are outstanding */
    int64_t begin, end;
    const char *failure;
    DWORD win32;
};

static int fail(const char *what, DWORD win32) {
    fprintf(stderr, "pipe_client: %s (Windows error %lu)\n", what, (unsigned long)win32);
    return FAILURE;
}

/* --- what is said --- */

static void make_message(struct message *message, bool by_length, const char *rest) {
    char body[TEXT];
    int length = snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%d,%s}", FIRST_ID, rest);
    message->length = (size_t)(by_length ? snprintf(message->text, TEXT, "Content-Length: %d\r\n\r\n%s", length, body)
                                         : snprintf(message->text, TEXT, "%s\n", body));
    message->id_at = (size_t)(strstr(message->text, "\"id\":") + 5 - message->text);
}

static void put(char *at, const struct message *message, unsigned long number) {
    memcpy(at, message->text, message->length);
    number += FIRST_ID;
    for (size_t i = ID_DIGITS; i-- > 0; number /= 10)
        at[message->id_at + i] = (char)('0' + number % 10);
}

static bool is(const char *at, const struct message *message, unsigned long number) {
    char expected[TEXT];
    put(expected, message, number);
    return memcmp(at, expected, message->length) == 0;
}

/* --- asking --- */

static int64_t ticks(void) {
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

static bool failed(struct asker *asker, const char *what) {
    asker->win32 = GetLastError();
    asker->failure = what;
    return false;
}

/* Questions from `first` on, in one write. */
static bool send(struct asker *asker, unsigned long first, unsigned long count) {
    char bytes[MAX_OUTSTANDING * TEXT];
    for (unsigned long i = 0; i < count; i++)
        put(bytes + i * question.length, &question, first + i);
    return send_all(asker->pipe, bytes, count * question.length) || failed(asker, "cannot send");
}

/* As many as there are in `bytes`, which had `used` already; the rest goes to its front. The number of answers, -1 if one is wrong. */
static long take(struct asker *asker, char *bytes, size_t size, size_t *used, unsigned long next) {
    DWORD length;
    if (!ReadFile(asker->pipe, bytes + *used, (DWORD)(size - *used), &length, NULL))
        return failed(asker, "the answers end"), -1;
    *used += length;
    long count = (long)(*used / reply.length);
    for (long i = 0; i < count; i++)
        if (!is(bytes + (size_t)i * reply.length, &reply, next + (unsigned long)i))
            return failed(asker, "that is no answer to the question"), -1;
    *used -= (size_t)count * reply.length;
    memmove(bytes, bytes + (size_t)count * reply.length, *used);
    return count;
}

static bool ask(struct asker *asker, unsigned long count, int64_t *each) {
    char bytes[MAX_OUTSTANDING * TEXT];
    size_t used = 0;
    unsigned long sent = count < asker->outstanding ? count : asker->outstanding, done = 0;
    int64_t last = ticks();
    asker->begin = last;
    if (!send(asker, 0, sent))
        return false;
    while (done < count) {
        long taken = take(asker, bytes, sizeof bytes, &used, done);
        if (taken < 0)
            return false;
        done += (unsigned long)taken;
        unsigned long more = (unsigned long)taken < count - sent ? (unsigned long)taken : count - sent;
        asker->end = ticks();
        if (each && taken) {
            each[done - 1] = asker->end - last;
            last = asker->end;
        }
        if (more && !send(asker, sent, more))
            return false;
        sent += more;
    }
    return true;
}

static DWORD WINAPI run(void *argument) {
    struct asker *asker = argument;
    if (ask(asker, asker->warm_up, NULL))
        ask(asker, asker->count, asker->each);
    return 0;
}

/* --- all of them --- */

static HANDLE connect_to(const wchar_t *name) {
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof *path, L"\\\\.\\pipe\\%ls", name);
    uint64_t deadline = GetTickCount64() + PATIENCE_MS;
    for (;;) {
        HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY || GetTickCount64() > deadline)
            return pipe;
        WaitNamedPipeW(path, PATIENCE_MS);
    }
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int print_figures(struct asker *askers, unsigned long connections) {
    LARGE_INTEGER frequency;
    int64_t begin = INT64_MAX, end = 0;
    unsigned long count = 0;
    QueryPerformanceFrequency(&frequency);
    for (unsigned long i = 0; i < connections; i++) {
        if (askers[i].failure)
            return fail(askers[i].failure, askers[i].win32);
        begin = askers[i].begin < begin ? askers[i].begin : begin;
        end = askers[i].end > end ? askers[i].end : end;
        count += askers[i].count;
    }
    double per_second = (double)frequency.QuadPart, us = 1e6 / per_second;
    printf("{\"rate\": %.1f", (double)count * per_second / (double)(end - begin));
    if (askers[0].each) {
        qsort(askers[0].each, count, sizeof *askers[0].each, compare);
        printf(", \"p50\": %.1f, \"p99\": %.1f", (double)askers[0].each[(count - 1) / 2] * us, (double)askers[0].each[(count - 1) * 99 / 100] * us);
    }
    puts("}");
    return 0;
}

static int run_all(const wchar_t *pipe, unsigned long connections, unsigned long outstanding, unsigned long count) {
    struct asker askers[MAX_CONNECTIONS] = {0};
    HANDLE threads[MAX_CONNECTIONS] = {0};
    for (unsigned long i = 0; i < connections; i++) {
        struct asker *asker = &askers[i];
        asker->outstanding = outstanding;
        asker->count = count / connections;
        asker->warm_up = asker->count / 10 < WARM_UP ? asker->count / 10 : WARM_UP;
        if ((asker->pipe = connect_to(pipe)) == INVALID_HANDLE_VALUE)
            return fail("cannot connect", GetLastError());
        if (connections == 1 && outstanding == 1 && (asker->each = calloc(count, sizeof *asker->each)) == NULL)
            return fail("no memory", GetLastError());
        threads[i] = CreateThread(NULL, 0, run, asker, CREATE_SUSPENDED, NULL);
        if (threads[i] == NULL)
            return fail("cannot start a thread", GetLastError());
    }
    for (unsigned long i = 0; i < connections; i++)
        ResumeThread(threads[i]);
    WaitForMultipleObjects(connections, threads, TRUE, INFINITE);
    int result = print_figures(askers, connections);
    for (unsigned long i = 0; i < connections; i++) {
        CloseHandle(threads[i]);
        CloseHandle(askers[i].pipe);
    }
    free(askers[0].each);
    return result;
}

static bool number(const wchar_t *text, unsigned long least, unsigned long most, unsigned long *ret) {
    *ret = wcstoul(text, NULL, 10);
    return *ret >= least && *ret <= most;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    unsigned long connections, outstanding, count;
    bool echo = argc == 7 && wcscmp(argv[2], L"echo") == 0, by_length = argc == 7 && wcscmp(argv[3], L"length") == 0;
    if (argc != 7 || !(echo || wcscmp(argv[2], L"answer") == 0) || !(by_length || wcscmp(argv[3], L"line") == 0) ||
        !number(argv[4], 1, MAX_CONNECTIONS, &connections) || !number(argv[5], 1, MAX_OUTSTANDING, &outstanding) ||
        !number(argv[6], connections, MAX_COUNT, &count)) {
        fputs("pipe_client PIPE answer|echo line|length CONNECTIONS OUTSTANDING COUNT: asks service.ping so many times in all; the server answers, or\n"
              "sends back the question\n", stderr);
        return USAGE_ERROR;
    }
    make_message(&question, by_length, "\"method\":\"service.ping\"");
    make_message(&reply, by_length, echo ? "\"method\":\"service.ping\"" : "\"result\":{\"protocol\":1}");
    return run_all(argv[1], connections, outstanding, count);
}
