/* Any bytes as messages, at once and in pieces: the same messages, none over its bound, never more memory than that, and what is framed is
 * taken apart again. */
#include "rpc/framing.h"

#include "fuzz.h"

#include <string.h>

enum { MOST_BYTES = 512, KEPT_BYTES = 64 << 10, MOST_PIECES = 64 };

/* What came out, written down: "M5:hello", "L", "B". */
static void write_down(struct jp_str *story, enum jp_framed what, const char *text, size_t length) {
    if (what == JP_FRAMED_TOO_LONG) {
        jp_str_puts(story, "L");
    } else if (what != JP_FRAMED_NOTHING) {
        jp_str_printf(story, "%c%zu:", what == JP_FRAMED_MESSAGE ? 'M' : 'B', length);
        jp_str_add(story, text, length);
    }
}

/* A piece is a copy of its exact size, so that a look behind its end is seen. */
static void take_piece(struct jp_framer *framer, const uint8_t *bytes, size_t length, struct jp_str *story) {
    char *copy = jp_realloc_array(NULL, length ? length : 1, 1);
    memcpy(copy, bytes, length);
    for (size_t at = 0; at < length;) {
        enum jp_framed what;
        const char *text;
        size_t text_length;
        size_t taken = jp_framer_take(framer, copy + at, length - at, &what, &text, &text_length);
        MUST(taken <= length - at && (taken || what == JP_FRAMED_BROKEN));
        MUST(what != JP_FRAMED_NOTHING || taken == length - at);
        MUST(what != JP_FRAMED_MESSAGE || text_length <= framer->max_bytes);
        MUST(framer->held.length <= framer->max_bytes + JP_HEADERS_MAX && framer->held.capacity <= KEPT_BYTES);
        write_down(story, what, text, text_length);
        at += taken;
    }
    jp_free(copy);
}

static struct jp_str whole(const uint8_t *data, size_t size, size_t max_bytes) {
    struct jp_framer framer = {.max_bytes = max_bytes};
    struct jp_str story = {0};
    take_piece(&framer, data, size, &story);
    jp_str_printf(&story, " %d %d", jp_framer_midway(&framer), (int)framer.framing);
    jp_framer_clear(&framer);
    return story;
}

/* `sizes` says how long the pieces are, over and over. */
static struct jp_str in_pieces(const uint8_t *data, size_t size, size_t max_bytes, const uint8_t *sizes, size_t size_count) {
    struct jp_framer framer = {.max_bytes = max_bytes};
    struct jp_str story = {0};
    size_t number = 0;
    for (size_t at = 0; at < size; number++) {
        size_t piece = size_count ? sizes[number % size_count] % 97 + 1u : 1;
        if (piece > size - at)
            piece = size - at;
        take_piece(&framer, data + at, piece, &story);
        at += piece;
    }
    jp_str_printf(&story, " %d %d", jp_framer_midway(&framer), (int)framer.framing);
    jp_framer_clear(&framer);
    return story;
}

static void must_be_same(const struct jp_str *one, struct jp_str *other) {
    MUST(one->length == other->length && memcmp(one->data, other->data, one->length) == 0);
    jp_str_free(other);
}

static void check_splits(const uint8_t *data, size_t size, size_t max_bytes, const uint8_t *sizes, size_t size_count) {
    struct jp_str at_once = whole(data, size, max_bytes);
    struct jp_str bytewise = in_pieces(data, size, max_bytes, NULL, 0);
    struct jp_str split = in_pieces(data, size, max_bytes, sizes, size_count);
    must_be_same(&at_once, &bytewise);
    must_be_same(&at_once, &split);
    jp_str_free(&at_once);
}

/* What goes out in one framing comes in as itself; twice, because the first must not spoil the second. By line a text is as JSON is: without
 * line ends, and with something that is no header field, blank or mark at its ends. */
static void check_frame(const uint8_t *data, size_t size, enum jp_framing framing) {
    struct jp_framer framer = {.max_bytes = size + 2};
    struct jp_str text = {0}, out = {0};
    jp_str_putc(&text, '{');
    for (size_t i = 0; i < size; i++)
        jp_str_putc(&text, framing == JP_BY_LINE && data[i] == '\n' ? ' ' : (char)data[i]);
    jp_str_putc(&text, '}');
    for (unsigned messages = 0; messages < 2; messages++) {
        size_t at = out.length;
        jp_str_add(&out, text.data, text.length);
        jp_frame(&out, at, framing);
    }
    size_t at = 0;
    for (unsigned messages = 0; messages < 2; messages++) {
        enum jp_framed what;
        const char *found;
        size_t length;
        at += jp_framer_take(&framer, out.data + at, out.length - at, &what, &found, &length);
        MUST(what == JP_FRAMED_MESSAGE && framer.framing == framing);
        MUST(length == text.length && memcmp(found, text.data, length) == 0);
    }
    MUST(at == out.length && !jp_framer_midway(&framer));
    jp_framer_clear(&framer);
    jp_str_free(&text);
    jp_str_free(&out);
}

/* The first byte: how many of the next say how long the pieces are; the second: the bound. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    size_t size_count = data[0] % MOST_PIECES, max_bytes = (data[1] + 1u) * (MOST_BYTES / 64);
    const uint8_t *sizes = data + 2;
    data += 2;
    size -= 2;
    if (size_count > size)
        size_count = size;
    check_splits(data + size_count, size - size_count, max_bytes, sizes, size_count);
    check_frame(data, size, JP_BY_LINE);
    check_frame(data, size, JP_BY_LENGTH);
    return 0;
}
