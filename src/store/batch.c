/* Owns the records that wait to be written. */
#include "store/batch.h"

#include "base/str.h"

#include <string.h>

enum { FIRST_CAPACITY = 16, KEPT_CAPACITY = 1024 };

void jp__list_add(struct jp__list *list, void *item) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? FIRST_CAPACITY : list->capacity * 2;
        list->items = jp_realloc_array(list->items, list->capacity, sizeof *list->items);
    }
    list->items[list->count++] = item;
}

void jp__list_free(struct jp__list *list) {
    jp_free(list->items);
    memset(list, 0, sizeof *list);
}

size_t jp__stored_size(const char *text) {
    return text == NULL ? 0 : strlen(text) + 1;
}

const char *jp__store_text(char **place, const char *text) {
    if (text == NULL)
        return NULL;
    char *copy = *place;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *place += size;
    return copy;
}

static size_t event_size(const struct jp_event *event) {
    return sizeof *event + jp__stored_size(event->pool) + jp__stored_size(event->message) + jp__stored_size(event->process)
           + jp__stored_size(event->detail);
}

static struct jp_event *lay_event(void *memory, const struct jp_event *event) {
    struct jp_event *clone = memory;
    char *place = (char *)(clone + 1);
    *clone = *event;
    clone->pool = jp__store_text(&place, event->pool);
    clone->message = jp__store_text(&place, event->message);
    clone->process = jp__store_text(&place, event->process);
    clone->detail = jp__store_text(&place, event->detail);
    return clone;
}

struct jp_event *jp__event_clone(const struct jp_event *event) {
    return lay_event(jp_alloc(event_size(event)), event);
}

void jp__batch_add_event(struct jp__batch *batch, const struct jp_event *event) {
    jp__list_add(&batch->events, lay_event(jp__arena_take(&batch->arena, event_size(event)), event));
    if (event->seq > batch->last_seq)
        batch->last_seq = event->seq;
}

static size_t audit_size(const struct jp_audit_record *record) {
    return sizeof *record + jp__stored_size(record->user) + jp__stored_size(record->sid) + jp__stored_size(record->method)
           + jp__stored_size(record->pool) + jp__stored_size(record->detail);
}

static struct jp_audit_record *lay_audit(void *memory, const struct jp_audit_record *record) {
    struct jp_audit_record *clone = memory;
    char *place = (char *)(clone + 1);
    *clone = *record;
    clone->user = jp__store_text(&place, record->user);
    clone->sid = jp__store_text(&place, record->sid);
    clone->method = jp__store_text(&place, record->method);
    clone->pool = jp__store_text(&place, record->pool);
    clone->detail = jp__store_text(&place, record->detail);
    return clone;
}

struct jp_audit_record *jp__audit_clone(const struct jp_audit_record *record) {
    return lay_audit(jp_alloc(audit_size(record)), record);
}

void jp__batch_add_audit(struct jp__batch *batch, const struct jp_audit_record *record) {
    jp__list_add(&batch->audits, lay_audit(jp__arena_take(&batch->arena, audit_size(record)), record));
    if (record->id > batch->last_audit_id)
        batch->last_audit_id = record->id;
}

/* What the arena has of the earlier record of this process stays where it says the same: one that is recorded often does not fill it. */
static char *keep_or_store(struct jp__batch *batch, char *earlier, const char *text) {
    if (text == NULL || (earlier != NULL && strcmp(earlier, text) == 0))
        return text == NULL ? NULL : earlier;
    size_t size = strlen(text) + 1;
    return memcpy(jp__arena_take(&batch->arena, size), text, size);
}

/* A later record of a process takes the place of the earlier one in the list. */
void jp__batch_add_process(struct jp__batch *batch, const struct jp_process_record *record) {
    struct jp_process_record *row = jp_map_get_u64(&batch->process_by_id, (uint64_t)record->id);
    struct jp_process_record earlier = {0};
    if (row != NULL) {
        earlier = *row;
    } else {
        row = jp__arena_take(&batch->arena, sizeof *row);
        jp__list_add(&batch->processes, row);
        jp_map_put_u64(&batch->process_by_id, (uint64_t)record->id, row);
        if (record->id > batch->last_process_id)
            batch->last_process_id = record->id;
    }
    *row = *record;
    row->pool = keep_or_store(batch, earlier.pool, record->pool);
    row->facts.user = keep_or_store(batch, earlier.facts.user, record->facts.user);
    row->facts.image = keep_or_store(batch, earlier.facts.image, record->facts.image);
    row->facts.command_line = keep_or_store(batch, earlier.facts.command_line, record->facts.command_line);
}

static void pool_free(struct jp__pool_row *row) {
    jp_free(row->name);
    jp_free(row->parent);
    jp_free(row->definition);
    jp_free(row);
}

