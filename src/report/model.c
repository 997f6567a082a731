/* From answers of the service to what is drawn; what an answer has no sense in is left out. */
#include "report/model.h"

#include "base/units.h"
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

/* --- events --- */

const char *const jp_lane_names[JP_LANES] = {"Limits", "Crashes", "Troubles", "Pools", "Service"};

/* One list says what is asked for and, up to which row, in which lane it goes. */
const char *const jp_page_messages[] = {
    "JOB_OBJECT_MSG_END_OF_JOB_TIME", "JOB_OBJECT_MSG_END_OF_PROCESS_TIME", "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT",
    "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT", "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", "JOB_OBJECT_MSG_NOTIFICATION_LIMIT", "WALL_CLOCK_LIMIT",
    "POOL_WALL_CLOCK_LIMIT", "IDLE_LIMIT", "MEMORY_POLICY_SOFT", "MEMORY_POLICY_HARD",
    "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS",
    "ENFORCEMENT_FAILED", "SAMPLING_FAILED", "MESSAGES_LOST", "EVENTS_DROPPED", "KEEPER_ENDED", "KEEPER_FAILED", "DATABASE_DEGRADED",
    "DATABASE_RENEWED", "CONFIG_REFUSED", "REQUEST_DENIED", "MATCH_REFUSED", "PROCESSES_UNOBSERVED",
    "POOL_CREATED", "POOL_UPDATED", "POOL_DELETED", "POOL_TERMINATED", "POOL_ORPHANED", "POOL_REMOVED", "POOL_FROZEN", "POOL_THAWED",
    "COUNTERS_RESET",
    "SERVICE_STARTED", "SERVICE_STOPPING", "CONFIG_RELOADED", "DATABASE_RECOVERED", "ACCOUNTING_PURGED",
    NULL};

/* The last message of each lane. */
static const char *const lane_ends[JP_LANES] = {"MEMORY_POLICY_HARD", "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS", "PROCESSES_UNOBSERVED", "COUNTERS_RESET", "ACCOUNTING_PURGED"};

enum jp_lane jp_lane_of(const char *message) {
    unsigned lane = 0;
    for (const char *const *at = jp_page_messages; *at; at++) {
        if (strcmp(*at, message) == 0)
            return (enum jp_lane)lane;
        lane += strcmp(*at, lane_ends[lane]) == 0;
    }
    return JP_LANES;
}

static int by_time(const void *one, const void *other) {
    const struct jp_model_event *a = one, *b = other;
    if (a->time_100ns != b->time_100ns)
        return a->time_100ns < b->time_100ns ? -1 : 1;
    uint64_t first = jp_get_u64(a->event, "seq"), second = jp_get_u64(b->event, "seq");
    return first < second ? -1 : first > second;
}

static void take_events(struct jp_model *model, const cJSON *list) {
    const cJSON *event;
    model->events = jp_alloc(((size_t)cJSON_GetArraySize(list) + 1) * sizeof *model->events);
    cJSON_ArrayForEach(event, list) {
        struct jp_model_event found = {.time_100ns = jp_get_time(event, "time"), .lane = jp_lane_of(jp_get_text(event, "message")), .event = event};
        if (found.lane == JP_LANES || found.time_100ns < model->from_100ns || found.time_100ns >= model->to_100ns)
            continue;
        model->lane_counts[found.lane]++;
        model->events[model->event_count++] = found;
    }
    qsort(model->events, model->event_count, sizeof *model->events, by_time);
}

/* --- samples --- */

static void add(uint64_t *sum, uint64_t value) { *sum = *sum > UINT64_MAX - value ? UINT64_MAX : *sum + value; }

static const char *parent_of(const struct jp_model *model, const char *pool) {
    const cJSON *row;
    cJSON_ArrayForEach(row, jp_get(jp_get(model->answers, "pools"), "pools")) {
        if (strcmp(jp_get_text(row, "name"), pool) == 0)
            return cJSON_GetStringValue(jp_get(row, "parent"));
    }
    return NULL;
}

