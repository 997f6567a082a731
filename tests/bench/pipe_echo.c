/* The plainest server on a pipe that there can be: sends back what it reads. A thread for each client, blocking calls, one write for all that
 * one read has brought. Nothing less answers at all, and nothing that looks at what it has read can be faster. */
#include "../e2e/programs/pipe_io.h"

#include <stdio.h>
#include <wchar.h>

enum { FAILURE = 65, BUFFER = 64 << 10 };

static int fail(const char *what) {
    fprintf(stderr, "pipe_echo: %s (Windows error %lu)\n", what, (unsigned long)GetLastError());
    return FAILURE;
}

static DWORD WINAPI serve(void *pipe) {
    char bytes[BUFFER];
    DWORD length;
    while (ReadFile(pipe, bytes, sizeof bytes, &length, NULL) && send_all(pipe, bytes, length))
        ;
    CloseHandle(pipe);
    return 0;
}

int wmain(int argc, wchar_t **argv);

/* Until somebody ends it. */
int wmain(int argc, wchar_t **argv) {
    wchar_t path[280];
    if (argc != 2)
        return fail("say the pipe's name");
    swprintf(path, sizeof path / sizeof *path, L"\\\\.\\pipe\\%ls", argv[1]);
    for (bool first = true;; first = false) {
        HANDLE pipe = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES, BUFFER, BUFFER,
                                       0, NULL);
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
