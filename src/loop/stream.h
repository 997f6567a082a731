/* A connected pipe or socket on the loop. On Windows not libuv's: that reads nothing first to learn that there is something to read, and has the loop
 * turn once more for each write, which is half of what a small request costs (docs/performance.md). */
#ifndef JP_LOOP_STREAM_H
#define JP_LOOP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct jp_stream;

struct jp_stream_events {
    void (*received)(struct jp_stream *stream, const char *bytes, size_t length);
    void (*written)(struct jp_stream *stream); /* what was under way; another may begin */
    void (*broken)(struct jp_stream *stream);  /* nothing comes any more, or nothing goes: close it */
    void (*closed)(struct jp_stream *stream);  /* its memory is nobody's any more */
};

enum jp_writing { JP_WRITE_FAILED, JP_WRITE_DONE, JP_WRITE_UNDER_WAY };

struct jp_stream {
    const struct jp_stream_events *events;
    uv_pipe_t pipe; /* its handle and its name for libuv */
    bool reading;
#ifdef _WIN32
    uv_async_t reader, writer;
    bool read_pending;
    unsigned open_handles;
    char bytes[8 << 10]; /* each its own: a read stands all the time */
#else
    uv_write_t write;
#endif
};

/* Takes `file` over; it is closed in any case. 0, or libuv's error: then too, close it, and wait for `closed`. */
int jp_stream_open(struct jp_stream *stream, uv_loop_t *loop, uv_file file, const struct jp_stream_events *events);
void jp_stream_read(struct jp_stream *stream, bool on); /* off: what one read was already waiting for may come yet */
/* One at a time. The bytes stay where they are until it is over. UNDER_WAY: `written` tells, never from within; else it is over now. With `tell` it is
 * UNDER_WAY also where the system has taken the bytes at once. */
enum jp_writing jp_stream_write(struct jp_stream *stream, const char *bytes, size_t length, bool tell);
void jp_stream_close(struct jp_stream *stream);     /* may be called again */
bool jp_stream_is_closing(const struct jp_stream *stream);

#endif
