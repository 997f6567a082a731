/* Rows of the tables and the structs of `pool/accounts.h`: how one becomes the other. */
#ifndef JP_STORE_ROWS_H
#define JP_STORE_ROWS_H

#include "store/batch.h"

#include <sqlite3.h>

/* The order in which the functions below bind and read. */
#define JP__EVENT_COLUMNS \
    "seq, time_100ns, pool, message, pid, start_100ns, process, origin, exit_code, detail"
#define JP__AUDIT_COLUMNS \
    "id, time_100ns, user, sid, client_pid, method, pool, pid, allowed, status, detail, count"
#define JP__PROCESS_COLUMNS                                                                                   \
    "id, pool, pid, start_100ns, start_exact, parent_pid, session, user, image, command_line, joined_100ns, " \
    "joined_by, ended_100ns, ending, exit_code, user_100ns, kernel_100ns, peak_commit_bytes, "                \
    "peak_working_set_bytes, read_operations, write_operations, other_operations, read_bytes, write_bytes, "  \
    "other_bytes, run, starting"
#define JP__POOL_COLUMNS "name, parent, definition, created_100ns, deleted_100ns, frozen, busy_since_100ns, job_time_used_100ns, ephemeral"
/* struct jp_counters, in the order of its members */
#define JP__COUNTER_COLUMNS                                                                                \
    "processes, exited, crashed, terminated, unknown, failures, unobserved, user_100ns, kernel_100ns, "    \
    "read_operations, write_operations, other_operations, read_bytes, write_bytes, other_bytes, "          \
    "peak_commit_bytes"
enum { JP__COUNTER_COUNT = 16 };
/* What usage_hours and usage_days have both */
#define JP__USAGE_COLUMNS "pool, " JP__USAGE_NUMBERS
#define JP__USAGE_NUMBERS                                                                                  \
    "processes, exited, crashed, terminated, unknown, failures, user_100ns, kernel_100ns, wall_100ns, " \
    "peak_commit_bytes, read_bytes, write_bytes, with_cpu, with_io, unobserved"
#define JP__UNOBSERVED_COLUMNS                                                                             \
    "run, number, pool, session, from_100ns, to_100ns, processes, user_100ns, kernel_100ns, read_bytes, write_bytes"
#define JP__RESET_COLUMNS "run, number, pool, time_100ns, by_whom, " JP__COUNTER_COLUMNS

#define JP__SAMPLE_COLUMNS                                                                                  \
    "pool, time_100ns, processes, cpu_100ns, commit_bytes, working_set_bytes, read_bytes, write_bytes, "    \
    "memory_limit_bytes, process_limit, cpu_rate_limit"
#define JP__SAMPLED_COLUMNS                                                                                \
    "pool, time_100ns, cpu_100ns, read_bytes, write_bytes, own_cpu_100ns, own_read_bytes, own_write_bytes"

/* Bind all columns from parameter 1 on. The strings must live until the statement is reset. They return SQLite's code. */
int jp__bind_event(sqlite3_stmt *statement, const struct jp_event *event);
int jp__bind_audit(sqlite3_stmt *statement, const struct jp_audit_record *record);
int jp__bind_process(sqlite3_stmt *statement, const struct jp_process_record *record, int64_t this_run);
int jp__bind_pool(sqlite3_stmt *statement, const struct jp__pool_row *row);
int jp__bind_job(sqlite3_stmt *statement, const struct jp__job_row *row); /* object name, pool, session, time of making */
int jp__bind_unobserved(sqlite3_stmt *statement, const struct jp__unobserved_row *row, int64_t this_run);
int jp__bind_reset(sqlite3_stmt *statement, const struct jp__reset_row *row, int64_t this_run);
int jp__bind_sample(sqlite3_stmt *statement, const struct jp_sample_record *record);
int jp__bind_sampled(sqlite3_stmt *statement, const struct jp_sample_record *record);

/* Read the row that the statement stands on. */
struct jp_event *jp__read_event(sqlite3_stmt *statement);                               /* jp_free */
struct jp_audit_record *jp__read_audit(sqlite3_stmt *statement);                        /* jp_free */
void jp__read_process(sqlite3_stmt *statement, struct jp_process_record *ret_record); /* jp_process_record_clear */
void jp__read_counters(sqlite3_stmt *statement, int first_column, struct jp_counters *ret_counters);
/* The columns of jp_summary in the order of its members. */
void jp__read_summary(sqlite3_stmt *statement, struct jp_summary *ret_summary); /* jp_free its pool */

#endif