static void take_point(struct jp_model *model, struct jp_model_pool *pool, const cJSON *point) {
    int64_t time = jp_get_time(point, "time");
    if (time < model->first_100ns || time >= model->to_100ns)
        return;
    size_t at = (size_t)((uint64_t)(time - model->first_100ns) / model->step_100ns);
    if (at >= model->step_count)
        return;
    struct jp_model_step *step = &pool->steps[at];
    bool sampled = jp_json_get_u64(jp_get(point, "commitBytes"), &(uint64_t){0}), looked = jp_json_get_u64(jp_get(point, "processes"), &(uint64_t){0});
    *step = (struct jp_model_step){
        .known = looked || sampled || jp_get_u64(point, "cpuTime100ns") > 0,
        .memory_known = sampled,
        .cpu_100ns = jp_get_u64(point, "cpuTime100ns"),
        .commit_bytes = jp_get_u64(point, "commitBytes"),
        .working_set_bytes = jp_get_u64(point, "workingSetBytes"),
        .processes = jp_get_u64(point, "processes"),
        .memory_limit_bytes = jp_get_u64(point, "memoryLimitBytes"),
        .process_limit = jp_get_u64(point, "processLimit"),
        .cpu_limit = jp_get_u64(point, "cpuRateLimit"),
    };
    add(&pool->cpu_100ns, step->cpu_100ns);
    if (step->commit_bytes > pool->peak_commit_bytes)
        pool->peak_commit_bytes = step->commit_bytes;
    add(&model->starts[at].started, jp_get_u64(point, "started"));
    add(&model->starts[at].ended, jp_get_u64(point, "ended"));
    add(&model->starts[at].failures, jp_get_u64(point, "failures"));
}

static void take_series(struct jp_model *model, const cJSON *series) {
    struct jp_model_pool *pool = &model->pools[model->pool_count++];
    const cJSON *point;
    pool->name = jp_get_text(series, "pool");
    pool->parent = parent_of(model, pool->name);
    pool->steps = jp_alloc(model->step_count * sizeof *pool->steps);
    cJSON_ArrayForEach(point, jp_get(series, "points")) {
        take_point(model, pool, point);
    }
}

static const struct jp_model_pool *find(const struct jp_model *model, size_t count, const char *name) {
    for (size_t i = 0; name && i < count; i++)
        if (strcmp(model->pools[i].name, name) == 0)
            return &model->pools[i];
    return NULL;
}

/* A pool that is above itself is in no answer of the service; here it would only not end. */
static size_t depth_of(const struct jp_model *model, const struct jp_model_pool *pool) {
    size_t depth = 0;
    for (; pool && depth < 64; depth++)
        pool = find(model, model->pool_count, pool->parent);
    return depth;
}

