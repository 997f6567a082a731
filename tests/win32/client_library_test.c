/* The client library against a server that this program plays itself, line by line: answers in any order and in pieces, garbage, ends,
 * restarts with other numbers, a program that is slow to listen. Prints TAP. */
#include "tap.h"

#include "base/str.h"
#include "jobpool/client.h"

#include <process.h>
#include <string.h>
#include <windows.h>

/* --- the server --- */

static char pipe_name[64];
static HANDLE server = INVALID_HANDLE_VALUE, transferred;
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

static void listen_again(void) {
    wchar_t wide[64];
    for (size_t i = 0; i < sizeof pipe_name; i++)
        wide[i] = (wchar_t)pipe_name[i];
    server = CreateNamedPipeW(wide, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_WAIT, 4, 64 << 10, 64 << 10, 0, NULL);
}

static bool let_in(void) {
    OVERLAPPED overlapped = {.hEvent = transferred};
    DWORD length;
    jp_str_clear(&input);
    return finish_transfer(ConnectNamedPipe(server, &overlapped), &overlapped, PATIENCE_MS, &length);
}

static bool say_in(const char *text, size_t length, DWORD patience_ms) {
    OVERLAPPED overlapped = {.hEvent = transferred};
    DWORD written = 0;
    return finish_transfer(WriteFile(server, text, (DWORD)length, NULL, &overlapped), &overlapped, patience_ms, &written);
}
static bool say(const char *text) { return say_in(text, strlen(text), PATIENCE_MS); }

/* The next line that the client sent; "" if none comes. Good until the next. */
static const char *hear(void) {
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

static unsigned long long id_in(const char *line) {
    const char *id = strstr(line, "\"id\":");
    return id == NULL ? 0 : strtoull(id + 5, NULL, 10);
}

static void answer(unsigned long long id, const char *rest) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":%llu,%s}\n", id, rest);
    say(line);
    jp_free(line);
}

/* Without flushing: what the client did not read is lost. */
static void hang_up(void) {
    CloseHandle(server);
    server = INVALID_HANDLE_VALUE;
}

/* --- the client, and what it was told --- */

static struct jp_client *client;
static CRITICAL_SECTION told_lock;
static CONDITION_VARIABLE told_more = CONDITION_VARIABLE_INIT;
static struct jp_str told; /* lines */

static void tell(const char *format, ...) JP_PRINTF(1, 2);
static void tell(const char *format, ...) {
    va_list arguments;
    EnterCriticalSection(&told_lock);
    va_start(arguments, format);
    jp_str_vprintf(&told, format, arguments);
    va_end(arguments);
    jp_str_putc(&told, '\n');
    LeaveCriticalSection(&told_lock);
    WakeAllConditionVariable(&told_more);
}

