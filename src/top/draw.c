/* What top looks like: two lines of summary, one for messages, the table, and the keys. Columns go, the least wanted first, where the
 * screen is narrow. */
#include "base/text.h"
#include "top/numbers.h"
#include "top/top.h"

#include <stdio.h>
#include <string.h>

enum { GAP = 2, BAR_WIDTH = 10, NAME_MIN = 14, NAME_MAX = 40, TABLE_TOP = 4, MAX_COLUMNS = 12, LEAST_WANTED = 9, LUXURY = 7 };

/* ---------------------------------------------------------------------------------------------------------------- cells */

#define CELL_TEXT 64

struct cell {
    char text[CELL_TEXT];
    enum jp_top_colour colour;
};

struct column {
    const char *title;
    size_t width; /* 0: what is left */
    bool left;
    int priority; /* the highest goes first */
    int sort;     /* an enum jp_top_sort, or -1 */
    void (*fill)(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell);
};

static enum jp_top_colour heat(double share) { return share >= 0.9 ? JP_TOP_BAD : share >= 0.7 ? JP_TOP_WARN : JP_TOP_GOOD; }

static void copy(struct cell *cell, const char *text) { snprintf(cell->text, sizeof cell->text, "%s", text); }

/* Of one processor, or of all. */
static struct jp_top_rate cpu_of(const struct jp_top *top, struct jp_top_rate percent) {
    if (top->machine)
        percent.value /= (double)top->now.processors;
    return percent;
}

static void fill_cpu(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    copy(cell, jp_top_decimal(cpu_of(top, row->cpu_percent), text));
    if (row->cpu_percent.known && row->cpu_percent.value >= 0.05)
        cell->colour = JP_TOP_STRONG;
}

static void fill_memory(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_bytes(row->memory_bytes, text));
}

static void fill_working_set(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_bytes(row->working_set_bytes, text));
}

static double share_of(struct jp_top_number part, struct jp_top_number whole) {
    if (!part.known || !whole.known)
        return 0;
    return whole.value == 0 ? 1 : (double)part.value / (double)whole.value;
}

/* "██████▌░░░ 512M": characters that every console font has. */
static void fill_bar(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char limit[JP_TOP_NUMBER_TEXT];
    (void)top;
    if (!row->memory_limit_bytes.known)
        return;
    double share = share_of(row->memory_bytes, row->memory_limit_bytes);
    unsigned halves = share >= 1 ? 2 * BAR_WIDTH : (unsigned)(share * 2 * BAR_WIDTH + 0.5);
    if (halves == 0 && share > 0)
        halves = 1; /* what is there is seen */
    struct jp_str text = {0};
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        jp_str_puts(&text, halves >= 2 * i + 2 ? "\xE2\x96\x88" : halves == 2 * i + 1 ? "\xE2\x96\x8C" : "\xE2\x96\x91");
    jp_str_printf(&text, " %s", jp_top_bytes(row->memory_limit_bytes, limit));
    copy(cell, jp_str_text(&text));
    jp_str_free(&text);
    cell->colour = heat(share);
}

static void fill_processes(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char count[JP_TOP_NUMBER_TEXT], limit[JP_TOP_NUMBER_TEXT];
    (void)top;
    if (!row->process_limit.known) {
        copy(cell, jp_top_count(row->processes, count));
        return;
    }
    snprintf(cell->text, sizeof cell->text, "%s/%s", jp_top_count(row->processes, count), jp_top_count(row->process_limit, limit));
    double share = share_of(row->processes, row->process_limit);
    cell->colour = share >= 1 ? JP_TOP_BAD : share >= 0.9 ? JP_TOP_WARN : JP_TOP_PLAIN;
}

static void fill_io(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_bytes_rate(row->io_per_s, text));
}

static void fill_read(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_bytes_rate(row->read_per_s, text));
}

static void fill_written(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_bytes_rate(row->write_per_s, text));
}

static void fill_events(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_decimal(row->events_per_s, text));
}

