/* Calls of the client library, against a server that this program plays itself: answers in any order and in pieces, progress, times, many
 * threads, an end in the midst. Prints TAP. */
#include "library_server.h"

#include <process.h>
#include <string.h>

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
    CHECK(has_been_told("blocked: cancelled") && has_been_told("pending: cancelled"), "closing ends calls, those of other threads too");
}

static HANDLE ended;

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

/* --- all --- */

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    (void)argc;
    (void)argv;
    play_server();
    ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    test_answers();
    test_params();
    test_progress();
    test_timeout_and_cancellation();
    test_silence();
    test_threads();
    test_close();
    test_inside_callbacks();
    test_bounds();
    return finish();
}
