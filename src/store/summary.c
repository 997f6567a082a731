/* Owns what a report over a time is put together from.
 *
 * Whole hours come from their sums, so that a report stays the same when rows are purged, and is quick. At the ends of the time, where
 * it takes in only a part of an hour, the rows of that part are added up; if some of them are purged, the hour counts as a whole if it
 * begins within the time, and not at all if it does not. Days, which have no rows any more, are like such hours. So each process is in
 * one of two reports whose times adjoin. What runs comes from its rows. */
#include "store/summary.h"

#include "store/database.h"

static const int64_t hour_100ns = INT64_C(36000000000);

#define BEGAN(row) "coalesce(" row "start_100ns, " row "joined_100ns)"
#define PURGED_HOUR(row, began)                                                                                     \
    "EXISTS(SELECT 1 FROM usage_hours h WHERE h.hour_100ns = " began " / 36000000000 * 36000000000"                 \
    " AND h.pool = " row "pool AND h.purged > 0)"

/* The columns of jp_summary; from sums, and from a row. */
#define OF_SUMS(table)                                                                                              \
    "SELECT pool, processes, 0 AS running, exited, crashed, terminated, unknown, failures, user_100ns, kernel_100ns," \
    " wall_100ns, peak_commit_bytes, read_bytes, write_bytes, with_cpu, with_io, unobserved FROM " table " WHERE true"
#define OF_ROW(rows)                                                                                                \
    "SELECT pool, 1, ended_100ns IS NULL, ending = 'exited', ending = 'crashed', ending = 'terminated',"            \
    " ending = 'unknown', ended_100ns IS NOT NULL AND coalesce(exit_code <> 0, 0), user_100ns, kernel_100ns,"       \
    " max(0, coalesce(ended_100ns, ?5) - " BEGAN("") "), peak_commit_bytes, read_bytes, write_bytes,"               \
    " user_100ns IS NOT NULL, read_bytes IS NOT NULL, 0 FROM " rows " WHERE true"
#define OF_UNOBSERVED                                                                                               \
    "SELECT pool, 0, 0, 0, 0, 0, 0, 0, user_100ns, kernel_100ns, 0, 0, read_bytes, write_bytes, 0, 0, processes"    \
    " FROM unobserved u WHERE true"

/* The two ends: ?1 up to ?3, and ?4 up to ?2. */
#define AT_ENDS(row, began)                                                                                         \
    " AND ((" began " >= ?1 AND " began " < ?3) OR (" began " >= ?4 AND " began " < ?2)) AND NOT " PURGED_HOUR(row, began)

/* total(), not sum(): where sum() overflows it fails the whole query, and total() is exact up to 2^53. */
#define SUM(column) "CAST(total(" column ") AS INTEGER)"

/* Sums are looked for by pool, of which there is an index; rows by time (+), because the ends of the time have few. */
static void add_part(struct jp__select *select, const char *text, const char *column, const struct jp_summary_filter *filter) {
    jp__select_text(select, text);
    if (filter->pool != NULL)
        jp_str_printf(&select->sql, " AND %s = ?7", column);
    if (filter->pools != NULL)
        jp_str_printf(&select->sql, " AND %s IN wanted", column);
}

/* The times as ?1 to ?4: the filter's, the first whole hour (or the end, if there is none), and the end of the last whole one; ?5 is
 * now, ?6 the bound of rows. */
static void add_times(struct jp__select *select, const struct jp_summary_filter *filter) {
    int64_t from = filter->from_100ns > 0 ? filter->from_100ns : INT64_MIN, to = filter->to_100ns > 0 ? filter->to_100ns : INT64_MAX;
    int64_t whole_from = from, whole_to = to;
    if (from != INT64_MIN && from % hour_100ns != 0)
        whole_from = from / hour_100ns * hour_100ns > INT64_MAX - hour_100ns ? INT64_MAX : from / hour_100ns * hour_100ns + hour_100ns;
    if (to != INT64_MAX)
        whole_to = to / hour_100ns * hour_100ns;
    jp__select_value(select, from);
    jp__select_value(select, to);
    jp__select_value(select, whole_from < to ? whole_from : to);
    jp__select_value(select, whole_to > whole_from ? whole_to : whole_from);
    jp__select_value(select, jp__now_100ns());
    jp__select_value(select, filter->folding.on ? -1 : JP_STORE_MAX_ROWS); /* who folds them makes few of many */
}

void jp__select_summary(struct jp__select *select, const struct jp_summary_filter *filter) {
    jp__select_begin(select, "");
    add_times(select, filter);
    if (filter->pool != NULL)
        jp__select_text_value(select, filter->pool);
    if (filter->pools != NULL)
        jp__select_with_pools(select, filter->pools, filter->folding.on);
    jp__select_text(select, "SELECT pool, " SUM("processes") "," SUM("running") "," SUM("exited") "," SUM("crashed") ","
                             SUM("terminated") "," SUM("unknown") "," SUM("failures") "," SUM("user_100ns") "," SUM("kernel_100ns") ","
                             SUM("wall_100ns") ", max(peak_commit_bytes)," SUM("read_bytes") "," SUM("write_bytes") ","
                             SUM("with_cpu") "," SUM("with_io") "," SUM("unobserved") " FROM (");
    add_part(select, OF_SUMS("usage_hours") " AND hour_100ns >= ?1 AND hour_100ns < ?2 AND (hour_100ns < ?4 OR purged > 0)", "pool", filter);
    add_part(select, "UNION ALL " OF_SUMS("usage_days") " AND day_100ns >= ?1 AND day_100ns < ?2", "pool", filter);
    add_part(select, "UNION ALL " OF_ROW("processes p") " AND ended_100ns IS NOT NULL" AT_ENDS("p.", BEGAN("p.")), "+pool", filter);
    add_part(select, "UNION ALL " OF_UNOBSERVED AT_ENDS("u.", "u.from_100ns"), "+pool", filter);
    add_part(select,
             "UNION ALL " OF_ROW("processes p INDEXED BY processes_open")
             " AND ended_100ns IS NULL AND " BEGAN("p.") " >= ?1 AND " BEGAN("p.") " < ?2", "+pool", filter);
    jp__select_text(select, ") GROUP BY pool HAVING total(processes) + total(unobserved) > 0 ORDER BY pool LIMIT ?6");
}
