/* Clients of the pipe, many or ill-mannered: what no well-behaved client does. Prints one line of JSON about what came of it.
 * `pipes` alone lists the scenarios. */
#include "pipe_io.h"

#include <windows.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_CLIENTS = 1024, PATIENCE_MS = 30000 };

static const char list_request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.list\"}\n";

static unsigned long number(const wchar_t *text) { return wcstoul(text, NULL, 0); }

/* -------------------------------------------------------------------------------------------------------- one client */

static HANDLE connect_to(const wchar_t *name, DWORD flags) {
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%ls", name);
    uint64_t deadline = GetTickCount64() + PATIENCE_MS;
    while (GetTickCount64() < deadline) {
        HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                                  flags | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY)
            return pipe;
        WaitNamedPipeW(path, PATIENCE_MS);
    }
    return INVALID_HANDLE_VALUE;
}

/* Reads until a line end. False if the server closes before that. Longer lines than the buffer are cut. */
static bool read_line(HANDLE pipe, char *line, size_t size) {
    char byte;
    DWORD length;
    size_t used = 0;
    while (ReadFile(pipe, &byte, 1, &length, NULL) && length == 1) {
        if (byte == '\n') {
            line[used] = '\0';
            return true;
        }
        if (used + 1 < size)
            line[used++] = byte;
    }
    line[used] = '\0';
    return false;
}

/* ---------------------------------------------------------------------------------------------------------- scenarios */

/* All connect before the first one asks; then each asks, and each wants its answer. */
static int many(const wchar_t *name, wchar_t **arguments) {
    static HANDLE clients[MAX_CLIENTS];
    unsigned long wanted = number(arguments[0]), connected = 0, sent = 0, answered = 0;
    char line[4096];
    for (unsigned long i = 0; i < wanted && i < MAX_CLIENTS; i++) {
        clients[i] = connect_to(name, 0);
        connected += clients[i] != INVALID_HANDLE_VALUE;
    }
    for (unsigned long i = 0; i < wanted && i < MAX_CLIENTS; i++)
        sent += clients[i] != INVALID_HANDLE_VALUE && send_all(clients[i], list_request, sizeof list_request - 1);
    for (unsigned long i = 0; i < wanted && i < MAX_CLIENTS; i++)
        answered += clients[i] != INVALID_HANDLE_VALUE && read_line(clients[i], line, sizeof line) && strstr(line, "\"result\"");
    for (unsigned long i = 0; i < wanted && i < MAX_CLIENTS; i++)
        CloseHandle(clients[i]);
    printf("{\"connected\": %lu, \"sent\": %lu, \"answered\": %lu}\n", connected, sent, answered);
    return 0;
}

/* A line that goes on for MIB mebibytes, unless the server has enough before; then a proper question. */
static int endless(const wchar_t *name, wchar_t **arguments) {
    static char chunk[64 << 10];
    char line[4096];
    memset(chunk, 'x', sizeof chunk);
    size_t left = (size_t)number(arguments[0]) << 20, sent = 0;
    HANDLE pipe = connect_to(name, 0);
    if (pipe == INVALID_HANDLE_VALUE)
        return FAILURE;
    while (left > 0 && send_all(pipe, chunk, sizeof chunk)) {
        sent += sizeof chunk;
        left -= left < sizeof chunk ? left : sizeof chunk;
    }
    bool answered = read_line(pipe, line, sizeof line);
    char next[4096];
    bool served = send_all(pipe, "\n", 1) && send_all(pipe, list_request, sizeof list_request - 1) &&
                  read_line(pipe, next, sizeof next) && strstr(next, "\"result\"") != NULL;
    CloseHandle(pipe);
    printf("{\"sent\": %zu, \"answer\": %s, \"servedAfter\": %s}\n", sent, answered ? line : "null", served ? "true" : "false");
    return 0;
}

/* TIMES clients that go without a word: in the middle of a request, and with an answer on its way. */
static int vanish(const wchar_t *name, wchar_t **arguments) {
    unsigned long times = number(arguments[0]), gone = 0;
    for (unsigned long i = 0; i < times; i++) {
        HANDLE pipe = connect_to(name, 0);
        if (pipe == INVALID_HANDLE_VALUE)
            continue;
        size_t length = i % 2 == 0 ? sizeof list_request / 2 : sizeof list_request - 1;
        gone += send_all(pipe, list_request, length);
        CloseHandle(pipe);
    }
    printf("{\"vanished\": %lu}\n", gone);
    return 0;
}

