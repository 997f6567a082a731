/* From JSON values to aligned text. */
#include "cli/show.h"

#include "base/units.h"
#include "cli/output.h"
#include "base/text.h"

#include <string.h>
#include <windows.h>

enum { GAP = 2, MAX_COLUMNS = 24 };

/* ------------------------------------------------------------------------------------------------------------ values */

static const cJSON *find(const cJSON *object, const char *path) {
    while (object != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        char *key = jp_strndup(path, length);
        object = cJSON_GetObjectItemCaseSensitive(object, key);
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
    FILETIME file = {.dwLowDateTime = (DWORD)(uint64_t)time_100ns, .dwHighDateTime = (DWORD)((uint64_t)time_100ns >> 32)};
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
    char **texts; /* line by line, `columns` a line; the first line is the heading */
    size_t columns, lines;
    size_t width[MAX_COLUMNS];
};

static void set_cell(struct cells *cells, size_t line, size_t column, char *text) {
    size_t width = jp_display_width(text);
    cells->texts[line * cells->columns + column] = text;
    if (width > cells->width[column])
        cells->width[column] = width;
}

static void fill(struct cells *cells, const struct jp_show *columns, const cJSON *rows) {
    for (size_t i = 0; i < cells->columns; i++)
        set_cell(cells, 0, i, jp_strdup(columns[i].title));
    size_t line = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        line++;
        for (size_t i = 0; i < cells->columns; i++) {
            struct jp_str text = {0};
            const cJSON *value = find(row, columns[i].key);
            if (is_nothing(value))
                jp_str_putc(&text, '-');
            else
                jp_show_value(columns[i].kind, value, &text);
            set_cell(cells, line, i, jp_str_take(&text));
        }
    }
}

static bool aligns_right(enum jp_show_kind kind) {
    return kind == JP_SHOW_NUMBER || kind == JP_SHOW_BYTES || kind == JP_SHOW_DURATION || kind == JP_SHOW_CODE;
}

static void add_line(const struct cells *cells, const struct jp_show *columns, size_t line, struct jp_str *out) {
    for (size_t i = 0; i < cells->columns; i++) {
        const char *text = cells->texts[line * cells->columns + i];
        int padding = (int)(cells->width[i] - jp_display_width(text));
        bool last = i + 1 == cells->columns;
        if (aligns_right(columns[i].kind))
            jp_str_printf(out, "%*s%s", padding, "", text);
        else
            jp_str_printf(out, "%s%*s", text, last ? 0 : padding, "");
        jp_str_printf(out, "%*s", last ? 0 : GAP, "");
    }
    jp_str_putc(out, '\n');
}

void jp_show_table(const struct jp_show *columns, const cJSON *rows, struct jp_str *out) {
    struct cells cells = {.lines = 1 + (size_t)cJSON_GetArraySize(rows)};
    while (columns[cells.columns].title != NULL && cells.columns < MAX_COLUMNS)
        cells.columns++;
    cells.texts = jp_realloc_array(NULL, cells.lines * cells.columns, sizeof *cells.texts);
    fill(&cells, columns, rows);
    for (size_t line = 0; line < cells.lines; line++)
        add_line(&cells, columns, line, out);
    for (size_t i = 0; i < cells.lines * cells.columns; i++)
        jp_free(cells.texts[i]);
    jp_free(cells.texts);
}

void jp_show_fields(const struct jp_show *fields, const cJSON *object, struct jp_str *out) {
    size_t width = 0;
    for (const struct jp_show *field = fields; field->title != NULL; field++)
        width = jp_display_width(field->title) > width ? jp_display_width(field->title) : width;
    for (const struct jp_show *field = fields; field->title != NULL; field++) {
        const cJSON *value = find(object, field->key);
        if (is_nothing(value))
            continue;
        jp_str_printf(out, "%s%*s", field->title, (int)(width - jp_display_width(field->title) + GAP), "");
        jp_show_value(field->kind, value, out);
        jp_str_putc(out, '\n');
    }
}
