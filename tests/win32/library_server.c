#include "library_server.h"

#include <string.h>

/* --- the server --- */

static char pipe_name[64];
HANDLE server = INVALID_HANDLE_VALUE, transferred;
static struct jp_str input;

static bool finish_transfer(BOOL done, OVERLAPPED *overlapped, DWORD patience_ms, DWORD *ret_length) {
    DWORD code = GetLastError();
    if (!done && code != ERROR_IO_PENDING)
        return code == ERROR_PIPE_CONNECTED;
    if (WaitForSingleObject(overlapped->hEvent, patience_ms) != WAIT_OBJECT_0) {
        CancelIoEx(server, overlapped);
        GetOverlappedResult(server, overlapped, ret_length, TRUE);
        return false;
    }
    return GetOverlappedResult(server, overlapped, ret_length, TRUE);
}

void listen_again(void) {
    wchar_t wide[64];
    for (size_t i = 0; i < sizeof pipe_name; i++)
        wide[i] = (wchar_t)pipe_name[i];
    server = CreateNamedPipeW(wide, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_WAIT, 4, 64 << 10, 64 << 10, 0, NULL);
}

bool let_in(void) {
    OVERLAPPED overlapped = {.hEvent = transferred};
    DWORD length;
    jp_str_clear(&input);
    return finish_transfer(ConnectNamedPipe(server, &overlapped), &overlapped, PATIENCE_MS, &length);
}

bool say_in(const char *text, size_t length, DWORD patience_ms) {
    OVERLAPPED overlapped = {.hEvent = transferred};
    DWORD written = 0;
    return finish_transfer(WriteFile(server, text, (DWORD)length, NULL, &overlapped), &overlapped, patience_ms, &written);
}
bool say(const char *text) { return say_in(text, strlen(text), PATIENCE_MS); }

const char *hear(void) {
    static struct jp_str line;
    char chunk[4096];
    const char *end;
    while ((end = input.length == 0 ? NULL : memchr(input.data, '\n', input.length)) == NULL) {
        OVERLAPPED overlapped = {.hEvent = transferred};
        DWORD length = 0;
        if (!finish_transfer(ReadFile(server, chunk, sizeof chunk, NULL, &overlapped), &overlapped, PATIENCE_MS, &length) || length == 0)
            return "";
        jp_str_add(&input, chunk, length);
    }
    jp_str_clear(&line);
    jp_str_add(&line, input.data, (size_t)(end - input.data));
    jp_str_remove_front(&input, line.length + 1);
    return jp_str_text(&line);
}

unsigned long long id_in(const char *line) {
    const char *id = strstr(line, "\"id\":");
    return id == NULL ? 0 : strtoull(id + 5, NULL, 10);
}

void answer(unsigned long long id, const char *rest) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":%llu,%s}\n", id, rest);
    say(line);
    jp_free(line);
}

void hang_up(void) {
    CloseHandle(server);
    server = INVALID_HANDLE_VALUE;
}

/* --- the client, and what it was told --- */

struct jp_client *client;
static CRITICAL_SECTION told_lock;
static CONDITION_VARIABLE told_more = CONDITION_VARIABLE_INIT;
static struct jp_str told; /* lines */

void play_server(void) {
    snprintf(pipe_name, sizeof pipe_name, "\\\\.\\pipe\\jobpool-library-test-%lu", GetCurrentProcessId());
    InitializeCriticalSection(&told_lock);
    transferred = CreateEventW(NULL, TRUE, FALSE, NULL);
}

void tell(const char *format, ...) {
    va_list arguments;
    EnterCriticalSection(&told_lock);
    va_start(arguments, format);
    jp_str_vprintf(&told, format, arguments);
    va_end(arguments);
    jp_str_putc(&told, '\n');
    LeaveCriticalSection(&told_lock);
    WakeAllConditionVariable(&told_more);
}

bool is_told(const char *text, bool next) {
    uint64_t until = GetTickCount64() + PATIENCE_MS;
    const char *found;
    EnterCriticalSection(&told_lock);
    while ((found = strstr(jp_str_text(&told), text)) == NULL && GetTickCount64() < until)
        SleepConditionVariableCS(&told_more, &told_lock, 100);
    bool good = found != NULL && (!next || found == told.data);
    if (!good)
        printf("# wanted: %s; told: %s\n", text, jp_str_text(&told));
    if (found != NULL) {
        size_t end = (size_t)(found - told.data) + strlen(text);
        while (told.data[end - 1] != '\n')
            end++;
        jp_str_remove_front(&told, end);
    }
    LeaveCriticalSection(&told_lock);
    return good;
}
bool was_told(const char *text) { return is_told(text, false); }

bool has_been_told(const char *text) {
    EnterCriticalSection(&told_lock);
    bool found = strstr(jp_str_text(&told), text) != NULL;
    LeaveCriticalSection(&told_lock);
    return found;
}

bool nothing_told(void) {
    EnterCriticalSection(&told_lock);
    bool nothing = told.length == 0;
    if (!nothing)
        printf("# told: %s\n", told.data);
    jp_str_clear(&told);
    LeaveCriticalSection(&told_lock);
    return nothing;
}

void on_answer(void *context, uint64_t call, const struct jp_client_answer *given) {
    (void)call;
    tell("%s: %s %s", (const char *)context, jp_status_name(given->status), given->result != NULL ? given->result : given->error.text);
}
void on_progress(void *context, uint64_t call, const char *value) {
    (void)call;
    tell("%s at %s", (const char *)context, value);
}
void on_event(void *context, uint64_t seq, const char *event) {
    (void)context;
    (void)event;
    tell("event %llu", (unsigned long long)seq);
}
static void on_news(void *context, const struct jp_client_news *news) {
    static const char *const names[] = {"subscribed", "interrupted", "gap", "renumbered", "ended"};
    (void)context;
    tell("%s %llu %s%s", names[news->notice], (unsigned long long)news->seq, news->json == NULL ? "" : news->json,
         news->error == NULL ? "" : news->error->text);
}
static void on_state(void *context, enum jp_client_state state, const struct jp_error *why) {
    static const char *const names[] = {"state connected", "state lost", "state gone"};
    (void)context;
    tell("%s %s", names[state], why == NULL ? "" : why->text);
}

bool begin_with(uint32_t reconnect_ms) {
    struct jp_client_options options = {.pipe = pipe_name, .reconnect_ms = reconnect_ms, .on_state = on_state};
    if (server == INVALID_HANDLE_VALUE)
        listen_again();
    jp_str_clear(&told);
    return STATUS(jp_client_connect(&options, &client, &error), JP_OK, "connected") && CHECK(let_in(), "to this server");
}

void end_all(void) {
    jp_client_close(client);
    client = NULL;
    hang_up();
}

uint64_t start(const char *name, const char *params, uint32_t timeout_ms, bool progress) {
    struct jp_client_request request = {.method = name, .params = params, .timeout_ms = timeout_ms, .context = jp_strdup(name),
                                        .on_answer = on_answer, .on_progress = progress ? on_progress : NULL};
    uint64_t call = 0;
    if (jp_client_start(client, &request, &call, &error) != JP_OK)
        printf("# %s: %s\n", name, error.text);
    return call;
}

uint64_t subscribe(const char *params) {
    struct jp_client_wish wish = {.params = params, .on_event = on_event, .on_news = on_news};
    uint64_t subscription = 0;
    STATUS(jp_client_subscribe(client, &wish, &subscription, &error), JP_OK, "a subscription is wished for");
    return subscription;
}
