/* From JSON values to aligned text. */
#include "cli/show.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/output.h"
#include "win32/filetime.h"

#include <string.h>

enum { GAP = 2, MAX_COLUMNS = JP_SHOW_COLUMNS_MAX, MIN_CUT = 8, STILL_OF_USE = 20, HARDLY_OF_USE = 16 };

/* ------------------------------------------------------------------------------------------------------------ values */

const cJSON *jp_show_find(const cJSON *object, const char *path) {
    while (object != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        char *key = jp_strndup(path, length);
        object = jp_get(object, key);
        jp_free(key);
        path += path[length] == '.' ? length + 1 : length;
    }
    return object;
}

/* units.h writes exactly what a number is; a table wants three or four digits that can be compared at a glance. */
static uint64_t round_to_unit(uint64_t value, uint64_t unit) {
    return value > UINT64_MAX - unit ? value : (value + unit / 2) / unit * unit;
}

static void add_bytes(uint64_t bytes, struct jp_str *out) {
    char text[JP_UNITS_TEXT];
    for (uint64_t unit = UINT64_C(1) << 50; unit > 1; unit >>= 10) {
        if (bytes >= unit * 10) {
            bytes = round_to_unit(bytes, unit);
            break;
        }
    }
    jp_str_puts(out, jp_bytes_format(bytes, text));
}

static void add_duration(uint64_t time_100ns, struct jp_str *out) {
    char text[JP_UNITS_TEXT];
    uint64_t unit = time_100ns >= UINT64_C(60) * JP_100NS_PER_S ? JP_100NS_PER_S : JP_100NS_PER_MS;
    jp_str_puts(out, jp_duration_format(round_to_unit(time_100ns, unit), text));
}

static void add_time(const char *iso, struct jp_str *out) {
    int64_t time_100ns;
    struct jp_error error;
    if (jp_time_parse(iso, &time_100ns, &error) != JP_OK) {
        jp_add_harmless(out, iso);
        return;
    }
    FILETIME file = jp_win32_to_filetime(time_100ns);
    SYSTEMTIME utc, local;
    bool converted = FileTimeToSystemTime(&file, &utc);
    bool is_local = converted && jp_output_is_console() && SystemTimeToTzSpecificLocalTime(NULL, &utc, &local);
    const SYSTEMTIME *shown = is_local ? &local : &utc;
    if (!converted)
        jp_add_harmless(out, iso);
    else
        jp_str_printf(out, "%04u-%02u-%02u%c%02u:%02u:%02u.%03u%s", shown->wYear, shown->wMonth, shown->wDay,
                      is_local ? ' ' : 'T', shown->wHour, shown->wMinute, shown->wSecond, shown->wMilliseconds,
                      is_local ? "" : "Z");
}

static void add_plain(const cJSON *value, struct jp_str *out) {
    if (cJSON_IsString(value)) {
        jp_add_harmless(out, value->valuestring);
        return;
    }
    struct jp_str text = {0};
    jp_json_print(value, &text);
    jp_add_harmless(out, jp_str_text(&text));
    jp_str_free(&text);
}

static void add_json(const cJSON *value, struct jp_str *out) {
    if (!cJSON_IsArray(value) && !cJSON_IsObject(value)) {
        add_plain(value, out);
        return;
    }
    for (const cJSON *item = value->child; item != NULL; item = item->next) {
        jp_str_puts(out, item == value->child ? "" : ", ");
        if (item->string != NULL) {
            jp_add_harmless(out, item->string);
            jp_str_putc(out, ' ');
        }
        add_plain(item, out);
    }
}

void jp_show_value(enum jp_show_kind kind, const cJSON *value, struct jp_str *out) {
    uint64_t number = 0;
    bool is_number = jp_json_get_u64(value, &number);
    if (kind == JP_SHOW_BYTES && is_number)
        add_bytes(number, out);
    else if (kind == JP_SHOW_DURATION && is_number)
        add_duration(number, out);
    else if (kind == JP_SHOW_CODE && is_number)
        jp_str_printf(out, number < 0x80000000 ? "%llu" : "0x%08llX", (unsigned long long)number);
    else if (kind == JP_SHOW_TIME && cJSON_IsString(value))
        add_time(value->valuestring, out);
    else if (kind == JP_SHOW_JSON)
        add_json(value, out);
    else
        add_plain(value, out);
}

