/* Clients that mean harm, and one that does not and measures how it is served. Each prints lines of JSON about what came of it; those that stay
 * do so until their standard input ends. `hostile` alone lists the scenarios. */
#include "pipe_io.h"

#include <windows.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_CLIENTS = 1024, PATIENCE_MS = 30000, BATCH = 60, MAX_CALLS = 200000 };

static unsigned long number(const wchar_t *text) { return wcstoul(text, NULL, 0); }

static void say(const char *format, ...) __attribute__((format(gnu_printf, 1, 2)));
static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

/* -------------------------------------------------------------------------------------------------------- one client */

static HANDLE connect_as(const wchar_t *name, DWORD level) {
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%ls", name);
    uint64_t deadline = GetTickCount64() + PATIENCE_MS;
    while (GetTickCount64() < deadline) {
        HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | level, NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY)
            return pipe;
        WaitNamedPipeW(path, PATIENCE_MS);
    }
    return INVALID_HANDLE_VALUE;
}

static HANDLE connect_to(const wchar_t *name) { return connect_as(name, SECURITY_IDENTIFICATION); }

static bool send_text(HANDLE pipe, const char *text) { return send_all(pipe, text, strlen(text)); }

/* Lines, by the block. */
struct reader {
    HANDLE pipe;
    char block[64 << 10];
    DWORD at, length;
};

/* False if the server closes before a line end. Longer lines than the buffer are cut. */
static bool read_line(struct reader *reader, char *line, size_t size) {
    size_t used = 0;
    for (;;) {
        if (reader->at == reader->length) {
            reader->at = 0;
            if (!ReadFile(reader->pipe, reader->block, sizeof reader->block, &reader->length, NULL) || !reader->length) {
                reader->length = 0;
                line[used] = '\0';
                return false;
            }
        }
        char byte = reader->block[reader->at++];
        if (byte == '\n')
            break;
        if (used + 1 < size)
            line[used++] = byte;
    }
    line[used] = '\0';
    return true;
}

static bool is_closed(HANDLE pipe) {
    char bytes[4096];
    DWORD length;
    while (ReadFile(pipe, bytes, sizeof bytes, &length, NULL) && length)
        ;
    return true;
}

static volatile LONG enough;

static DWORD WINAPI wait_for_end(void *context) {
    (void)context;
    while (getchar() != EOF)
        ;
    InterlockedExchange(&enough, 1);
    return 0;
}

static void until_input_ends(void) { CloseHandle(CreateThread(NULL, 0, wait_for_end, NULL, 0, NULL)); }

/* --------------------------------------------------------------------------------------------------------- who is silent */

/* COUNT connections that say nothing. Says when all have been let in, and when the server has closed all. */
static int silent(const wchar_t *name, wchar_t **arguments) {
    static HANDLE clients[MAX_CLIENTS];
    unsigned long wanted = number(arguments[0]), connected = 0, closed = 0;
    for (unsigned long i = 0; i < wanted && i < MAX_CLIENTS; i++) {
        clients[i] = connect_to(name);
        connected += clients[i] != INVALID_HANDLE_VALUE;
    }
    say("{\"connected\": %lu}", connected);
    for (unsigned long i = 0; i < wanted && i < MAX_CLIENTS; i++)
        if (clients[i] != INVALID_HANDLE_VALUE) {
            closed += is_closed(clients[i]);
            CloseHandle(clients[i]);
        }
    say("{\"closed\": %lu}", closed);
    return 0;
}

/* --------------------------------------------------------------------------------------------------- who does not finish */

/* TEXT, and then nothing; until the server closes. */
static int half(const wchar_t *name, wchar_t **arguments) {
    char text[1024];
    HANDLE pipe = connect_to(name);
    if (pipe == INVALID_HANDLE_VALUE || WideCharToMultiByte(CP_UTF8, 0, arguments[0], -1, text, (int)sizeof text, NULL, NULL) <= 0)
        return FAILURE;
    uint64_t begun = GetTickCount64();
    bool sent = send_text(pipe, text);
    bool closed = is_closed(pipe);
    say("{\"sent\": %s, \"closed\": %s, \"afterMs\": %llu}", sent ? "true" : "false", closed ? "true" : "false",
        (unsigned long long)(GetTickCount64() - begun));
    CloseHandle(pipe);
    return 0;
}

