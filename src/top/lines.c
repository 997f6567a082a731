/* Which rows are shown, in which order: filter, sort, tree; and which of them is selected. */
#include "base/map.h"
#include "top/top.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 63 };

/* ---------------------------------------------------------------------------------------------------------- comparing */

struct ranked {
    const struct jp_top_row *row;
    double rank; /* greater ones first */
    int sign;    /* -1: reversed */
    size_t first_child, next; /* indices + 1 */
    bool shown;
};

static double rate_rank(struct jp_top_rate rate) { return rate.known ? rate.value : -1; }

static double number_rank(struct jp_top_number number) { return number.known ? (double)number.value : -1; }

static double rank_of(const struct jp_top_row *row, enum jp_top_sort sort) {
    switch (sort) {
    case JP_TOP_BY_CPU:
        return rate_rank(row->cpu_percent);
    case JP_TOP_BY_MEMORY:
        return number_rank(row->memory_bytes);
    case JP_TOP_BY_PROCESSES:
        return number_rank(row->processes);
    case JP_TOP_BY_IO:
        return rate_rank(row->io_per_s);
    case JP_TOP_BY_EVENTS:
        return rate_rank(row->events_per_s);
    case JP_TOP_BY_NAME:
    case JP_TOP_SORTS:
        break;
    }
    return 0;
}

/* Equal ones by name, so that lines do not change places from frame to frame. */
static int compare(const void *one, const void *other) {
    const struct ranked *left = one, *right = other;
    if (left->rank > right->rank || left->rank < right->rank)
        return (left->rank > right->rank ? -1 : 1) * left->sign;
    int names = strcmp(left->row->name, right->row->name);
    if (names == 0)
        names = strcmp(left->row->key, right->row->key);
    return names * left->sign;
}

static bool contains(const char *text, const char *part) {
    if (text == NULL)
        return false;
    size_t length = strlen(part);
    for (; *text != '\0'; text++) {
        size_t same = 0;
        while (same < length && tolower((unsigned char)text[same]) == tolower((unsigned char)part[same]))
            same++;
        if (same == length)
            return true;
    }
    return length == 0;
}

static bool passes(const struct jp_top *top, const struct jp_top_row *row) {
    const char *filter = jp_str_text(&top->filter);
    return contains(row->name, filter) || contains(row->user, filter);
}

/* ------------------------------------------------------------------------------------------------------------ arranging */

static void add_line(struct jp_top *top, const struct jp_top_row *row, unsigned depth, uint64_t last) {
    top->lines[top->line_count++] = (struct jp_top_line){.row = row, .depth = depth, .last = last};
}

/* Children hang below their parents in the order of the list. Marks who is shown: those that pass, and those above them. */
static size_t hang_up(const struct jp_top *top, struct ranked *list, size_t count) {
    struct jp_map places = {0};
    size_t roots = 0;
    for (size_t i = 0; i < count; i++)
        if (jp_map_get(&places, list[i].row->key) == NULL)
            jp_map_put(&places, list[i].row->key, &list[i]);
    for (size_t i = count; i > 0; i--) {
        const char *parent = list[i - 1].row->parent;
        struct ranked *above = parent == NULL ? NULL : jp_map_get(&places, parent);
        size_t *head = above == NULL ? &roots : &above->first_child;
        list[i - 1].next = *head;
        *head = i;
        bool shown = passes(top, list[i - 1].row);
        for (struct ranked *up = &list[i - 1]; shown && up != NULL && !up->shown; up = up->row->parent ? jp_map_get(&places, up->row->parent) : NULL)
            up->shown = true;
    }
    jp_map_free(&places);
    return roots;
}

static size_t next_shown(const struct ranked *list, size_t at) {
    while (at != 0 && !list[at - 1].shown)
        at = list[at - 1].next;
    return at;
}

/* Depth first, without recursion: who knows how deep it is. */
static void walk(struct jp_top *top, const struct ranked *list, size_t root) {
    size_t stack[MAX_DEPTH + 1]; /* where to go on at each depth */
    uint64_t last = 0;
    unsigned depth = 0;
    stack[0] = next_shown(list, root);
    for (;;) {
        size_t at = stack[depth];
        if (at == 0) {
            if (depth == 0)
                return;
            depth--;
            continue;
        }
        stack[depth] = next_shown(list, list[at - 1].next);
        last = stack[depth] == 0 ? last | UINT64_C(1) << depth : last & ~(UINT64_C(1) << depth);
        add_line(top, list[at - 1].row, depth, last);
        if (depth < MAX_DEPTH)
            stack[++depth] = next_shown(list, list[at - 1].first_child);
    }
}

void jp__top_arrange(struct jp_top *top) {
    const struct jp_top_rows *rows = top->inside != NULL ? &top->now.processes : &top->now.pools;
    struct ranked *list = jp_realloc_array(NULL, rows->count + 1, sizeof *list);
    for (size_t i = 0; i < rows->count; i++)
        list[i] = (struct ranked){.row = &rows->items[i], .rank = rank_of(&rows->items[i], top->sort), .sign = top->reversed ? -1 : 1};
    qsort(list, rows->count, sizeof *list, compare);
    top->lines = jp_realloc_array(top->lines, rows->count + 1, sizeof *top->lines);
    top->line_count = 0;
    if (top->tree && top->inside == NULL) {
        walk(top, list, hang_up(top, list, rows->count));
    } else {
        for (size_t i = 0; i < rows->count; i++)
            if (passes(top, list[i].row))
                add_line(top, list[i].row, 0, 0);
    }
    jp_free(list);
}

/* ------------------------------------------------------------------------------------------------------------ selecting */

size_t jp__top_selected(const struct jp_top *top) {
    for (size_t i = 0; top->selected != NULL && i < top->line_count; i++)
        if (strcmp(top->lines[i].row->key, top->selected) == 0)
            return i;
    return 0; /* which is line_count if there is no line */
}

void jp__top_select(struct jp_top *top, size_t line) {
    if (line >= top->line_count)
        return;
    jp_free(top->selected);
    top->selected = jp_strdup(top->lines[line].row->key);
}