static bool is_nothing(const cJSON *value) {
    return value == NULL || cJSON_IsNull(value) || ((cJSON_IsArray(value) || cJSON_IsObject(value)) && value->child == NULL) ||
           (cJSON_IsString(value) && value->valuestring[0] == '\0');
}

/* ------------------------------------------------------------------------------------------------------------- tables */

struct cells {
    const struct jp_show *columns;
    char **texts; /* line by line, `count` a line */
    size_t count, lines;
    size_t heading_width[MAX_COLUMNS], width[MAX_COLUMNS];
    bool full[MAX_COLUMNS];     /* something is in it that is not nothing, and not 0 */
    bool left_out[MAX_COLUMNS]; /* is full: for want of room; otherwise nothing is in it */
};

static char **cell(const struct cells *cells, size_t line, size_t column) { return &cells->texts[line * cells->count + column]; }

static void set_cell(struct cells *cells, size_t line, size_t column, char *text) {
    size_t width = jp_display_width(text);
    *cell(cells, line, column) = text;
    if (width > cells->width[column])
        cells->width[column] = width;
}

static void fill(struct cells *cells, size_t first_line, const cJSON *rows, const char *nothing) {
    size_t line = first_line;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        for (size_t i = 0; i < cells->count; i++) {
            struct jp_str text = {0};
            const cJSON *value = jp_show_find(row, cells->columns[i].key);
            if (is_nothing(value))
                jp_str_puts(&text, nothing);
            else
                jp_show_value(cells->columns[i].kind, value, &text);
            uint64_t number;
            cells->full[i] = cells->full[i] || (!is_nothing(value) && !(jp_json_get_u64(value, &number) && number == 0));
            set_cell(cells, line, i, jp_str_take(&text));
        }
        line++;
    }
}

static bool aligns_right(enum jp_show_kind kind) {
    return kind == JP_SHOW_NUMBER || kind == JP_SHOW_BYTES || kind == JP_SHOW_DURATION || kind == JP_SHOW_CODE;
}

static bool can_be_cut(const struct cells *cells, size_t column) {
    enum jp_show_kind kind = cells->columns[column].kind;
    size_t least = cells->heading_width[column] > MIN_CUT ? cells->heading_width[column] : MIN_CUT;
    return !cells->left_out[column] && (kind == JP_SHOW_TEXT || kind == JP_SHOW_JSON || kind == JP_SHOW_PATH) &&
           cells->width[column] > least;
}

static size_t total_width(const struct cells *cells) {
    size_t total = 0;
    for (size_t i = 0; i < cells->count; i++)
        total += cells->left_out[i] ? 0 : cells->width[i] + GAP;
    return total - GAP;
}

/* With texts cut as far as to `use` columns. */
static bool is_too_wide(const struct cells *cells, size_t use, size_t screen) {
    size_t total = total_width(cells);
    for (size_t i = 0; i < cells->count; i++)
        if (can_be_cut(cells, i) && cells->width[i] > use)
            total -= cells->width[i] - (cells->heading_width[i] > use ? cells->heading_width[i] : use);
    return total + 1 > screen;
}

/* Times to the second: "2026-11-22 07:15:30.123" is long, and who wants its end asks for csv. */
static void shorten_times(struct cells *cells) {
    for (size_t i = 0; i < cells->count; i++) {
        if (cells->columns[i].kind != JP_SHOW_TIME)
            continue;
        cells->width[i] = 0;
        for (size_t line = 0; line < cells->lines; line++) {
            char *text = *cell(cells, line, i), *point = strrchr(text, '.');
            if (point != NULL)
                *point = '\0';
            set_cell(cells, line, i, text);
        }
    }
}

/* Columns that would only be scenery, from the right, as long as the screen does not hold the others. */
static void leave_out_empty(struct cells *cells, size_t screen) {
    for (size_t i = cells->count; i-- > 1 && is_too_wide(cells, STILL_OF_USE, screen);)
        cells->left_out[i] = !cells->full[i];
}

static void leave_out_named(struct cells *cells, const char *key, size_t length) {
    for (size_t i = 1; i < cells->count; i++)
        if (strncmp(cells->columns[i].key, key, length) == 0 && cells->columns[i].key[length] == '\0')
            cells->left_out[i] = true;
}

