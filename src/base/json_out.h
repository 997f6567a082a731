/* JSON as it is printed: value after value is appended to a text, and no tree is made.
 *
 * Strings, lone surrogates and numbers come out as json.h says. Where a value is a member of an object its key goes with it; an element of an
 * array has none (NULL). Keys are the program's own words, and put as they are; those of a tree are whatever they are. What is begun is ended by
 * who began it: nothing checks that but the tests of what was printed. */
#ifndef JP_BASE_JSON_OUT_H
#define JP_BASE_JSON_OUT_H

#include "base/json.h"

struct jp_json_out {
    struct jp_str *text; /* where it goes; not owned */
    bool comma;          /* one comes before the next value */
};

void jp_out_object(struct jp_json_out *out, const char *key);
void jp_out_end_object(struct jp_json_out *out);
void jp_out_array(struct jp_json_out *out, const char *key);
void jp_out_end_array(struct jp_json_out *out);

void jp_out_null(struct jp_json_out *out, const char *key);
void jp_out_bool(struct jp_json_out *out, const char *key, bool value);
void jp_out_u64(struct jp_json_out *out, const char *key, uint64_t value); /* beyond JP_JSON_EXACT_MAX a decimal string */
void jp_out_i64(struct jp_json_out *out, const char *key, int64_t value);  /* likewise */
void jp_out_u64_if(struct jp_json_out *out, const char *key, bool known, uint64_t value); /* null where it is not known */
void jp_out_decimal(struct jp_json_out *out, const char *key, int64_t value); /* always a string: what may be beyond, and is to stay of one type */
void jp_out_double(struct jp_json_out *out, const char *key, double value);   /* the shortest that reads back as the same */
void jp_out_string(struct jp_json_out *out, const char *key, const char *text);      /* NULL text: null */
void jp_out_time(struct jp_json_out *out, const char *key, int64_t time_100ns);      /* ISO 8601, UTC; 0: null */
void jp_out_tree(struct jp_json_out *out, const char *key, const cJSON *tree);       /* NULL tree: null */
void jp_out_members(struct jp_json_out *out, const cJSON *object);                   /* what is in it, into the object that is begun */
void jp_out_printed_members(struct jp_json_out *out, const char *json, size_t length); /* the same, printed already, without its braces */

#endif
