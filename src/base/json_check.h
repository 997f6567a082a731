/* The strict half of json.h: walks a text by RFC 8259 before cJSON sees it. */
#ifndef JP_BASE_JSON_CHECK_H
#define JP_BASE_JSON_CHECK_H

#include "base/json.h"

/* Fills the places of `json`, blanks out comments in `json->text`. On failure *ret_offset is where. */
jp_status jp__json_check(struct jp_json *json, size_t length, const struct jp_json_rules *rules, size_t *ret_offset,
                         struct jp_error *error);

#endif
