/* Owns which rows belong to which job: those of its pool and of the pools below it, as they are or were, of its session, that
 * came since it was made. */
#include "store/jobs.h"

#include "base/str.h"
#include "store/database.h"

/* Pools that were deleted still say whose children they were. UNION, not UNION ALL: pools that were made again elsewhere might say
 * that they are each other's parents. */
#define BELOW                                                                                                       \
    "WITH RECURSIVE below(object_name, pool) AS ("                                                                  \
    " SELECT object_name, pool FROM jobs"                                                                           \
    " UNION SELECT below.object_name, pools.name FROM below JOIN pools ON pools.parent = below.pool)"

#define PROCESS_OF_JOB "p.session = j.session AND p.joined_100ns >= j.created_100ns AND p.id > j.after_id"
#define UNOBSERVED_OF_JOB "u.session = j.session AND u.to_100ns > j.created_100ns"

/* total(), not sum(): where sum() overflows it fails the whole query, and total() is exact up to 2^53. */
#define SUM(column) "CAST(total(" column ") AS INTEGER)"

static void take_job(sqlite3_stmt *row, struct jp_accounts_start *start) {
    start->jobs = jp_realloc_array(start->jobs, start->job_count + 1, sizeof *start->jobs);
    start->jobs[start->job_count++] = (struct jp_stored_job){
        .object_name = jp_strdup((const char *)sqlite3_column_text(row, 0)),
        .pool = jp_strdup((const char *)sqlite3_column_text(row, 1)),
        .session = (uint32_t)sqlite3_column_int64(row, 2),
        .created_100ns = sqlite3_column_int64(row, 3),
        .processes = (uint64_t)sqlite3_column_int64(row, 4),
        .unobserved = (uint64_t)sqlite3_column_int64(row, 5),
        .user_100ns = (uint64_t)sqlite3_column_int64(row, 6),
        .kernel_100ns = (uint64_t)sqlite3_column_int64(row, 7),
        .read_bytes = (uint64_t)sqlite3_column_int64(row, 8),
        .write_bytes = (uint64_t)sqlite3_column_int64(row, 9),
        .before = {.processes = (uint64_t)sqlite3_column_int64(row, 10), .user_100ns = (uint64_t)sqlite3_column_int64(row, 11),
                   .kernel_100ns = (uint64_t)sqlite3_column_int64(row, 12), .read_bytes = (uint64_t)sqlite3_column_int64(row, 13),
                   .write_bytes = (uint64_t)sqlite3_column_int64(row, 14)},
    };
}

int jp__jobs_load(sqlite3 *db, struct jp_accounts_start *start) {
    /* CROSS JOIN keeps the order: from a job to its pools to the rows of these that came after it, which the index finds. */
    static const char sql[] =
        BELOW
        " SELECT sums.*, before_processes, before_user_100ns, before_kernel_100ns, before_read_bytes, before_write_bytes FROM ("
        " SELECT object_name, max(pool), max(session), max(created_100ns), " SUM("processes") "," SUM("unobserved") ","
        SUM("user_100ns") "," SUM("kernel_100ns") "," SUM("read_bytes") "," SUM("write_bytes") " FROM ("
        " SELECT object_name, pool, session, created_100ns, purged_processes AS processes, purged_unobserved AS unobserved,"
        "  purged_user_100ns AS user_100ns, purged_kernel_100ns AS kernel_100ns, purged_read_bytes AS read_bytes,"
        "  purged_write_bytes AS write_bytes FROM jobs"
        " UNION ALL SELECT j.object_name, NULL, NULL, NULL, 1, 0, iif(p.ended_100ns IS NULL, 0, p.user_100ns),"
        "  iif(p.ended_100ns IS NULL, 0, p.kernel_100ns), iif(p.ended_100ns IS NULL, 0, p.read_bytes),"
        "  iif(p.ended_100ns IS NULL, 0, p.write_bytes)"
        " FROM jobs j CROSS JOIN below b ON b.object_name = j.object_name"
        "  CROSS JOIN processes p INDEXED BY processes_by_pool ON p.pool = b.pool AND " PROCESS_OF_JOB
        " UNION ALL SELECT j.object_name, NULL, NULL, NULL, 0, u.processes, u.user_100ns, u.kernel_100ns, u.read_bytes,"
        "  u.write_bytes"
        " FROM jobs j CROSS JOIN below b ON b.object_name = j.object_name"
        "  CROSS JOIN unobserved u ON u.pool = b.pool AND " UNOBSERVED_OF_JOB
        ") GROUP BY object_name) AS sums JOIN jobs USING(object_name) ORDER BY object_name";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW)
        take_job(statement, start);
    return sqlite3_finalize(statement);
}