/* Sends one line as it is given, then is gone: a request whose answer nobody waits for. */
static int hit_and_run(const wchar_t *name, wchar_t **arguments) {
    char line[8192];
    int length = WideCharToMultiByte(CP_UTF8, 0, arguments[0], -1, line, (int)sizeof line, NULL, NULL);
    HANDLE pipe = connect_to(name, 0);
    if (length <= 0 || pipe == INVALID_HANDLE_VALUE)
        return FAILURE;
    line[length - 1] = '\n';
    bool sent = send_all(pipe, line, (size_t)length);
    CloseHandle(pipe);
    printf("{\"sent\": %s}\n", sent ? "true" : "false");
    return 0;
}

/* Asks TIMES for the list without reading a single answer, and stays for MS. The handle is overlapped, so that a server that
 * takes no more does not hold this program up. */
static int deaf(const wchar_t *name, wchar_t **arguments) {
    unsigned long times = number(arguments[0]), sent = 0;
    HANDLE pipe = connect_to(name, FILE_FLAG_OVERLAPPED);
    OVERLAPPED write = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    if (pipe == INVALID_HANDLE_VALUE || write.hEvent == NULL)
        return FAILURE;
    bool open = true, taken = true;
    while (open && taken && sent < times) {
        DWORD length;
        open = WriteFile(pipe, list_request, sizeof list_request - 1, NULL, &write) || GetLastError() == ERROR_IO_PENDING;
        taken = open && WaitForSingleObject(write.hEvent, 2000) == WAIT_OBJECT_0;
        open = taken && GetOverlappedResult(pipe, &write, &length, FALSE);
        sent += open;
    }
    Sleep(number(arguments[1]));
    CancelIo(pipe);
    CloseHandle(pipe);
    printf("{\"sent\": %lu}\n", sent);
    return 0;
}

/* Opens the pipe and says what Windows answers: for what only Windows enforces. */
static int probe(const wchar_t *path, wchar_t **arguments) {
    (void)arguments;
    HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    DWORD code = pipe == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    printf("{\"error\": %lu}\n", (unsigned long)code);
    return 0;
}

/* Tries to be another server of the same name. */
static int squat(const wchar_t *name, wchar_t **arguments) {
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%ls", name);
    HANDLE pipe = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, NULL);
    DWORD code = pipe == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    printf("{\"error\": %lu}\n", (unsigned long)code);
    fflush(stdout);
    Sleep(number(arguments[0]));
    return 0;
}

/* Between one client of PIPE and the server TO: each line there, and the line that answers it back. Prints what the client asks. */
static int relay(const wchar_t *name, wchar_t **arguments) {
    static char line[1 << 20];
    wchar_t path[280];
    swprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%ls", name);
    HANDLE client = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 65536, 65536, 0, NULL);
    HANDLE server = connect_to(arguments[0], 0);
    if (client == INVALID_HANDLE_VALUE || server == INVALID_HANDLE_VALUE)
        return FAILURE;
    printf("ready\n");
    fflush(stdout);
    if (!ConnectNamedPipe(client, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
        return FAILURE;
    while (read_line(client, line, sizeof line)) {
        printf("%s\n", line);
        fflush(stdout);
        bool good = send_all(server, line, strlen(line)) && send_all(server, "\n", 1) && read_line(server, line, sizeof line);
        if (!good || !send_all(client, line, strlen(line)) || !send_all(client, "\n", 1))
            return FAILURE;
    }
    CloseHandle(client);
    CloseHandle(server);
    return 0;
}

static const struct scenario {
    const wchar_t *name;
    int min_arguments;
    int (*run)(const wchar_t *pipe, wchar_t **arguments);
    const char *help;
} scenarios[] = {
    {L"many", 1, many, "PIPE COUNT: so many clients at once, each with a question"},
    {L"endless", 1, endless, "PIPE MIB: a line that does not end for so long, then a question"},
    {L"vanish", 1, vanish, "PIPE TIMES: clients that go in the middle of things"},
    {L"hit-and-run", 1, hit_and_run, "PIPE LINE: send it and go"},
    {L"deaf", 2, deaf, "PIPE TIMES MS: ask, and never read an answer"},
    {L"probe", 0, probe, "PATH: which error does opening it give?"},
    {L"relay", 1, relay, "PIPE TO: pass lines on between a client of PIPE and TO, and print what it asks"},
    {L"squat", 1, squat, "PIPE MS: make a pipe of this name, and keep it for so long"},
};

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    size_t count = sizeof scenarios / sizeof scenarios[0];
    for (size_t i = 0; argc > 2 && i < count; i++)
        if (wcscmp(argv[1], scenarios[i].name) == 0 && argc - 3 >= scenarios[i].min_arguments)
            return scenarios[i].run(argv[2], argv + 3);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "pipes %ls %s\n", scenarios[i].name, scenarios[i].help);
    return USAGE_ERROR;
}
