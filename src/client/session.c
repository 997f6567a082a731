/* The I/O thread: the connection from one loss to the next, what goes out, what comes in, and when something is due. */
#include "client/client_internal.h"

#include <string.h>

enum {
    LAST_WORDS_MS = 1000, /* a server that turns us away says why before it closes; then the words are there, though ours did not get through */
    STEADY_MS = 10000,    /* a connection that held so long was a good one */
    GREETING_MS = 2000,   /* the service closes connections that say nothing: so much before that, we do */
};
static const char greeting[] = "{\"jsonrpc\":\"2.0\",\"method\":\"$/hello\"}\n"; /* notifications that a server does not know it passes over */

/* --- the connection --- */

/* With the lock. It is not tried again. */
static void give_up(struct jp_client *client, const struct jp_client_answer *why) {
    client->gone = true;
    client->reason = why->error;
    jp__calls_lost(client, why, true);
    jp__subscriptions_end(client, &why->error);
    jp__tell_state(client, JP_CLIENT_GONE, &why->error);
}

/* When to try next; the last attempt is at the end of the time. */
static void set_pause(struct jp_client *client, uint64_t now_ms) {
    client->retry_ms = now_ms + client->pause_ms;
    jp__earlier(&client->retry_ms, jp__later(client->outage_since_ms, client->options.reconnect_ms));
    client->pause_ms = client->pause_ms == 0 ? JP__PAUSE_FIRST_MS : client->pause_ms * 2 < JP__PAUSE_MAX_MS ? client->pause_ms * 2 : JP__PAUSE_MAX_MS;
}

static bool time_is_out(const struct jp_client *client, uint64_t now_ms) {
    return now_ms >= jp__later(client->outage_since_ms, client->options.reconnect_ms);
}

static void forget_connection(struct jp_client *client) {
    jp_pipe_close(client->pipe);
    client->pipe = NULL;
    client->reading = client->write_failed = client->answered = client->spoken = false;
    jp__line_free(client->writing);
    client->writing = NULL;
    jp_str_clear(&client->received);
    client->taken = client->scanned = 0;
}

static void lose(struct jp_client *client, const struct jp_error *error) {
    uint64_t now = GetTickCount64();
    struct jp_client_answer why = {.status = error->status, .error = *error};
    AcquireSRWLockExclusive(&client->lock);
    if (client->last_words.status != JP_OK) {
        why = client->last_words;
        client->last_words = (struct jp_client_answer){0};
    }
    if (client->outage_since_ms == 0 || client->answered || now - client->connected_since_ms > STEADY_MS) {
        client->outage_since_ms = now;
        client->pause_ms = 0;
    }
    if (client->writing != NULL)
        client->unsent_bytes -= client->writing->text.length;
    client->connected = false;
    if (time_is_out(client, now)) {
        give_up(client, &why);
    } else {
        jp__subscriptions_lost(client, &why.error);
        jp__calls_lost(client, &why, false);
        jp__tell_state(client, JP_CLIENT_LOST, &why.error);
    }
    ReleaseSRWLockExclusive(&client->lock);
    jp_client_answer_clear(&why);
    forget_connection(client);
    set_pause(client, now);
}

static void connect_again(struct jp_client *client, uint64_t now_ms) {
    struct jp_error error = {0};
    struct jp_pipe_options how = { /* busy: that is a pause like another */
        .name = client->options.pipe, .level = client->options.impersonate ? JP_PIPE_IMPERSONATE : JP_PIPE_IDENTIFY};
    jp_status status = jp_pipe_open(&how, &client->pipe, &error);
    AcquireSRWLockExclusive(&client->lock);
    if (status == JP_OK) {
        client->connected = true;
        client->connected_since_ms = now_ms;
        jp__tell_state(client, JP_CLIENT_CONNECTED, NULL);
    } else if (time_is_out(client, now_ms)) {
        give_up(client, &(struct jp_client_answer){.status = status, .error = error});
    }
    ReleaseSRWLockExclusive(&client->lock);
    if (status != JP_OK)
        set_pause(client, now_ms);
}

/* --- out --- */

static void greet_if_silent(struct jp_client *client, uint64_t now_ms, uint64_t *when_ms) {
    uint64_t due = client->connected_since_ms + GREETING_MS;
    struct jp_str line = {0};
    if (client->spoken)
        return;
    if (now_ms < due) {
        jp__earlier(when_ms, due);
        return;
    }
    jp_str_puts(&line, greeting);
    jp__line_add(client, 0, &line);
}

/* With the lock. */
static void begin_writing(struct jp_client *client) {
    struct jp__line *line = client->first_line;
    if (line == NULL || client->writing != NULL || client->write_failed)
        return;
    client->first_line = line->next;
    if (line->next == NULL)
        client->last_line = NULL;
    struct jp__call *call = line->call == 0 ? NULL : jp__call_find(client, line->call);
    if (call != NULL)
        call->sent = true;
    client->writing = line;
    client->spoken = true;
    jp_pipe_begin_write(client->pipe, line->text.data, line->text.length);
}

static void finish_writing(struct jp_client *client) {
    client->write_failed = jp_pipe_finish_write(client->pipe, &client->write_error) != JP_OK;
    client->last_words_until_ms = GetTickCount64() + LAST_WORDS_MS;
    AcquireSRWLockExclusive(&client->lock);
    client->unsent_bytes -= client->writing->text.length;
    ReleaseSRWLockExclusive(&client->lock);
    jp__line_free(client->writing);
    client->writing = NULL;
}

/* --- in --- */

