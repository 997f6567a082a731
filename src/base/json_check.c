/* A strict RFC 8259 scanner: grammar, UTF-8, surrogates, depth. It keeps where each value and key began. */
#include "base/json_check.h"

#include "base/utf.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
    const char *text;
    char *blanked;        /* the same text, to be changed where there are comments; or NULL */
    struct jp_json *json; /* its places are filled; or NULL */
    const struct jp_json_rules *rules;
    struct jp_error *error;
    size_t at, length, depth, capacity;
    bool lone_surrogates;
};

static jp_status fail(struct scanner *s, const char *expected) {
    if (s->at >= s->length)
        return jp_fail(s->error, JP_E_PARSE, "the text ends where %s should be", expected);
    unsigned char found = (unsigned char)s->text[s->at];
    if (found > 0x20 && found < 0x7F)
        return jp_fail(s->error, JP_E_PARSE, "found '%c' where %s should be", found, expected);
    return jp_fail(s->error, JP_E_PARSE, "found byte 0x%02X where %s should be", found, expected);
}

static int peek(const struct scanner *s) { return s->at < s->length ? (unsigned char)s->text[s->at] : -1; }

static bool accept(struct scanner *s, char wanted) {
    if (peek(s) != wanted)
        return false;
    s->at++;
    return true;
}

/* Comments become blanks: offsets stay what they were, and cJSON need not know. */
static jp_status skip_comment(struct scanner *s) {
    const char *text = s->text;
    size_t begin = s->at, end;
    if (s->at + 1 < s->length && text[s->at + 1] == '/') {
        const char *line = memchr(text + s->at, '\n', s->length - s->at);
        end = line ? (size_t)(line - text) : s->length;
    } else if (s->at + 1 < s->length && text[s->at + 1] == '*') {
        for (end = s->at + 2; end + 1 < s->length && !(text[end] == '*' && text[end + 1] == '/'); end++)
            ;
        if (end + 1 >= s->length) {
            s->at = begin;
            return jp_fail(s->error, JP_E_PARSE, "the comment that begins here has no end");
        }
        end += 2;
    } else {
        return fail(s, "a comment");
    }
    for (size_t i = begin; s->blanked && i < end; i++)
        if (text[i] != '\n' && text[i] != '\r')
            s->blanked[i] = ' ';
    s->at = end;
    return JP_OK;
}

static jp_status skip_space(struct scanner *s) {
    for (;;) {
        int c = peek(s);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            s->at++;
        } else if (c == '/' && s->rules->comments) {
            jp_status status = skip_comment(s);
            if (status)
                return status;
        } else {
            return JP_OK;
        }
    }
}

/* Four hexadecimal digits after \u. */
static bool take_hex4(struct scanner *s, unsigned *ret_value) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(s);
        if (c >= '0' && c <= '9')
            value = value * 16 + (unsigned)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            value = value * 16 + (unsigned)((c | 0x20) - 'a') + 10;
        else
            return false;
        s->at++;
    }
    *ret_value = value;
    return true;
}

/* A half of a surrogate pair alone is grammatical, and Windows has names with such: it is noted, for cJSON does not take it. */
static jp_status scan_unicode_escape(struct scanner *s) {
    unsigned unit, low;
    size_t begin = s->at - 2;
    if (!take_hex4(s, &unit))
        return fail(s, "a hexadecimal digit");
    if (unit == 0) {
        s->at = begin;
        return jp_fail(s->error, JP_E_PARSE, "a string may not hold the character NUL (\\u0000)");
    }
    if (unit < 0xD800 || unit > 0xDFFF)
        return JP_OK;
    size_t end = s->at;
    if (unit <= 0xDBFF && accept(s, '\\') && accept(s, 'u') && take_hex4(s, &low) && low >= 0xDC00 && low <= 0xDFFF)
        return JP_OK;
    s->at = end; /* what follows is looked at for itself */
    s->lone_surrogates = true;
    return JP_OK;
}

/* Most of any string is letters that mean themselves. */
static void skip_plain(struct scanner *s) {
    const char *text = s->text;
    size_t at = s->at;
    while (at < s->length && text[at] >= 0x20 && text[at] < 0x7F && text[at] != '"' && text[at] != '\\')
        at++;
    s->at = at;
}

static jp_status scan_string(struct scanner *s) {
    size_t begin = s->at;
    s->at++; /* the quote */
    for (;;) {
        skip_plain(s);
        int c = peek(s);
        if (c < 0) {
            s->at = begin;
            return jp_fail(s->error, JP_E_PARSE, "the string that begins here has no end");
        }
        if (c == '"') {
            s->at++;
            return JP_OK;
        }
        if (c < 0x20)
            return jp_fail(s->error, JP_E_PARSE, "a control character (0x%02X) must be escaped in a string", (unsigned)c);
        if (c == '\\') {
            s->at++;
            int kind = peek(s);
            if (kind == 'u') {
                s->at++;
                jp_status status = scan_unicode_escape(s);
                if (status)
                    return status;
                continue;
            }
            if (kind <= 0 || !strchr("\"\\/bfnrt", kind))
                return fail(s, "one of \" \\ / b f n r t u after a backslash");
            s->at++;
            continue;
        }
        size_t step = jp_utf8_sequence(s->text + s->at, s->length - s->at);
        if (!step)
            return jp_fail(s->error, JP_E_PARSE, "the bytes here (0x%02X ...) are not UTF-8", (unsigned)c);
        s->at += step;
    }
}

