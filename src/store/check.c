/* Owns the rules of our own that a sound database keeps, beside those of SQLite. */
#include "store/backup.h"

#include "store/database.h"
#include "store/numbers.h"

#include <stdio.h>
#include <string.h>

struct check {
    sqlite3 *db;
    void (*on_fault)(void *context, const char *text);
    void *context;
    uint64_t faults;
};

static void tell(struct check *check, const char *text) {
    check->faults++;
    check->on_fault(check->context, text);
}

/* As the service asks when it opens a database: see numbers.h. */
#define NEVER_GIVEN_OUT(what, number, rows)                                                                          \
    "SELECT '" what " has number ' || " number " || ', which no run can have given out' FROM " rows                  \
    " WHERE " number " NOT BETWEEN 0 AND " JP__NUMBER_MAX_SQL

/* Each row of a rule's query is a fault: one column, a sentence. */
static const struct {
    int version; /* of the schema, since which there is what it asks for */
    const char *sql;
} rules[] = {
    {1, "SELECT 'meta has no number \"' || name || '\"' FROM (SELECT 'clean' AS name UNION ALL SELECT 'last_seq' UNION ALL SELECT 'last_process_id')"
        " WHERE name NOT IN (SELECT key FROM meta)"},

    {1, "SELECT 'meta has ' || value || ' as \"' || key || '\", which no run can have given out' FROM meta"
        " WHERE key IN ('last_seq', 'last_process_id', 'last_run', 'last_audit_id') AND value NOT BETWEEN 0 AND " JP__NUMBER_MAX_SQL},

    {1, NEVER_GIVEN_OUT("an event", "seq", "events")},

    {1, NEVER_GIVEN_OUT("a process", "id", "processes")},

    {1, "SELECT 'process ' || id || ' is said to be running, and to have ended' FROM processes"
        " WHERE (ending = 'running') <> (ended_100ns IS NULL)"},

    {1, "SELECT 'pool \"' || name || '\" is deleted, but has a definition' FROM pools WHERE deleted_100ns IS NOT NULL AND definition IS NOT NULL"},

    {1, "SELECT 'pid ' || pid || ', started at ' || start_100ns || ', is there ' || count(*) || ' times as running in pool \"' || pool || '\"'"
        " FROM processes WHERE ended_100ns IS NULL AND start_100ns IS NOT NULL GROUP BY pool, pid, start_100ns HAVING count(*) > 1"},

    /* Each process that ended is in the totals of its pool, in those of an hour or its day, and, unless it was purged, in a row. */
    {3, "SELECT 'pool \"' || pool || '\" has ' || t.processes || ' processes in its totals, and ' || u.processes || ' in its hours and days'"
        " FROM pool_totals t JOIN (SELECT pool, sum(processes) AS processes FROM"
        "  (SELECT pool, processes FROM usage_hours UNION ALL SELECT pool, processes FROM usage_days) GROUP BY pool) u USING(pool)"
        " WHERE t.processes <> u.processes"},

    {3, "SELECT 'pool \"' || pool || '\" has ' || r.processes || ' rows of processes that ended, and ' || coalesce(t.processes, 0) || ' in its totals'"
        " FROM (SELECT pool, count(*) AS processes FROM processes WHERE ended_100ns IS NOT NULL GROUP BY pool) r LEFT JOIN pool_totals t USING(pool)"
        " WHERE r.processes > coalesce(t.processes, 0)"},

    {3, "SELECT 'meta has no number \"last_run\"' WHERE NOT EXISTS(SELECT 1 FROM meta WHERE key = 'last_run')"},

    {3, NEVER_GIVEN_OUT("a run", "number", "runs")},

    {4, NEVER_GIVEN_OUT("a row of the audit trail", "id", "audit")},

    {4, "SELECT 'meta has no number \"last_audit_id\"' WHERE NOT EXISTS(SELECT 1 FROM meta WHERE key = 'last_audit_id')"},

    {4, "SELECT 'row ' || id || ' of the audit trail says that it was refused, and that it was done' FROM audit WHERE NOT allowed AND status = 'ok'"},

    {4, "SELECT 'row ' || id || ' of the audit trail counts ' || count || ' requests' FROM audit WHERE count < 1"},

    {5, "SELECT 'meta has no number \"samples_from_100ns\"' WHERE NOT EXISTS(SELECT 1 FROM meta WHERE key = 'samples_from_100ns')"},

    {5, "SELECT 'a sample of pool \"' || pool || '\" of ' || time_100ns || ' stands under day ' || day FROM samples"
        " WHERE day <> time_100ns / 864000000000"},
};

/* SQLite's code. */
static int tell_rows(struct check *check, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(check->db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        if (text != NULL && strcmp(text, "ok") != 0)
            tell(check, text);
    }
    return sqlite3_finalize(statement);
}

/* In one transaction: a service may write meanwhile. */
static int run(struct check *check) {
    int64_t version = 0;
    int code = jp__db_exec(check->db, "BEGIN");
    if (code == SQLITE_OK)
        code = tell_rows(check, "PRAGMA integrity_check");
    if (code == SQLITE_OK)
        code = jp__db_number(check->db, "PRAGMA user_version", &version);
    for (size_t i = 0; code == SQLITE_OK && i < sizeof rules / sizeof *rules; i++)
        if (rules[i].version <= version)
            code = tell_rows(check, rules[i].sql);
    return code;
}

jp_status jp_store_check(const char *file, void (*on_fault)(void *context, const char *text), void *context, struct jp_error *error) {
    struct check check = {.on_fault = on_fault, .context = context};
    jp_status status = jp__open_to_read(file, &check.db, error);
    if (status != JP_OK)
        return status;
    int code = run(&check);
    char reason[256];
    jp__db_reason(check.db, code, reason, sizeof reason);
    sqlite3_close(check.db);
    if (jp__db_is_damage(code)) {
        char text[300];
        snprintf(text, sizeof text, "it cannot be read to its end: %s", reason);
        tell(&check, text);
    } else if (code != SQLITE_OK) {
        return jp_fail(error, JP_E_STORE, "\"%s\" cannot be checked: %s", file, reason);
    }
    if (check.faults > 0)
        return jp_fail(error, JP_E_STORE, "\"%s\" is damaged: %llu faults", file, (unsigned long long)check.faults);
    return JP_OK;
}
