/* Overlapped calls on the loop's own port: the packet of a call comes to the loop as the request of a uv_async_t does, whose OVERLAPPED it is.
 *
 * libuv has no public way to wait for a call that is not its own, so this relies on what it does with a uv_async_t (src/win/async.c):
 * a packet with the OVERLAPPED of `async_req` clears `async_sent` and then calls back; and a uv_async_t that is closed while `async_sent` is
 * set is closed when that packet has come, and without calling back. Hence a call that is under way counts as sent, and the memory that the kernel
 * writes to stays until it has ended. Nothing else in JobPool touches libuv's private fields; tests/win32/stream_test.c fails where libuv
 * does this in another way. */
#include "loop/stream.h"

#include <assert.h>
#include <string.h>

enum { READS_A_TURN = 16 }; /* others want to be heard, too */

static_assert(UV_VERSION_MAJOR == 1, "see that a uv_async_t of this libuv does what is said above");
static_assert(sizeof(((uv_async_t *)NULL)->async_req.u.io.overlapped) == sizeof(OVERLAPPED), "the request has the OVERLAPPED of a call");

static HANDLE handle_of(const struct jp_stream *stream) {
    uv_os_fd_t handle;
    return uv_fileno((const uv_handle_t *)&stream->pipe, &handle) ? INVALID_HANDLE_VALUE : handle;
}

static OVERLAPPED *clean(uv_async_t *async) {
    OVERLAPPED *overlapped = &async->async_req.u.io.overlapped;
    memset(overlapped, 0, sizeof *overlapped);
    return overlapped;
}

static OVERLAPPED *begin(uv_async_t *async) {
    async->async_sent = 1;
    return clean(async);
}

/* False: it is under way, and its packet will come. */
static bool is_over(uv_async_t *async, BOOL done, DWORD win32) {
    if (!done && win32 == ERROR_IO_PENDING)
        return false;
    async->async_sent = 0;
    return true;
}

static bool failed(const uv_async_t *async) { return async->async_req.u.io.overlapped.Internal != 0; }
static size_t length_of(const uv_async_t *async) { return (size_t)async->async_req.u.io.overlapped.InternalHigh; }

/* As a call of nothing that succeeded: in the loop's next turn. */
static void come_back(uv_async_t *async) {
    clean(async);
    uv_async_send(async);
}

/* --- reading --- */

static void received(struct jp_stream *stream, size_t length) {
    if (length) /* a client may write nothing */
        stream->events->received(stream, stream->bytes, length);
}

static void read_on(struct jp_stream *stream) {
    for (unsigned i = 0; stream->reading && !stream->read_pending && !jp_stream_is_closing(stream); i++) {
        DWORD length = 0;
        stream->read_pending = true;
        if (i == READS_A_TURN) {
            come_back(&stream->reader);
            return;
        }
        BOOL done = ReadFile(handle_of(stream), stream->bytes, sizeof stream->bytes, &length, begin(&stream->reader));
        if (!is_over(&stream->reader, done, GetLastError()))
            return;
        stream->read_pending = false;
        if (done)
            received(stream, length);
        else
            stream->events->broken(stream);
    }
}

static void on_read(uv_async_t *reader) {
    struct jp_stream *stream = reader->data;
    stream->read_pending = false;
    if (failed(reader))
        stream->events->broken(stream);
    else
        received(stream, length_of(reader));
    read_on(stream);
}

void jp_stream_read(struct jp_stream *stream, bool on) {
    stream->reading = on;
    read_on(stream);
}

/* --- writing --- */

static void on_written(uv_async_t *writer) {
    struct jp_stream *stream = writer->data;
    if (failed(writer))
        stream->events->broken(stream);
    else
        stream->events->written(stream);
}

/* A pipe that waits (PIPE_WAIT) takes all, however long it takes, or fails. */
enum jp_writing jp_stream_write(struct jp_stream *stream, const char *bytes, size_t length, bool tell) {
    BOOL done = WriteFile(handle_of(stream), bytes, (DWORD)length, NULL, begin(&stream->writer));
    if (!is_over(&stream->writer, done, GetLastError()))
        return JP_WRITE_UNDER_WAY;
    if (!done)
        return JP_WRITE_FAILED;
    if (!tell)
        return JP_WRITE_DONE;
    come_back(&stream->writer);
    return JP_WRITE_UNDER_WAY;
}

/* --- its life --- */

int jp_stream_open(struct jp_stream *stream, uv_loop_t *loop, uv_file file, const struct jp_stream_events *events) {
    stream->events = events;
    stream->pipe.data = stream->reader.data = stream->writer.data = stream;
    uv_pipe_init(loop, &stream->pipe, 0);
    uv_async_init(loop, &stream->reader, on_read);
    uv_async_init(loop, &stream->writer, on_written);
    stream->open_handles = 3;
    int failure = uv_pipe_open(&stream->pipe, file); /* puts it on the loop's port */
    if (failure) {
        uv_fs_t request;
        uv_fs_close(NULL, &request, file, NULL);
        uv_fs_req_cleanup(&request);
    } else if (!SetFileCompletionNotificationModes(handle_of(stream), FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)) {
        failure = uv_translate_sys_error((int)GetLastError());
    }
    return failure;
}

static void on_closed(uv_handle_t *handle) {
    struct jp_stream *stream = handle->data;
    if (--stream->open_handles == 0)
        stream->events->closed(stream);
}

/* What is under way ends, and its packets come all the same. A write that waits for a client which does not read would not end by the closing of
 * our handle alone. */
void jp_stream_close(struct jp_stream *stream) {
    HANDLE handle = handle_of(stream);
    if (jp_stream_is_closing(stream))
        return;
    stream->reading = false;
    if (handle != INVALID_HANDLE_VALUE)
        CancelIoEx(handle, NULL); /* it fails where nothing is */
    uv_close((uv_handle_t *)&stream->reader, on_closed);
    uv_close((uv_handle_t *)&stream->writer, on_closed);
    uv_close((uv_handle_t *)&stream->pipe, on_closed);
}

bool jp_stream_is_closing(const struct jp_stream *stream) { return uv_is_closing((const uv_handle_t *)&stream->pipe); }