/* Those that the view can do without, then from the right. The first says what a line is about. */
static void leave_out_full(struct cells *cells, const char *gives_way, size_t screen) {
    for (const char *at = gives_way; at != NULL && *at != '\0' && is_too_wide(cells, HARDLY_OF_USE, screen);) {
        size_t length = strcspn(at, ",");
        leave_out_named(cells, at, length);
        at += length + (at[length] == ',');
    }
    for (size_t i = cells->count; i-- > 1 && is_too_wide(cells, HARDLY_OF_USE, screen);)
        cells->left_out[i] = true;
}

/* Takes from the widest columns of text what the screen does not hold, one by one so that they end up alike. The last column of the
 * screen stays free: a console without VT sequences goes to the next line once it is written. */
static void fit(struct cells *cells, size_t screen) {
    size_t total = total_width(cells);
    while (total + 1 > screen) {
        size_t widest = cells->count;
        for (size_t i = 0; i < cells->count; i++)
            if (can_be_cut(cells, i) && (widest == cells->count || cells->width[i] > cells->width[widest]))
                widest = i;
        if (widest == cells->count)
            return;
        cells->width[widest]--;
        total--;
    }
}

/* The end of a text, behind an ellipsis, if it takes more than `width` columns. */
static void add_end(struct jp_str *out, const char *text, size_t width) {
    size_t own, left = jp_display_width(text);
    if (left > width)
        jp_str_puts(out, "\xE2\x80\xA6");
    for (size_t room = left > width ? width - 1 : width; left > room; left -= own)
        jp_text_next(&text, &own);
    jp_str_puts(out, text);
}

static size_t last_shown(const struct cells *cells) {
    size_t last = cells->count - 1;
    while (cells->left_out[last])
        last--;
    return last;
}

static void add_cell(const struct cells *cells, size_t column, const char *text, enum jp_colour colour, struct jp_str *out) {
    struct jp_str shown = {0};
    (cells->columns[column].kind == JP_SHOW_PATH ? add_end : jp_add_cut)(&shown, text, cells->width[column]);
    int padding = (int)(cells->width[column] - jp_display_width(jp_str_text(&shown)));
    bool last = column == last_shown(cells), right = aligns_right(cells->columns[column].kind);
    jp_str_printf(out, "%*s", right ? padding : 0, "");
    jp_colour_text(out, shown.length > 0 ? colour : JP_COLOUR_NONE, jp_str_text(&shown));
    jp_str_printf(out, "%*s", (right || last ? 0 : padding) + (last ? 0 : GAP), "");
    jp_str_free(&shown);
}

static enum jp_colour colour_of(const struct cells *cells, size_t line, size_t column, bool is_bold) {
    if (is_bold)
        return JP_COLOUR_BOLD;
    return cells->columns[column].kind == JP_SHOW_STATE ? jp_colour_of_state(*cell(cells, line, column)) : JP_COLOUR_NONE;
}

static void add_line(const struct cells *cells, size_t line, bool is_bold, struct jp_str *out) {
    struct jp_str text = {0};
    for (size_t i = 0; i < cells->count; i++)
        if (!cells->left_out[i])
            add_cell(cells, i, *cell(cells, line, i), colour_of(cells, line, i, is_bold), &text);
    size_t length = text.length;
    while (length > 0 && text.data[length - 1] == ' ')
        length--;
    jp_str_add(out, jp_str_text(&text), length);
    jp_str_putc(out, '\n');
    jp_str_free(&text);
}

/* A 0 that is not shown has to be told, and so has what there was no room for. */
static void tell_left_out(const struct cells *cells, bool full, const char *before, const char *after, struct jp_str *out) {
    struct jp_str text = {0};
    for (size_t i = 0; i < cells->count; i++)
        if (cells->left_out[i] && cells->full[i] == full)
            jp_str_printf(&text, "%s%s", text.length == 0 ? before : ", ", cells->columns[i].title);
    if (text.length > 0) {
        jp_str_puts(&text, after);
        jp_colour_begin(out, JP_COLOUR_DIM);
        jp_show_folded(jp_str_text(&text), 0, out);
        jp_colour_end(out, JP_COLOUR_DIM);
        jp_str_putc(out, '\n');
    }
    jp_str_free(&text);
}

/* What goes so that a line is one line on the console. */
static void make_room(struct cells *cells, const char *gives_way, size_t screen) {
    if (is_too_wide(cells, STILL_OF_USE, screen))
        shorten_times(cells);
    leave_out_empty(cells, screen);
    leave_out_full(cells, gives_way, screen);
}

