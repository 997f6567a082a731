/* Connections: lines in, messages out. */
#include "rpc/rpc_internal.h"

#include <string.h>

struct jp_rpc *jp_rpc_new(const struct jp_rpc_setup *setup, uint64_t last_seq) {
    struct jp_rpc *rpc = jp_alloc(sizeof *rpc);
    rpc->with = *setup;
    rpc->newest_seq = rpc->delivered_seq = last_seq;
    return rpc;
}

void jp_rpc_free(struct jp_rpc *rpc) {
    if (!rpc)
        return;
    jp__recent_free(rpc);
    jp_free(rpc);
}

size_t jp_rpc_connection_count(const struct jp_rpc *rpc) { return rpc->connection_count; }

struct jp_rpc_connection *jp_rpc_open(struct jp_rpc *rpc, struct jp_peer *peer) {
    struct jp_rpc_connection *connection = jp_alloc(sizeof *connection);
    connection->rpc = rpc;
    connection->peer = peer;
    connection->next = rpc->first_connection;
    if (connection->next)
        connection->next->previous = connection;
    rpc->first_connection = connection;
    rpc->connection_count++;
    return connection;
}

void jp_rpc_closed(struct jp_rpc_connection *connection) {
    struct jp_rpc *rpc = connection->rpc;
    while (connection->first_call)
        jp__call_abandon(connection->first_call);
    jp__subscriptions_closed(connection);
    jp__jobs_closed(connection);
    if (connection->principal)
        connection->peer->ops->principal_free(connection->peer, connection->principal);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        rpc->first_connection = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    rpc->connection_count--;
    jp_str_free(&connection->input);
    jp_str_free(&connection->waiting);
    jp_free(connection);
}

static void cut_off(struct jp_rpc_connection *connection) {
    if (connection->closing)
        return;
    connection->closing = true;
    connection->peer->ops->close(connection->peer);
}

void jp__send(struct jp_rpc_connection *connection, struct jp_str *line) {
    if (!connection->closing) {
        jp_str_putc(line, '\n');
        connection->peer->ops->send(connection->peer, line->data, line->length);
    }
    jp_str_free(line);
}

/* --- clients that do not read --- */

bool jp_rpc_stalled(const struct jp_rpc_connection *connection) { return connection->stalled_since_ms != 0; }

static bool must_wait(struct jp_rpc_connection *connection) {
    struct jp_rpc *rpc = connection->rpc;
    if (!connection->stalled_since_ms && connection->peer->ops->unsent(connection->peer) > JP_RPC_MAX_UNSENT)
        connection->stalled_since_ms = rpc->with.now_ms(rpc->with.clock_context) | 1;
    return connection->stalled_since_ms != 0;
}

void jp_rpc_drained(struct jp_rpc_connection *connection) {
    struct jp_str waiting = connection->waiting;
    connection->waiting = (struct jp_str){0};
    connection->stalled_since_ms = 0;
    jp__subscriptions_drained(connection);
    jp_rpc_receive(connection, waiting.data, waiting.length);
    jp_str_free(&waiting);
}

uint64_t jp__connections_on_time(struct jp_rpc *rpc, uint64_t now_ms) {
    uint64_t next = UINT64_MAX;
    for (struct jp_rpc_connection *connection = rpc->first_connection; connection; connection = connection->next) {
        uint64_t deadline = connection->stalled_since_ms + JP_RPC_MAX_STALL_MS;
        if (!connection->stalled_since_ms || connection->closing)
            continue;
        if (deadline <= now_ms) {
            jp_log(rpc->with.log, JP_LOG_WARNING, "a client left %zu bytes of answers unread for %d s; its connection is closed",
                   connection->peer->ops->unsent(connection->peer), JP_RPC_MAX_STALL_MS / 1000);
            cut_off(connection);
        } else if (deadline < next) {
            next = deadline;
        }
    }
    return next;
}

/* --- lines --- */

static void refuse_long_line(struct jp_rpc_connection *connection) {
    struct jp_error error;
    jp_fail(&error, JP_E_QUOTA, "a message may have %d bytes; this line is longer and was not read", JP_RPC_MAX_MESSAGE);
    jp__send_error(connection, &error);
}

/* Blank lines and a byte order mark are what some clients' stream writers send first. */
static void receive_line(struct jp_rpc_connection *connection, const char *line, size_t length) {
    if (length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
        line += 3;
        length -= 3;
    }
    while (length && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    if (length)
        jp__receive_message(connection, line, length);
}

/* The rest of a line that has no end yet. */
static void keep_rest(struct jp_rpc_connection *connection, const char *bytes, size_t length) {
    if (connection->discarding)
        return;
    if (connection->input.length + length > JP_RPC_MAX_MESSAGE) {
        connection->discarding = true;
        jp_str_free(&connection->input);
        refuse_long_line(connection);
        return;
    }
    jp_str_add(&connection->input, bytes, length);
}

static void complete_line(struct jp_rpc_connection *connection, const char *bytes, size_t length) {
    if (connection->discarding) {
        connection->discarding = false;
    } else if (connection->input.length + length > JP_RPC_MAX_MESSAGE) {
        jp_str_free(&connection->input);
        refuse_long_line(connection);
    } else if (connection->input.length) {
        struct jp_str line = connection->input;
        connection->input = (struct jp_str){0};
        jp_str_add(&line, bytes, length);
        receive_line(connection, line.data, line.length);
        jp_str_free(&line);
    } else {
        receive_line(connection, bytes, length);
    }
}

void jp_rpc_receive(struct jp_rpc_connection *connection, const char *bytes, size_t length) {
    while (length && !connection->closing) {
        if (must_wait(connection)) {
            jp_str_add(&connection->waiting, bytes, length);
            return;
        }
        const char *end = memchr(bytes, '\n', length);
        if (!end) {
            keep_rest(connection, bytes, length);
            return;
        }
        size_t line = (size_t)(end - bytes);
        complete_line(connection, bytes, line);
        bytes += line + 1;
        length -= line + 1;
    }
}
