/* The strict half of json.h: walks a text by RFC 8259 before cJSON sees it. */
#ifndef JP_BASE_JSON_CHECK_H
#define JP_BASE_JSON_CHECK_H

#include "base/json.h"

/* Fills the places of `json`, blanks out comments in `json->text`. On failure *ret_offset is where. */
jp_status jp__json_check(struct jp_json *json, size_t length, const struct jp_json_rules *rules, size_t *ret_offset,
                         struct jp_error *error);

/* The same of a text that stays as it is: without comments, and without places. */
jp_status jp__json_check_only(const char *text, size_t length, const struct jp_json_rules *rules, bool *ret_lone_surrogates, size_t *ret_offset,
                              struct jp_error *error);

struct jp_json_place jp__json_place_at(const char *text, size_t offset);
/* A checked text with each lone surrogate as the bytes that it will be in the tree; the caller frees it. */
char *jp__json_spell_lone_surrogates(const char *text);

#endif