void jp_show_table_with(const struct jp_show *columns, const cJSON *rows, const struct jp_table *table, struct jp_str *out) {
    bool heading = !table->no_heading;
    size_t above = heading, below = (size_t)cJSON_GetArraySize(table->tail);
    struct cells cells = {.columns = columns, .lines = above + (size_t)cJSON_GetArraySize(rows) + below};
    while (columns[cells.count].title != NULL && cells.count < MAX_COLUMNS)
        cells.count++;
    if (cells.lines * cells.count == 0)
        return;
    cells.texts = jp_realloc_array(NULL, cells.lines * cells.count, sizeof *cells.texts);
    for (size_t i = 0; i < cells.count; i++) {
        if (heading)
            set_cell(&cells, 0, i, jp_strdup(columns[i].title));
        cells.heading_width[i] = cells.width[i];
    }
    fill(&cells, above, rows, "-");
    fill(&cells, cells.lines - below, table->tail, "");
    if (jp_output_width() > 0 && heading && !table->all_columns)
        make_room(&cells, table->gives_way, jp_output_width());
    if (jp_output_width() > 0)
        fit(&cells, jp_output_width());
    for (size_t line = 0; line < cells.lines; line++)
        add_line(&cells, line, line < above || line >= cells.lines - below, out);
    tell_left_out(&cells, false, "0 or not known: ", "", out);
    tell_left_out(&cells, true, "no room for: ", table->can_be_chosen ? " (--columns has them)" : "", out);
    for (size_t i = 0; i < cells.lines * cells.count; i++)
        jp_free(cells.texts[i]);
    jp_free(cells.texts);
}

void jp_show_table(const struct jp_show *columns, const cJSON *rows, struct jp_str *out) {
    jp_show_table_with(columns, rows, &(const struct jp_table){0}, out);
}

/* ----------------------------------------------------------------------------------------------- text that is longer than a line */

/* The columns of the word at `text`, with the blanks before it; *ret_length its bytes. */
static size_t word_width(const char *text, size_t *ret_length) {
    size_t width = strspn(text, " "), own;
    const char *at = text + width;
    while (*at != '\0' && *at != ' ') {
        if (*at == '\033') { /* a colour */
            at += strcspn(at, "m");
            at += *at == 'm';
            continue;
        }
        jp_text_next(&at, &own);
        width += own;
    }
    *ret_length = (size_t)(at - text);
    return width;
}

void jp_show_folded(const char *text, size_t indentation, struct jp_str *out) {
    size_t screen = jp_output_width(), column = indentation, length;
    if (screen < indentation + STILL_OF_USE) { /* no console, or one on which nothing could be made of it */
        jp_str_puts(out, text);
        return;
    }
    for (bool first = true; *text != '\0'; text += length, first = false) { /* a word has the blanks before it */
        size_t width = word_width(text, &length);
        if (!first && column + width + 1 > screen) {
            size_t blanks = strspn(text, " ");
            jp_str_printf(out, "\n%*s", (int)indentation, "");
            jp_str_add(out, text + blanks, length - blanks);
            column = indentation + width - blanks;
            continue;
        }
        jp_str_add(out, text, length);
        column += width;
    }
}

static void add_field(const struct jp_show *field, const cJSON *value, size_t width, struct jp_str *out) {
    struct jp_str text = {0};
    jp_show_value(field->kind, value, &text);
    jp_str_printf(out, "%s%*s", field->title, (int)(width - jp_display_width(field->title) + GAP), "");
    if (field->kind == JP_SHOW_STATE)
        jp_colour_text(out, jp_colour_of_state(jp_str_text(&text)), jp_str_text(&text));
    else
        jp_show_folded(jp_str_text(&text), width + GAP, out);
    jp_str_putc(out, '\n');
    jp_str_free(&text);
}

void jp_show_fields(const struct jp_show *fields, const cJSON *object, struct jp_str *out) {
    size_t width = 0;
    for (const struct jp_show *field = fields; field->title != NULL; field++)
        if (!is_nothing(jp_show_find(object, field->key)) && jp_display_width(field->title) > width)
            width = jp_display_width(field->title);
    for (const struct jp_show *field = fields; field->title != NULL; field++) {
        const cJSON *value = jp_show_find(object, field->key);
        if (!is_nothing(value))
            add_field(field, value, width, out);
    }
}
