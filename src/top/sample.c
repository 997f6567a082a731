/* From JSON to rows, and from two of them to rates. */
#include "top/sample.h"

#include "base/map.h"
#include "base/text.h"
#include "base/units.h"

#include <string.h>

/* ----------------------------------------------------------------------------------------------------------- reading */

static struct jp_top_number number(const cJSON *object, const char *key) {
    struct jp_top_number found = {0};
    found.known = jp_json_get_u64(jp_get(object, key), &found.value);
    return found;
}

static struct jp_top_number sum(struct jp_top_number one, struct jp_top_number other) {
    if (!one.known || !other.known)
        return one.known ? one : other;
    one.value = one.value > UINT64_MAX - other.value ? UINT64_MAX : one.value + other.value;
    return one;
}

static const char *text(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(jp_get(object, key));
}

static char *harmless(const char *from) {
    if (from == NULL)
        return NULL;
    struct jp_str made = {0};
    jp_add_harmless(&made, from);
    return jp_str_take(&made);
}

static void read_pool(const cJSON *object, struct jp_top_row *row) {
    row->key = jp_strdup(text(object, "name"));
    row->name = harmless(row->key);
    row->parent = jp_strdup(text(object, "parent"));
    row->state = harmless(text(object, "state"));
    row->enforced_by = harmless(text(object, "enforcedBy"));
    row->memory_by = harmless(text(object, "memoryLimitBy"));
    row->frozen = cJSON_IsTrue(jp_get(object, "frozen"));
    row->processes = number(object, "totalMembers");
    row->process_limit = number(object, "processLimit");
    row->memory_limit_bytes = number(object, "memoryLimitBytes");
    row->cpu_100ns = number(object, "cpuTime100ns");
    row->events = number(object, "events");
}

/* A command line says most, without the folder that its program is in; one that nobody was allowed to read leaves the program. */
static char *command_of(const cJSON *object) {
    const char *command = text(object, "commandLine");
    command = command != NULL && *command != '\0' ? command : text(object, "image");
    if (command == NULL || *command == '\0')
        return jp_strdup("?");
    bool quoted = *command == '"';
    size_t start = quoted ? 1 : 0, end = start + strcspn(command + start, quoted ? "\"" : " \t"), name = start;
    for (size_t i = start; i < end; i++)
        if ((command[i] == '\\' || command[i] == '/') && i + 1 < end)
            name = i + 1;
    struct jp_str shown = {0};
    jp_str_add(&shown, command + name, end - name);
    jp_str_puts(&shown, command + end + (quoted && command[end] == '"'));
    char *made = harmless(jp_str_text(&shown));
    jp_str_free(&shown);
    return made;
}

static void read_process(const cJSON *object, struct jp_top_row *row) {
    const cJSON *start = jp_get(object, "startTime");
    uint64_t start_time = 0;
    row->pid = number(object, "pid");
    if (!row->pid.known)
        return;
    row->start_time = jp_json_get_u64(start, &start_time) ? jp_sprintf("%llu", (unsigned long long)start_time) : NULL;
    row->key = jp_sprintf("%llu %llu", (unsigned long long)row->pid.value, (unsigned long long)start_time);
    row->name = command_of(object);
    row->pool = harmless(text(object, "pool"));
    row->user = harmless(text(object, "user"));
    row->cpu_100ns = sum(number(object, "userTime100ns"), number(object, "kernelTime100ns"));
}

static void free_row(struct jp_top_row *row) {
    char *const texts[] = {row->key, row->name, row->parent, row->pool, row->user, row->enforced_by, row->memory_by, row->state, row->start_time};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        jp_free(texts[i]);
}

/* A row without what it is known by would be of no use. */
static void read_rows(const cJSON *list, void (*read)(const cJSON *object, struct jp_top_row *row), struct jp_top_rows *rows) {
    const cJSON *object;
    rows->items = jp_realloc_array(NULL, (size_t)cJSON_GetArraySize(list) + 1, sizeof *rows->items);
    cJSON_ArrayForEach(object, list) {
        struct jp_top_row *row = &rows->items[rows->count];
        *row = (struct jp_top_row){
            .memory_bytes = number(object, "commitBytes"),
            .working_set_bytes = number(object, "workingSetBytes"),
            .read_bytes = number(object, "readBytes"),
            .write_bytes = number(object, "writeBytes"),
        };
        read(object, row);
        if (row->key != NULL)
            rows->count++;
        else
            free_row(row);
    }
}

