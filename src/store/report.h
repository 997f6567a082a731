/* A report that is being made: rows of processes are read a few thousand at a time, each time by a SELECT of its own, and summed up in groups.
 *
 * No snapshot is kept open from one step to the next, so a long report holds neither the WAL nor other readers up. What is counted is fixed
 * when it begins by the highest id; a row that changes meanwhile is counted as it is when it is read, and each row at most once. */
#ifndef JP_STORE_REPORT_H
#define JP_STORE_REPORT_H

#include "store/store.h"

#include <sqlite3.h>

enum {
    JP__REPORT_STEP_ROWS = 4096,
    JP__REPORT_MAX_GROUPS = 100000,
    JP__REPORT_MAX_TEXT_BYTES = 64 * 1024 * 1024, /* of the groups' names */
};

struct jp__report;

struct jp__report *jp__report_new(const struct jp_report_filter *filter); /* what the filter points to must live as long */
void jp__report_free(struct jp__report *report);                         /* NULL is fine */

/* Reads some rows. SQLite's code; SQLITE_OK with *ret_status not JP_OK: it has grown over a bound. The last step puts the result in order. */
int jp__report_step(struct jp__report *report, sqlite3 *db, bool *ret_done, jp_status *ret_status, struct jp_error *error);

/* About how much of the ids has been read. */
void jp__report_progress(const struct jp__report *report, uint64_t *ret_done, uint64_t *ret_all);

const struct jp_report *jp__report_result(const struct jp__report *report); /* after the last step; its rows live as long as `report` */

#endif
