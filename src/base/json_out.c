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

static bool is_plain(char letter) { return (unsigned char)letter >= 0x20 && (unsigned char)letter < 0x80 && letter != '"' && letter != '\\'; }

/* Whether all of eight bytes can stand in a string as they are. A bit 7 that comes out set says that one may not; a byte that borrows from the
 * one above it has set its own. */
static bool eight_plain(uint64_t bytes) {
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t control = bytes - each * 0x20, quote = (bytes ^ each * '"') - each, backslash = (bytes ^ each * '\\') - each;
    return !((bytes | control | quote | backslash) & each * 0x80);
}

/* Copies what can stand as it is, up to where a look at one character is needed. Returns how many bytes that was. */
static size_t copy_plain(char *to, const char *text, size_t length) {
    size_t at = 0;
    uint64_t bytes;
    for (; length - at >= sizeof bytes; at += sizeof bytes) {
        memcpy(&bytes, text + at, sizeof bytes);
        if (!eight_plain(bytes))
            break;
        memcpy(to + at, &bytes, sizeof bytes);
    }
    for (; at < length && is_plain(text[at]); at++)
        to[at] = text[at];
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

/* The rest of a string from where it is not plain, piece by piece. */
static void put_escaped(struct jp_str *out, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        at += put_character(out, text + at, length - at);
        char *to = jp_str_room(out, length - at);
        size_t plain = copy_plain(to, text + at, length - at);
        jp_str_end_at(out, to + plain);
        at += plain;
    }
}

/* `to` has room for the text and two quotes. Returns where it ends. */
static char *put_string(struct jp_str *out, char *to, const char *text, size_t length) {
    *to++ = '"';
    size_t plain = copy_plain(to, text, length);
    to += plain;
    if (plain < length) {
        jp_str_end_at(out, to);
        put_escaped(out, text + plain, length - plain);
        to = jp_str_room(out, 1);
    }
    *to++ = '"';
    return to;
}

/* --- numbers --- */

enum { INTEGER = 24, DOUBLE = 40 }; /* bytes of any, at most */

static uint64_t magnitude_of(int64_t value) { return value < 0 ? 0 - (uint64_t)value : (uint64_t)value; }

/* `to` has room for INTEGER bytes. Returns where it ends. */
static char *put_integer(char *to, bool negative, uint64_t magnitude, bool quoted) {
    char digits[20], *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude);
    size_t count = (size_t)(digits + sizeof digits - first);
    if (quoted)
        *to++ = '"';
    if (negative)
        *to++ = '-';
    memcpy(to, first, count);
    to += count;
    if (quoted)
        *to++ = '"';
    return to;
}

/* `to` has room for DOUBLE bytes. */
static char *put_double(char *to, double value) {
    if (!(fabs(value) <= DBL_MAX)) { /* infinite or no number: JSON has no word for it */
        memcpy(to, "null", 4);
        return to + 4;
    }
    if (fabs(value) <= (double)JP_JSON_EXACT_MAX && !(floor(value) < value))
        return put_integer(to, copysign(1, value) < 0, (uint64_t)fabs(value), false); /* signbit() of mingw-w64 does not pass -Wconversion */
    for (int digits = 15; digits <= 17; digits++) { /* 17 always do */
        snprintf(to, DOUBLE, "%.*g", digits, value);
        double again = strtod(to, NULL);
        if (!(again < value) && !(again > value))
            break;
    }
    return to + strlen(to);
}

/* --- values --- */

/* What comes before a value. Returns where the value is put, with room for so many bytes; it is then ended. */
static char *begin_value(struct jp_json_out *out, const char *key, size_t room) {
    size_t length = key ? strlen(key) : 0;
    char *to = jp_str_room(out->text, length + 4 + room); /* a comma, two quotes, a colon */
    if (out->comma)
        *to++ = ',';
    if (key) {
        *to++ = '"';
        memcpy(to, key, length);
        to += length;
        *to++ = '"';
        *to++ = ':';
    }
    out->comma = true;
    return to;
}

static void put_word(struct jp_json_out *out, const char *key, const char *word) {
    size_t length = strlen(word);
    char *to = begin_value(out, key, length);
    memcpy(to, word, length);
    jp_str_end_at(out->text, to + length);
}

