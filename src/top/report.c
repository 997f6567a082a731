/* The lines for programs, and for a plain table. */
#include "top/top.h"

static void add_number(cJSON *object, const char *key, struct jp_top_number number) {
    if (number.known)
        jp_json_add_u64(object, key, number.value);
    else
        cJSON_AddNullToObject(object, key);
}

/* More than a tenth of a percent nobody has measured. */
static void add_rate(cJSON *object, const char *key, struct jp_top_rate rate) {
    if (rate.known)
        cJSON_AddNumberToObject(object, key, (double)(uint64_t)(rate.value * 10 + 0.5) / 10);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_bytes_rate(cJSON *object, const char *key, struct jp_top_rate rate) {
    add_number(object, key, (struct jp_top_number){rate.known, rate.known ? (uint64_t)(rate.value + 0.5) : 0});
}

static cJSON *pool_object(const struct jp_top *top, const struct jp_top_row *row) {
    struct jp_top_rate machine = row->cpu_percent;
    machine.value /= (double)top->now.processors;
    cJSON *object = cJSON_CreateObject();
    jp_json_add_string(object, "name", row->key);
    jp_json_add_string(object, "parent", row->parent);
    jp_json_add_string(object, "state", row->state);
    cJSON_AddBoolToObject(object, "frozen", row->frozen);
    add_rate(object, "cpuPercent", row->cpu_percent);
    add_rate(object, "machinePercent", machine);
    add_number(object, "cpuTime100ns", row->cpu_100ns);
    add_number(object, "commitBytes", row->memory_bytes);
    add_number(object, "workingSetBytes", row->working_set_bytes);
    add_number(object, "memoryLimitBytes", row->memory_limit_bytes);
    jp_json_add_string(object, "memoryLimitBy", row->memory_by);
    add_number(object, "processes", row->processes);
    add_number(object, "processLimit", row->process_limit);
    add_bytes_rate(object, "readBytesPerSecond", row->read_per_s);
    add_bytes_rate(object, "writeBytesPerSecond", row->write_per_s);
    add_bytes_rate(object, "ioBytesPerSecond", row->io_per_s);
    add_rate(object, "eventsPerSecond", row->events_per_s);
    jp_json_add_string(object, "enforcedBy", row->enforced_by);
    jp_json_add_string(object, "time", top->now.time); /* a row of csv or ndjson is told apart from that of the frame before it */
    return object;
}

cJSON *jp_top_report(const struct jp_top *top) {
    cJSON *report = cJSON_CreateObject();
    bool rated = top->before.pools.items != NULL && top->now.clock_100ns > top->before.clock_100ns;
    jp_json_add_string(report, "time", top->now.time);
    if (rated)
        cJSON_AddNumberToObject(report, "seconds", (double)(top->now.clock_100ns - top->before.clock_100ns) / 1e7);
    else
        cJSON_AddNullToObject(report, "seconds");
    jp_json_add_u64(report, "processors", top->now.processors);
    cJSON *pools = cJSON_AddArrayToObject(report, "pools");
    for (size_t i = 0; i < top->line_count; i++)
        cJSON_AddItemToArray(pools, pool_object(top, top->lines[i].row));
    return report;
}