static void fill_enforcer(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    (void)top;
    copy(cell, row->enforced_by == NULL ? "-" : row->enforced_by);
    if (strcmp(cell->text, "none") == 0)
        cell->colour = JP_TOP_BAD;
}

static void fill_pid(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    (void)top;
    snprintf(cell->text, sizeof cell->text, "%llu", (unsigned long long)row->pid.value);
}

static void fill_time(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    char text[JP_TOP_NUMBER_TEXT];
    (void)top;
    copy(cell, jp_top_cpu_time(row->cpu_100ns, text));
}

static void fill_user(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    (void)top;
    copy(cell, row->user == NULL ? "-" : row->user);
}

static void fill_pool(const struct jp_top *top, const struct jp_top_row *row, struct cell *cell) {
    (void)top;
    copy(cell, row->pool == NULL ? "-" : row->pool);
}

/* The name's column is written by draw_name. */
static const struct column pool_columns[] = {
    {"POOL", 0, true, 0, JP_TOP_BY_NAME, NULL},
    {"CPU%", 7, false, 1, JP_TOP_BY_CPU, fill_cpu},
    {"MEMORY", 7, false, 2, JP_TOP_BY_MEMORY, fill_memory},
    {"OF LIMIT", BAR_WIDTH + 6, true, 5, -1, fill_bar},
    {"WORKSET", 7, false, 8, -1, fill_working_set},
    {"PROCS", 9, false, 3, JP_TOP_BY_PROCESSES, fill_processes},
    {"I/O/s", 6, false, 4, JP_TOP_BY_IO, fill_io},
    {"READ/s", 6, false, 9, -1, fill_read},
    {"WRITE/s", 7, false, 9, -1, fill_written},
    {"EVENTS/s", 8, false, 6, JP_TOP_BY_EVENTS, fill_events},
    {"BY", 7, true, 7, -1, fill_enforcer},
    {0},
};

static const struct column process_columns[] = {
    {"PID", 8, false, 0, JP_TOP_BY_PROCESSES, fill_pid},
    {"CPU%", 7, false, 1, JP_TOP_BY_CPU, fill_cpu},
    {"MEMORY", 7, false, 2, JP_TOP_BY_MEMORY, fill_memory},
    {"WORKSET", 7, false, 6, -1, fill_working_set},
    {"CPU TIME", 9, false, 4, -1, fill_time},
    {"I/O/s", 6, false, 5, JP_TOP_BY_IO, fill_io},
    {"POOL", 14, true, 3, -1, fill_pool},
    {"USER", 16, true, 7, -1, fill_user},
    {"COMMAND", 0, true, 0, JP_TOP_BY_NAME, NULL},
    {0},
};

/* --------------------------------------------------------------------------------------------------------------- layout */

struct layout {
    const struct column *columns[MAX_COLUMNS];
    size_t at[MAX_COLUMNS], width[MAX_COLUMNS];
    size_t count;
};

/* All columns of at most that priority, with so much for the name; true if they fit. */
static bool lay_out_up_to(const struct column *columns, size_t width, int priority, size_t name_width, struct layout *layout) {
    size_t needed = 0, at = 0;
    layout->count = 0;
    for (; columns->title != NULL; columns++) {
        if (columns->priority > priority)
            continue;
        layout->columns[layout->count++] = columns;
        needed += (needed > 0 ? GAP : 0) + (columns->width > 0 ? columns->width : name_width);
    }
    for (size_t i = 0; i < layout->count; i++) {
        size_t own = layout->columns[i]->width;
        layout->at[i] = at;
        layout->width[i] = own > 0 ? own : name_width + (width > needed ? width - needed : 0);
        at += layout->width[i] + GAP;
    }
    return needed <= width;
}

/* What is less wanted than whole names goes first; what is more, after names were cut. */
static void lay_out(const struct column *columns, size_t width, size_t name_width, struct layout *layout) {
    for (int priority = LEAST_WANTED; priority >= 0; priority--)
        if (lay_out_up_to(columns, width, priority, priority > LUXURY ? name_width : NAME_MIN, layout))
            return;
}