static void begin(struct jp_json_out *out, const char *key, const char *bracket) {
    put_word(out, key, bracket);
    out->comma = false;
}

static void end(struct jp_json_out *out, char bracket) {
    jp_str_putc(out->text, bracket);
    out->comma = true;
}

void jp_out_object(struct jp_json_out *out, const char *key) { begin(out, key, "{"); }
void jp_out_end_object(struct jp_json_out *out) { end(out, '}'); }
void jp_out_array(struct jp_json_out *out, const char *key) { begin(out, key, "["); }
void jp_out_end_array(struct jp_json_out *out) { end(out, ']'); }

void jp_out_null(struct jp_json_out *out, const char *key) { put_word(out, key, "null"); }
void jp_out_bool(struct jp_json_out *out, const char *key, bool value) { put_word(out, key, value ? "true" : "false"); }

static void put_number(struct jp_json_out *out, const char *key, bool negative, uint64_t magnitude, bool quoted) {
    char *to = begin_value(out, key, INTEGER);
    jp_str_end_at(out->text, put_integer(to, negative, magnitude, quoted));
}

void jp_out_u64(struct jp_json_out *out, const char *key, uint64_t value) { put_number(out, key, false, value, value > JP_JSON_EXACT_MAX); }

void jp_out_i64(struct jp_json_out *out, const char *key, int64_t value) {
    put_number(out, key, value < 0, magnitude_of(value), magnitude_of(value) > JP_JSON_EXACT_MAX);
}

void jp_out_decimal(struct jp_json_out *out, const char *key, int64_t value) { put_number(out, key, value < 0, magnitude_of(value), true); }

void jp_out_u64_if(struct jp_json_out *out, const char *key, bool known, uint64_t value) {
    if (known)
        jp_out_u64(out, key, value);
    else
        jp_out_null(out, key);
}

void jp_out_double(struct jp_json_out *out, const char *key, double value) {
    char *to = begin_value(out, key, DOUBLE);
    jp_str_end_at(out->text, put_double(to, value));
}

void jp_out_string(struct jp_json_out *out, const char *key, const char *text) {
    if (!text) {
        jp_out_null(out, key);
        return;
    }
    size_t length = strlen(text);
    char *to = begin_value(out, key, length + 2);
    jp_str_end_at(out->text, put_string(out->text, to, text, length));
}

void jp_out_time(struct jp_json_out *out, const char *key, int64_t time_100ns) {
    char text[JP_TIME_TEXT];
    jp_out_string(out, key, time_100ns ? jp_time_format(time_100ns, text) : NULL);
}

/* --- trees --- */

/* Keys of a tree are whatever somebody chose. */
static void put_member(struct jp_json_out *out, const cJSON *item) {
    if (item->string) {
        jp_out_string(out, NULL, item->string);
        jp_str_putc(out->text, ':');
        out->comma = false;
    }
    jp_out_tree(out, NULL, item);
}

void jp_out_members(struct jp_json_out *out, const cJSON *object) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        put_member(out, item); /* elements of an array have no key */
    }
}

void jp_out_printed_members(struct jp_json_out *out, const char *json, size_t length) {
    if (!length)
        return;
    char *to = begin_value(out, NULL, length);
    memcpy(to, json, length);
    jp_str_end_at(out->text, to + length);
}

void jp_out_tree(struct jp_json_out *out, const char *key, const cJSON *tree) {
    if (cJSON_IsObject(tree)) {
        jp_out_object(out, key);
        jp_out_members(out, tree);
        jp_out_end_object(out);
    } else if (cJSON_IsArray(tree)) {
        jp_out_array(out, key);
        jp_out_members(out, tree);
        jp_out_end_array(out);
    } else if (cJSON_IsString(tree)) {
        jp_out_string(out, key, tree->valuestring);
    } else if (cJSON_IsNumber(tree)) {
        jp_out_double(out, key, tree->valuedouble);
    } else if (cJSON_IsRaw(tree)) {
        put_word(out, key, tree->valuestring);
    } else if (cJSON_IsBool(tree)) {
        jp_out_bool(out, key, cJSON_IsTrue(tree));
    } else {
        jp_out_null(out, key);
    }
}

void jp_json_print(const cJSON *item, struct jp_str *out) { jp_out_tree(&(struct jp_json_out){.text = out}, NULL, item); }
