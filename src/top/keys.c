/* What each key does. Nothing is done to a process before y was pressed at a question that names it. */
#include "base/text.h"
#include "top/top.h"

#include <stdio.h>
#include <string.h>

enum { FILTER_MAX = 200 };

/* ------------------------------------------------------------------------------------------------------------- orders */

static const struct jp_top_row *selected_row(const struct jp_top *top) {
    size_t line = jp__top_selected(top);
    return line < top->line_count ? top->lines[line].row : NULL;
}

static enum jp_top_wish ask_first(struct jp_top *top, const char *method, cJSON *params, char *question) {
    jp_top_order_clear(&top->order);
    top->order = (struct jp_top_order){.method = jp_strdup(method), .params = params, .question = question};
    top->mode = JP_TOP_CONFIRMING;
    return JP_TOP_DRAW;
}

static cJSON *object_with(const char *key, const char *text) {
    cJSON *object = cJSON_CreateObject();
    jp_json_add_string(object, key, text);
    return object;
}

static enum jp_top_wish kill_process(struct jp_top *top, const struct jp_top_row *row) {
    cJSON *params = cJSON_CreateObject();
    jp_json_add_u64(params, "pid", row->pid.value);
    if (row->start_time != NULL)
        jp_json_add_string(params, "startTime", row->start_time);
    char *question = jp_sprintf("End process %llu of pool %s?", (unsigned long long)row->pid.value, row->pool == NULL ? "?" : row->pool);
    return ask_first(top, "process.terminate", params, question);
}

/* "all 12 processes of pool build and those below it" */
static char *processes_of(const char *before, const struct jp_top_row *row) {
    bool one = row->processes.known && row->processes.value == 1;
    char number[32] = "";
    if (row->processes.known)
        snprintf(number, sizeof number, one ? "" : "%llu ", (unsigned long long)row->processes.value);
    return jp_sprintf("%s %s%sprocess%s of pool %s and of those below it?", before, one ? "the one " : "all ", number, one ? "" : "es", row->name);
}

static enum jp_top_wish press_kill(struct jp_top *top) {
    const struct jp_top_row *row = selected_row(top);
    if (row == NULL)
        return JP_TOP_DRAW;
    if (top->inside != NULL)
        return kill_process(top, row);
    if (row->processes.known && row->processes.value == 0) {
        jp_top_tell(top, false, "pool %s has no processes", row->key);
        return JP_TOP_DRAW;
    }
    return ask_first(top, "pool.terminate", object_with("pool", row->key), processes_of("End", row));
}

static enum jp_top_wish press_freeze(struct jp_top *top) {
    const struct jp_top_row *row = selected_row(top);
    if (row == NULL)
        return JP_TOP_DRAW;
    if (top->inside != NULL) {
        jp_top_tell(top, false, "what is frozen is a whole pool: Esc goes back to the pools");
        return JP_TOP_DRAW;
    }
    return ask_first(top, row->frozen ? "pool.thaw" : "pool.freeze", object_with("pool", row->key),
                     processes_of(row->frozen ? "Thaw" : "Freeze", row));
}

static enum jp_top_wish press_confirming(struct jp_top *top, struct jp_top_key key) {
    top->mode = JP_TOP_LISTING;
    if (key.kind == JP_TOP_KEY_CHARACTER && (key.code == 'y' || key.code == 'Y'))
        return JP_TOP_ACT;
    jp_top_order_clear(&top->order);
    jp_top_tell(top, false, "nothing was done");
    return JP_TOP_DRAW;
}

/* ------------------------------------------------------------------------------------------------------------- looking */

static enum jp_top_wish arrange(struct jp_top *top) {
    jp__top_arrange(top);
    return JP_TOP_DRAW;
}

static enum jp_top_wish sort_by(struct jp_top *top, enum jp_top_sort sort) {
    top->reversed = top->sort == sort ? !top->reversed : false;
    top->sort = sort;
    return arrange(top);
}

/* The columns that can be sorted by, as they stand from left to right. */
static enum jp_top_wish sort_beside(struct jp_top *top, int step) {
    static const enum jp_top_sort columns[] = {JP_TOP_BY_NAME, JP_TOP_BY_CPU, JP_TOP_BY_MEMORY, JP_TOP_BY_PROCESSES, JP_TOP_BY_IO, JP_TOP_BY_EVENTS};
    int at = 0;
    while (columns[at] != top->sort)
        at++;
    top->sort = columns[(at + step + JP_TOP_SORTS) % JP_TOP_SORTS];
    top->reversed = false;
    return arrange(top);
}

static enum jp_top_wish move(struct jp_top *top, long step) {
    size_t line = jp__top_selected(top);
    if (top->line_count == 0)
        return JP_TOP_DRAW;
    if (step < 0)
        line -= (size_t)-step < line ? (size_t)-step : line;
    else
        line = (size_t)step < top->line_count - line ? line + (size_t)step : top->line_count - 1;
    jp__top_select(top, line);
    return JP_TOP_DRAW;
}

