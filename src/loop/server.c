/* One stream a connection. What is sent gathers until all that was read has been looked at, or the loop is about to wait, and then goes out in one
 * write. One is under way at a time; what is sent meanwhile is the next. */
#include "loop/server.h"

#include "loop/stream.h"

#include <stddef.h>

enum { KEPT_BYTES = 16 << 10 /* of memory, from a write to the next */ };

struct connection {
    struct jp_peer peer; /* first: rpc/ knows the connection by it */
    struct jp_stream stream;
    struct jp_server *server;
    struct jp_rpc_connection *rpc; /* NULL for one that was refused */
    struct connection *next, *previous;
    struct jp_str writing; /* under way; empty: none is */
    struct jp_str queued;  /* comes after it */
    bool close_when_written;
    bool listed;                    /* to be written before the loop waits */
    struct connection *next_listed;
};

struct jp_server {
    struct jp_server_options with;
    struct connection *first;
    size_t count;
    uv_prepare_t before_waiting;
    struct connection *first_listed;
};

static struct connection *of_peer(struct jp_peer *peer) { return (struct connection *)(void *)peer; }
static const struct connection *of_const_peer(const struct jp_peer *peer) { return (const struct connection *)(const void *)peer; }

static void unlist(struct connection *connection);

static struct connection *of_stream(struct jp_stream *stream) {
    return (struct connection *)(void *)((char *)stream - offsetof(struct connection, stream));
}

static void on_closed(struct jp_stream *stream) {
    struct connection *connection = of_stream(stream);
    if (connection->rpc)
        jp_rpc_closed(connection->rpc);
    unlist(connection);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connection->server->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    connection->server->count--;
    jp_str_free(&connection->writing);
    jp_str_free(&connection->queued);
    jp_free(connection);
}

static void close_connection(struct connection *connection) { jp_stream_close(&connection->stream); }
static void on_broken(struct jp_stream *stream) { jp_stream_close(stream); }

static void adjust_reading(struct connection *connection);
static void write_queued(struct connection *connection);

static void clear_written(struct connection *connection) {
    if (connection->writing.capacity > KEPT_BYTES)
        jp_str_free(&connection->writing);
    jp_str_clear(&connection->writing);
}

static void on_written(struct jp_stream *stream) {
    struct connection *connection = of_stream(stream);
    clear_written(connection);
    if (!connection->queued.length && connection->rpc && !connection->close_when_written)
        jp_rpc_drained(connection->rpc);
    write_queued(connection);
    adjust_reading(connection);
}

static void write_queued(struct connection *connection) {
    struct jp_str written = connection->writing;
    if (written.length || jp_stream_is_closing(&connection->stream))
        return;
    connection->writing = connection->queued;
    connection->queued = written; /* its memory */
    if (connection->writing.length) {
        bool tell = connection->rpc && jp_rpc_awaits_drain(connection->rpc) && !connection->close_when_written;
        enum jp_writing how = jp_stream_write(&connection->stream, connection->writing.data, connection->writing.length, tell);
        if (how == JP_WRITE_UNDER_WAY)
            return;
        clear_written(connection);
        if (how == JP_WRITE_FAILED)
            close_connection(connection);
    }
    if (connection->close_when_written)
        close_connection(connection);
}

static void write_all_listed(uv_prepare_t *prepare) {
    struct jp_server *server = prepare->data;
    struct connection *next = server->first_listed;
    server->first_listed = NULL;
    while (next) {
        struct connection *connection = next;
        next = connection->next_listed;
        connection->listed = false;
        write_queued(connection);
    }
}

static void unlist(struct connection *connection) {
    struct connection **place = &connection->server->first_listed;
    if (!connection->listed)
        return;
    while (*place != connection)
        place = &(*place)->next_listed;
    *place = connection->next_listed;
}

static struct jp_str *peer_output(struct jp_peer *peer) { return &of_peer(peer)->queued; }

static void peer_send(struct jp_peer *peer) {
    struct connection *connection = of_peer(peer);
    if (connection->listed || connection->writing.length) /* then it goes out after that */
        return;
    connection->listed = true;
    connection->next_listed = connection->server->first_listed;
    connection->server->first_listed = connection;
}

static size_t peer_unsent(const struct jp_peer *peer) {
    const struct connection *connection = of_const_peer(peer);
    return connection->writing.length + connection->queued.length;
}

