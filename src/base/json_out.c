/* Owns how JSON looks. */
#include "base/json_out.h"

#include "base/units.h"
#include "base/utf.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- strings --- */

/* Eight bytes at a time: whether all of them can stand in a string as they are. A bit 7 that comes out set says that one may not; a byte that
 * borrows from the one above it has set its own. */
static bool eight_plain(const char *text) {
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, text, sizeof word);
    uint64_t control = word - each * 0x20, quote = (word ^ each * '"') - each, backslash = (word ^ each * '\\') - each;
    return !((word | control | quote | backslash) & each * 0x80);
}

/* The number of bytes that can stand as they are, and where a look at one character is needed. */
static size_t plain_length(const char *text, size_t length) {
    size_t at = 0;
    while (length - at >= 8 && eight_plain(text + at))
        at += 8;
    while (at < length && (unsigned char)text[at] >= 0x20 && (unsigned char)text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
        at++;
    return at;
}

/* WTF-8 for a surrogate is ED A0..BF 80..BF, which no valid UTF-8 has. */
static bool lone_surrogate(const unsigned char *bytes, size_t left) {
    return left >= 3 && bytes[0] == 0xED && bytes[1] >= 0xA0 && bytes[1] <= 0xBF && bytes[2] >= 0x80 && bytes[2] <= 0xBF;
}

/* One character that is not plain. Returns how many bytes of the text that was. */
static size_t put_character(struct jp_str *out, const char *text, size_t left) {
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const unsigned char *bytes = (const unsigned char *)text;
    const char *short_form = memchr(escaped, *text, sizeof escaped - 1);
    size_t sequence = bytes[0] >= 0x80 ? jp_utf8_sequence(text, left) : 0;
    if (sequence) {
        jp_str_add(out, text, sequence);
        return sequence;
    }
    if (short_form) {
        jp_str_add(out, (const char[]){'\\', letters[short_form - escaped]}, 2);
        return 1;
    }
    if (lone_surrogate(bytes, left)) {
        jp_str_printf(out, "\\u%04x", 0xD000u | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu));
        return 3;
    }
    jp_str_printf(out, "\\u%04x", bytes[0] < 0x20 ? bytes[0] : 0xFFFDu);
    return 1;
}

/* What is not plain, piece by piece. */
static void put_escaped(struct jp_str *out, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t plain = plain_length(text + at, length - at);
        jp_str_add(out, text + at, plain);
        at += plain;
        if (at < length)
            at += put_character(out, text + at, length - at);
    }
}

/* Most strings are plain, and copied at once; `after` (at most two characters) ends them. */
static void put_string(struct jp_str *out, const char *text, size_t length, const char *after) {
    size_t plain = plain_length(text, length), more = strlen(after);
    char *to = jp_str_room(out, plain + 1 + more);
    *to++ = '"';
    memcpy(to, text, plain);
    to += plain;
    if (plain < length) {
        jp_str_wrote(out, plain + 1);
        put_escaped(out, text + plain, length - plain);
        jp_str_puts(out, after);
        return;
    }
    memcpy(to, after, more);
    jp_str_wrote(out, plain + 1 + more);
}

/* --- numbers --- */

enum { DIGITS = 24 }; /* of any 64-bit number, with its sign */

/* Returns the first of the digits, which end with the buffer. */
static char *put_digits(char buffer[DIGITS], uint64_t value) {
    char *first = buffer + DIGITS;
    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return first;
}

static uint64_t magnitude_of(int64_t value) { return value < 0 ? 0 - (uint64_t)value : (uint64_t)value; }

static void put_integer(struct jp_str *out, bool negative, uint64_t magnitude, bool quoted) {
    char buffer[1 + DIGITS + 1]; /* a quote on each side */
    char *first = put_digits(buffer + 1, magnitude), *end = buffer + 1 + DIGITS;
    if (negative)
        *--first = '-';
    if (quoted) {
        *--first = '"';
        *end++ = '"';
    }
    jp_str_add(out, first, (size_t)(end - first));
}

static void put_double(struct jp_str *out, double value) {
    char text[40];
    if (!(fabs(value) <= DBL_MAX)) { /* infinite or no number: JSON has no word for it */
        jp_str_puts(out, "null");
        return;
    }
    if (fabs(value) <= (double)JP_JSON_EXACT_MAX && !(floor(value) < value)) {
        put_integer(out, copysign(1, value) < 0, (uint64_t)fabs(value), false); /* signbit() of mingw-w64 does not pass -Wfloat-conversion */
        return;
    }
    for (int digits = 15; digits <= 17; digits++) { /* 17 always do */
        snprintf(text, sizeof text, "%.*g", digits, value);
        double again = strtod(text, NULL);
        if (!(again < value) && !(again > value))
            break;
    }
    jp_str_puts(out, text);
}