/* Whether a text comes, with `next` as the very next; then what was told up to the end of its line is forgotten. */
static bool is_told(const char *text, bool next) {
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
static bool was_told(const char *text) { return is_told(text, false); }

static bool nothing_told(void) { /* since */
    EnterCriticalSection(&told_lock);
    bool nothing = told.length == 0;
    if (!nothing)
        printf("# told: %s\n", told.data);
    jp_str_clear(&told);
    LeaveCriticalSection(&told_lock);
    return nothing;
}

static void on_answer(void *context, uint64_t call, const struct jp_client_answer *given) {
    (void)call;
    tell("%s: %s %s", (const char *)context, jp_status_name(given->status), given->result != NULL ? given->result : given->error.text);
}
static void on_progress(void *context, uint64_t call, const char *value) {
    (void)call;
    tell("%s at %s", (const char *)context, value);
}
static void on_event(void *context, uint64_t seq, const char *event) {
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

static bool begin_with(uint32_t reconnect_ms) {
    struct jp_client_options options = {.pipe = pipe_name, .reconnect_ms = reconnect_ms, .on_state = on_state};
    if (server == INVALID_HANDLE_VALUE)
        listen_again();
    jp_str_clear(&told);
    return STATUS(jp_client_connect(&options, &client, &error), JP_OK, "connected") && CHECK(let_in(), "to this server");
}

static void end_all(void) {
    jp_client_close(client);
    client = NULL;
    hang_up();
}

static uint64_t start(const char *name, const char *params, uint32_t timeout_ms, bool progress) {
    struct jp_client_request request = {.method = name, .params = params, .timeout_ms = timeout_ms, .context = jp_strdup(name),
                                        .on_answer = on_answer, .on_progress = progress ? on_progress : NULL};
    uint64_t call = 0;
    if (jp_client_start(client, &request, &call, &error) != JP_OK)
        printf("# %s: %s\n", name, error.text);
    return call;
}

static uint64_t subscribe(const char *params) {
    struct jp_client_wish wish = {.params = params, .on_event = on_event, .on_news = on_news};
    uint64_t subscription = 0;
    STATUS(jp_client_subscribe(client, &wish, &subscription, &error), JP_OK, "a subscription is wished for");
    return subscription;
}

/* --- calls --- */

static void test_answers(void) {
    if (!begin_with(0))
        return;
    start("one", "{\n \"a\": [1,\r\n 2]}", 0, false);
    const char *line = hear();
    CHECK(strstr(line, "\"method\":\"one\",\"params\":{  \"a\": [1,   2]}}") != NULL, "parameters on many lines are sent on one");
    unsigned long long id = id_in(line);
    say("\r\n\n{\"jsonrpc\":\"2.0\",");
    char *rest = jp_sprintf("\"result\":{\"n\":\"\xC3\xA4\"},\"id\":%llu}\r\n{\"jsonrpc\":\"2.0\",\"method\":\"new\"}\n", id);
    for (const char *byte = rest; *byte != '\0'; byte++)
        say_in(byte, 1, PATIENCE_MS);
    jp_free(rest);
    CHECK(was_told("one: ok {\"n\":\"\xC3\xA4\"}"), "an answer is put together from pieces; blank lines and unknown notifications are passed over");

    start("first", NULL, 0, false);
    start("second", "[1]", 0, false);
    unsigned long long first = id_in(hear()), second = id_in(hear());
    answer(second, "\"result\":2");
    CHECK(was_told("second: ok 2"), "answers come in any order");
    answer(first, "\"error\":{\"code\":-32010,\"message\":\"no\",\"data\":{\"win32\":5}}");
    CHECK(was_told("first: system_error no"), "a refusal is the service's");
    answer(first, "\"result\":1");
    answer(4711, "\"result\":1");
    start("after", NULL, 0, false);
    answer(id_in(hear()), "\"result\":null");
    CHECK(is_told("after: ok null", true), "answers that nobody waits for are passed over");
    CHECK(nothing_told(), "each call ends once");

    start("wide", NULL, 0, false);
    hear();
    say("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,\"message\":\"too long\"}}\n");
    CHECK(was_told("wide: quota_exceeded too long"), "an error to no call is that of the one under way");
    end_all();
}

static void test_params(void) {
    struct jp_client_request request = {.method = "m", .on_answer = on_answer, .on_progress = on_progress};
    char *result = NULL;
    if (!begin_with(0))
        return;
    STATUS(jp_client_call(client, "m", "{\"a\":", 0, &result, &error), JP_E_PARSE, "parameters that are no JSON");
    STATUS(jp_client_call(client, "m", "{\"a\":1,\"a\":2}", 0, &result, &error), JP_E_PARSE, "a key twice");
    STATUS(jp_client_call(client, "m", "7", 0, &result, &error), JP_E_PARAMS, "a number is no parameters");
    STATUS(jp_client_call(client, NULL, NULL, 0, &result, &error), JP_E_PARAMS, "a call without a method");
    request.params = "[1]";
    STATUS(jp_client_start(client, &request, NULL, &error), JP_E_PARAMS, "a list cannot have a token");
    request.params = "{\"progressToken\":1}";
    STATUS(jp_client_start(client, &request, NULL, &error), JP_E_PARAMS, "the token is the library's");
    struct jp_client_wish wish = {.params = "[]", .on_event = on_event};
    STATUS(jp_client_subscribe(client, &wish, NULL, &error), JP_E_PARAMS, "a subscription's parameters are an object");
    CHECK(result == NULL, "no result is written on failure");
    CHECK(!jp_client_cancel(client, 99) && !jp_client_unsubscribe(client, 99), "what was never begun cannot be ended");
    end_all();
}

static void test_progress(void) {
    if (!begin_with(0))
        return;
    uint64_t call = start("long", "{\"a\":1}", 0, true);
    const char *line = hear();
    char *token = jp_sprintf("\"params\":{\"progressToken\":%llu,\"a\":1}", (unsigned long long)call);
    CHECK(strstr(line, token) != NULL, "a token is added");
    char *progress = jp_sprintf("{\"jsonrpc\":\"2.0\",\"method\":\"$/progress\",\"params\":{\"token\":%llu,\"value\":{\"done\":1}}}\n",
                                (unsigned long long)call);
    say(progress);
    CHECK(was_told("long at {\"done\":1}"), "progress is told");
    answer(call, "\"result\":{}");
    CHECK(was_told("long: ok {}"), "then the answer");
    say(progress);
    start("next", NULL, 0, true);
    line = hear();
    CHECK(strstr(line, "\"params\":{\"progressToken\":") != NULL, "also without parameters");
    answer(id_in(line), "\"result\":1");
    CHECK(is_told("next: ok 1", true) && nothing_told(), "no progress after the answer");
    jp_free(token);
    jp_free(progress);
    end_all();
}

static void test_timeout_and_cancellation(void) {
    if (!begin_with(0))
        return;
    uint64_t call = start("slow", NULL, 30, false);
    hear();
    CHECK(was_told("slow: timed_out"), "a call's time is out");
    char *wanted = jp_sprintf("\"method\":\"rpc.cancel\",\"params\":{\"id\":%llu}", (unsigned long long)call);
    CHECK(strstr(hear(), wanted) != NULL, "the service is told");
    jp_free(wanted);
    answer(call, "\"result\":1");

    call = start("wait", NULL, 0, false);
    hear();
    CHECK(jp_client_cancel(client, call), "a call is taken back");
    CHECK(strstr(hear(), "rpc.cancel") != NULL, "the service is told");
    answer(call, "\"error\":{\"code\":-32800,\"message\":\"cancelled\"}");
    CHECK(was_told("wait: cancelled cancelled"), "and answers");
    CHECK(!jp_client_cancel(client, call), "there is nothing to take back any more");

    call = start("late", NULL, 0, false);
    hear();
    jp_client_cancel(client, call);
    jp_client_cancel(client, call);
    hear();
    answer(call, "\"result\":\"done\"");
    CHECK(was_told("late: ok \"done\""), "what was done already has its result");
    call = start("mute", NULL, 0, false);
    hear();
    jp_client_cancel(client, call);
    CHECK(strstr(hear(), "rpc.cancel") != NULL, "the service is told once a call");
    CHECK(was_told("mute: cancelled"), "a service that says nothing is not waited for");
    CHECK(nothing_told(), "each ends once");
    end_all();
}

static void test_silence(void) {
    if (!begin_with(0))
        return;
    CHECK(strstr(hear(), "{\"jsonrpc\":\"2.0\",\"method\":\"$/") != NULL, "a program that has nothing to ask yet is not cut off as a silent one");
    end_all();
}

/* --- threads --- */

enum { THREADS = 8, CALLS = 40 };
static volatile LONG good_calls;

static unsigned __stdcall call_many(void *number) {
    for (int i = 0; i < CALLS; i++) {
        char *method = jp_sprintf("t%d.%d", *(int *)number, i), *result = NULL, *wanted = jp_sprintf("\"%s\"", method);
        struct jp_error own = {0};
        if (jp_client_call(client, method, NULL, 60000, &result, &own) == JP_OK && strcmp(result, wanted) == 0)
            InterlockedIncrement(&good_calls);
        else
            tell("%s: %s", method, own.text);
        jp_client_free_text(result);
        jp_free(method);
        jp_free(wanted);
    }
    return 0;
}

/* All threads have a call under way, or as many as are left; the last one asked is answered first. */
static void answer_backwards(void) {
    for (int round = 0; round < CALLS; round++) {
        char *answers[THREADS];
        for (int i = 0; i < THREADS; i++) {
            const char *line = hear(), *method = strstr(line, "\"method\":\"");
            const char *name = method == NULL ? "" : method + strlen("\"method\":\"");
            answers[i] = jp_sprintf("{\"jsonrpc\":\"2.0\",\"result\":\"%.*s\",\"id\":%llu}\n", (int)strcspn(name, "\""), name, id_in(line));
        }
        for (int i = THREADS - 1; i >= 0; i--) {
            say(answers[i]);
            jp_free(answers[i]);
        }
    }
}

static void test_threads(void) {
    HANDLE threads[THREADS];
    int numbers[THREADS];
    if (!begin_with(0))
        return;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        threads[i] = (HANDLE)_beginthreadex(NULL, 0, call_many, &numbers[i], 0, NULL);
    }
    answer_backwards();
    CHECK(WaitForMultipleObjects(THREADS, threads, TRUE, PATIENCE_MS) != WAIT_TIMEOUT, "threads call at once");
    for (int i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
    CHECK(good_calls == THREADS * CALLS, "each has its own answers");
    end_all();
}

static unsigned __stdcall call_in_vain(void *unused) {
    struct jp_error own = {0};
    (void)unused;
    jp_status status = jp_client_call(client, "blocked", NULL, 0, NULL, &own);
    tell("blocked: %s", jp_status_name(status));
    return 0;
}

static void test_close(void) {
    if (!begin_with(0))
        return;
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, call_in_vain, NULL, 0, NULL);
    start("pending", NULL, 0, false);
    hear();
    hear();
    end_all();
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    EnterCriticalSection(&told_lock);
    bool both = strstr(jp_str_text(&told), "blocked: cancelled") != NULL && strstr(jp_str_text(&told), "pending: cancelled") != NULL;
    LeaveCriticalSection(&told_lock);
    CHECK(both, "closing ends calls, those of other threads too");
}

static HANDLE gate, ended;

static void close_in_callback(void *context, uint64_t call, const struct jp_client_answer *given) {
    static char never[] = "never";
    struct jp_client_request request = {.method = never, .context = never, .on_answer = on_answer};
    struct jp_error own = {0};
    (void)call;
    (void)given;
    tell("inside: %s", jp_status_name(jp_client_call(client, "m", NULL, 0, NULL, &own)));
    tell("started: %s", jp_status_name(jp_client_start(client, &request, NULL, &own)));
    jp_client_close(client);
    SetEvent(context);
}

static void test_inside_callbacks(void) {
    struct jp_client_request request = {.method = "m", .context = ended, .on_answer = close_in_callback};
    if (!begin_with(0))
        return;
    STATUS(jp_client_start(client, &request, NULL, &error), JP_OK, "a call is begun");
    answer(id_in(hear()), "\"result\":1");
    CHECK(was_told("inside: invalid_request"), "a callback cannot wait for an answer");
    CHECK(was_told("started: ok"), "but begin a call");
    WaitForSingleObject(ended, INFINITE);
    CHECK(was_told("never: cancelled"), "and close, which ends that");
    while (*hear() != '\0')
        continue;
    CHECK(true, "and the connection");
    hang_up();
}

/* --- connections that end --- */

static void test_ends(void) {
    if (!begin_with(0))
        return;
    start("asked", NULL, 0, false);
    hear();
    hang_up();
    CHECK(was_told("asked: system_error the service closed the connection"), "a call ends with its connection");
    CHECK(was_told("state gone"), "which is told");
    STATUS(jp_client_call(client, "m", NULL, 0, NULL, &error), JP_E_SYSTEM, "further calls fail at once");
    struct jp_client_wish wish = {.on_event = on_event};
    STATUS(jp_client_subscribe(client, &wish, NULL, &error), JP_E_SYSTEM, "subscriptions too");
    end_all();

    if (!begin_with(0))
        return;
    start("asked", NULL, 0, false);
    hear();
    say("Good morning!\n");
    CHECK(was_told("asked: parse_error the server of the pipe does not speak JSON-RPC"), "who speaks something else is left");
    end_all();

    if (!begin_with(0))
        return;
    start("asked", NULL, 0, false);
    hear();
    static char chunk[1 << 20];
    memset(chunk, 'x', sizeof chunk);
    size_t said = 0;
    while (said < 64 && say_in(chunk, sizeof chunk, PATIENCE_MS))
        said++;
    CHECK(was_told("asked: parse_error the server of the pipe sent a line of more than"), "a line that does not end is not kept");
    CHECK(said < 20, "for long");
    end_all();

    if (!begin_with(0))
        return;
    say("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,\"message\":\"we are full\"}}\n");
    FlushFileBuffers(server);
    hang_up();
    CHECK(was_told("state gone we are full"), "the last words of who turns us away are the reason");
    STATUS(jp_client_call(client, "m", NULL, 0, NULL, &error), JP_E_QUOTA, "for every call");
    end_all();
}

static void test_bounds(void) {
    uint64_t call = 0;
    if (!begin_with(0))
        return;
    for (int i = 0; i < JP_CLIENT_CALLS_MAX; i++)
        call = start("m", NULL, 0, false);
    CHECK(call != 0, "so many calls may be open");
    struct jp_client_request request = {.method = "m", .on_answer = on_answer};
    STATUS(jp_client_start(client, &request, NULL, &error), JP_E_QUOTA, "no more");
    hear();
    answer(1, "\"result\":1");
    CHECK(was_told("m: ok 1"), "one is answered");
    STATUS(jp_client_start(client, &request, NULL, &error), JP_OK, "then there is room for another");
    end_all();
}

static void test_connection_again(void) {
    if (!begin_with(60000))
        return;
    start("sent", NULL, 0, false);
    hear();
    hang_up();
    CHECK(was_told("sent: system_error") && was_told("state lost"), "what was sent has failed");
    start("waits", NULL, 0, false);
    uint64_t back = start("back", NULL, 0, false);
    start("short", NULL, 30, false);
    CHECK(jp_client_cancel(client, back) && was_told("back: cancelled the call was taken back before it was sent"), "what was not can be taken back");
    CHECK(was_told("short: timed_out there was no connection"), "or be too late");
    listen_again();
    CHECK(let_in() && was_told("state connected"), "the connection is made again");
    const char *line = hear();
    CHECK(strstr(line, "\"waits\"") != NULL, "what waited is sent");
    answer(id_in(line), "\"result\":1");
    CHECK(is_told("waits: ok 1", true) && nothing_told(), "and answered; nothing else was");
    end_all();

    if (!begin_with(1500))
        return;
    subscribe(NULL);
    answer(id_in(hear()), "\"result\":{\"subscription\":1,\"seq\":7}");
    CHECK(was_told("subscribed 8"), "a subscription begins behind the last event");
    hang_up();
    CHECK(was_told("state lost"), "the connection is lost");
    start("waits", NULL, 0, false);
    CHECK(was_told("waits: system_error cannot open the pipe"), "who waits for a service that does not come back is told");
    CHECK(was_told("ended 8 cannot open the pipe"), "so are subscriptions");
    CHECK(was_told("state gone"), "it is not tried for ever");
    end_all();
}

/* --- events --- */

static void event(unsigned number, unsigned seq) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":%u,\"seq\":%u}}\n", number, seq);
    say(line);
    jp_free(line);
}