static void peer_finish(struct jp_peer *peer) {
    struct connection *connection = of_peer(peer);
    connection->close_when_written = true;
    write_queued(connection);
}

static void peer_close(struct jp_peer *peer) { close_connection(of_peer(peer)); }

static jp_status peer_identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    struct connection *connection = of_peer(peer);
    uv_os_fd_t handle;
    int failure = uv_fileno((uv_handle_t *)&connection->stream.pipe, &handle);
    if (failure)
        return jp_fail(error, JP_E_DENIED, "cannot tell who is calling: %s", uv_strerror(failure));
    return connection->server->with.identity->identify(handle, ret_principal, error);
}

static void peer_principal_free(struct jp_peer *peer, struct jp_principal *principal) {
    of_peer(peer)->server->with.identity->principal_free(principal);
}

static const char *peer_principal_name(struct jp_peer *peer, const struct jp_principal *principal) {
    return of_peer(peer)->server->with.identity->principal_name(principal);
}

static const char *peer_principal_sid(struct jp_peer *peer, const struct jp_principal *principal) {
    return of_peer(peer)->server->with.identity->principal_sid(principal);
}

static uint32_t peer_process_id(const struct jp_peer *peer) {
    const struct connection *connection = of_const_peer(peer);
    uv_os_fd_t handle;
    if (uv_fileno((const uv_handle_t *)&connection->stream.pipe, &handle))
        return 0;
    return connection->server->with.identity->process_id(handle);
}

static const struct jp_peer_ops peer_ops = {
    .identify = peer_identify,
    .principal_free = peer_principal_free,
    .principal_name = peer_principal_name,
    .principal_sid = peer_principal_sid,
    .process_id = peer_process_id,
    .output = peer_output,
    .send = peer_send,
    .unsent = peer_unsent,
    .finish = peer_finish,
    .close = peer_close,
};

static void on_received(struct jp_stream *stream, const char *bytes, size_t length) {
    struct connection *connection = of_stream(stream);
    if (connection->rpc)
        jp_rpc_receive(connection->rpc, bytes, length);
    write_queued(connection);
    adjust_reading(connection);
}

/* A client that does not take its answers is not read from either. */
static void adjust_reading(struct connection *connection) {
    bool wanted = !connection->rpc || !jp_rpc_stalled(connection->rpc);
    if (wanted != connection->stream.reading && !jp_stream_is_closing(&connection->stream))
        jp_stream_read(&connection->stream, wanted);
}

static void refuse(struct connection *connection) {
    jp_str_puts(&connection->queued, jp_rpc_full());
    peer_finish(&connection->peer);
}

struct jp_server *jp_server_new(const struct jp_server_options *options) {
    struct jp_server *server = jp_alloc(sizeof *server);
    server->with = *options;
    server->before_waiting.data = server;
    uv_prepare_init(options->loop, &server->before_waiting);
    uv_prepare_start(&server->before_waiting, write_all_listed);
    uv_unref((uv_handle_t *)&server->before_waiting);
    return server;
}

static struct connection *new_connection(struct jp_server *server) {
    struct connection *connection = jp_alloc(sizeof *connection);
    connection->peer.ops = &peer_ops;
    connection->server = server;
    connection->next = server->first;
    if (connection->next)
        connection->next->previous = connection;
    server->first = connection;
    server->count++;
    return connection;
}

static const struct jp_stream_events stream_events = {.received = on_received, .written = on_written, .broken = on_broken, .closed = on_closed};

void jp_server_take(struct jp_server *server, uv_file file) {
    struct connection *connection = new_connection(server);
    int failure = jp_stream_open(&connection->stream, server->with.loop, file, &stream_events);
    if (failure) {
        jp_log(server->with.log, JP_LOG_WARNING, "cannot serve a connection: %s", uv_strerror(failure));
        close_connection(connection);
        return;
    }
    connection->rpc = jp_rpc_open(server->with.rpc, &connection->peer);
    adjust_reading(connection);
    if (!connection->rpc)
        refuse(connection);
}

void jp_server_stop(struct jp_server *server) {
    for (struct connection *connection = server->first; connection; connection = connection->next) {
        write_queued(connection);
        close_connection(connection);
    }
    uv_close((uv_handle_t *)&server->before_waiting, NULL);
}

void jp_server_free(struct jp_server *server) { jp_free(server); }
