/* `jobpool top` without a console: what it knows, what a key does to it, and what it looks like. The shell around it asks the service,
 * reads keys, and shows the grid. */
#ifndef JP_TOP_TOP_H
#define JP_TOP_TOP_H

#include "top/grid.h"
#include "top/sample.h"

enum jp_top_sort { JP_TOP_BY_CPU, JP_TOP_BY_MEMORY, JP_TOP_BY_PROCESSES, JP_TOP_BY_IO, JP_TOP_BY_EVENTS, JP_TOP_BY_NAME, JP_TOP_SORTS };

enum jp_top_mode {
    JP_TOP_LISTING,
    JP_TOP_FILTERING,  /* keys go into the filter */
    JP_TOP_CONFIRMING, /* `order` waits for y */
    JP_TOP_HELPING,
};

/* What the service is to do. */
struct jp_top_order {
    char *method; /* NULL: nothing */
    cJSON *params;
    char *question; /* "End all 12 processes of pool build?" */
};

/* A line of the table: where a row stands. */
struct jp_top_line {
    const struct jp_top_row *row;
    unsigned depth;
    uint64_t last; /* bit n: the pool at depth n above it (or it itself) is the last of its siblings */
};

struct jp_top {
    /* what was asked for at the start */
    uint32_t interval_ms;
    char clock_text[16]; /* the time of day as the person has it: the shell, which knows the time zone, writes it */
    /* how it is looked at */
    enum jp_top_sort sort;
    bool reversed, tree, machine; /* `machine`: CPU as a share of all processors */
    struct jp_str filter;
    char *inside;   /* the pool whose processes are shown; NULL: the pools */
    char *selected; /* the key of a row; NULL: the first. It stays with the row when rows change places */
    size_t first;   /* the line at the top of the table */
    size_t page;    /* as many lines fit */
    enum jp_top_mode mode;
    struct jp_top_order order;
    /* what is known */
    struct jp_top_sample before, now;
    bool has_frame;
    char *notice; /* what came of the last order, until the next key */
    bool notice_is_bad;
    char *away;   /* why the service cannot be asked; NULL: it can */
    struct jp_top_line *lines; /* of `now`, as it is looked at */
    size_t line_count;
};

void jp_top_free(struct jp_top *top);

/* --- frames --- */

cJSON *jp_top_question(const struct jp_top *top);                                                /* the parameters of pool.usage */
jp_status jp_top_take(struct jp_top *top, const cJSON *answer, struct jp_error *error); /* and its answer */

/* --- keys --- */

enum jp_top_key_kind {
    JP_TOP_KEY_CHARACTER,
    JP_TOP_KEY_UP,
    JP_TOP_KEY_DOWN,
    JP_TOP_KEY_PAGE_UP,
    JP_TOP_KEY_PAGE_DOWN,
    JP_TOP_KEY_HOME,
    JP_TOP_KEY_END,
    JP_TOP_KEY_ENTER,
    JP_TOP_KEY_ESCAPE,
    JP_TOP_KEY_BACKSPACE,
    JP_TOP_KEY_INTERRUPT, /* Ctrl-C */
};

struct jp_top_key {
    enum jp_top_key_kind kind;
    uint32_t code; /* of a character */
};

enum jp_top_wish {
    JP_TOP_DRAW, /* what is known has to be shown anew */
    JP_TOP_ASK,  /* and the service be asked before its time: something else is wanted */
    JP_TOP_ACT,  /* and `order` be carried out: jp_top_order_taken() */
    JP_TOP_QUIT,
};

enum jp_top_wish jp_top_press(struct jp_top *top, struct jp_top_key key);

void jp_top_order_clear(struct jp_top_order *order);

/* The notice that stands until the next key. */
void jp_top_tell(struct jp_top *top, bool bad, const char *format, ...) JP_PRINTF(3, 4);
void jp_top_set_away(struct jp_top *top, const char *why); /* NULL: it is there again */

/* --- pictures --- */

void jp_top_draw(struct jp_top *top, struct jp_top_grid *grid);

/* The lines as rows for programs: {time, seconds, processors, pools: [...]}, or with processes instead. Rates that are not known are null. */
cJSON *jp_top_report(const struct jp_top *top);

/* --- within the layer --- */

void jp__top_arrange(struct jp_top *top);            /* makes `lines` */
size_t jp__top_selected(const struct jp_top *top);   /* the index of a line; line_count if there is none */
void jp__top_select(struct jp_top *top, size_t line);

#endif
