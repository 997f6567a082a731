/* Two directions, a thread each, so that a reader who is slow to take answers does not keep requests from the service.
 * What passes is also read along, line by line, to know when the last answer is there. */
#include "cli/bridge.h"

#include <stdatomic.h>
#include <string.h>
#include <windows.h>

enum { CHUNK_SIZE = 64 << 10, LINE_MAX_BYTES = 16 << 20, MAX_DEPTH = 64 };

/* A stream that is read along. Of a line longer than LINE_MAX_BYTES only the fact is kept. */
struct lines {
    struct jp_str partial; /* the line that has not ended yet */
    bool too_long;
};

struct bridge {
    struct jp_pipe *pipe;
    struct lines in, out;
    atomic_llong unanswered; /* requests minus answers; below 0 when the service complains of more than was asked */
    HANDLE input_ended;      /* an event */
};

/* ------------------------------------------------------------------------------------------------------ reading along */

typedef bool line_test_fn(const cJSON *message);

/* Whether the line passes the test; one that is no JSON, too long or nested too deep is tested as NULL. */
static bool line_passes(const char *line, size_t length, line_test_fn *test) {
    static const struct jp_json_rules rules = {.max_bytes = LINE_MAX_BYTES, .max_depth = MAX_DEPTH};
    struct jp_json json = {0};
    struct jp_json_place place;
    struct jp_error error;
    if (length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) { /* the byte order mark that some clients begin with */
        line += 3;
        length -= 3;
    }
    if (strspn(line, " \t\r") == length)
        return false; /* a blank line says nothing, in either direction */
    bool parsed = jp_json_parse(line, length, &rules, &json, &place, &error) == JP_OK;
    bool passes = test(parsed ? json.root : NULL);
    if (parsed)
        jp_json_free(&json);
    return passes;
}

/* How many of the lines that end within `bytes` pass the test. */
static long long count_lines(struct lines *lines, const char *bytes, size_t length, line_test_fn *test) {
    long long count = 0;
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t taken = end == NULL ? length : (size_t)(end - bytes);
        lines->too_long = lines->too_long || lines->partial.length + taken > LINE_MAX_BYTES;
        if (lines->too_long)
            jp_str_clear(&lines->partial);
        else
            jp_str_add(&lines->partial, bytes, taken);
        if (end == NULL)
            break;
        count += lines->too_long ? test(NULL) : line_passes(jp_str_text(&lines->partial), lines->partial.length, test);
        jp_str_clear(&lines->partial);
        lines->too_long = false;
        bytes = end + 1;
        length -= taken + 1;
    }
    return count;
}

/* A notification: the one message that JSON-RPC leaves unanswered. One with a fault gets an error to the id null. */
static bool is_notification(const cJSON *message) {
    const cJSON *version = jp_get(message, "jsonrpc");
    const cJSON *params = jp_get(message, "params");
    return cJSON_IsObject(message) && jp_get(message, "id") == NULL && cJSON_IsString(version) &&
           strcmp(version->valuestring, "2.0") == 0 && cJSON_IsString(jp_get(message, "method")) &&
           (params == NULL || cJSON_IsObject(params) || cJSON_IsArray(params));
}

/* Whether the service will answer a line. A batch gets one answer, and none if it holds notifications only. */
static bool wants_answer(const cJSON *message) {
    if (message == NULL || !cJSON_IsArray(message) || message->child == NULL)
        return !is_notification(message);
    const cJSON *item;
    cJSON_ArrayForEach(item, message) {
        if (!is_notification(item))
            return true;
    }
    return false;
}

static bool is_answer(const cJSON *message) { return !is_notification(message); }

/* ------------------------------------------------------------------------------------------------- the two directions */

/* Sends, having counted first: an answer may be there before the write is done. */
static bool send_on(struct bridge *bridge, const char *bytes, size_t length) {
    struct jp_error error;
    atomic_fetch_add(&bridge->unanswered, count_lines(&bridge->in, bytes, length, wants_answer));
    jp_pipe_begin_write(bridge->pipe, bytes, length);
    return jp_pipe_finish_write(bridge->pipe, &error) == JP_OK;
}

/* Standard input to the pipe. A write that fails is not told here: the same end of the connection is seen by the other
 * direction, after whatever last words the service had. */
static DWORD WINAPI pass_input(void *context) {
    struct bridge *bridge = context;
    static char chunk[CHUNK_SIZE];
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD length = 0;
    bool good = true;
    while (good && ReadFile(input, chunk, sizeof chunk, &length, NULL) && length > 0)
        good = send_on(bridge, chunk, length);
    if (good && (bridge->in.partial.length > 0 || bridge->in.too_long))
        send_on(bridge, "\n", 1); /* the last line was not ended */
    SetEvent(bridge->input_ended);
    return 0;
}

/* Takes the read that has finished on to standard output. JP_EXIT_OK if there may be more. */
static int pass_output(struct bridge *bridge, const struct jp_cli *cli, const char *chunk) {
    struct jp_error error = {0};
    size_t length = 0;
    jp_status status = jp_pipe_finish_read(bridge->pipe, &length, &error);
    if (status == JP_OK && length == 0)
        status = jp_fail(&error, JP_E_SYSTEM, "the service closed the connection");
    if (status != JP_OK)
        return jp_cli_unreachable(cli, &error);
    jp_output(chunk, length);
    if (!jp_output_good()) {
        jp_complain("standard output could not be written");
        return JP_EXIT_FAILED;
    }
    atomic_fetch_sub(&bridge->unanswered, count_lines(&bridge->out, chunk, length, is_answer));
    return JP_EXIT_OK;
}

static int pass_until_answered(struct bridge *bridge, const struct jp_cli *cli) {
    static char chunk[CHUNK_SIZE];
    HANDLE events[] = {jp_pipe_read_event(bridge->pipe), bridge->input_ended};
    bool ended = false;
    int code = JP_EXIT_OK;
    jp_pipe_begin_read(bridge->pipe, chunk, sizeof chunk);
    while (code == JP_EXIT_OK && !(ended && atomic_load(&bridge->unanswered) <= 0)) {
        if (WaitForMultipleObjects(ended ? 1 : 2, events, FALSE, INFINITE) == WAIT_OBJECT_0 + 1) {
            ended = true;
            continue;
        }
        code = pass_output(bridge, cli, chunk);
        if (code == JP_EXIT_OK)
            jp_pipe_begin_read(bridge->pipe, chunk, sizeof chunk);
    }
    return code;
}

int jp_bridge_run(const struct jp_cli *cli) {
    /* Static, because the thread that reads standard input cannot be called back from it: when the service closes first, the
     * thread is still there, waiting, until the process ends. */
    static struct bridge bridge;
    struct jp_pipe_options options = jp_cli_pipe_options(cli);
    struct jp_error error = {0};
    if (jp_pipe_open(&options, &bridge.pipe, &error) != JP_OK)
        return jp_cli_unreachable(cli, &error);
    bridge.input_ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE thread = bridge.input_ended == NULL ? NULL : CreateThread(NULL, 0, pass_input, &bridge, 0, NULL);
    if (thread == NULL) {
        jp_complain("cannot start the bridge (error %lu)", (unsigned long)GetLastError());
        jp_pipe_close(bridge.pipe);
        return JP_EXIT_FAILED;
    }
    CloseHandle(thread);
    /* The process ends after this, and the pipe with it: no answer is waited for any more. */
    return pass_until_answered(&bridge, cli);
}