static void put_aligned(struct jp_top_grid *grid, size_t line, const struct layout *layout, size_t i, enum jp_top_colour colour, const char *text,
                        size_t text_width) {
    size_t width = layout->width[i];
    size_t indent = layout->columns[i]->left || text_width >= width ? 0 : width - text_width;
    jp_top_grid_put(grid, line, layout->at[i] + indent, width - indent, colour, text);
}

static void draw_heading(const struct jp_top *top, const struct layout *layout, struct jp_top_grid *grid, size_t line) {
    for (size_t i = 0; i < layout->count; i++) {
        char title[32];
        bool sorted = layout->columns[i]->sort == (int)top->sort;
        bool down = (top->sort == JP_TOP_BY_NAME) == top->reversed;
        size_t width = strlen(layout->columns[i]->title) + (sorted ? 1 : 0);
        snprintf(title, sizeof title, "%s%s", layout->columns[i]->title, !sorted ? "" : down ? "\xE2\x96\xBC" : "\xE2\x96\xB2");
        put_aligned(grid, line, layout, i, JP_TOP_HEADING, title, width);
    }
    jp_top_grid_paint(grid, line, JP_TOP_HEADING);
}

/* "│  ├─ "; of very deep ones only the last branches, so that there is room for the name. */
static void add_branches(const struct jp_top_line *shown, size_t room, struct jp_str *out) {
    unsigned branches = (unsigned)(room / 2 / 3) < shown->depth ? (unsigned)(room / 2 / 3) : shown->depth;
    for (unsigned i = shown->depth - branches + 1; i <= shown->depth; i++) {
        bool last = (shown->last >> i & 1) != 0;
        if (i == shown->depth)
            jp_str_puts(out, last ? "\xE2\x94\x94\xE2\x94\x80 " : "\xE2\x94\x9C\xE2\x94\x80 ");
        else
            jp_str_puts(out, last ? "   " : "\xE2\x94\x82  ");
    }
}

static void add_name(const struct jp_top_row *row, struct jp_str *out) {
    jp_str_puts(out, row->name);
    if (row->frozen)
        jp_str_puts(out, " [frozen]");
    if (row->state != NULL && strcmp(row->state, "active") != 0)
        jp_str_printf(out, " [%s]", row->state);
}

static void draw_name(const struct jp_top_line *shown, struct jp_top_grid *grid, size_t line, size_t column, size_t room) {
    const struct jp_top_row *row = shown->row;
    bool failed = row->state != NULL && strcmp(row->state, "failed") == 0;
    struct jp_str text = {0};
    add_branches(shown, room, &text);
    size_t used = jp_top_grid_put(grid, line, column, room, JP_TOP_DIM, jp_str_text(&text));
    jp_str_clear(&text);
    add_name(row, &text);
    jp_top_grid_put(grid, line, column + used, room - used, row->frozen ? JP_TOP_COLD : failed ? JP_TOP_BAD : JP_TOP_PLAIN, jp_str_text(&text));
    jp_str_free(&text);
}

/* The room that all names together would like: the longest, within bounds. Command lines take what is left. */
static size_t name_width(const struct jp_top *top) {
    size_t most = NAME_MIN;
    for (size_t i = 0; top->inside == NULL && i < top->line_count; i++) {
        struct jp_str text = {0};
        add_name(top->lines[i].row, &text);
        size_t width = jp_display_width(jp_str_text(&text)) + (size_t)3 * top->lines[i].depth;
        most = width > most ? width : most;
        jp_str_free(&text);
    }
    return most > NAME_MAX ? NAME_MAX : most;
}