/* What includes another comes before it, so that of a pool that is not drawn nothing below it is either. */
static int by_score(const void *one, const void *other) {
    const struct jp_model_pool *a = one, *b = other;
    if (a->score > b->score || a->score < b->score)
        return a->score > b->score ? -1 : 1;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void rank(struct jp_model *model) {
    double most_cpu = 1, most_memory = 1;
    for (size_t i = 0; i < model->pool_count; i++) {
        most_cpu = (double)model->pools[i].cpu_100ns > most_cpu ? (double)model->pools[i].cpu_100ns : most_cpu;
        most_memory = (double)model->pools[i].peak_commit_bytes > most_memory ? (double)model->pools[i].peak_commit_bytes : most_memory;
    }
    for (size_t i = 0; i < model->pool_count; i++) {
        struct jp_model_pool *pool = &model->pools[i];
        pool->score = (double)pool->cpu_100ns / most_cpu + (double)pool->peak_commit_bytes / most_memory;
        pool->depth = depth_of(model, pool);
    }
    if (model->pool_count)
        qsort(model->pools, model->pool_count, sizeof *model->pools, by_score);
}

/* The values of a pool include those below it: of what is not drawn, only what is in no other counts. */
static void sum_others(struct jp_model *model) {
    model->drawn = model->pool_count > JP_MODEL_LINES + 1 ? JP_MODEL_LINES : model->pool_count;
    if (model->drawn == model->pool_count)
        return;
    model->others = (struct jp_model_pool){.name = "others", .steps = jp_alloc(model->step_count * sizeof *model->others.steps)};
    for (size_t i = model->drawn; i < model->pool_count; i++) {
        const struct jp_model_pool *pool = &model->pools[i];
        model->others_count++;
        if (find(model, model->pool_count, pool->parent))
            continue;
        for (size_t at = 0; at < model->step_count; at++) {
            struct jp_model_step *sum = &model->others.steps[at];
            if (!pool->steps[at].known)
                continue;
            sum->known = true;
            sum->memory_known = sum->memory_known || pool->steps[at].memory_known;
            add(&sum->cpu_100ns, pool->steps[at].cpu_100ns);
            add(&sum->commit_bytes, pool->steps[at].commit_bytes);
            add(&sum->working_set_bytes, pool->steps[at].working_set_bytes);
            add(&sum->processes, pool->steps[at].processes);
        }
    }
}

/* All answers are of the same time in the same steps; those that are not, are left out. */
static void take_samples(struct jp_model *model, const cJSON *answers) {
    const cJSON *answer, *series;
    size_t count = 0;
    cJSON_ArrayForEach(answer, answers) {
        count += (size_t)cJSON_GetArraySize(jp_get(answer, "series"));
    }
    model->step_100ns = jp_get_u64(answers ? answers->child : NULL, "step100ns");
    if (count == 0 || model->step_100ns == 0 || model->step_100ns > INT64_MAX) {
        model->step_100ns = 0;
        return;
    }
    model->first_100ns = model->from_100ns - model->from_100ns % (int64_t)model->step_100ns; /* steps are round times */
    uint64_t span = (uint64_t)(model->to_100ns - model->first_100ns);
    if (span / model->step_100ns >= JP_MODEL_STEPS) {
        model->step_100ns = 0;
        return;
    }
    model->step_count = (size_t)(span / model->step_100ns + (span % model->step_100ns != 0));
    model->pools = jp_alloc(count * sizeof *model->pools);
    model->starts = jp_alloc((model->step_count + 1) * sizeof *model->starts);
    cJSON_ArrayForEach(answer, answers) {
        if (jp_get_u64(answer, "step100ns") == model->step_100ns)
            cJSON_ArrayForEach(series, jp_get(answer, "series")) {
                take_series(model, series);
            }
    }
    rank(model);
    while (model->pool_count && model->pools[model->pool_count - 1].score <= 0) /* of them there is nothing to see */
        jp_free(model->pools[--model->pool_count].steps);
    sum_others(model);
}

void jp_model_make(struct jp_model *model, const cJSON *answers, const struct jp_page_maker *maker) {
    *model = (struct jp_model){.answers = answers, .maker = maker, .from_100ns = jp_get_time(answers, "from"), .to_100ns = jp_get_time(answers, "to")};
    if (model->to_100ns <= model->from_100ns)
        model->to_100ns = model->from_100ns + 1;
    uint64_t processors = jp_get_u64(answers, "processors");
    model->processors = processors == 0 || processors > 100000 ? 1 : (unsigned)processors;
    take_samples(model, jp_get(answers, "series"));
    take_events(model, jp_get(jp_get(answers, "events"), "events"));
}

void jp_model_free(struct jp_model *model) {
    for (size_t i = 0; i < model->pool_count; i++)
        jp_free(model->pools[i].steps);
    jp_free(model->pools);
    jp_free(model->others.steps);
    jp_free(model->starts);
    jp_free(model->events);
}

int64_t jp_model_time(const struct jp_model *model, size_t step) { return model->first_100ns + (int64_t)(step * model->step_100ns); }

int64_t jp_model_local(const struct jp_model *model, int64_t utc_100ns) {
    return utc_100ns + model->maker->local_offset_100ns(model->maker->context, utc_100ns);
}
