/* Owns the state between two pieces of a message. */
#include "rpc/framing.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { KEPT_BYTES = 64 << 10 }; /* of memory, from a message to the next */

static const char byte_order_mark[] = "\xEF\xBB\xBF";

struct taking {
    struct jp_framer *framer;
    const char *bytes;
    size_t length, taken;
    enum jp_framed what;
    const char *text;
    size_t text_length;
};

static void begin_next(struct jp_framer *framer) {
    framer->stage = JP_AT_START;
    framer->line = 0;
    framer->has_length = false;
    framer->body_bytes = 0;
}

static void broken(struct taking *taking, const char *why) {
    taking->framer->stage = JP_BROKEN;
    taking->what = JP_FRAMED_BROKEN;
    taking->text = why;
    taking->text_length = strlen(why);
}

/* --- the beginning: blank lines and a byte order mark are what some clients' stream writers send first --- */

static void take_start(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    unsigned char byte = (unsigned char)taking->bytes[taking->taken];
    if (byte == (unsigned char)byte_order_mark[framer->mark]) {
        framer->mark = (framer->mark + 1) % 3;
        taking->taken++;
        return;
    }
    if (!framer->mark && (byte == '\n' || byte == '\r' || byte == ' ' || byte == '\t')) {
        taking->taken++;
        return;
    }
    if (framer->held.capacity > KEPT_BYTES)
        jp_str_free(&framer->held);
    jp_str_clear(&framer->held);
    if (framer->mark) /* it was none; what it is, the JSON reader says */
        jp_str_add(&framer->held, byte_order_mark, framer->mark);
    framer->framing = !framer->mark && byte < 0x80 && isalpha(byte) ? JP_BY_LENGTH : JP_BY_LINE;
    framer->stage = framer->framing == JP_BY_LENGTH ? JP_IN_HEADERS : JP_IN_LINE;
    framer->mark = 0;
}

/* --- lines --- */

static void complete_line(struct taking *taking, const char *line, size_t length) {
    while (length && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    taking->what = JP_FRAMED_MESSAGE;
    taking->text = line;
    taking->text_length = length;
    begin_next(taking->framer);
}

static void take_line(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    const char *from = taking->bytes + taking->taken, *end = memchr(from, '\n', taking->length - taking->taken);
    size_t piece = end ? (size_t)(end - from) : taking->length - taking->taken;
    taking->taken += piece + (end != NULL);
    if (framer->held.length + piece > framer->max_bytes) {
        jp_str_free(&framer->held);
        taking->what = JP_FRAMED_TOO_LONG;
        if (end)
            begin_next(framer);
        else
            framer->stage = JP_SKIPPING_LINE;
        return;
    }
    if (end && !framer->held.length) { /* whole as it came: nothing to copy */
        complete_line(taking, from, piece);
        return;
    }
    jp_str_add(&framer->held, from, piece);
    if (end)
        complete_line(taking, jp_str_text(&framer->held), framer->held.length);
}

static void skip_line(struct taking *taking) {
    const char *from = taking->bytes + taking->taken, *end = memchr(from, '\n', taking->length - taking->taken);
    taking->taken = end ? (size_t)(end - taking->bytes) + 1 : taking->length;
    if (end)
        begin_next(taking->framer);
}

/* --- header fields --- */

static bool name_is(const char *field, size_t length, const char *name) {
    for (size_t i = 0; i < length; i++)
        if (!name[i] || tolower((unsigned char)field[i]) != tolower((unsigned char)name[i]))
            return false;
    return !name[length];
}

/* False if it is no number, or one over what can be counted. */
static bool read_length(const char *value, size_t length, uint64_t *ret_number) {
    *ret_number = 0;
    if (!length || length > 18)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return false;
        *ret_number = *ret_number * 10 + (uint64_t)(value[i] - '0');
    }
    return true;
}

/* The charset is UTF-8 (older servers and clients write utf8) unless it says something else. */
static bool is_utf8(const char *value, size_t length) {
    static const char key[] = "charset=";
    for (size_t i = 0; i + sizeof key - 1 <= length; i++)
        if (name_is(value + i, sizeof key - 1, key)) {
            const char *name = value + i + sizeof key - 1;
            size_t rest = length - i - (sizeof key - 1);
            size_t end = 0;
            if (rest && *name == '"') {
                name++;
                rest--;
            }
            while (end < rest && name[end] != '"' && name[end] != ';' && name[end] != ' ')
                end++;
            return name_is(name, end, "utf-8") || name_is(name, end, "utf8");
        }
    return true;
}

static void take_field(struct taking *taking, const char *field, size_t length) {
    struct jp_framer *framer = taking->framer;
    const char *colon = memchr(field, ':', length);
    if (!colon) {
        broken(taking, "a header field has the form \"Name: value\"");
        return;
    }
    const char *value = colon + 1;
    size_t rest = length - (size_t)(value - field);
    while (rest && (*value == ' ' || *value == '\t')) {
        value++;
        rest--;
    }
    while (rest && (value[rest - 1] == ' ' || value[rest - 1] == '\t'))
        rest--;
    size_t name = (size_t)(colon - field);
    uint64_t number;
    if (name_is(field, name, "Content-Type") && !is_utf8(value, rest)) {
        broken(taking, "Content-Type: only UTF-8 is understood");
    } else if (name_is(field, name, "Content-Length")) {
        if (!read_length(value, rest, &number))
            broken(taking, "Content-Length is not a number of bytes");
        else if (framer->has_length && framer->body_bytes != number)
            broken(taking, "Content-Length is there twice, with two numbers");
        else
            framer->body_bytes = number;
        framer->has_length = true;
    }
}

