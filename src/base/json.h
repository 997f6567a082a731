/* JSON text to a cJSON tree and back, strictly.
 *
 * cJSON builds the tree; what it is lax about is checked before it sees the text: RFC 8259 grammar to the letter, valid
 * UTF-8, no NUL, bounded size and depth; duplicate keys are refused after. For files, // and block
 * comments may be allowed, and the place of every value and key can be asked for.
 *
 * Strings: half of a surrogate pair may stand alone, as its escape (\uD800), because Windows has names with such. In the tree it is what
 * utf.h makes of it, three bytes of WTF-8, and it is printed as the escape again. As bytes it is no UTF-8, and refused.
 *
 * Numbers: of integers beyond 2^53 - 1 a C double cannot say which one was written: 2^53 and 2^53 + 1 are the same. There
 * both directions use decimal strings. */
#ifndef JP_BASE_JSON_H
#define JP_BASE_JSON_H

#include "base/status.h"
#include "base/str.h"

#include <cjson/cJSON.h>

#define JP_JSON_EXACT_MAX ((UINT64_C(1) << 53) - 1)

struct jp_json_rules {
    size_t max_bytes;
    size_t max_depth;
    bool comments;
    bool duplicates; /* a key may be there twice: the caller looks for them itself (jp_json_each_duplicate) */
};

struct jp_json_place {
    unsigned line;   /* from 1; 0 means unknown */
    unsigned column; /* from 1, in bytes */
};

/* A parsed text. Owns its tree. */
struct jp_json {
    cJSON *root;
    /* private */
    char *text;
    size_t *offsets; /* of each value, in document order; keys beside them */
    size_t *key_offsets;
    size_t count;
    bool lone_surrogates; /* the text has some */
};

/* On failure: JP_E_PARSE (JP_E_QUOTA over a bound), `error->text` says what was found and expected, and *ret_place where. */
jp_status jp_json_parse(const char *text, size_t length, const struct jp_json_rules *rules, struct jp_json *ret_json,
                        struct jp_json_place *ret_place, struct jp_error *error);
void jp_json_free(struct jp_json *json);

/* Where `item` (any node of the tree) stands in the text; for a member of an object, `at_key` asks for its key. */
struct jp_json_place jp_json_place_of(const struct jp_json *json, const cJSON *item, bool at_key);

/* Tells each member whose key stands before it in the same object already. */
typedef void jp_json_item_fn(void *context, const cJSON *item);
void jp_json_each_duplicate(const cJSON *root, jp_json_item_fn *tell, void *context);

/* Takes the tree out; the caller frees it with cJSON_Delete. */
cJSON *jp_json_take_root(struct jp_json *json);

/* A member, or NULL. */
static inline cJSON *jp_get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

/* An exact integer: a JSON integer up to 2^53 - 1, or a string of decimal digits. False for anything else. */
bool jp_json_get_u64(const cJSON *item, uint64_t *ret_value);

/* A number, or a decimal string where a number would not be exact. */
cJSON *jp_json_u64(uint64_t value);

/* Adds the same to an object. The name is copied. */
void jp_json_add_u64(cJSON *object, const char *name, uint64_t value);
void jp_json_add_string(cJSON *object, const char *name, const char *text); /* NULL text: null */
void jp_json_add_time(cJSON *object, const char *name, int64_t time_100ns); /* ISO 8601, UTC; 0: null */

/* The tree as one line, appended: valid UTF-8 whatever is in it (lone surrogates, see utf.h, are written as \uXXXX, bytes
 * that are no text as U+FFFD), and numbers that read back as the same double. */
void jp_json_print(const cJSON *item, struct jp_str *out);

#endif