/* Lays a later row of the same pool over `row`. The name stays: it is the map's key. */
static void merge_pool(struct jp__pool_row *row, struct jp__pool_row *later) {
    bool revived = row->deleted_100ns != 0 && later->deleted_100ns == 0;
    if (revived)
        row->created_100ns = later->created_100ns;
    if (later->deleted_100ns == 0) { /* a deletion knows neither */
        jp_free(row->parent);
        row->parent = later->parent;
        later->parent = NULL;
        row->ephemeral = later->ephemeral;
    }
    jp_free(row->definition);
    row->definition = later->definition;
    later->definition = NULL;
    row->deleted_100ns = later->deleted_100ns;
    row->frozen = later->frozen;
    row->busy_since_100ns = later->busy_since_100ns;
    row->job_time_used_100ns = later->job_time_used_100ns;
}

static void take_pool(struct jp__batch *batch, struct jp__pool_row *row) {
    struct jp__pool_row *earlier = jp_map_get(&batch->pool_by_name, row->name);
    if (earlier != NULL) {
        merge_pool(earlier, row);
        pool_free(row);
        return;
    }
    jp__list_add(&batch->pools, row);
    jp_map_put(&batch->pool_by_name, row->name, row);
}

void jp__batch_add_pool(struct jp__batch *batch, const struct jp_pool_record *record, int64_t now_100ns) {
    struct jp__pool_row *row = jp_alloc(sizeof *row);
    row->name = jp_strdup(record->name);
    row->parent = jp_strdup(record->parent);
    row->definition = jp_strdup(record->definition);
    row->created_100ns = now_100ns;
    row->frozen = record->frozen | record->keep_frozen << 1 | record->suspends << 2 | record->below_frozen << 3;
    row->ephemeral = record->ephemeral;
    row->busy_since_100ns = record->busy_since_100ns;
    row->job_time_used_100ns = record->job_time_used_100ns;
    take_pool(batch, row);
}

void jp__batch_add_forgotten_pool(struct jp__batch *batch, const char *name, int64_t now_100ns) {
    struct jp__pool_row *row = jp_alloc(sizeof *row);
    row->name = jp_strdup(name);
    row->created_100ns = now_100ns;
    row->deleted_100ns = now_100ns;
    take_pool(batch, row);
}

static void job_free(struct jp__job_row *row) {
    jp_free(row->object_name);
    jp_free(row->pool);
    jp_free(row);
}

/* Takes `row` over. An earlier one of the same name gives its place in the list, and keeps the name: it is the map's key. */
static void take_job(struct jp__batch *batch, struct jp__job_row *row) {
    struct jp__job_row *earlier = jp_map_get(&batch->job_by_name, row->object_name);
    if (earlier != NULL) {
        char *pool = earlier->pool, *object_name = earlier->object_name;
        *earlier = *row;
        earlier->object_name = object_name;
        row->pool = pool;
        job_free(row);
        return;
    }
    jp__list_add(&batch->jobs, row);
    jp_map_put(&batch->job_by_name, row->object_name, row);
}

void jp__batch_add_job(struct jp__batch *batch, const struct jp_job_record *record) {
    struct jp__job_row *row = jp_alloc(sizeof *row);
    row->object_name = jp_strdup(record->object_name);
    row->pool = jp_strdup(record->pool);
    row->session = record->session;
    row->created_100ns = record->created_100ns;
    row->before = record->before;
    take_job(batch, row);
}

void jp__batch_add_forgotten_job(struct jp__batch *batch, const char *object_name) {
    struct jp__job_row *row = jp_alloc(sizeof *row);
    row->object_name = jp_strdup(object_name);
    row->gone = true;
    take_job(batch, row);
}

void jp__batch_add_unobserved(struct jp__batch *batch, const struct jp_unobserved_record *record, uint64_t number) {
    struct jp__unobserved_row *row = jp__arena_take(&batch->arena, sizeof *row + jp__stored_size(record->pool));
    char *place = (char *)(row + 1);
    row->number = number;
    row->record = *record;
    row->record.pool = jp__store_text(&place, record->pool);
    jp__list_add(&batch->unobserved, row);
}

void jp__batch_add_reset(struct jp__batch *batch, const struct jp_reset_record *record, uint64_t number) {
    struct jp__reset_row *row = jp__arena_take(&batch->arena, sizeof *row + jp__stored_size(record->pool) + jp__stored_size(record->by));
    char *place = (char *)(row + 1);
    row->number = number;
    row->record = *record;
    row->record.pool = jp__store_text(&place, record->pool);
    row->record.by = jp__store_text(&place, record->by);
    jp__list_add(&batch->resets, row);
}