/* The service takes the subscription, if it is asked for as expected. */
static void take_subscription(const char *params, unsigned number, unsigned seq) {
    const char *line = hear();
    bool good = strstr(line, "\"events.subscribe\"") != NULL && strstr(line, params) != NULL;
    if (!good)
        printf("# wanted %s, heard %s\n", params, line);
    CHECK(good, "it is subscribed as it should be");
    char *result = jp_sprintf("\"result\":{\"subscription\":%u,\"seq\":%u}", number, seq);
    answer(id_in(line), result);
    jp_free(result);
}

static void test_events(void) {
    if (!begin_with(60000))
        return;
    uint64_t subscription = subscribe("{\"pools\":[\"a\"]}");
    take_subscription("\"params\":{\"pools\":[\"a\"]}", 3, 10);
    event(3, 11);
    event(4, 12); /* somebody else's */
    event(3, 12);
    event(3, 12);
    event(3, 5);
    say("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":3,\"gap\":{\"from\":13,\"to\":20,\"reason\":\"purged\"}}}\n");
    say("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":3,\"gap\":{\"from\":21,\"to\":23,\"reason\":\"slow\"}}}\n");
    event(3, 21);
    CHECK(was_told("subscribed 11 \nevent 11\nevent 12\ngap 13 {\"from\":13,\"to\":20,\"reason\":\"purged\"}\n"
                   "gap 21 {\"from\":21,\"to\":23,\"reason\":\"slow\"}\nevent 21\n"), "each event once, and what is gone is told");
    say("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":3,\"se"); /* in the midst of event 22 */
    FlushFileBuffers(server);
    hang_up();
    CHECK(was_told("interrupted 22 the service closed the connection"), "the subscription rests");
    listen_again();
    CHECK(let_in(), "the service is back");
    take_subscription("\"params\":{\"pools\":[\"a\"],\"fromSeq\":22}", 1, 25);
    event(1, 21);
    event(1, 22);
    CHECK(was_told("subscribed 22 \nevent 22\n"), "it goes on behind the last event");
    say("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":1,\"end\":{\"nextSeq\":23,"
        "\"error\":{\"code\":-32012,\"message\":\"no disk\"}}}}\n");
    CHECK(was_told("interrupted 23 {\"code\":-32012,\"message\":\"no disk\"}no disk"), "a service without its database is told");
    take_subscription("\"fromSeq\":23}", 2, 25);
    CHECK(was_told("subscribed 23"), "and asked again");
    CHECK(jp_client_unsubscribe(client, subscription), "a subscription is ended");
    CHECK(strstr(hear(), "\"events.unsubscribe\",\"params\":{\"subscription\":2}") != NULL, "which the service is told");
    event(2, 23);
    start("m", NULL, 0, false);
    answer(id_in(hear()), "\"result\":1");
    CHECK(is_told("m: ok 1", true), "the connection stays");
    CHECK(nothing_told() && !jp_client_unsubscribe(client, subscription), "nothing more is told of it");
    end_all();
}

