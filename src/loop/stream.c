/* libuv's stream. */
#include "loop/stream.h"

enum { READ_BUFFER = 64 << 10 };

/* Of whoever reads now: bytes are handled before the next read, and all loops of a process that read are one. */
static char buffer[READ_BUFFER];

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer) {
    (void)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(buffer, READ_BUFFER);
}

static void on_read(uv_stream_t *pipe, ssize_t length, const uv_buf_t *bytes) {
    struct jp_stream *stream = pipe->data;
    if (length < 0)
        stream->events->broken(stream);
    else if (length)
        stream->events->received(stream, bytes->base, (size_t)length);
}

void jp_stream_read(struct jp_stream *stream, bool on) {
    if (on == stream->reading || jp_stream_is_closing(stream))
        return;
    stream->reading = on;
    if (!on)
        uv_read_stop((uv_stream_t *)&stream->pipe);
    else if (uv_read_start((uv_stream_t *)&stream->pipe, give_buffer, on_read))
        stream->events->broken(stream);
}

static void on_written(uv_write_t *request, int status) {
    struct jp_stream *stream = request->data;
    if (status)
        stream->events->broken(stream);
    else
        stream->events->written(stream);
}

enum jp_writing jp_stream_write(struct jp_stream *stream, const char *bytes, size_t length, bool tell) {
    (void)tell; /* libuv always does */
    uv_buf_t piece = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)length);
    stream->write.data = stream;
    return uv_write(&stream->write, (uv_stream_t *)&stream->pipe, &piece, 1, on_written) ? JP_WRITE_FAILED : JP_WRITE_UNDER_WAY;
}

int jp_stream_open(struct jp_stream *stream, uv_loop_t *loop, uv_file file, const struct jp_stream_events *events) {
    stream->events = events;
    stream->pipe.data = stream;
    uv_pipe_init(loop, &stream->pipe, 0);
    int failure = uv_pipe_open(&stream->pipe, file);
    if (failure) {
        uv_fs_t request;
        uv_fs_close(NULL, &request, file, NULL);
        uv_fs_req_cleanup(&request);
    }
    return failure;
}

static void on_closed(uv_handle_t *handle) {
    struct jp_stream *stream = handle->data;
    stream->events->closed(stream);
}

void jp_stream_close(struct jp_stream *stream) {
    if (!jp_stream_is_closing(stream))
        uv_close((uv_handle_t *)&stream->pipe, on_closed);
}

bool jp_stream_is_closing(const struct jp_stream *stream) { return uv_is_closing((const uv_handle_t *)&stream->pipe); }
