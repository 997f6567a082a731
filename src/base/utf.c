/* UTF-8 and UTF-16 (WTF-8 inside: lone surrogates survive). */
#include "base/utf.h"

#include "base/str.h"

#include <string.h>

enum { REPLACEMENT = 0xFFFD };

static bool continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/* As jp_utf8_sequence, with surrogates accepted if `wtf8`. *ret_point is written when the result is not 0. */
static size_t decode(const char *text, size_t length, bool wtf8, uint32_t *ret_point) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (!length)
        return 0;
    if (bytes[0] < 0x80) {
        *ret_point = bytes[0];
        return 1;
    }
    size_t needed = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4 || length < needed)
        return 0;
    uint32_t point = bytes[0] & (0x7Fu >> needed);
    for (size_t i = 1; i < needed; i++) {
        if (!continuation(bytes[i]))
            return 0;
        point = (point << 6) | (bytes[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < least[needed] || point > 0x10FFFF || (surrogate && !wtf8))
        return 0;
    *ret_point = point;
    return needed;
}

size_t jp_utf8_sequence(const char *text, size_t length) {
    uint32_t point;
    return decode(text, length, false, &point);
}

size_t jp_utf8_valid_length(const char *text, size_t length) {
    size_t at = 0;
    for (size_t step; at < length && (step = jp_utf8_sequence(text + at, length - at)) != 0; at += step)
        ;
    return at;
}

void jp_utf8_tidy(char *text) {
    size_t length = strlen(text), kept = 0;
    for (size_t at = 0, step; at < length; at += step ? step : 1) {
        step = jp_utf8_sequence(text + at, length - at);
        memmove(text + kept, text + at, step);
        if (step == 1 && ((unsigned char)text[kept] < 0x20 || text[kept] == 0x7F))
            text[kept] = '?';
        kept += step;
    }
    text[kept] = '\0';
}

uint16_t *jp_utf16_from_utf8(const char *text, size_t length, size_t *ret_length) {
    uint16_t *wide = jp_realloc_array(NULL, length + 1, sizeof *wide); /* never more units than bytes */
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        uint32_t point = REPLACEMENT;
        size_t step = decode(text + at, length - at, true, &point);
        at += step ? step : 1;
        if (point >= 0x10000) {
            wide[count++] = (uint16_t)(0xD800 + ((point - 0x10000) >> 10));
            wide[count++] = (uint16_t)(0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            wide[count++] = (uint16_t)point;
        }
    }
    wide[count] = 0;
    if (ret_length)
        *ret_length = count;
    return wide;
}

static void put_point(struct jp_str *out, uint32_t point) {
    if (point < 0x80) {
        jp_str_putc(out, (char)point);
    } else if (point < 0x800) {
        char bytes[] = {(char)(0xC0 | (point >> 6)), (char)(0x80 | (point & 0x3F))};
        jp_str_add(out, bytes, sizeof bytes);
    } else if (point < 0x10000) {
        char bytes[] = {(char)(0xE0 | (point >> 12)), (char)(0x80 | ((point >> 6) & 0x3F)), (char)(0x80 | (point & 0x3F))};
        jp_str_add(out, bytes, sizeof bytes);
    } else {
        char bytes[] = {(char)(0xF0 | (point >> 18)), (char)(0x80 | ((point >> 12) & 0x3F)),
                        (char)(0x80 | ((point >> 6) & 0x3F)), (char)(0x80 | (point & 0x3F))};
        jp_str_add(out, bytes, sizeof bytes);
    }
}

char *jp_utf8_from_utf16(const uint16_t *text, size_t length, size_t *ret_length) {
    struct jp_str out = {0};
    for (size_t at = 0; at < length; at++) {
        uint32_t point = text[at];
        bool high = point >= 0xD800 && point <= 0xDBFF;
        if (high && at + 1 < length && text[at + 1] >= 0xDC00 && text[at + 1] <= 0xDFFF) {
            at++;
            point = 0x10000 + ((point - 0xD800) << 10) + (text[at] - 0xDC00u);
        }
        put_point(&out, point);
    }
    if (ret_length)
        *ret_length = out.length;
    return jp_str_take(&out);
}