/* --- values --- */

static void put_key(struct jp_json_out *out, const char *key) {
    if (out->comma)
        jp_str_putc(out->text, ',');
    if (key)
        put_string(out->text, key, strlen(key), "\":");
    out->comma = true;
}

static void begin(struct jp_json_out *out, const char *key, char bracket) {
    put_key(out, key);
    jp_str_putc(out->text, bracket);
    out->comma = false;
}

static void end(struct jp_json_out *out, char bracket) {
    jp_str_putc(out->text, bracket);
    out->comma = true;
}

void jp_out_object(struct jp_json_out *out, const char *key) { begin(out, key, '{'); }
void jp_out_end_object(struct jp_json_out *out) { end(out, '}'); }
void jp_out_array(struct jp_json_out *out, const char *key) { begin(out, key, '['); }
void jp_out_end_array(struct jp_json_out *out) { end(out, ']'); }

void jp_out_printed(struct jp_json_out *out, const char *key, const char *json, size_t length) {
    put_key(out, key);
    jp_str_add(out->text, json, length);
}

void jp_out_null(struct jp_json_out *out, const char *key) { jp_out_printed(out, key, "null", 4); }

void jp_out_bool(struct jp_json_out *out, const char *key, bool value) { jp_out_printed(out, key, value ? "true" : "false", value ? 4 : 5); }

void jp_out_u64(struct jp_json_out *out, const char *key, uint64_t value) {
    put_key(out, key);
    put_integer(out->text, false, value, value > JP_JSON_EXACT_MAX);
}

void jp_out_i64(struct jp_json_out *out, const char *key, int64_t value) {
    put_key(out, key);
    put_integer(out->text, value < 0, magnitude_of(value), magnitude_of(value) > JP_JSON_EXACT_MAX);
}

void jp_out_u64_if(struct jp_json_out *out, const char *key, bool known, uint64_t value) {
    if (known)
        jp_out_u64(out, key, value);
    else
        jp_out_null(out, key);
}

void jp_out_decimal(struct jp_json_out *out, const char *key, int64_t value) {
    put_key(out, key);
    put_integer(out->text, value < 0, magnitude_of(value), true);
}

void jp_out_double(struct jp_json_out *out, const char *key, double value) {
    put_key(out, key);
    put_double(out->text, value);
}

void jp_out_string(struct jp_json_out *out, const char *key, const char *text) {
    if (!text) {
        jp_out_null(out, key);
        return;
    }
    put_key(out, key);
    put_string(out->text, text, strlen(text), "\"");
}

void jp_out_time(struct jp_json_out *out, const char *key, int64_t time_100ns) {
    char text[JP_TIME_TEXT];
    jp_out_string(out, key, time_100ns ? jp_time_format(time_100ns, text) : NULL);
}

/* --- trees --- */

static void put_items(struct jp_json_out *out, const cJSON *container) {
    const cJSON *item;
    cJSON_ArrayForEach(item, container) jp_out_tree(out, cJSON_IsObject(container) ? item->string : NULL, item);
}

void jp_out_tree(struct jp_json_out *out, const char *key, const cJSON *tree) {
    if (cJSON_IsObject(tree)) {
        jp_out_object(out, key);
        put_items(out, tree);
        jp_out_end_object(out);
    } else if (cJSON_IsArray(tree)) {
        jp_out_array(out, key);
        put_items(out, tree);
        jp_out_end_array(out);
    } else if (cJSON_IsString(tree)) {
        jp_out_string(out, key, tree->valuestring);
    } else if (cJSON_IsNumber(tree)) {
        jp_out_double(out, key, tree->valuedouble);
    } else if (cJSON_IsRaw(tree)) {
        jp_out_printed(out, key, tree->valuestring, strlen(tree->valuestring));
    } else if (cJSON_IsBool(tree)) {
        jp_out_bool(out, key, cJSON_IsTrue(tree));
    } else {
        jp_out_null(out, key);
    }
}

void jp_json_print(const cJSON *item, struct jp_str *out) { jp_out_tree(&(struct jp_json_out){.text = out}, NULL, item); }