/* One byte of a request a second, until the server has enough. */
static int drip(const wchar_t *name, wchar_t **arguments) {
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.list\",\"params\":{}}\n";
    (void)arguments;
    HANDLE pipe = connect_to(name);
    if (pipe == INVALID_HANDLE_VALUE)
        return FAILURE;
    unsigned long sent = 0;
    while (sent < sizeof text - 1 && send_all(pipe, text + sent, 1)) {
        sent++;
        Sleep(1000);
    }
    say("{\"bytes\": %lu, \"cutOff\": %s}", sent, sent < sizeof text - 1 ? "true" : "false");
    CloseHandle(pipe);
    return 0;
}

/* A body that its header says is endless, a mebibyte at a time, until the server has enough. */
static int body(const wchar_t *name, wchar_t **arguments) {
    static char chunk[1 << 20];
    char header[64];
    (void)arguments;
    HANDLE pipe = connect_to(name);
    if (pipe == INVALID_HANDLE_VALUE)
        return FAILURE;
    memset(chunk, '[', sizeof chunk);
    snprintf(header, sizeof header, "Content-Length: %llu\r\n\r\n", 1000000000000000ULL);
    unsigned long mebibytes = 0;
    bool open = send_text(pipe, header);
    uint64_t deadline = GetTickCount64() + PATIENCE_MS;
    while (open && GetTickCount64() < deadline) {
        open = send_all(pipe, chunk, sizeof chunk);
        mebibytes += open;
        Sleep(100);
    }
    say("{\"mebibytes\": %lu, \"cutOff\": %s}", mebibytes, open ? "false" : "true");
    CloseHandle(pipe);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ who vanishes */

static char *batch_of(const char *method, const char *params, unsigned count) {
    size_t room = (strlen(method) + strlen(params) + 80) * count + 8, used = 1;
    char *text = malloc(room);
    if (text == NULL)
        exit(FAILURE);
    text[0] = '[';
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, room - used, "%s{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":%s}", i ? "," : "", i, method,
                                 params);
    snprintf(text + used, room - used, "]\n");
    return text;
}

/* TIMES clients, each of which goes at another moment: without a word; in a header; in a body; in a batch that it sends; in an answer; in a batch of
 * answers; while its token is taken. */
