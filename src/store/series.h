/* Pools over time, while they are being read: samples, a day of a pool at a time, then the processes that began and that ended in the time, some
 * thousands at a time. As with a report, no snapshot is kept from one step to the next. */
#ifndef JP_STORE_SERIES_H
#define JP_STORE_SERIES_H

#include "store/store.h"

#include <sqlite3.h>

enum {
    JP__SERIES_STEP_ROWS = 4096,
    JP__SERIES_MAX_POINTS = 200000, /* of all pools together: some 30 MB */
};

struct jp__series;

struct jp__series *jp__series_new(const struct jp_series_filter *filter); /* what the filter points to must live as long */
void jp__series_free(struct jp__series *series);                         /* NULL is fine */

/* Reads some rows. SQLite's code. */
int jp__series_step(struct jp__series *series, sqlite3 *db, bool *ret_done);

const struct jp_series_result *jp__series_result(const struct jp__series *series); /* after the last step; it lives as long as `series` */

/* The shortest round step of which at most `points` cover the time, and that is not shorter than `least_100ns`. */
int64_t jp__series_round_step(int64_t from_100ns, int64_t to_100ns, uint32_t points, int64_t least_100ns);

#endif
