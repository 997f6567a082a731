/* Rows of the tables and the structs of `pool/accounts.h`: how one becomes the other. */
#ifndef JP_STORE_ROWS_H
#define JP_STORE_ROWS_H

#include "store/batch.h"

#include <sqlite3.h>

/* The order in which the functions below bind and read. */
#define JP__EVENT_COLUMNS \
    "seq, time_100ns, pool, message, pid, start_100ns, process, origin, exit_code, detail"
#define JP__PROCESS_COLUMNS                                                                                   \
    "id, pool, pid, start_100ns, start_exact, parent_pid, session, user, image, command_line, joined_100ns, " \
    "joined_by, ended_100ns, ending, exit_code, user_100ns, kernel_100ns, peak_commit_bytes, "                \
    "peak_working_set_bytes, read_operations, write_operations, other_operations, read_bytes, write_bytes, "  \
    "other_bytes"
#define JP__POOL_COLUMNS "name, parent, definition, created_100ns, deleted_100ns, frozen"

/* Bind all columns from parameter 1 on. The strings must live until the statement is reset. They return SQLite's code. */
int jp__bind_event(sqlite3_stmt *statement, const struct jp_event *event);
int jp__bind_process(sqlite3_stmt *statement, const struct jp_process_record *record);
int jp__bind_pool(sqlite3_stmt *statement, const struct jp__pool_row *row);

/* Read the row that the statement stands on. */
struct jp_event *jp__read_event(sqlite3_stmt *statement);                               /* jp_free */
void jp__read_process(sqlite3_stmt *statement, struct jp_process_record *ret_record); /* jp_process_record_clear */
/* The columns of jp_summary in the order of its members. */
void jp__read_summary(sqlite3_stmt *statement, struct jp_summary *ret_summary); /* jp_free its pool */

#endif