void jp__batch_add_sample(struct jp__batch *batch, const struct jp_sample_record *record) {
    struct jp_sample_record *clone = jp__arena_take(&batch->arena, sizeof *clone + jp__stored_size(record->pool));
    char *place = (char *)(clone + 1);
    *clone = *record;
    clone->pool = jp__store_text(&place, record->pool);
    jp__list_add(&batch->samples, clone);
}

void jp__batch_set_keeper(struct jp__batch *batch, uint32_t pid, int64_t start_100ns) {
    batch->keeper = (struct jp__keeper_row){.pid = pid, .start_100ns = start_100ns};
    batch->has_keeper = true;
}

size_t jp__batch_count(const struct jp__batch *batch) {
    return batch->events.count + batch->audits.count + batch->processes.count + batch->pools.count + batch->jobs.count + batch->unobserved.count
           + batch->resets.count + batch->samples.count + batch->has_keeper;
}

/* After a commit that failed: `newer` is what came since. */
static void add_all(struct jp__batch *batch, struct jp__batch *newer) {
    for (size_t i = 0; i < newer->events.count; i++)
        jp__batch_add_event(batch, newer->events.items[i]);
    for (size_t i = 0; i < newer->audits.count; i++)
        jp__batch_add_audit(batch, newer->audits.items[i]);
    for (size_t i = 0; i < newer->processes.count; i++)
        jp__batch_add_process(batch, newer->processes.items[i]);
    for (size_t i = 0; i < newer->unobserved.count; i++) {
        const struct jp__unobserved_row *row = newer->unobserved.items[i];
        jp__batch_add_unobserved(batch, &row->record, row->number);
    }
    for (size_t i = 0; i < newer->resets.count; i++) {
        const struct jp__reset_row *row = newer->resets.items[i];
        jp__batch_add_reset(batch, &row->record, row->number);
    }
    for (size_t i = 0; i < newer->samples.count; i++)
        jp__batch_add_sample(batch, newer->samples.items[i]);
    for (size_t i = 0; i < newer->pools.count; i++)
        take_pool(batch, newer->pools.items[i]);
    for (size_t i = 0; i < newer->jobs.count; i++)
        take_job(batch, newer->jobs.items[i]);
    newer->pools.count = newer->jobs.count = 0; /* their items have moved */
    if (newer->has_keeper)
        jp__batch_set_keeper(batch, newer->keeper.pid, newer->keeper.start_100ns);
}

void jp__batch_absorb(struct jp__batch *batch, struct jp__batch *newer) {
    bool was_empty = jp__batch_count(batch) == 0 && batch->ticket == 0;
    if (was_empty) { /* they change places, with what memory they have */
        struct jp__batch empty = *batch;
        *batch = *newer;
        *newer = empty;
        return;
    }
    add_all(batch, newer);
    if (newer->ticket > batch->ticket)
        batch->ticket = newer->ticket;
    if (newer->last_seq > batch->last_seq)
        batch->last_seq = newer->last_seq;
    if (newer->last_audit_id > batch->last_audit_id)
        batch->last_audit_id = newer->last_audit_id;
    jp__batch_clear(newer);
}

static void free_rows(struct jp__batch *batch) {
    for (size_t i = 0; i < batch->pools.count; i++)
        pool_free(batch->pools.items[i]);
    for (size_t i = 0; i < batch->jobs.count; i++)
        job_free(batch->jobs.items[i]);
    jp_map_free(&batch->process_by_id);
    jp_map_free(&batch->pool_by_name);
    jp_map_free(&batch->job_by_name);
}

static void empty(struct jp__list *list) {
    if (list->capacity > KEPT_CAPACITY)
        jp__list_free(list);
    list->count = 0;
}

void jp__batch_clear(struct jp__batch *batch) {
    struct jp__batch old = *batch;
    struct jp__list *const lists[] = {&old.events, &old.audits, &old.processes, &old.pools, &old.jobs, &old.unobserved, &old.resets, &old.samples};
    free_rows(&old);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        empty(lists[i]);
    jp__arena_reset(&old.arena);
    *batch = (struct jp__batch){.arena = old.arena, .events = old.events, .audits = old.audits, .processes = old.processes, .pools = old.pools,
                                .jobs = old.jobs, .unobserved = old.unobserved, .resets = old.resets, .samples = old.samples};
}

void jp__batch_free(struct jp__batch *batch) {
    struct jp__list *const lists[] = {&batch->events, &batch->audits, &batch->processes, &batch->pools, &batch->jobs, &batch->unobserved,
                                      &batch->resets, &batch->samples};
    free_rows(batch);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        jp__list_free(lists[i]);
    jp__arena_free(&batch->arena);
    *batch = (struct jp__batch){0};
}
