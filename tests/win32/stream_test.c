/* The loop's own reads and writes of a pipe, and what they need of libuv. Prints TAP. */
#include "tap.h"

#include "base/str.h"
#include "loop/stream.h"

#include <fcntl.h>
#include <io.h>
#include <string.h>

enum { MUCH = 1 << 20, PIPE_BUFFER = 64 << 10, A_TURN = 17 * sizeof(((struct jp_stream *)NULL)->bytes), POISON = 0xA5 };

static uv_loop_t loop;
static uv_timer_t patience;
static bool too_long;
static char much[MUCH], answer[MUCH];

static struct jp_stream stream;
static size_t received;
static bool received_all_right, within, told_within, close_when_received, close_when_written;
static int written, broken, closed;

static void on_received(struct jp_stream *from, const char *bytes, size_t length) {
    received_all_right = received_all_right && length && received + length <= MUCH && memcmp(bytes, much + received, length) == 0;
    received += length;
    if (close_when_received)
        jp_stream_close(from);
}
static void on_written(struct jp_stream *from) {
    told_within = told_within || within;
    written++;
    if (close_when_written)
        jp_stream_close(from);
}
static void on_broken(struct jp_stream *from) {
    broken++;
    jp_stream_close(from);
}
static void on_closed(struct jp_stream *from) {
    closed++;
    memset(from, POISON, sizeof *from);
}
static const struct jp_stream_events events = {.received = on_received, .written = on_written, .broken = on_broken, .closed = on_closed};

static void on_patience(uv_timer_t *timer) {
    (void)timer;
    too_long = true;
}

static void turn(void) { uv_run(&loop, UV_RUN_NOWAIT); }

#define UNTIL(condition) \
    for (too_long = false, uv_timer_start(&patience, on_patience, PATIENCE_MS, 0); !(condition) && !too_long;) \
    uv_run(&loop, UV_RUN_ONCE)

static enum jp_writing write_it(size_t length, bool tell) {
    within = true;
    enum jp_writing how = jp_stream_write(&stream, much, length, tell);
    within = false;
    return how;
}

/* Our end is a stream, the other is returned. */
static HANDLE open_pair(void) {
    static int count;
    char *name = jp_sprintf("\\\\.\\pipe\\jobpool-stream-%lu-%d", GetCurrentProcessId(), ++count);
    HANDLE ours = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT, 1, PIPE_BUFFER,
                                   PIPE_BUFFER, 0, NULL);
    HANDLE theirs = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    jp_free(name);
    memset(&stream, 0, sizeof stream);
    received = 0;
    received_all_right = true;
    told_within = close_when_received = close_when_written = false;
    written = broken = closed = 0;
    int failure = jp_stream_open(&stream, &loop, _open_osfhandle((intptr_t)ours, _O_BINARY), &events);
    CHECK(theirs != INVALID_HANDLE_VALUE && failure == 0, "a pipe is taken");
    jp_stream_read(&stream, true);
    return theirs;
}

static bool nobody_writes_to_it(void) {
    const unsigned char *bytes = (const unsigned char *)&stream;
    for (int i = 0; i < 5; i++)
        turn();
    for (size_t i = 0; i < sizeof stream; i++)
        if (bytes[i] != POISON)
            return false;
    return true;
}

static void close_ours(void) {
    jp_stream_close(&stream);
    jp_stream_close(&stream);
    UNTIL(closed);
    CHECK(closed == 1 && nobody_writes_to_it(), "it closes once, and its memory is nobody's then");
}

static void begin_write(HANDLE theirs, size_t length, OVERLAPPED *overlapped) {
    memset(overlapped, 0, sizeof *overlapped);
    WriteFile(theirs, much, (DWORD)length, NULL, overlapped);
}

/* What is there, or comes while the loop turns; fewer where the other end is closed. */
static size_t read_there(HANDLE theirs, size_t wanted) {
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    size_t had = 0;
    while (had < wanted) {
        DWORD length = 0;
        turn();
        if (!ReadFile(theirs, answer + had, (DWORD)(wanted - had), NULL, &overlapped) && GetLastError() != ERROR_IO_PENDING)
            break;
        if (WaitForSingleObject(overlapped.hEvent, PATIENCE_MS) != WAIT_OBJECT_0)
            CancelIoEx(theirs, &overlapped);
        if (!GetOverlappedResult(theirs, &overlapped, &length, TRUE))
            break;
        had += length;
    }
    CloseHandle(overlapped.hEvent);
    return memcmp(answer, much, had) == 0 ? had : 0;
}