static void draw_row(const struct jp_top *top, const struct jp_top_line *shown, const struct layout *layout, struct jp_top_grid *grid, size_t line) {
    for (size_t i = 0; i < layout->count; i++) {
        struct cell cell = {.colour = JP_TOP_PLAIN};
        if (layout->columns[i]->fill == NULL) {
            draw_name(shown, grid, line, layout->at[i], layout->width[i]);
            continue;
        }
        layout->columns[i]->fill(top, shown->row, &cell);
        if (strcmp(cell.text, "-") == 0)
            cell.colour = JP_TOP_DIM;
        put_aligned(grid, line, layout, i, cell.colour, cell.text, jp_display_width(cell.text));
    }
}

/* -------------------------------------------------------------------------------------------------------------- summary */

static void draw_title(const struct jp_top *top, struct jp_top_grid *grid) {
    struct jp_top_row total = jp_top_sample_total(&top->now);
    char count[JP_TOP_NUMBER_TEXT];
    struct jp_str text = {0};
    if (!top->has_frame) {
        jp_top_grid_put(grid, 0, 0, grid->width, JP_TOP_PLAIN, "jobpool top");
        return;
    }
    jp_str_printf(&text, "jobpool top  %s  every %gs  %zu pool%s, %s processes, %llu processor%s", top->clock_text,
                  top->interval_ms / 1000.0, top->now.pools.count, top->now.pools.count == 1 ? "" : "s", jp_top_count(total.processes, count),
                  (unsigned long long)top->now.processors, top->now.processors == 1 ? "" : "s");
    jp_top_grid_put(grid, 0, 0, grid->width, JP_TOP_PLAIN, jp_str_text(&text));
    jp_str_free(&text);
}

static void draw_totals(const struct jp_top *top, struct jp_top_grid *grid) {
    struct jp_top_row total = jp_top_sample_total(&top->now);
    char cpu[JP_TOP_NUMBER_TEXT], memory[JP_TOP_NUMBER_TEXT], io[JP_TOP_NUMBER_TEXT], events[JP_TOP_NUMBER_TEXT];
    struct jp_str text = {0};
    if (!top->has_frame)
        return;
    jp_str_printf(&text, "CPU %s%% of %s  memory %s", jp_top_decimal(cpu_of(top, total.cpu_percent), cpu), top->machine ? "the machine" : "one processor",
                  jp_top_bytes(total.memory_bytes, memory));
    if (total.io_per_s.known)
        jp_str_printf(&text, "  I/O %s/s", jp_top_bytes_rate(total.io_per_s, io));
    if (total.events_per_s.known)
        jp_str_printf(&text, "  events %s/s", jp_top_decimal(total.events_per_s, events));
    if (top->inside != NULL) {
        jp_str_puts(&text, "  processes of pool ");
        jp_add_harmless(&text, top->inside);
    }
    jp_top_grid_put(grid, 1, 0, grid->width, JP_TOP_PLAIN, jp_str_text(&text));
    jp_str_free(&text);
}

/* One thing at a time: what is asked comes before what is told. */
static void draw_message(const struct jp_top *top, struct jp_top_grid *grid) {
    struct jp_str text = {0};
    enum jp_top_colour colour = JP_TOP_STRONG;
    if (top->mode == JP_TOP_CONFIRMING) {
        jp_str_printf(&text, "%s y/n", top->order.question);
        colour = JP_TOP_WARN;
    } else if (top->mode == JP_TOP_FILTERING) {
        jp_str_printf(&text, "filter: %s_  (Enter keeps it, Esc drops it)", jp_str_text(&top->filter));
    } else if (top->notice != NULL) {
        jp_str_puts(&text, top->notice);
        colour = top->notice_is_bad ? JP_TOP_BAD : JP_TOP_STRONG;
    } else if (top->away != NULL) {
        jp_str_printf(&text, "the service is away; it is tried again: %s", top->away);
        colour = JP_TOP_BAD;
    } else if (top->filter.length > 0) {
        jp_str_printf(&text, "only those with \"%s\" (Esc shows all)", jp_str_text(&top->filter));
    } else if (!top->has_frame) {
        jp_str_puts(&text, "asking the service");
    }
    jp_top_grid_put(grid, 2, 0, grid->width, colour, jp_str_text(&text));
    jp_str_free(&text);
}