static void test_other_numbers(void) {
    if (!begin_with(60000))
        return;
    subscribe("{\"fromSeq\":5}");
    take_subscription("\"fromSeq\":5", 1, 9);
    event(1, 9);
    CHECK(was_told("subscribed 5 \nevent 9"), "from the past");
    hang_up();
    listen_again();
    CHECK(let_in(), "the service is back");
    take_subscription("\"fromSeq\":10", 1, 4);
    CHECK(strstr(hear(), "\"events.unsubscribe\"") != NULL, "its numbers are smaller: that will not do");
    take_subscription("\"fromSeq\":1}", 2, 4);
    event(2, 1);
    CHECK(was_told("interrupted 10") && was_told("renumbered 4 \nsubscribed 1 \nevent 1\n"), "all of another database follows");
    end_all();

    if (!begin_with(60000))
        return;
    subscribe("{\"pools\":[7]}");
    answer(id_in(hear()), "\"error\":{\"code\":-32602,\"message\":\"no list of names\"}");
    CHECK(was_told("ended 0 {\"code\":-32602,\"message\":\"no list of names\"}no list of names"), "a subscription that is refused has ended");
    end_all();
}

static void wait_at_gate(void *context, uint64_t seq, const char *text) {
    (void)context;
    (void)text;
    WaitForSingleObject(gate, INFINITE);
    if (seq % 1000 == 0)
        tell("event %llu", (unsigned long long)seq);
    *(uint64_t *)context += seq; /* only this thread; read when it is done */
}