static void end_headers(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    if (!framer->has_length) {
        broken(taking, "the header fields have no Content-Length");
        return;
    }
    jp_str_clear(&framer->held);
    framer->stage = JP_IN_BODY;
    if (framer->body_bytes > framer->max_bytes) {
        jp_str_free(&framer->held);
        framer->stage = JP_SKIPPING_BODY;
        taking->what = JP_FRAMED_TOO_LONG;
    }
}

/* `held` has a line whole, from `line` on. A first line without a colon is no header field but a line of something else. */
static void take_header_line(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    const char *line = framer->held.data + framer->line;
    size_t length = framer->held.length - framer->line - 1; /* without \n */
    if (length && line[length - 1] == '\r')
        length--;
    if (!framer->line && !memchr(line, ':', length)) {
        framer->framing = JP_BY_LINE;
        if (length <= framer->max_bytes) {
            complete_line(taking, line, length);
        } else {
            taking->what = JP_FRAMED_TOO_LONG;
            begin_next(framer);
        }
        return;
    }
    framer->line = framer->held.length;
    if (length)
        take_field(taking, line, length);
    else
        end_headers(taking);
}

static bool has_colon(const struct jp_framer *framer, const char *more, size_t length) {
    return (framer->held.length && memchr(framer->held.data, ':', framer->held.length)) || memchr(more, ':', length);
}

static void take_headers(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    const char *from = taking->bytes + taking->taken, *end = memchr(from, '\n', taking->length - taking->taken);
    size_t piece = end ? (size_t)(end - from) + 1 : taking->length - taking->taken;
    if (framer->held.length + piece > JP_HEADERS_MAX && !framer->line && !has_colon(framer, from, piece)) {
        framer->framing = JP_BY_LINE; /* so long a name no field has: it is a line of something else */
        framer->stage = JP_IN_LINE;
        return;
    }
    if (framer->held.length + piece > JP_HEADERS_MAX) {
        broken(taking, "the header fields are too long");
        return;
    }
    jp_str_add(&framer->held, from, piece);
    taking->taken += piece;
    if (end)
        take_header_line(taking);
}

/* --- bodies --- */

static void take_body(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    const char *from = taking->bytes + taking->taken;
    size_t wanted = (size_t)framer->body_bytes - framer->held.length, there = taking->length - taking->taken;
    size_t piece = there < wanted ? there : wanted;
    taking->taken += piece;
    if (framer->held.length || piece < wanted) {
        jp_str_add(&framer->held, from, piece);
        from = jp_str_text(&framer->held);
    }
    if (piece < wanted)
        return;
    taking->what = JP_FRAMED_MESSAGE;
    taking->text = from;
    taking->text_length = (size_t)framer->body_bytes;
    begin_next(framer);
}

static void skip_body(struct taking *taking) {
    struct jp_framer *framer = taking->framer;
    uint64_t there = taking->length - taking->taken;
    uint64_t piece = there < framer->body_bytes ? there : framer->body_bytes;
    taking->taken += (size_t)piece;
    framer->body_bytes -= piece;
    if (!framer->body_bytes)
        begin_next(framer);
}

/* --- all of it --- */

static bool wants_bytes(const struct jp_framer *framer) { return framer->stage != JP_IN_BODY || framer->body_bytes; }

size_t jp_framer_take(struct jp_framer *framer, const char *bytes, size_t length, enum jp_framed *ret_what, const char **ret_text,
                      size_t *ret_length) {
    static void (*const steps[])(struct taking *) = {
        [JP_AT_START] = take_start,     [JP_IN_LINE] = take_line,         [JP_IN_HEADERS] = take_headers,
        [JP_IN_BODY] = take_body,       [JP_SKIPPING_LINE] = skip_line,   [JP_SKIPPING_BODY] = skip_body,
    };
    struct taking taking = {.framer = framer, .bytes = bytes, .length = length};
    while (taking.what == JP_FRAMED_NOTHING && framer->stage != JP_BROKEN && (taking.taken < length || !wants_bytes(framer)))
        steps[framer->stage](&taking);
    if (framer->stage == JP_BROKEN)
        taking.taken = length; /* nothing of it means anything */
    *ret_what = taking.what;
    *ret_text = taking.text;
    *ret_length = taking.text_length;
    return taking.taken;
}

bool jp_framer_midway(const struct jp_framer *framer) { return framer->stage != JP_AT_START || framer->mark; }

void jp_framer_clear(struct jp_framer *framer) { jp_str_free(&framer->held); }

void jp_frame(struct jp_str *out, size_t at, enum jp_framing framing) {
    char header[64];
    if (framing == JP_BY_LINE)
        jp_str_putc(out, '\n');
    else
        jp_str_insert(out, at, header, (size_t)snprintf(header, sizeof header, "Content-Length: %zu\r\n\r\n", out->length - at));
}
