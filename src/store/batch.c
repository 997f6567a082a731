/* Owns the records that wait to be written. */
#include "store/batch.h"

#include "base/str.h"

#include <string.h>

enum { FIRST_CAPACITY = 16 };

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

struct jp_event *jp__event_clone(const struct jp_event *event) {
    size_t strings = jp__stored_size(event->pool) + jp__stored_size(event->message) + jp__stored_size(event->process)
                     + jp__stored_size(event->detail);
    struct jp_event *clone = jp_alloc(sizeof *clone + strings);
    char *place = (char *)(clone + 1);
    *clone = *event;
    clone->pool = jp__store_text(&place, event->pool);
    clone->message = jp__store_text(&place, event->message);
    clone->process = jp__store_text(&place, event->process);
    clone->detail = jp__store_text(&place, event->detail);
    return clone;
}

void jp__batch_add_event(struct jp__batch *batch, const struct jp_event *event) {
    jp__list_add(&batch->events, jp__event_clone(event));
    if (event->seq > batch->last_seq)
        batch->last_seq = event->seq;
}

struct jp_audit_record *jp__audit_clone(const struct jp_audit_record *record) {
    size_t strings = jp__stored_size(record->user) + jp__stored_size(record->sid) + jp__stored_size(record->method) + jp__stored_size(record->pool)
                     + jp__stored_size(record->detail);
    struct jp_audit_record *clone = jp_alloc(sizeof *clone + strings);
    char *place = (char *)(clone + 1);
    *clone = *record;
    clone->user = jp__store_text(&place, record->user);
    clone->sid = jp__store_text(&place, record->sid);
    clone->method = jp__store_text(&place, record->method);
    clone->pool = jp__store_text(&place, record->pool);
    clone->detail = jp__store_text(&place, record->detail);
    return clone;
}

void jp__batch_add_audit(struct jp__batch *batch, const struct jp_audit_record *record) {
    jp__list_add(&batch->audits, jp__audit_clone(record));
    if (record->id > batch->last_audit_id)
        batch->last_audit_id = record->id;
}

static void process_free(struct jp_process_record *record) {
    jp_process_record_clear(record);
    jp_free(record);
}

/* Takes `record` over. An earlier one of the same id gives its place in the list. */
static void take_process(struct jp__batch *batch, struct jp_process_record *record) {
    struct jp_process_record *earlier = jp_map_get_u64(&batch->process_by_id, (uint64_t)record->id);
    if (earlier != NULL) {
        struct jp_process_record swapped = *earlier;
        *earlier = *record;
        *record = swapped;
        process_free(record);
        return;
    }
    jp__list_add(&batch->processes, record);
    jp_map_put_u64(&batch->process_by_id, (uint64_t)record->id, record);
    if (record->id > batch->last_process_id)
        batch->last_process_id = record->id;
}

void jp__batch_add_process(struct jp__batch *batch, const struct jp_process_record *record) {
    struct jp_process_record *copy = jp_alloc(sizeof *copy);
    jp_process_record_copy(record, copy);
    take_process(batch, copy);
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

/* As take_process, but the name stays: it is the map's key. */
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
    struct jp__unobserved_row *row = jp_alloc(sizeof *row + jp__stored_size(record->pool));
    char *place = (char *)(row + 1);
    row->number = number;
    row->record = *record;
    row->record.pool = jp__store_text(&place, record->pool);
    jp__list_add(&batch->unobserved, row);
}

void jp__batch_add_reset(struct jp__batch *batch, const struct jp_reset_record *record, uint64_t number) {
    struct jp__reset_row *row = jp_alloc(sizeof *row + jp__stored_size(record->pool) + jp__stored_size(record->by));
    char *place = (char *)(row + 1);
    row->number = number;
    row->record = *record;
    row->record.pool = jp__store_text(&place, record->pool);
    row->record.by = jp__store_text(&place, record->by);
    jp__list_add(&batch->resets, row);
}

void jp__batch_add_sample(struct jp__batch *batch, const struct jp_sample_record *record) {
    struct jp_sample_record *clone = jp_alloc(sizeof *clone + jp__stored_size(record->pool));
    char *place = (char *)(clone + 1);
    *clone = *record;
    clone->pool = jp__store_text(&place, record->pool);
    jp__list_add(&batch->samples, clone);
}

void jp__batch_set_keeper(struct jp__batch *batch, uint32_t pid, int64_t start_100ns) {
    if (batch->keeper == NULL)
        batch->keeper = jp_alloc(sizeof *batch->keeper);
    *batch->keeper = (struct jp__keeper_row){.pid = pid, .start_100ns = start_100ns};
}

size_t jp__batch_count(const struct jp__batch *batch) {
    return batch->events.count + batch->audits.count + batch->processes.count + batch->pools.count + batch->jobs.count + batch->unobserved.count
           + batch->resets.count + batch->samples.count + (batch->keeper != NULL);
}

static void move_items(struct jp__list *list, struct jp__list *newer) {
    for (size_t i = 0; i < newer->count; i++)
        jp__list_add(list, newer->items[i]);
    newer->count = 0;
}

void jp__batch_absorb(struct jp__batch *batch, struct jp__batch *newer) {
    bool was_empty = jp__batch_count(batch) == 0 && batch->ticket == 0;
    if (was_empty) {
        jp__batch_clear(batch);
        *batch = *newer;
        memset(newer, 0, sizeof *newer);
        return;
    }
    move_items(&batch->events, &newer->events);
    move_items(&batch->audits, &newer->audits);
    move_items(&batch->unobserved, &newer->unobserved);
    move_items(&batch->resets, &newer->resets);
    move_items(&batch->samples, &newer->samples);
    for (size_t i = 0; i < newer->processes.count; i++)
        take_process(batch, newer->processes.items[i]);
    for (size_t i = 0; i < newer->pools.count; i++)
        take_pool(batch, newer->pools.items[i]);
    for (size_t i = 0; i < newer->jobs.count; i++)
        take_job(batch, newer->jobs.items[i]);
    if (newer->keeper != NULL)
        jp__batch_set_keeper(batch, newer->keeper->pid, newer->keeper->start_100ns);
    if (newer->ticket > batch->ticket)
        batch->ticket = newer->ticket;
    if (newer->last_seq > batch->last_seq)
        batch->last_seq = newer->last_seq;
    if (newer->last_audit_id > batch->last_audit_id)
        batch->last_audit_id = newer->last_audit_id;
    newer->processes.count = newer->pools.count = newer->jobs.count = 0; /* their items have moved */
    jp__batch_clear(newer);
}

static void free_items(struct jp__list *list) { /* each in one piece of memory */
    for (size_t i = 0; i < list->count; i++)
        jp_free(list->items[i]);
    jp__list_free(list);
}

void jp__batch_clear(struct jp__batch *batch) {
    for (size_t i = 0; i < batch->processes.count; i++)
        process_free(batch->processes.items[i]);
    for (size_t i = 0; i < batch->pools.count; i++)
        pool_free(batch->pools.items[i]);
    for (size_t i = 0; i < batch->jobs.count; i++)
        job_free(batch->jobs.items[i]);
    free_items(&batch->events);
    free_items(&batch->audits);
    free_items(&batch->unobserved);
    free_items(&batch->resets);
    free_items(&batch->samples);
    jp__list_free(&batch->processes);
    jp__list_free(&batch->pools);
    jp__list_free(&batch->jobs);
    jp_free(batch->keeper);
    jp_map_free(&batch->process_by_id);
    jp_map_free(&batch->pool_by_name);
    jp_map_free(&batch->job_by_name);
    memset(batch, 0, sizeof *batch);
}