/* More than may wait is said to a program that does not listen; then it does. */
static void test_slow_callback(void) {
    enum { EVENTS = 20000, PADDING = 1000 };
    static char padding[PADDING + 1];
    uint64_t sum = 0, subscription;
    unsigned said = 0;
    struct jp_client_wish wish = {.context = &sum, .on_event = wait_at_gate};
    if (!begin_with(0))
        return;
    memset(padding, 'x', PADDING);
    STATUS(jp_client_subscribe(client, &wish, &subscription, &error), JP_OK, "a slow program subscribes");
    take_subscription("{}", 1, 0);
    bool stuck = false;
    while (said < EVENTS) {
        char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"subscription\":1,\"seq\":%u,\"detail\":\"%s\"}}\n",
                                said + 1, padding);
        OVERLAPPED overlapped = {.hEvent = transferred};
        DWORD written = 0;
        BOOL done = WriteFile(server, line, (DWORD)strlen(line), NULL, &overlapped);
        if (!done && GetLastError() == ERROR_IO_PENDING && !stuck && WaitForSingleObject(transferred, 500) == WAIT_TIMEOUT) {
            stuck = true;
            printf("# stuck at event %u\n", said + 1);
            SetEvent(gate);
        }
        if (!GetOverlappedResult(server, &overlapped, &written, TRUE))
            break;
        jp_free(line);
        said++;
    }
    CHECK(stuck, "what a program does not listen to is not taken without end");
    CHECK(was_told("event 20000"), "nothing of it is lost");
    jp_client_unsubscribe(client, subscription);
    CHECK(sum == (uint64_t)EVENTS * (EVENTS + 1) / 2, "nor twice");
    end_all();
}

/* --- all --- */

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    (void)argc;
    (void)argv;
    snprintf(pipe_name, sizeof pipe_name, "\\\\.\\pipe\\jobpool-library-test-%lu", GetCurrentProcessId());
    InitializeCriticalSection(&told_lock);
    transferred = CreateEventW(NULL, TRUE, FALSE, NULL);
    gate = CreateEventW(NULL, TRUE, FALSE, NULL);
    ended = CreateEventW(NULL, TRUE, FALSE, NULL);

    struct jp_client_options nobody = {.pipe = "jobpool-nobody"}, remote = {.pipe = "\\\\there\\pipe\\x"};
    STATUS(jp_client_connect(&nobody, &client, &error), JP_E_SYSTEM, "where nobody serves there is no connection");
    STATUS(jp_client_connect(&remote, &client, &error), JP_E_PARAMS, "nor to another machine");
    jp_client_close(NULL);

    test_answers();
    test_params();
    test_progress();
    test_timeout_and_cancellation();
    test_silence();
    test_threads();
    test_close();
    test_inside_callbacks();
    test_ends();
    test_bounds();
    test_connection_again();
    test_events();
    test_other_numbers();
    test_slow_callback();
    return finish();
}
