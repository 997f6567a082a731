/* JSON looked at where it stands, without a tree: for messages of which only some values are wanted. What is refused is what json.h refuses, but for
 * keys that are there twice: who walks an object sees them. */
#ifndef JP_BASE_JSON_VIEW_H
#define JP_BASE_JSON_VIEW_H

#include "base/json.h"

/* A value in a checked text, without blanks around it; the text is somebody else's. */
struct jp_json_span {
    const char *text;
    size_t length;
};

struct jp_json_view {
    struct jp_json_span root;
    char *spelt; /* private: the text, where it is another than the one that was given, because there are lone surrogates, which stand in it as the
                  * bytes that they are in a tree; or NULL */
};

/* As jp_json_parse; no comments. The view is as good as `text` is. */
jp_status jp_json_look(const char *text, size_t length, const struct jp_json_rules *rules, struct jp_json_view *ret_view, struct jp_json_place *ret_place,
                       struct jp_error *error);
void jp_json_view_free(struct jp_json_view *view);

/* Through the members of an object, or the elements of an array, of which keys are empty. A key is a string with its quotes. */
struct jp_json_walk {
    const char *at, *end; /* private */
};
struct jp_json_walk jp_json_walk(struct jp_json_span container);
bool jp_json_walk_next(struct jp_json_walk *walk, struct jp_json_span *ret_key, struct jp_json_span *ret_value);

/* Whether it is this string, written without escapes. */
bool jp_json_span_is(struct jp_json_span span, const char *text);
/* A tree of it, which the caller deletes. */
cJSON *jp_json_span_tree(struct jp_json_span span);

#endif