/* --- what libuv does with a uv_async_t --- */

static int called, async_closed;
static char sent_when_called;

static void on_async(uv_async_t *async) {
    called++;
    sent_when_called = async->async_sent;
}
static void on_async_closed(uv_handle_t *handle) {
    (void)handle;
    async_closed++;
}

static void test_libuv(void) {
    uv_async_t async;
    uv_async_init(&loop, &async, on_async);
    async.async_sent = 1;
    turn();
    CHECK(called == 0, "what counts as sent is not called back for by itself");
    PostQueuedCompletionStatus(loop.iocp, 0, 0, &async.async_req.u.io.overlapped);
    UNTIL(called);
    CHECK(called == 1 && !sent_when_called, "the packet of its request calls back, and it counts as sent no more");
    async.async_sent = 1;
    uv_close((uv_handle_t *)&async, on_async_closed);
    turn();
    turn();
    CHECK(!async_closed, "one that counts as sent is not closed yet");
    PostQueuedCompletionStatus(loop.iocp, 0, 0, &async.async_req.u.io.overlapped);
    UNTIL(async_closed);
    CHECK(async_closed == 1 && called == 1, "but when the packet has come, and without calling back");
}

/* --- the stream --- */

static void test_asked_and_answered(void) {
    HANDLE theirs = open_pair();
    OVERLAPPED nothing, something;
    begin_write(theirs, 0, &nothing);
    begin_write(theirs, 100, &something);
    UNTIL(received == 100);
    CHECK(received == 100 && received_all_right, "a write of nothing is nothing, and what comes after it is read");
    CHECK(write_it(200, false) == JP_WRITE_DONE && read_there(theirs, 200) == 200 && !written, "a small answer is out at once");
    CHECK(write_it(200, true) == JP_WRITE_UNDER_WAY && !told_within, "who wants to be told of it is not told from within");
    UNTIL(written);
    CHECK(written == 1 && read_there(theirs, 200) == 200, "but in the next turn, once");
    CHECK(write_it(300, false) == JP_WRITE_DONE, "something is out that the client has not read yet");
    close_ours();
    CHECK(read_there(theirs, MUCH) == 300 && GetLastError() == ERROR_BROKEN_PIPE, "it reads that after we have closed, and then that we have");
    CloseHandle(theirs);
    theirs = open_pair();
    write_it(200, true);
    close_ours();
    CHECK(!written && !broken, "who has closed it is told nothing more");
    CloseHandle(theirs);
}

static void test_much(void) {
    HANDLE theirs = open_pair();
    OVERLAPPED overlapped;
    size_t before, most = 0;
    begin_write(theirs, MUCH, &overlapped);
    for (uint64_t until = GetTickCount64() + PATIENCE_MS; received < MUCH && GetTickCount64() < until;) {
        before = received;
        turn();
        most = received - before > most ? received - before : most;
    }
    CHECK(received == MUCH && received_all_right, "a mebibyte comes as it was written");
    CHECK(most > sizeof stream.bytes && most <= A_TURN, "not all in one turn of the loop");
    CHECK(write_it(MUCH, false) == JP_WRITE_UNDER_WAY, "a mebibyte is not out at once");
    turn();
    CHECK(!written && read_there(theirs, MUCH) == MUCH, "the client reads it whole");
    UNTIL(written);
    CHECK(written == 1 && !broken, "then it is written");
    close_ours();
    CloseHandle(theirs);
}

