/* Owns nothing but the text of a message with lone surrogates. Everything here trusts that the text was checked. */
#include "base/json_view.h"

#include "base/json_check.h"

#include <string.h>

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* From its opening quote to behind its closing one, which an odd number of backslashes does not stand before. */
static const char *skip_string(const char *at, const char *end) {
    for (const char *quote = at;;) {
        quote = memchr(quote + 1, '"', (size_t)(end - quote - 1));
        const char *before = quote;
        while (before[-1] == '\\')
            before--;
        if ((quote - before) % 2 == 0)
            return quote + 1;
    }
}

static const char *skip_container(const char *at, const char *end) {
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    } while (depth);
    return at;
}

static bool ends_word(char character) { return character && strchr(",]} \t\r\n", character); }

static const char *skip_value(const char *at, const char *end) {
    if (*at == '"')
        return skip_string(at, end);
    if (*at == '{' || *at == '[')
        return skip_container(at, end);
    while (at < end && !ends_word(*at))
        at++;
    return at;
}

static struct jp_json_span span_at(const char *at, const char *end) { return (struct jp_json_span){at, (size_t)(skip_value(at, end) - at)}; }

jp_status jp_json_look(const char *text, size_t length, const struct jp_json_rules *rules, struct jp_json_view *ret_view, struct jp_json_place *ret_place,
                       struct jp_error *error) {
    size_t offset = 0;
    bool lone_surrogates = false;
    *ret_view = (struct jp_json_view){0};
    *ret_place = (struct jp_json_place){0, 0};
    if (length > rules->max_bytes)
        return jp_fail(error, JP_E_QUOTA, "%zu bytes are more than the %zu allowed", length, rules->max_bytes);
    jp_status status = jp__json_check_only(text, length, rules, &lone_surrogates, &offset, error);
    if (status) {
        *ret_place = jp__json_place_at(text, offset);
        return status;
    }
    if (lone_surrogates) {
        char *copy = jp_strndup(text, length);
        text = ret_view->spelt = jp__json_spell_lone_surrogates(copy);
        length = strlen(text);
        jp_free(copy);
    }
    ret_view->root = span_at(skip_blanks(text, text + length), text + length);
    return JP_OK;
}

void jp_json_view_free(struct jp_json_view *view) {
    jp_free(view->spelt);
    *view = (struct jp_json_view){0};
}

/* Behind the bracket, and before the other one. */
struct jp_json_walk jp_json_walk(struct jp_json_span container) {
    return (struct jp_json_walk){container.text + 1, container.text + container.length - 1};
}

bool jp_json_walk_next(struct jp_json_walk *walk, struct jp_json_span *ret_key, struct jp_json_span *ret_value) {
    const char *at = skip_blanks(walk->at, walk->end), *end = walk->end;
    if (at == end)
        return false;
    *ret_key = (struct jp_json_span){at, 0};
    struct jp_json_span value = span_at(at, end);
    at = skip_blanks(at + value.length, end);
    if (at < end && *at == ':') {
        *ret_key = value;
        value = span_at(skip_blanks(at + 1, end), end);
        at = skip_blanks(value.text + value.length, end);
    }
    *ret_value = value;
    walk->at = at < end ? at + 1 : end; /* behind the comma */
    return true;
}

bool jp_json_span_is(struct jp_json_span span, const char *text) {
    size_t length = strlen(text);
    return span.length == length + 2 && *span.text == '"' && memcmp(span.text + 1, text, length) == 0;
}

cJSON *jp_json_span_tree(struct jp_json_span span) { return cJSON_ParseWithLength(span.text, span.length); }