static const char *const help_lines[] = {
    "c m p i e n   sort by CPU, memory, processes, I/O, events, name",
    "< >           sort by the column to the left, to the right",
    "r             turn the order round; so does the key of the column once more",
    "t             tree: pools below the pools that they belong to",
    "I             CPU % of one processor, or of the machine",
    "/             filter: only names (and users) with this text",
    "Up Down PgUp PgDn Home End   move",
    "Enter         the processes of the selected pool; Esc goes back",
    "k             end all processes of the pool, or the process, after a question",
    "f             freeze the pool, or thaw it, after a question",
    "Space         ask the service now",
    "q             quit",
    "",
    "A pool's numbers are those of all below it too. MEMORY is what is committed;",
    "OF LIMIT the tightest job_memory that holds for it. I/O is - where the system",
    "does not tell it. BY: who enforces its limits.",
    "",
    "Any key goes back.",
    NULL,
};

static void draw_help(struct jp_top_grid *grid) {
    for (size_t i = 0; help_lines[i] != NULL; i++)
        jp_top_grid_put(grid, TABLE_TOP + i, 0, grid->width, JP_TOP_PLAIN, help_lines[i]);
}

static void draw_keys(const struct jp_top *top, struct jp_top_grid *grid) {
    static const char pools[] = "q quit  ? help  cmpien sort  t tree  / filter  Enter processes  k kill  f freeze";
    static const char processes[] = "q quit  ? help  cmin sort  / filter  k kill  Esc back";
    if (grid->height > TABLE_TOP + 1)
        jp_top_grid_put(grid, grid->height - 1, 0, grid->width, JP_TOP_DIM, top->inside != NULL ? processes : pools);
}

/* ---------------------------------------------------------------------------------------------------------------- table */

/* Keeps the selected line on the screen, and no more blank lines below than there must be. */
static void scroll(struct jp_top *top, size_t selected) {
    if (selected < top->first)
        top->first = selected;
    if (selected >= top->first + top->page)
        top->first = selected - top->page + 1;
    if (top->line_count <= top->page)
        top->first = 0;
    else if (top->first > top->line_count - top->page)
        top->first = top->line_count - top->page;
}

static void draw_table(struct jp_top *top, struct jp_top_grid *grid) {
    struct layout layout;
    lay_out(top->inside != NULL ? process_columns : pool_columns, grid->width, name_width(top), &layout);
    draw_heading(top, &layout, grid, TABLE_TOP - 1);
    top->page = grid->height > TABLE_TOP + 1 ? grid->height - TABLE_TOP - 1 : 1;
    size_t selected = jp__top_selected(top);
    scroll(top, selected);
    for (size_t i = top->first; i < top->line_count && i < top->first + top->page; i++) {
        size_t line = TABLE_TOP + i - top->first;
        draw_row(top, &top->lines[i], &layout, grid, line);
        if (top->away != NULL)
            jp_top_grid_paint(grid, line, JP_TOP_DIM); /* as it was */
        if (i == selected)
            jp_top_grid_paint(grid, line, JP_TOP_SELECTED);
    }
    if (top->line_count == 0 && top->has_frame) {
        const char *why = top->filter.length > 0 ? "nothing matches the filter"
                          : top->inside == NULL  ? "there are no pools that you may see"
                          : top->now.has_processes ? "no process is in it"
                                                   : "";
        jp_top_grid_put(grid, TABLE_TOP, 0, grid->width, JP_TOP_DIM, why);
    }
}

void jp_top_draw(struct jp_top *top, struct jp_top_grid *grid) {
    draw_title(top, grid);
    draw_totals(top, grid);
    draw_message(top, grid);
    if (top->mode == JP_TOP_HELPING)
        draw_help(grid);
    else
        draw_table(top, grid);
    draw_keys(top, grid);
}
