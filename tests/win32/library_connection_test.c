/* The client library's connection, against a server that this program plays itself: who serves the pipe, garbage, ends, and coming back.
 * Prints TAP. */
#include "library_server.h"

#include <string.h>

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

/* --- all --- */

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    (void)argc;
    (void)argv;
    play_server();

    struct jp_client_options nobody = {.pipe = "jobpool-nobody"}, remote = {.pipe = "\\\\there\\pipe\\x"};
    STATUS(jp_client_connect(&nobody, &client, &error), JP_E_SYSTEM, "where nobody serves there is no connection");
    STATUS(jp_client_connect(&remote, &client, &error), JP_E_PARAMS, "nor to another machine");
    jp_client_close(NULL);

    test_ends();
    test_connection_again();
    return finish();
}
