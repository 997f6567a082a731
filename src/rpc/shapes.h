/* What answers look like, as tables: rpc.discover and docs/rpc.md are made from them, and tests hold every answer against them. */
#ifndef JP_RPC_SHAPES_H
#define JP_RPC_SHAPES_H

#include "base/schema.h"

enum jp_shape_kind {
    JP_SHAPE_STRING,
    JP_SHAPE_BOOL,
    JP_SHAPE_NUMBER,  /* any, with a fraction perhaps */
    JP_SHAPE_INTEGER, /* at most 2^53 - 1 */
    JP_SHAPE_U64,     /* an integer, or a decimal string where a number would not be exact */
    JP_SHAPE_TIME,    /* ISO 8601, UTC, to 100 ns */
    JP_SHAPE_ANY,     /* the documentation says what */
    JP_SHAPE_OBJECT,  /* of `of` */
    JP_SHAPE_LIST,    /* of `of`, or of `kind` STRING where that is NULL */
    JP_SHAPE_MAP,     /* an object with keys that are not known beforehand; values as of `of` */
    JP_SHAPE_FIELDS,  /* what a table of parameters or settings (`fields`) reads */
};

struct jp_shape_member {
    const char *key;
    enum jp_shape_kind kind;
    const struct jp_shape *of;
    const struct jp_field *fields;
    bool optional; /* may be missing */
    bool nullable;
    const char *const *words; /* STRING: one of these, ends with NULL; or NULL */
    const char *documentation;
};

struct jp_shape {
    const char *name; /* of its schema: "Process" */
    const char *documentation;
    const struct jp_shape_member *members; /* ends with a NULL key; NULL: an object that says nothing more of itself */
};

#endif
