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

static size_t stored_size(const char *text) {
    return text == NULL ? 0 : strlen(text) + 1;
}

/* Copies `text` to *place and moves *place behind it. */
static const char *store_text(char **place, const char *text) {
    if (text == NULL)
        return NULL;
    char *copy = *place;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *place += size;
    return copy;
}

struct jp_event *jp__event_clone(const struct jp_event *event) {
    size_t strings = stored_size(event->pool) + stored_size(event->message) + stored_size(event->process)
                     + stored_size(event->detail);
    struct jp_event *clone = jp_alloc(sizeof *clone + strings);
    char *place = (char *)(clone + 1);
    *clone = *event;
    clone->pool = store_text(&place, event->pool);
    clone->message = store_text(&place, event->message);
    clone->process = store_text(&place, event->process);
    clone->detail = store_text(&place, event->detail);
    return clone;
}

void jp__batch_add_event(struct jp__batch *batch, const struct jp_event *event) {
    jp__list_add(&batch->events, jp__event_clone(event));
    if (event->seq > batch->last_seq)
        batch->last_seq = event->seq;
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
    if (later->deleted_100ns == 0) { /* a deletion knows no parent */
        jp_free(row->parent);
        row->parent = later->parent;
        later->parent = NULL;
    }
    jp_free(row->definition);
    row->definition = later->definition;
    later->definition = NULL;
    row->deleted_100ns = later->deleted_100ns;
    row->frozen = later->frozen;
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
    take_pool(batch, row);
}

void jp__batch_add_forgotten_pool(struct jp__batch *batch, const char *name, int64_t now_100ns) {
    struct jp__pool_row *row = jp_alloc(sizeof *row);
    row->name = jp_strdup(name);
    row->created_100ns = now_100ns;
    row->deleted_100ns = now_100ns;
    take_pool(batch, row);
}

size_t jp__batch_count(const struct jp__batch *batch) {
    return batch->events.count + batch->processes.count + batch->pools.count;
}

void jp__batch_absorb(struct jp__batch *batch, struct jp__batch *newer) {
    bool was_empty = jp__batch_count(batch) == 0 && batch->ticket == 0;
    if (was_empty) {
        jp__batch_clear(batch);
        *batch = *newer;
        memset(newer, 0, sizeof *newer);
        return;
    }
    for (size_t i = 0; i < newer->events.count; i++)
        jp__list_add(&batch->events, newer->events.items[i]);
    for (size_t i = 0; i < newer->processes.count; i++)
        take_process(batch, newer->processes.items[i]);
    for (size_t i = 0; i < newer->pools.count; i++)
        take_pool(batch, newer->pools.items[i]);
    if (newer->ticket > batch->ticket)
        batch->ticket = newer->ticket;
    if (newer->last_seq > batch->last_seq)
        batch->last_seq = newer->last_seq;
    newer->events.count = newer->processes.count = newer->pools.count = 0; /* their items have moved */
    jp__batch_clear(newer);
}

void jp__batch_clear(struct jp__batch *batch) {
    for (size_t i = 0; i < batch->events.count; i++)
        jp_free(batch->events.items[i]);
    for (size_t i = 0; i < batch->processes.count; i++)
        process_free(batch->processes.items[i]);
    for (size_t i = 0; i < batch->pools.count; i++)
        pool_free(batch->pools.items[i]);
    jp__list_free(&batch->events);
    jp__list_free(&batch->processes);
    jp__list_free(&batch->pools);
    jp_map_free(&batch->process_by_id);
    jp_map_free(&batch->pool_by_name);
    memset(batch, 0, sizeof *batch);
}
