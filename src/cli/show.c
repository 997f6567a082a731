/* From JSON values to aligned text. */
#include "cli/show.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/output.h"
#include "win32/filetime.h"

#include <string.h>

enum { GAP = 2, MAX_COLUMNS = JP_SHOW_COLUMNS_MAX, MIN_CUT = 8, STILL_OF_USE = 20 };

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
    bool left_out[MAX_COLUMNS];
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
    return !cells->left_out[column] && (kind == JP_SHOW_TEXT || kind == JP_SHOW_JSON) && cells->width[column] > least;
}

static size_t total_width(const struct cells *cells) {
    size_t total = 0;
    for (size_t i = 0; i < cells->count; i++)
        total += cells->left_out[i] ? 0 : cells->width[i] + GAP;
    return total - GAP;
}

/* With texts cut as far as they are still of use. */
static size_t total_width_cut(const struct cells *cells) {
    size_t total = total_width(cells);
    for (size_t i = 0; i < cells->count; i++)
        if (can_be_cut(cells, i) && cells->width[i] > STILL_OF_USE)
            total -= cells->width[i] - STILL_OF_USE;
    return total;
}

/* Columns that would only be scenery, from the right, as long as the screen does not hold the others. */
static void leave_out(struct cells *cells, size_t screen) {
    for (size_t i = cells->count; i-- > 1 && total_width_cut(cells) + 1 > screen;)
        cells->left_out[i] = !cells->full[i];
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

static size_t last_shown(const struct cells *cells) {
    size_t last = cells->count - 1;
    while (cells->left_out[last])
        last--;
    return last;
}

static void add_cell(const struct cells *cells, size_t column, const char *text, enum jp_colour colour, struct jp_str *out) {
    struct jp_str shown = {0};
    jp_add_cut(&shown, text, cells->width[column]);
    int padding = (int)(cells->width[column] - jp_display_width(jp_str_text(&shown)));
    bool last = column == last_shown(cells), right = aligns_right(cells->columns[column].kind);
    jp_str_printf(out, "%*s", right ? padding : 0, "");
    jp_colour_text(out, colour, jp_str_text(&shown));
    jp_str_printf(out, "%*s", (right || last ? 0 : padding) + (last ? 0 : GAP), "");
    jp_str_free(&shown);
}

static enum jp_colour colour_of(const struct cells *cells, size_t line, size_t column, bool is_bold) {
    if (is_bold)
        return JP_COLOUR_BOLD;
    return cells->columns[column].kind == JP_SHOW_STATE ? jp_colour_of_state(*cell(cells, line, column)) : JP_COLOUR_NONE;
}

static void add_line(const struct cells *cells, size_t line, bool is_bold, struct jp_str *out) {
    for (size_t i = 0; i < cells->count; i++)
        if (!cells->left_out[i])
            add_cell(cells, i, *cell(cells, line, i), colour_of(cells, line, i, is_bold), out);
    jp_str_putc(out, '\n');
}

/* A 0 that is not shown has to be told. */
static void tell_left_out(const struct cells *cells, struct jp_str *out) {
    struct jp_str text = {0};
    for (size_t i = 0; i < cells->count; i++)
        if (cells->left_out[i])
            jp_str_printf(&text, "%s%s", text.length == 0 ? "0 or not known: " : ", ", cells->columns[i].title);
    if (text.length > 0) {
        jp_colour_text(out, JP_COLOUR_DIM, jp_str_text(&text));
        jp_str_putc(out, '\n');
    }
    jp_str_free(&text);
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
        leave_out(&cells, jp_output_width());
    if (jp_output_width() > 0)
        fit(&cells, jp_output_width());
    for (size_t line = 0; line < cells.lines; line++)
        add_line(&cells, line, line < above || line >= cells.lines - below, out);
    tell_left_out(&cells, out);
    for (size_t i = 0; i < cells.lines * cells.count; i++)
        jp_free(cells.texts[i]);
    jp_free(cells.texts);
}

void jp_show_table(const struct jp_show *columns, const cJSON *rows, struct jp_str *out) {
    jp_show_table_with(columns, rows, &(const struct jp_table){0}, out);
}

static void add_state(const cJSON *value, struct jp_str *out) {
    struct jp_str text = {0};
    jp_show_value(JP_SHOW_STATE, value, &text);
    jp_colour_text(out, jp_colour_of_state(jp_str_text(&text)), jp_str_text(&text));
    jp_str_free(&text);
}

void jp_show_fields(const struct jp_show *fields, const cJSON *object, struct jp_str *out) {
    size_t width = 0;
    for (const struct jp_show *field = fields; field->title != NULL; field++)
        width = jp_display_width(field->title) > width ? jp_display_width(field->title) : width;
    for (const struct jp_show *field = fields; field->title != NULL; field++) {
        const cJSON *value = jp_show_find(object, field->key);
        if (is_nothing(value))
            continue;
        jp_str_printf(out, "%s%*s", field->title, (int)(width - jp_display_width(field->title) + GAP), "");
        if (field->kind == JP_SHOW_STATE)
            add_state(value, out);
        else
            jp_show_value(field->kind, value, out);
        jp_str_putc(out, '\n');
    }
}
