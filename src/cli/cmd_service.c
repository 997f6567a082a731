/* Commands about the service itself: status, capabilities, reload. */
#include "cli/cli.h"

static const struct jp_show status_fields[] = {
    {"program", "program", JP_SHOW_TEXT},
    {"version", "version", JP_SHOW_TEXT},
    {"process", "pid", JP_SHOW_NUMBER},
    {"keeper", "keeper", JP_SHOW_NUMBER},
    {"started", "started", JP_SHOW_TIME},
    {"host", "host", JP_SHOW_TEXT},
    {"config", "config", JP_SHOW_TEXT},
    {"pipe", "pipe", JP_SHOW_TEXT},
    {"pools", "pools", JP_SHOW_NUMBER},
    {"processes", "members", JP_SHOW_NUMBER},
    {"connections", "connections", JP_SHOW_NUMBER},
    {"notifications dropped", "droppedNotifications", JP_SHOW_NUMBER},
    {"last event", "seq", JP_SHOW_NUMBER},
    {"on disk up to", "database.committedSeq", JP_SHOW_NUMBER},
    {"oldest event", "database.firstSeq", JP_SHOW_NUMBER},
    {"database", "database.file", JP_SHOW_TEXT},
    {"size", "database.fileBytes", JP_SHOW_BYTES},
    {"size of its log", "database.walBytes", JP_SHOW_BYTES},
    {"keeps processes for", "database.retention.processes", JP_SHOW_TEXT},
    {"keeps events for", "database.retention.events", JP_SHOW_TEXT},
    {"keeps samples for", "database.retention.samples", JP_SHOW_TEXT},
    {"keeps hours for", "database.retention.hours", JP_SHOW_TEXT},
    {"keeps at most", "database.retention.max_size", JP_SHOW_TEXT},
    {"last purge", "database.lastPurge", JP_SHOW_TIME},
    {"not yet on disk", "database.backlog", JP_SHOW_NUMBER},
    {"degraded", "database.degraded", JP_SHOW_TEXT},
    {"because", "database.reason", JP_SHOW_TEXT},
    {"events dropped", "database.droppedEvents", JP_SHOW_NUMBER},
    {"dropped between", "database.dropped", JP_SHOW_JSON},
    {"samples every", "sampling.interval", JP_SHOW_TEXT},
    {"last sample", "sampling.last", JP_SHOW_TIME},
    {"processes seen", "sampling.processes", JP_SHOW_NUMBER},
    {"sampling degraded", "sampling.degraded", JP_SHOW_TEXT},
    {"because", "sampling.reason", JP_SHOW_TEXT},
    {"job messages", "port.packets", JP_SHOW_NUMBER},
    {"lists reread", "port.overflows", JP_SHOW_NUMBER},
    {0},
};

const struct jp_view jp_status_view = {.columns = status_fields};

int jp_command_status(struct jp_cli *cli, cJSON *options) { return jp_cli_ask(cli, "service.status", options, &jp_status_view); }

static void add_enforcer(cJSON *rows, const char *limit, const cJSON *enforcer) {
    cJSON *row = jp_cli_object("limit", limit);
    jp_json_add_string(row, "enforcer", cJSON_GetStringValue(enforcer));
    cJSON_AddItemToArray(rows, row);
}

static cJSON *enforcers(const cJSON *result, bool for_people) {
    (void)for_people;
    cJSON *rows = cJSON_CreateArray();
    const cJSON *limit;
    cJSON_ArrayForEach(limit, jp_get(result, "limits")) {
        add_enforcer(rows, limit->string, limit);
    }
    add_enforcer(rows, "ui", jp_get(result, "ui"));
    add_enforcer(rows, "end_of_job_time", jp_get(result, "end_of_job_time"));
    return rows;
}

static const struct jp_show capability_columns[] = {{"LIMIT", "limit", JP_SHOW_TEXT}, {"ENFORCED BY", "enforcer", JP_SHOW_STATE}, {0}};

static void show_capabilities(const cJSON *result, struct jp_str *out) {
    static const struct jp_show host[] = {
        {"host", "host", JP_SHOW_TEXT},
        {"nested jobs", "nestedJobs", JP_SHOW_TEXT},
        {"CPU times of processes", "processTimes", JP_SHOW_TEXT},
        {"I/O of processes", "processIo", JP_SHOW_TEXT},
        {"memory of ended processes", "memoryAfterExit", JP_SHOW_TEXT},
        {0},
    };
    jp_show_fields(host, result, out);
    jp_str_putc(out, '\n');
    cJSON *rows = enforcers(result, true);
    jp_show_table(capability_columns, rows, out);
    cJSON_Delete(rows);
}

const struct jp_view jp_capabilities_view = {.columns = capability_columns, .rows = enforcers, .show = show_capabilities};

int jp_command_capabilities(struct jp_cli *cli, cJSON *options) {
    return jp_cli_ask(cli, "service.capabilities", options, &jp_capabilities_view);
}

static void show_reload(const cJSON *result, struct jp_str *out) {
    static const struct jp_show fields[] = {
        {"added", "added", JP_SHOW_JSON},
        {"changed", "changed", JP_SHOW_JSON},
        {"removed", "removed", JP_SHOW_JSON},
        {"removed, but living until empty", "orphaned", JP_SHOW_JSON},
        {0},
    };
    size_t before = out->length;
    jp_show_fields(fields, result, out);
    if (out->length == before)
        jp_str_puts(out, "read again; nothing changed\n");
}

int jp_command_reload(struct jp_cli *cli, cJSON *options) { return jp_cli_ask(cli, "service.reload", options, JP_VIEW(show_reload)); }