static enum jp_top_wish go_into(struct jp_top *top) {
    const struct jp_top_row *row = selected_row(top);
    if (row == NULL || top->inside != NULL)
        return JP_TOP_DRAW;
    jp__top_select(top, jp__top_selected(top)); /* on the way back it is the one that we were in */
    top->inside = top->selected;
    top->selected = NULL;
    top->first = 0;
    jp_str_clear(&top->filter);
    jp__top_arrange(top);
    return JP_TOP_ASK;
}

static enum jp_top_wish go_back(struct jp_top *top) {
    if (top->inside == NULL || top->filter.length > 0) {
        jp_str_clear(&top->filter);
        return arrange(top);
    }
    jp_free(top->selected);
    top->selected = top->inside;
    top->inside = NULL;
    return arrange(top);
}

static enum jp_top_wish press_filtering(struct jp_top *top, struct jp_top_key key) {
    switch (key.kind) {
    case JP_TOP_KEY_ENTER:
        top->mode = JP_TOP_LISTING;
        break;
    case JP_TOP_KEY_ESCAPE:
        top->mode = JP_TOP_LISTING;
        jp_str_clear(&top->filter);
        break;
    case JP_TOP_KEY_BACKSPACE:
        while (top->filter.length > 0) {
            char gone = top->filter.data[--top->filter.length];
            top->filter.data[top->filter.length] = '\0';
            if (((unsigned char)gone & 0xC0) != 0x80) /* the first byte of a character */
                break;
        }
        break;
    case JP_TOP_KEY_CHARACTER:
        if (top->filter.length < FILTER_MAX)
            jp_text_add(&top->filter, key.code);
        break;
    default:
        return JP_TOP_DRAW;
    }
    return arrange(top);
}

static enum jp_top_wish press_character(struct jp_top *top, uint32_t code) {
    switch (code) {
    case 'q':
    case 'Q':
        return JP_TOP_QUIT;
    case 'c':
        return sort_by(top, JP_TOP_BY_CPU);
    case 'm':
        return sort_by(top, JP_TOP_BY_MEMORY);
    case 'p':
        return sort_by(top, JP_TOP_BY_PROCESSES);
    case 'i':
        return sort_by(top, JP_TOP_BY_IO);
    case 'e':
        return sort_by(top, JP_TOP_BY_EVENTS);
    case 'n':
        return sort_by(top, JP_TOP_BY_NAME);
    case 'r':
        return sort_by(top, top->sort);
    case '<':
    case '>':
        return sort_beside(top, code == '<' ? -1 : 1);
    case 't':
        top->tree = !top->tree;
        return arrange(top);
    case 'I':
        top->machine = !top->machine;
        return JP_TOP_DRAW;
    case '/':
        top->mode = JP_TOP_FILTERING;
        return JP_TOP_DRAW;
    case 'k':
        return press_kill(top);
    case 'f':
        return press_freeze(top);
    case '?':
    case 'h':
        top->mode = JP_TOP_HELPING;
        return JP_TOP_DRAW;
    case ' ':
        return JP_TOP_ASK;
    default:
        return JP_TOP_DRAW;
    }
}

static enum jp_top_wish press_listing(struct jp_top *top, struct jp_top_key key) {
    long page = top->page > 0 ? (long)top->page : 1;
    switch (key.kind) {
    case JP_TOP_KEY_UP:
        return move(top, -1);
    case JP_TOP_KEY_DOWN:
        return move(top, 1);
    case JP_TOP_KEY_PAGE_UP:
        return move(top, -page);
    case JP_TOP_KEY_PAGE_DOWN:
        return move(top, page);
    case JP_TOP_KEY_HOME:
        return move(top, -(long)top->line_count);
    case JP_TOP_KEY_END:
        return move(top, (long)top->line_count);
    case JP_TOP_KEY_ENTER:
        return go_into(top);
    case JP_TOP_KEY_ESCAPE:
    case JP_TOP_KEY_BACKSPACE:
        return go_back(top);
    case JP_TOP_KEY_CHARACTER:
        return press_character(top, key.code);
    case JP_TOP_KEY_INTERRUPT:
        break;
    }
    return JP_TOP_QUIT;
}

enum jp_top_wish jp_top_press(struct jp_top *top, struct jp_top_key key) {
    if (key.kind == JP_TOP_KEY_INTERRUPT)
        return JP_TOP_QUIT;
    jp_free(top->notice);
    top->notice = NULL;
    switch (top->mode) {
    case JP_TOP_FILTERING:
        return press_filtering(top, key);
    case JP_TOP_CONFIRMING:
        return press_confirming(top, key);
    case JP_TOP_HELPING:
        top->mode = JP_TOP_LISTING;
        return key.kind == JP_TOP_KEY_CHARACTER && key.code == 'q' ? JP_TOP_QUIT : JP_TOP_DRAW;
    case JP_TOP_LISTING:
        break;
    }
    return press_listing(top, key);
}