/* The pools that a row's pool was below, itself too: fewer than all that are below a job. */
#define ABOVE(rows)                                                                                                 \
    "WITH RECURSIVE above(pool, name) AS ("                                                                         \
    " SELECT DISTINCT pool, pool FROM " rows                                                                        \
    " UNION SELECT above.pool, pools.parent FROM above JOIN pools ON pools.name = above.name"                       \
    "  WHERE pools.parent IS NOT NULL)"

int jp__jobs_keep_processes(sqlite3 *db) {
    return jp__db_run(db,
                      ABOVE("purging CROSS JOIN processes ON processes.id = purging.id")
                      " UPDATE jobs SET purged_processes = purged_processes + gone.processes,"
                      "  purged_user_100ns = CAST(purged_user_100ns + gone.user AS INTEGER),"
                      "  purged_kernel_100ns = CAST(purged_kernel_100ns + gone.kernel AS INTEGER),"
                      "  purged_read_bytes = CAST(purged_read_bytes + gone.read AS INTEGER),"
                      "  purged_write_bytes = CAST(purged_write_bytes + gone.written AS INTEGER)"
                      " FROM (SELECT j.object_name AS object_name, count(*) AS processes, " SUM("p.user_100ns") " AS user, "
                      SUM("p.kernel_100ns") " AS kernel, " SUM("p.read_bytes") " AS read, " SUM("p.write_bytes") " AS written"
                      "  FROM purging CROSS JOIN processes p ON p.id = purging.id CROSS JOIN above a ON a.pool = p.pool"
                      "   CROSS JOIN jobs j ON j.pool = a.name AND " PROCESS_OF_JOB " GROUP BY j.object_name) AS gone"
                      " WHERE jobs.object_name = gone.object_name",
                      NULL, 0);
}

int jp__jobs_keep_unobserved(sqlite3 *db, int64_t unobserved_before_100ns) {
    struct jp__value before = JP__NUMBER(unobserved_before_100ns);
    return jp__db_run(db,
                      ABOVE("unobserved WHERE to_100ns < ?1")
                      " UPDATE jobs SET purged_unobserved = CAST(purged_unobserved + gone.processes AS INTEGER),"
                      "  purged_user_100ns = CAST(purged_user_100ns + gone.user AS INTEGER),"
                      "  purged_kernel_100ns = CAST(purged_kernel_100ns + gone.kernel AS INTEGER),"
                      "  purged_read_bytes = CAST(purged_read_bytes + gone.read AS INTEGER),"
                      "  purged_write_bytes = CAST(purged_write_bytes + gone.written AS INTEGER)"
                      " FROM (SELECT j.object_name AS object_name, " SUM("u.processes") " AS processes, " SUM("u.user_100ns")
                      "   AS user, " SUM("u.kernel_100ns") " AS kernel, " SUM("u.read_bytes") " AS read, "
                      SUM("u.write_bytes") " AS written"
                      "  FROM unobserved u JOIN above a ON a.pool = u.pool JOIN jobs j ON j.pool = a.name AND " UNOBSERVED_OF_JOB
                      "  WHERE u.to_100ns < ?1 GROUP BY j.object_name) AS gone"
                      " WHERE jobs.object_name = gone.object_name",
                      &before, 1);
}
