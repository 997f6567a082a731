/* Subscriptions of the client library, against a server that this program plays itself: gaps, restarts with other numbers, a program that is
 * slow to listen. Prints TAP. */
#include "library_server.h"

#include <string.h>

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

static HANDLE gate;

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
    play_server();
    gate = CreateEventW(NULL, TRUE, FALSE, NULL);
    test_events();
    test_other_numbers();
    test_slow_callback();
    return finish();
}