static void test_not_reading(void) {
    HANDLE theirs = open_pair();
    OVERLAPPED overlapped;
    jp_stream_read(&stream, false);
    begin_write(theirs, MUCH, &overlapped);
    for (int i = 0; i < 20; i++)
        turn();
    CHECK(received <= sizeof stream.bytes, "who is not read from is read no more than one read that stood already");
    jp_stream_read(&stream, true);
    UNTIL(received == MUCH);
    CHECK(received == MUCH && received_all_right, "and read on where it was");
    CHECK(write_it(MUCH, false) == JP_WRITE_UNDER_WAY, "a client does not read either");
    turn();
    close_ours();
    CHECK(!written && !broken, "what it has left unread does not keep the pipe open");
    CloseHandle(theirs);
}

static void test_broken(void) {
    HANDLE theirs = open_pair();
    CloseHandle(theirs);
    UNTIL(closed);
    CHECK(broken == 1 && closed == 1 && nobody_writes_to_it(), "a client that goes breaks the pipe, once");
    theirs = open_pair();
    jp_stream_read(&stream, false);
    CHECK(write_it(MUCH, false) == JP_WRITE_UNDER_WAY, "and one that goes while it is written to:");
    CloseHandle(theirs);
    UNTIL(closed);
    CHECK(broken == 1 && !written && closed == 1 && nobody_writes_to_it(), "both calls end");
    theirs = open_pair();
    CloseHandle(theirs);
    CHECK(write_it(1, true) == JP_WRITE_FAILED, "nothing is written to one that has gone");
    close_ours();
}

/* At each moment at which a connection is closed by what it said: nothing more of it is heard, and what the kernel still does ends first. */
static void test_closed_from_within(void) {
    HANDLE theirs = open_pair();
    OVERLAPPED overlapped[3];
    close_when_received = true;
    begin_write(theirs, MUCH, &overlapped[0]);
    UNTIL(closed);
    CHECK(received && received <= sizeof stream.bytes && !broken, "who closes for what it was told is told no more, though more is there");
    CHECK(closed == 1 && nobody_writes_to_it(), "and its memory is nobody's then");
    CloseHandle(theirs);
    theirs = open_pair();
    begin_write(theirs, 100, &overlapped[1]);
    turn();
    CHECK(received == 100 && write_it(200, true) == JP_WRITE_UNDER_WAY, "a read stands, and a write is to be told of:");
    close_when_written = true;
    UNTIL(closed);
    CHECK(written == 1 && !broken && closed == 1 && nobody_writes_to_it(), "who closes when it is written is told once");
    CHECK(read_there(theirs, MUCH) == 200, "and the client has it all the same");
    CloseHandle(theirs);
    theirs = open_pair();
    begin_write(theirs, MUCH, &overlapped[2]);
    while (received < A_TURN - sizeof stream.bytes && !broken)
        turn();
    jp_stream_read(&stream, false);
    jp_stream_read(&stream, true);
    close_ours(); /* perhaps between two turns of the same read */
    CHECK(!broken && received_all_right, "who is closed in the midst of much is not told that it is broken");
    CloseHandle(theirs);
}

static void test_part_read(void) {
    HANDLE theirs = open_pair();
    CHECK(write_it(MUCH, false) == JP_WRITE_UNDER_WAY, "a client reads a part of what is written");
    CHECK(read_there(theirs, MUCH / 4) == MUCH / 4 && !written && !broken, "that is not all of it");
    CloseHandle(theirs);
    UNTIL(closed);
    CHECK(broken >= 1 && !written && closed == 1 && nobody_writes_to_it(), "and goes: nothing counts as written");
}

static void test_writes_of_nothing(void) {
    HANDLE theirs = open_pair();
    OVERLAPPED nothing[50], something;
    for (int i = 0; i < 50; i++)
        begin_write(theirs, 0, &nothing[i]);
    begin_write(theirs, 10, &something);
    UNTIL(received);
    CHECK(received == 10 && received_all_right && !broken, "many writes of nothing are nothing");
    close_ours();
    CloseHandle(theirs);
}

int wmain(void); /* no header declares it */

int wmain(void) {
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (char)(i % 251);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &patience);
    test_libuv();
    test_asked_and_answered();
    test_much();
    test_not_reading();
    test_broken();
    test_closed_from_within();
    test_part_read();
    test_writes_of_nothing();
    uv_close((uv_handle_t *)&patience, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0, "nothing is left on the loop");
    return finish();
}