jp_status jp_top_sample_read(const cJSON *answer, struct jp_top_sample *ret_sample, struct jp_error *error) {
    const cJSON *pools = jp_get(answer, "pools");
    const cJSON *processes = jp_get(answer, "processes");
    struct jp_top_number clock = number(answer, "clock100ns"), processors = number(answer, "processors");
    if (!cJSON_IsArray(pools) || !clock.known)
        return jp_fail(error, JP_E_PARSE, "the service's answer to pool.usage has no pools, or no clock");
    *ret_sample = (struct jp_top_sample){
        .time = harmless(text(answer, "time")),
        .clock_100ns = clock.value,
        .processors = processors.known && processors.value > 0 ? processors.value : 1,
        .has_processes = cJSON_IsArray(processes),
    };
    read_rows(pools, read_pool, &ret_sample->pools);
    read_rows(processes, read_process, &ret_sample->processes);
    return JP_OK;
}

static void free_rows(struct jp_top_rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        free_row(&rows->items[i]);
    jp_free(rows->items);
}

void jp_top_sample_free(struct jp_top_sample *sample) {
    free_rows(&sample->pools);
    free_rows(&sample->processes);
    jp_free(sample->time);
    *sample = (struct jp_top_sample){0};
}

/* ------------------------------------------------------------------------------------------------------------- rates */

static struct jp_top_rate rate(struct jp_top_number now, struct jp_top_number before, double per) {
    struct jp_top_rate found = {0};
    found.known = now.known && before.known && now.value >= before.value;
    if (found.known)
        found.value = (double)(now.value - before.value) / per;
    return found;
}

static struct jp_top_rate sum_of_rates(struct jp_top_rate one, struct jp_top_rate other) {
    if (!one.known || !other.known)
        return one.known ? one : other;
    one.value += other.value;
    return one;
}

static void rate_row(struct jp_top_row *now, const struct jp_top_row *before, uint64_t elapsed_100ns) {
    double seconds = (double)elapsed_100ns / JP_100NS_PER_S;
    now->cpu_percent = rate(now->cpu_100ns, before->cpu_100ns, (double)elapsed_100ns / 100);
    now->read_per_s = rate(now->read_bytes, before->read_bytes, seconds);
    now->write_per_s = rate(now->write_bytes, before->write_bytes, seconds);
    now->io_per_s = sum_of_rates(now->read_per_s, now->write_per_s);
    now->events_per_s = rate(now->events, before->events, seconds);
}

static void rate_rows(const struct jp_top_rows *now, const struct jp_top_rows *before, uint64_t elapsed_100ns) {
    struct jp_map map = {0};
    for (size_t i = 0; i < before->count; i++)
        if (jp_map_get(&map, before->items[i].key) == NULL)
            jp_map_put(&map, before->items[i].key, &before->items[i]);
    for (size_t i = 0; i < now->count; i++) {
        const struct jp_top_row *old = jp_map_get(&map, now->items[i].key);
        if (old != NULL)
            rate_row(&now->items[i], old, elapsed_100ns);
    }
    jp_map_free(&map);
}

void jp_top_sample_rate(struct jp_top_sample *now, const struct jp_top_sample *before) {
    if (before->time == NULL && before->pools.items == NULL)
        return;
    if (now->clock_100ns <= before->clock_100ns)
        return;
    rate_rows(&now->pools, &before->pools, now->clock_100ns - before->clock_100ns);
    rate_rows(&now->processes, &before->processes, now->clock_100ns - before->clock_100ns);
}

struct jp_top_row jp_top_sample_total(const struct jp_top_sample *sample) {
    struct jp_top_row total = {0};
    struct jp_map names = {0};
    const struct jp_top_rows *pools = &sample->pools;
    for (size_t i = 0; i < pools->count; i++)
        if (jp_map_get(&names, pools->items[i].key) == NULL)
            jp_map_put(&names, pools->items[i].key, &pools->items[i]);
    for (size_t i = 0; i < pools->count; i++) {
        const struct jp_top_row *row = &pools->items[i];
        if (row->parent != NULL && jp_map_get(&names, row->parent) != NULL)
            continue;
        total.processes = sum(total.processes, row->processes);
        total.memory_bytes = sum(total.memory_bytes, row->memory_bytes);
        total.cpu_percent = sum_of_rates(total.cpu_percent, row->cpu_percent);
        total.io_per_s = sum_of_rates(total.io_per_s, row->io_per_s);
        total.events_per_s = sum_of_rates(total.events_per_s, row->events_per_s);
    }
    jp_map_free(&names);
    return total;
}