static bool has_room(struct jp_client *client) {
    AcquireSRWLockExclusive(&client->lock);
    bool room = client->waiting_bytes < JP_CLIENT_WAITING_BYTES && !client->closing;
    ReleaseSRWLockExclusive(&client->lock);
    return room;
}

/* The lines that are whole, as long as there is room for what they say. *ret_full: there is none, and there may be more of them. */
static jp_status take_lines(struct jp_client *client, bool *ret_full, struct jp_error *error) {
    struct jp_str *received = &client->received;
    jp_status status = JP_OK;
    *ret_full = false;
    while (status == JP_OK && client->scanned < received->length) {
        *ret_full = !has_room(client);
        const char *from = received->data + client->scanned;
        const char *end = *ret_full ? NULL : memchr(from, '\n', received->length - client->scanned);
        if (*ret_full)
            break;
        if (end == NULL) {
            client->scanned = received->length;
            break;
        }
        const char *line = received->data + client->taken;
        size_t length = (size_t)(end - line);
        if (length > JP_CLIENT_LINE_MAX)
            return jp_fail(error, JP_E_PARSE, "the server of the pipe sent a line of more than %d bytes", JP_CLIENT_LINE_MAX);
        if (length > 0 && line[length - 1] == '\r')
            length--;
        if (length > 0)
            status = jp__take_message(client, line, length, error);
        client->taken = client->scanned = (size_t)(end - received->data) + 1;
    }
    jp_str_remove_front(received, client->taken);
    client->scanned -= client->taken;
    client->taken = 0;
    if (status == JP_OK && received->length > JP_CLIENT_LINE_MAX && !*ret_full)
        status = jp_fail(error, JP_E_PARSE, "the server of the pipe sent a line of more than %d bytes", JP_CLIENT_LINE_MAX);
    return status;
}

static void go_on_reading(struct jp_client *client) {
    struct jp_error error = {0};
    bool full = false;
    if (client->pipe == NULL || client->reading)
        return;
    if (take_lines(client, &full, &error) != JP_OK) {
        lose(client, &error);
    } else if (!full) {
        jp_pipe_begin_read(client->pipe, client->chunk, sizeof client->chunk);
        client->reading = true;
    }
}

static void finish_reading(struct jp_client *client) {
    struct jp_error error = {0};
    size_t length = 0;
    jp_status status = jp_pipe_finish_read(client->pipe, &length, &error);
    client->reading = false;
    if (status == JP_OK && length == 0)
        status = jp_fail(&error, JP_E_SYSTEM, "the service closed the connection");
    if (status == JP_OK)
        jp_str_add(&client->received, client->chunk, length);
    else
        lose(client, &error);
}

/* --- all --- */

/* What is due now. Returns when to look again, JP__NEVER, or 0 at the end. */
static uint64_t look(struct jp_client *client) {
    uint64_t now = GetTickCount64(), when = JP__NEVER;
    if (client->write_failed && now >= client->last_words_until_ms)
        lose(client, &client->write_error);
    if (client->pipe == NULL && !client->gone && now >= client->retry_ms)
        connect_again(client, now);
    AcquireSRWLockExclusive(&client->lock);
    bool closing = client->closing;
    jp__calls_expire(client, now, &when);
    jp__subscriptions_go_on(client, now, &when);
    if (client->connected) {
        greet_if_silent(client, now, &when);
        begin_writing(client);
    }
    ReleaseSRWLockExclusive(&client->lock);
    if (client->pipe == NULL && !client->gone)
        jp__earlier(&when, client->retry_ms);
    if (client->write_failed)
        jp__earlier(&when, client->last_words_until_ms);
    return closing ? 0 : when;
}

static void await_something(struct jp_client *client, uint64_t when_ms) {
    HANDLE events[3] = {client->wake};
    DWORD count = 1, reader = 0;
    if (client->reading) {
        reader = count;
        events[count++] = jp_pipe_read_event(client->pipe);
    }
    if (client->writing != NULL)
        events[count++] = jp_pipe_write_event(client->pipe);
    uint64_t now = GetTickCount64();
    DWORD wait_ms = when_ms == JP__NEVER ? INFINITE : when_ms <= now ? 0 : when_ms - now > INT32_MAX ? INT32_MAX : (DWORD)(when_ms - now);
    DWORD which = WaitForMultipleObjects(count, events, FALSE, wait_ms);
    if (which == WAIT_TIMEOUT || which == WAIT_OBJECT_0)
        return;
    if (reader != 0 && which == WAIT_OBJECT_0 + reader)
        finish_reading(client);
    else
        finish_writing(client);
}

static void end(struct jp_client *client) {
    struct jp_client_answer why = {0};
    jp_fail(&why.error, JP_E_CANCELLED, "the connection was closed by this program");
    AcquireSRWLockExclusive(&client->lock);
    client->connected = false;
    jp__calls_lost(client, &why, true);
    jp__subscriptions_end(client, NULL);
    ReleaseSRWLockExclusive(&client->lock);
    forget_connection(client);
    AcquireSRWLockExclusive(&client->lock);
    client->io_ended = true;
    WakeAllConditionVariable(&client->changed);
    ReleaseSRWLockExclusive(&client->lock);
}

DWORD WINAPI jp__io_main(void *context) {
    struct jp_client *client = context;
    uint64_t when;
    while ((when = look(client)) != 0) {
        go_on_reading(client);
        if (client->pipe == NULL && !client->gone)
            when = 0; /* lost just now */
        await_something(client, when);
    }
    end(client);
    return 0;
}
