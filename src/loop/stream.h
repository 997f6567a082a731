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
    void (*written)(struct jp_stream *stream); /* what was under way, or jp_stream_come_back; another may begin */
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
    char bytes[8 << 10];
#else
    uv_write_t write;
#endif
};

/* Takes `file` over; it is closed in any case. 0, or libuv's error: then too, close it, and wait for `closed`. */
int jp_stream_open(struct jp_stream *stream, uv_loop_t *loop, uv_file file, const struct jp_stream_events *events);
void jp_stream_read(struct jp_stream *stream, bool on);
/* One at a time. The bytes stay where they are until it is over. UNDER_WAY: `written` tells; else it is over now. */
enum jp_writing jp_stream_write(struct jp_stream *stream, const char *bytes, size_t length);
void jp_stream_come_back(struct jp_stream *stream); /* no write is under way; `written` is called in the loop's next turn */
void jp_stream_close(struct jp_stream *stream);     /* may be called again */
bool jp_stream_is_closing(const struct jp_stream *stream);

#endif
