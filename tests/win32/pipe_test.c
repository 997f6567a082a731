/* The pipe against the host that it runs on: who may open it, who is at either end, and the name. Prints TAP. */
#include "tap.h"

#include "base/str.h"
#include "win32/clock.h"
#include "win32/pipe_listener.h"
#include "win32/principal.h"
#include "win32/server_check.h"
#include "win32/wide.h"

#include <inttypes.h>

enum { CLIENTS = 20 };
static const char pipe_security[] = "D:P(A;;GA;;;SY)(A;;0x12019b;;;BA)(A;;0x12019b;;;WD)";
static CRITICAL_SECTION pipes_lock;
static CONDITION_VARIABLE pipes_more = CONDITION_VARIABLE_INIT;
static HANDLE pipes[CLIENTS + 8];
static size_t pipe_count;

static void on_connected(void *context, HANDLE pipe) {
    (void)context;
    EnterCriticalSection(&pipes_lock);
    if (pipe_count < sizeof pipes / sizeof *pipes)
        pipes[pipe_count++] = pipe;
    else
        CloseHandle(pipe);
    LeaveCriticalSection(&pipes_lock);
    WakeAllConditionVariable(&pipes_more);
}

static bool pipes_reach(size_t count) {
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    EnterCriticalSection(&pipes_lock);
    while (pipe_count < count && jp_win32_now_ms() < until)
        SleepConditionVariableCS(&pipes_more, &pipes_lock, 100);
    bool reached = pipe_count >= count;
    LeaveCriticalSection(&pipes_lock);
    return reached;
}

/* After the listener's end: our end too keeps the name. */
static void close_pipes(void) {
    while (pipe_count > 0)
        CloseHandle(pipes[--pipe_count]);
}

static HANDLE connect_to(const wchar_t *name) {
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    for (;;) {
        HANDLE client = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
        if (client != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY || jp_win32_now_ms() > until)
            return client;
        WaitNamedPipeW(name, 1000);
    }
}

static void test_identify(HANDLE client, HANDLE server) {
    char byte;
    DWORD length;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    WriteFile(client, "x", 1, &length, NULL);
    if (!ReadFile(server, &byte, 1, NULL, &overlapped) && GetLastError() == ERROR_IO_PENDING)
        GetOverlappedResult(server, &overlapped, &length, TRUE);
    CloseHandle(overlapped.hEvent);
    struct jp_principal *principal = NULL;
    if (STATUS(jp_win32_principal_from_pipe(server, &principal, &error), JP_OK, "a client is identified")) {
        printf("# %s, session %" PRIu32 ", level %d\n", principal->name, principal->session, principal->level);
        CHECK(*principal->name != '\0', "it has a name");
        jp_win32_principal_free(principal);
    }
}

static void test_pipe(void) {
    char *name = jp_sprintf("\\\\.\\pipe\\jobpool-test-%lu", GetCurrentProcessId());
    wchar_t *wide = jp_win32_wide(name);
    struct jp_win32_listener_options options = {.name = name, .security = pipe_security, .connected = on_connected, .log = &test_log};
    struct jp_win32_listener *listener = NULL, *second = NULL;
    if (!STATUS(jp_win32_listener_new(&options, &listener, &error), JP_OK, "the name is made ours"))
        return;
    STATUS(jp_win32_listener_start(listener, &error), JP_OK, "the door is opened");

    HANDLE clients[CLIENTS];
    bool connected = true;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = connect_to(wide);
        connected = connected && clients[i] != INVALID_HANDLE_VALUE && (i > 0 || pipes_reach(1)); /* pipes[0] is the first one's */
    }
    CHECK(connected && pipes_reach(CLIENTS), "twenty clients at once are let in");
    test_identify(clients[0], pipes[0]);

    enum jp_win32_server server;
    uint32_t pid = 0;
    jp_status status = jp_win32_server_check(clients[0], &server, &pid, &error);
    if (STATUS(status, JP_OK, "the client trusts a server of its own user")) {
        printf("# server kind %d, pid %" PRIu32 "\n", (int)server, pid);
        CHECK(pid == GetCurrentProcessId(), "and knows its process");
    }

    size_t before = pipe_count;
    for (int i = 0; i < 20; i++)
        CloseHandle(connect_to(wide)); /* comes and goes */
    HANDLE last = connect_to(wide);
    CHECK(last != INVALID_HANDLE_VALUE && pipes_reach(before + 1), "clients that vanish at once leave the door open");
    STATUS(jp_win32_listener_new(&options, &second, &error), JP_E_DENIED, "a name that is taken is fatal");

    CloseHandle(last);
    for (size_t i = 0; i < CLIENTS; i++)
        CloseHandle(clients[i]);
    jp_win32_listener_free(listener);
    close_pipes();
    HANDLE late = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(late == INVALID_HANDLE_VALUE, "after the end nobody is let in");
    STATUS(jp_win32_listener_new(&options, &second, &error), JP_OK, "the name is free again");
    jp_win32_listener_free(second);
    jp_free(wide);
    jp_free(name);
}

