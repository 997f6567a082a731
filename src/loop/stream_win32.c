/* Overlapped calls on the loop's own port: the packet of a call comes to the loop as the request of a uv_async_t does, whose OVERLAPPED it is.
 * While a call is under way the uv_async_t counts as sent, so that libuv closes it when the packet has come and not before. */
#include "loop/stream.h"

#include <string.h>

enum { READS_A_TURN = 16 }; /* others want to be heard, too */

static HANDLE handle_of(const struct jp_stream *stream) {
    uv_os_fd_t handle;
    return uv_fileno((const uv_handle_t *)&stream->pipe, &handle) ? INVALID_HANDLE_VALUE : handle;
}

static OVERLAPPED *begin(uv_async_t *async) {
    OVERLAPPED *overlapped = &async->async_req.u.io.overlapped;
    memset(overlapped, 0, sizeof *overlapped);
    async->async_sent = 1;
    return overlapped;
}

/* False: it is under way, and its packet will come. */
static bool is_over(uv_async_t *async, BOOL done, DWORD win32) {
    if (!done && win32 == ERROR_IO_PENDING)
        return false;
    async->async_sent = 0;
    return true;
}

/* --- reading --- */

static void read_on(struct jp_stream *stream) {
    for (unsigned i = 0; stream->reading && !stream->read_pending && !jp_stream_is_closing(stream); i++) {
        DWORD length = 0;
        stream->read_pending = true;
        if (i == READS_A_TURN) {
            memset(&stream->reader.async_req.u.io.overlapped, 0, sizeof stream->reader.async_req.u.io.overlapped);
            uv_async_send(&stream->reader); /* comes as a read of nothing */
            return;
        }
        BOOL done = ReadFile(handle_of(stream), stream->bytes, sizeof stream->bytes, &length, begin(&stream->reader));
        if (!is_over(&stream->reader, done, GetLastError()))
            return;
        stream->read_pending = false;
        if (done)
            stream->events->received(stream, stream->bytes, length);
        else
            stream->events->broken(stream);
    }
}

static void on_read(uv_async_t *reader) {
    struct jp_stream *stream = reader->data;
    const OVERLAPPED *overlapped = &reader->async_req.u.io.overlapped;
    stream->read_pending = false;
    if (overlapped->Internal)
        stream->events->broken(stream);
    else if (overlapped->InternalHigh)
        stream->events->received(stream, stream->bytes, (size_t)overlapped->InternalHigh);
    read_on(stream);
}

void jp_stream_read(struct jp_stream *stream, bool on) {
    stream->reading = on;
    read_on(stream);
}

/* --- writing --- */

static void on_written(uv_async_t *writer) {
    struct jp_stream *stream = writer->data;
    if (writer->async_req.u.io.overlapped.Internal)
        stream->events->broken(stream);
    else
        stream->events->written(stream);
}

enum jp_writing jp_stream_write(struct jp_stream *stream, const char *bytes, size_t length) {
    BOOL done = WriteFile(handle_of(stream), bytes, (DWORD)length, NULL, begin(&stream->writer));
    if (!is_over(&stream->writer, done, GetLastError()))
        return JP_WRITE_UNDER_WAY;
    return done ? JP_WRITE_DONE : JP_WRITE_FAILED;
}

void jp_stream_come_back(struct jp_stream *stream) {
    memset(&stream->writer.async_req.u.io.overlapped, 0, sizeof stream->writer.async_req.u.io.overlapped);
    uv_async_send(&stream->writer);
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

/* Closing the handle ends what is under way; the packets come all the same. */
void jp_stream_close(struct jp_stream *stream) {
    if (jp_stream_is_closing(stream))
        return;
    stream->reading = false;
    uv_close((uv_handle_t *)&stream->reader, on_closed);
    uv_close((uv_handle_t *)&stream->writer, on_closed);
    uv_close((uv_handle_t *)&stream->pipe, on_closed);
}

bool jp_stream_is_closing(const struct jp_stream *stream) { return uv_is_closing((const uv_handle_t *)&stream->pipe); }
