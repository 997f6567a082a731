/* One uv_pipe_t a connection. What is sent gathers until all that was read has been looked at, or the loop is about to wait, and then goes out in one
 * write. One is under way at a time; what is sent meanwhile is the next. */
#include "loop/server.h"

enum { READ_BUFFER = 64 << 10, KEPT_BYTES = 16 << 10 /* of memory, from a write to the next */ };

struct connection {
    struct jp_peer peer; /* first: rpc/ knows the connection by it */
    uv_pipe_t pipe;
    struct jp_server *server;
    struct jp_rpc_connection *rpc; /* NULL for one that was refused */
    struct connection *next, *previous;
    uv_write_t write;
    struct jp_str writing; /* under way; empty: none is */
    struct jp_str queued;  /* comes after it */
    bool reading;
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
    char buffer[READ_BUFFER]; /* of whoever reads now: bytes are handled before the next read */
};

static struct connection *of_peer(struct jp_peer *peer) { return (struct connection *)(void *)peer; }
static const struct connection *of_const_peer(const struct jp_peer *peer) { return (const struct connection *)(const void *)peer; }

static void unlist(struct connection *connection);

static void on_closed(uv_handle_t *handle) {
    struct connection *connection = handle->data;
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

static void close_connection(struct connection *connection) {
    if (!uv_is_closing((uv_handle_t *)&connection->pipe))
        uv_close((uv_handle_t *)&connection->pipe, on_closed);
}

static void adjust_reading(struct connection *connection);
static void write_queued(struct connection *connection);

static void on_written(uv_write_t *request, int status) {
    struct connection *connection = request->data;
    if (connection->writing.capacity > KEPT_BYTES)
        jp_str_free(&connection->writing);
    jp_str_clear(&connection->writing);
    if (status || uv_is_closing((uv_handle_t *)&connection->pipe)) {
        close_connection(connection);
        return;
    }
    if (!connection->queued.length && !connection->close_when_written)
        jp_rpc_drained(connection->rpc);
    write_queued(connection);
    if (connection->close_when_written && !connection->writing.length)
        close_connection(connection);
    adjust_reading(connection);
}

static void write_queued(struct connection *connection) {
    struct jp_str written = connection->writing;
    if (written.length || !connection->queued.length || uv_is_closing((uv_handle_t *)&connection->pipe))
        return;
    connection->writing = connection->queued;
    connection->queued = written; /* its memory */
    uv_buf_t buffer = uv_buf_init(connection->writing.data, (unsigned)connection->writing.length);
    connection->write.data = connection;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &buffer, 1, on_written)) {
        jp_str_clear(&connection->writing);
        close_connection(connection);
    }
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
    if (!connection->writing.length)
        close_connection(connection);
}

static void peer_close(struct jp_peer *peer) { close_connection(of_peer(peer)); }

static jp_status peer_identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    struct connection *connection = of_peer(peer);
    uv_os_fd_t handle;
    int failure = uv_fileno((uv_handle_t *)&connection->pipe, &handle);
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
    if (uv_fileno((const uv_handle_t *)&connection->pipe, &handle))
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

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct connection *connection = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(connection->server->buffer, READ_BUFFER);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct connection *connection = stream->data;
    if (length < 0)
        close_connection(connection);
    else if (connection->rpc)
        jp_rpc_receive(connection->rpc, buffer->base, (size_t)length);
    write_queued(connection);
    adjust_reading(connection);
}

/* A client that does not take its answers is not read from either. */
static void adjust_reading(struct connection *connection) {
    bool wanted = !connection->rpc || !jp_rpc_stalled(connection->rpc);
    if (wanted == connection->reading || uv_is_closing((uv_handle_t *)&connection->pipe))
        return;
    connection->reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&connection->pipe);
    else if (uv_read_start((uv_stream_t *)&connection->pipe, give_buffer, on_read))
        close_connection(connection);
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
    connection->pipe.data = connection;
    connection->next = server->first;
    if (connection->next)
        connection->next->previous = connection;
    server->first = connection;
    server->count++;
    return connection;
}

static void close_file(uv_file file) {
    uv_fs_t request;
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
}

void jp_server_take(struct jp_server *server, uv_file file) {
    struct connection *connection = new_connection(server);
    uv_pipe_init(server->with.loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    int failure = uv_pipe_open(&connection->pipe, file);
    if (failure) {
        jp_log(server->with.log, JP_LOG_WARNING, "cannot serve a connection: %s", uv_strerror(failure));
        close_file(file);
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