static int vanish(const wchar_t *name, wchar_t **arguments) {
    char *batch = batch_of("pool.get", "{\"pool\":\"p\"}", BATCH), bytes[10];
    unsigned long times = number(arguments[0]), gone = 0;
    for (unsigned long i = 0; i < times; i++) {
        static const DWORD levels[] = {SECURITY_IDENTIFICATION, SECURITY_IMPERSONATION, SECURITY_ANONYMOUS};
        HANDLE pipe = connect_as(name, levels[i / 7 % 3]);
        bool sent = pipe != INVALID_HANDLE_VALUE;
        DWORD length;
        if (!sent)
            continue;
        switch (i % 7) {
        case 1:
            sent = send_text(pipe, "Content-Leng");
            break;
        case 2:
            sent = send_text(pipe, "Content-Length: 100\r\n\r\n{\"jsonrpc\"");
            break;
        case 3:
            sent = send_all(pipe, batch, strlen(batch) / 2);
            break;
        case 4:
            sent = send_text(pipe, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"service.capabilities\"}\n") && ReadFile(pipe, bytes, sizeof bytes, &length, NULL);
            break;
        case 5:
            sent = send_text(pipe, batch) && ReadFile(pipe, bytes, 1, &length, NULL);
            break;
        case 6: /* it is gone when its message is read, and then its token is wanted */
            sent = send_text(pipe, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.get\",\"params\":{\"pool\":\"p\"}}\n");
            break;
        default:
            break;
        }
        gone += sent;
        CloseHandle(pipe);
    }
    free(batch);
    say("{\"vanished\": %lu}", gone);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- who does not read */

/* COUNT events, by batches of changes to the pool "flood". */
static int flood(const wchar_t *name, wchar_t **arguments) {
    static char line[1 << 20];
    static struct reader reader;
    char *batch = batch_of("pool.update", "{\"pool\":\"flood\",\"description\":\"again\"}", BATCH);
    unsigned long wanted = number(arguments[0]), done = 0;
    reader.pipe = connect_to(name);
    uint64_t begun = GetTickCount64();
    while (done < wanted && reader.pipe != INVALID_HANDLE_VALUE && send_text(reader.pipe, batch) && read_line(&reader, line, sizeof line)) {
        if (strstr(line, "\"error\"")) {
            fprintf(stderr, "%.500s\n", line);
            return FAILURE;
        }
        done += BATCH;
    }
    say("{\"done\": %lu, \"ms\": %llu}", done, (unsigned long long)(GetTickCount64() - begun));
    free(batch);
    return done < wanted ? FAILURE : 0;
}

/* Subscribes to the pool "flood" and reads nothing until its input ends. Then it reads up to LAST, which is what the input said: all of it, in order
 * and once, or a message about those that it cannot have. */
static int deaf(const wchar_t *name, wchar_t **arguments) {
    static char line[64 << 10];
    static struct reader reader;
    unsigned long events = 0, doubled = 0;
    unsigned long long last = 0, wanted = 0;
    bool told = false;
    (void)arguments;
    reader.pipe = connect_to(name);
    if (reader.pipe == INVALID_HANDLE_VALUE ||
        !send_text(reader.pipe, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"pools\":[\"flood\"]}}\n") ||
        !read_line(&reader, line, sizeof line))
        return FAILURE;
    say("%s", line);
    if (scanf("%llu", &wanted) != 1)
        return FAILURE;
    while (last < wanted && read_line(&reader, line, sizeof line)) {
        const char *seq = strstr(line, "\"seq\":");
        unsigned long long this_one = seq ? strtoull(seq + 6, NULL, 10) : 0;
        told = told || strstr(line, "\"gap\":") != NULL;
        if (!seq)
            continue;
        events += this_one > last;
        doubled += this_one <= last;
        last = this_one > last ? this_one : last;
    }
    say("{\"events\": %lu, \"doubled\": %lu, \"last\": %llu, \"told\": %s}", events, doubled, last, told ? "true" : "false");
    CloseHandle(reader.pipe);
    return 0;
}

/* -------------------------------------------------------------------------------------------------- who behaves, and measures */

static int by_size(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

/* A question each 10 ms until the input ends; how long each answer took. */
static int polite(const wchar_t *name, wchar_t **arguments) {
    static uint32_t took_us[MAX_CALLS];
    static char line[1 << 20];
    static struct reader reader;
    unsigned calls = 0, failed = 0;
    LARGE_INTEGER frequency, begun, ended;
    (void)arguments;
    QueryPerformanceFrequency(&frequency);
    reader.pipe = connect_to(name);
    if (reader.pipe == INVALID_HANDLE_VALUE)
        return FAILURE;
    until_input_ends();
    while (!enough && calls < MAX_CALLS) {
        QueryPerformanceCounter(&begun);
        bool served = send_text(reader.pipe, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.get\",\"params\":{\"pool\":\"p\"}}\n") &&
                      read_line(&reader, line, sizeof line);
        QueryPerformanceCounter(&ended);
        took_us[calls++] = (uint32_t)((ended.QuadPart - begun.QuadPart) * 1000000 / frequency.QuadPart);
        if (calls == 1)
            say("%s", line);
        if (!served || !strstr(line, "\"result\""))
            failed++;
        if (!served)
            break;
        Sleep(10);
    }
    qsort(took_us, calls, sizeof *took_us, by_size);
    say("{\"calls\": %u, \"failed\": %u, \"p50Ms\": %.2f, \"p99Ms\": %.2f, \"maxMs\": %.2f}", calls, failed, took_us[calls / 2] / 1e3,
        took_us[(size_t)calls * 99 / 100] / 1e3, took_us[calls - 1] / 1e3);
    CloseHandle(reader.pipe);
    return 0;
}

static const struct scenario {
    const wchar_t *name;
    int arguments;
    int (*run)(const wchar_t *pipe, wchar_t **arguments);
    const char *help;
} scenarios[] = {
    {L"silent", 1, silent, "PIPE COUNT: so many connections that say nothing"},
    {L"half", 1, half, "PIPE TEXT: this and no more"},
    {L"drip", 0, drip, "PIPE: one byte a second"},
    {L"body", 0, body, "PIPE: a body that does not end"},
    {L"vanish", 1, vanish, "PIPE TIMES: clients that go in the middle of things"},
    {L"flood", 1, flood, "PIPE COUNT: so many events of the pool \"flood\""},
    {L"deaf", 0, deaf, "PIPE: subscribe, and read when the input says up to which event"},
    {L"polite", 0, polite, "PIPE: ask and measure until the input ends"},
};

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    size_t count = sizeof scenarios / sizeof scenarios[0];
    for (size_t i = 0; argc > 2 && i < count; i++)
        if (wcscmp(argv[1], scenarios[i].name) == 0 && argc - 3 >= scenarios[i].arguments)
            return scenarios[i].run(argv[2], argv + 3);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "hostile %ls %s\n", scenarios[i].name, scenarios[i].help);
    return USAGE_ERROR;
}