static jp_status scan_digits(struct scanner *s) {
    if (peek(s) < '0' || peek(s) > '9')
        return fail(s, "a digit");
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return JP_OK;
}

/* What has no exponent and less than 300 digits surely is a double. */
static bool too_large(const char *number, size_t length) {
    enum { SURELY = 300 };
    if (length < SURELY && !memchr(number, 'e', length) && !memchr(number, 'E', length))
        return false;
    char *copy = jp_strndup(number, length);
    bool too = !(fabs(strtod(copy, NULL)) <= DBL_MAX); /* isinf() of mingw-w64 does not pass -Wconversion */
    jp_free(copy);
    return too;
}

static jp_status scan_number(struct scanner *s) {
    jp_status status = JP_OK;
    size_t begin = s->at;
    accept(s, '-');
    if (!accept(s, '0'))
        status = scan_digits(s);
    if (!status && accept(s, '.'))
        status = scan_digits(s);
    if (!status && (accept(s, 'e') || accept(s, 'E'))) {
        if (!accept(s, '+'))
            accept(s, '-');
        status = scan_digits(s);
    }
    if (!status && too_large(s->text + begin, s->at - begin)) {
        s->at = begin;
        status = jp_fail(s->error, JP_E_PARSE, "the number that begins here is too large");
    }
    return status;
}

static jp_status scan_word(struct scanner *s, const char *word) {
    size_t length = strlen(word);
    if (s->length - s->at < length || memcmp(s->text + s->at, word, length) != 0)
        return fail(s, "a JSON value");
    s->at += length;
    return JP_OK;
}

static void keep_place(struct scanner *s, size_t key_offset) {
    struct jp_json *json = s->json;
    if (!json)
        return;
    if (json->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 32;
        json->offsets = jp_realloc_array(json->offsets, s->capacity, sizeof *json->offsets);
        json->key_offsets = jp_realloc_array(json->key_offsets, s->capacity, sizeof *json->key_offsets);
    }
    json->offsets[json->count] = s->at;
    json->key_offsets[json->count] = key_offset;
    json->count++;
}

static jp_status scan_value(struct scanner *s, size_t key_offset);

/* After the bracket: members or elements up to the closing one. */
static jp_status scan_items(struct scanner *s, bool object) {
    char closing = object ? '}' : ']';
    jp_status status = skip_space(s);
    if (status || accept(s, closing))
        return status;
    for (;;) {
        size_t key_offset = SIZE_MAX;
        if (object) {
            key_offset = s->at;
            if (peek(s) != '"')
                return fail(s, "a key in double quotes");
            if ((status = scan_string(s)) || (status = skip_space(s)))
                return status;
            if (!accept(s, ':'))
                return fail(s, "':'");
            if ((status = skip_space(s)))
                return status;
        }
        if ((status = scan_value(s, key_offset)) || (status = skip_space(s)))
            return status;
        if (accept(s, closing))
            return JP_OK;
        if (!accept(s, ','))
            return fail(s, object ? "',' or '}'" : "',' or ']'");
        if ((status = skip_space(s)))
            return status;
    }
}

static jp_status scan_value(struct scanner *s, size_t key_offset) {
    keep_place(s, key_offset);
    int c = peek(s);
    if (c == '{' || c == '[') {
        if (s->depth == s->rules->max_depth)
            return jp_fail(s->error, JP_E_QUOTA, "nested deeper than %zu", s->rules->max_depth);
        s->depth++;
        s->at++;
        jp_status status = scan_items(s, c == '{');
        s->depth--;
        return status;
    }
    if (c == '"')
        return scan_string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    return scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null");
}

static jp_status check(struct scanner *s, size_t *ret_offset) {
    jp_status status = skip_space(s);
    if (!status)
        status = scan_value(s, SIZE_MAX);
    if (!status)
        status = skip_space(s);
    if (!status && s->at < s->length)
        status = fail(s, "the end of the text");
    if (status)
        *ret_offset = s->at;
    return status;
}

jp_status jp__json_check(struct jp_json *json, size_t length, const struct jp_json_rules *rules, size_t *ret_offset, struct jp_error *error) {
    struct scanner s = {.text = json->text, .blanked = json->text, .json = json, .rules = rules, .error = error, .length = length};
    jp_status status = check(&s, ret_offset);
    json->lone_surrogates = s.lone_surrogates;
    return status;
}

jp_status jp__json_check_only(const char *text, size_t length, const struct jp_json_rules *rules, bool *ret_lone_surrogates, size_t *ret_offset,
                              struct jp_error *error) {
    struct scanner s = {.text = text, .rules = rules, .error = error, .length = length};
    jp_status status = check(&s, ret_offset);
    *ret_lone_surrogates = s.lone_surrogates;
    return status;
}
