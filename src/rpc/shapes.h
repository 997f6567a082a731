/* What answers look like, as tables: rpc.discover and docs/rpc.md are made from them, and tests hold every answer against them. */
#ifndef JP_RPC_SHAPES_H
#define JP_RPC_SHAPES_H

#include "base/schema.h"

enum jp_shape_kind {
    JP_SHAPE_STRING,
    JP_SHAPE_BOOL,
    JP_SHAPE_INTEGER,  /* at most 2^53 - 1, either side of zero */
    JP_SHAPE_U64,      /* an integer, or a decimal string where a number would not be exact */
    JP_SHAPE_DECIMAL,  /* always a decimal string */
    JP_SHAPE_TIME,     /* ISO 8601, UTC, to 100 ns */
    JP_SHAPE_ANY,      /* the documentation says what */
    JP_SHAPE_OBJECT,   /* of `of` */
    JP_SHAPE_LIST,     /* of `of`, or of strings where that is NULL */
    JP_SHAPE_MAP,      /* an object with keys that are not known beforehand; values as of `of`, or strings where that is NULL */
    JP_SHAPE_FIELDS,   /* an object as the table `fields` writes it */
    JP_SHAPE_FIELD,    /* what the table `fields` writes for this key */
};

struct jp_shape_member {
    const char *key;
    enum jp_shape_kind kind;
    const struct jp_shape *of;
    const struct jp_field *fields;
    bool optional; /* may be missing */
    bool nullable;
    const char *const *words; /* STRING, and values of a MAP of them: one of these, ends with NULL; or NULL */
    const char *documentation;
};

struct jp_shape {
    const char *name; /* of its schema: "Process" */
    const char *documentation;
    const struct jp_shape_member *members; /* ends with a NULL key */
    const struct jp_shape *const *either;  /* instead of members: one of these, ends with NULL */
};

/* Results of methods, shapes_*.c. What they hold is reached from them. */
extern const struct jp_shape jp__shape_pong, jp__shape_status, jp__shape_capabilities, jp__shape_reloaded;
extern const struct jp_shape jp__shape_pools, jp__shape_pool, jp__shape_terminated, jp__shape_waited, jp__shape_matched, jp__shape_counters, jp__shape_usage_picture;
extern const struct jp_shape jp__shape_process, jp__shape_process_now, jp__shape_processes, jp__shape_joined, jp__shape_process_terminated;
extern const struct jp_shape jp__shape_subscribed, jp__shape_unsubscribed, jp__shape_events, jp__shape_process_page, jp__shape_summaries, jp__shape_report, jp__shape_series, jp__shape_purged;
extern const struct jp_shape jp__shape_job_handle, jp__shape_job_named, jp__shape_job_assigned, jp__shape_in_job, jp__shape_information,
    jp__shape_information_set, jp__shape_job_terminated, jp__shape_granted;
extern const struct jp_shape jp__shape_audit_page;
extern const struct jp_shape jp__shape_openrpc, jp__shape_error, jp__shape_cancelled;

/* What comes without having been asked for: parameters of notifications. */
struct jp_notification {
    const char *name, *summary;
    const struct jp_shape *params;
};
extern const struct jp_notification jp__notifications[]; /* ends with a NULL name */

#endif