static HANDLE try_to_connect(const wchar_t *name) {
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
}

/* Who comes while the service starts. */
static void test_reserved(void) {
    char *name = jp_sprintf("\\\\.\\pipe\\jobpool-reserved-%lu", GetCurrentProcessId()), byte;
    wchar_t *wide = jp_win32_wide(name);
    struct jp_win32_listener_options options = {.name = name, .security = pipe_security, .connected = on_connected, .log = &test_log};
    struct jp_win32_listener *listener = NULL, *second = NULL;
    DWORD length;
    if (!STATUS(jp_win32_listener_new(&options, &listener, &error), JP_OK, "a service that starts has its name"))
        return;
    STATUS(jp_win32_listener_new(&options, &second, &error), JP_E_DENIED, "which another one then does not get");
    HANDLE early = try_to_connect(wide), late = try_to_connect(wide);
    CHECK(early != INVALID_HANDLE_VALUE && WriteFile(early, "x", 1, &length, NULL), "a client may come and ask");
    CHECK(late == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY, "the next one is told to wait");
    CHECK(pipe_count == 0, "nobody is let in yet");
    jp_win32_listener_free(listener);
    CHECK(!ReadFile(early, &byte, 1, &length, NULL) && GetLastError() == ERROR_BROKEN_PIPE, "if the start fails, it is told so");
    CloseHandle(early);
    CHECK(try_to_connect(wide) == INVALID_HANDLE_VALUE && GetLastError() == ERROR_FILE_NOT_FOUND, "and the name is gone");

    STATUS(jp_win32_listener_new(&options, &listener, &error), JP_OK, "the next start has it again");
    CloseHandle(try_to_connect(wide)); /* came and went */
    STATUS(jp_win32_listener_start(listener, &error), JP_OK, "it opens its door after a client that has gone");
    late = connect_to(wide);
    CHECK(late != INVALID_HANDLE_VALUE && pipes_reach(1), "others are let in");
    CloseHandle(late);
    jp_win32_listener_free(listener);
    close_pipes();

    if (!STATUS(jp_win32_listener_new(&options, &listener, &error), JP_OK, "and the next"))
        return;
    early = try_to_connect(wide);
    WriteFile(early, "x", 1, &length, NULL);
    STATUS(jp_win32_listener_start(listener, &error), JP_OK, "it opens its door to a client that waits");
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    bool heard = pipes_reach(1);
    if (heard && !ReadFile(pipes[0], &byte, 1, &length, &overlapped))
        heard = GetLastError() == ERROR_IO_PENDING && GetOverlappedResult(pipes[0], &overlapped, &length, TRUE);
    CHECK(heard && byte == 'x', "and hears what it had asked");
    CloseHandle(overlapped.hEvent);
    CloseHandle(early);
    jp_win32_listener_free(listener);
    close_pipes();
    jp_free(wide);
    jp_free(name);
}

static void test_sddl(void) {
    STATUS(jp_win32_sddl_check(JP_PIPE_DEFAULT_SECURITY, &error), JP_OK, "the pipe's own descriptor is one");
    STATUS(jp_win32_sddl_check("D:P(A;;GA;;;NOBODY)", &error), JP_E_PARAMS, "nonsense is not");
    STATUS(jp_win32_sddl_check("O:SY", &error), JP_E_PARAMS, "nor is one that lets everybody in");
}

int wmain(void); /* no header declares it */

int wmain(void) {
    InitializeCriticalSection(&pipes_lock);
    test_sddl();
    test_pipe();
    test_reserved();
    return finish();
}
