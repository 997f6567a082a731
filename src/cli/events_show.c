/* An event as a line, in the colour of what it tells; and the sentences about events that are missing. */
#include "cli/events.h"

#include <string.h>

#define JOB_PREFIX "JOB_OBJECT_MSG_"

static const struct jp_show columns[] = {
    {"SEQ", "seq", JP_SHOW_NUMBER},
    {"TIME", "time", JP_SHOW_TIME},
    {"POOL", "pool", JP_SHOW_TEXT},
    {"MESSAGE", "message", JP_SHOW_TEXT},
    {"PID", "pid", JP_SHOW_NUMBER},
    {"START TIME", "startTime", JP_SHOW_NUMBER},
    {"PROCESS", "process", JP_SHOW_TEXT},
    {"EXIT CODE", "exitCode", JP_SHOW_CODE},
    {"ORIGIN", "origin", JP_SHOW_TEXT},
    {"DETAIL", "detail", JP_SHOW_TEXT},
    {0},
};

static void add_field(struct jp_str *out, const char *before, const cJSON *event, const char *key, enum jp_show_kind kind) {
    const cJSON *value = jp_get(event, key);
    if (value == NULL || cJSON_IsNull(value))
        return;
    jp_str_puts(out, before);
    jp_show_value(kind, value, out);
}

/* ------------------------------------------------------------------------------------------------------------- colours */

/* Parts of messages, the first that fits counts: what went wrong, what a limit did, what began, what ended, what somebody changed. */
static const struct {
    const char *part;
    enum jp_colour colour;
} kinds[] = {
    {"ABNORMAL_EXIT", JP_COLOUR_RED}, {"FAILED", JP_COLOUR_RED},      {"ORPHANED", JP_COLOUR_RED},   {"LIMIT", JP_COLOUR_YELLOW},
    {"MEMORY_POLICY", JP_COLOUR_YELLOW}, {"END_OF_", JP_COLOUR_YELLOW}, {"TERMINATED", JP_COLOUR_YELLOW}, {"UNOBSERVED", JP_COLOUR_YELLOW},
    {"STOP_REQUESTED", JP_COLOUR_YELLOW}, {"NEW_PROCESS", JP_COLOUR_GREEN}, {"PROCESS_", JP_COLOUR_GREEN}, {"ACTIVE_PROCESS_ZERO", JP_COLOUR_DIM},
    {"POOL_", JP_COLOUR_CYAN},
};

static enum jp_colour colour_of(const cJSON *event, const char *message) {
    uint64_t code;
    if (strcmp(message, "EXIT_PROCESS") == 0) /* how it ended is what is to be seen */
        return jp_json_get_u64(jp_get(event, "exitCode"), &code) && code != 0 ? JP_COLOUR_RED : JP_COLOUR_NONE;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strstr(message, kinds[i].part) != NULL)
            return kinds[i].colour;
    return JP_COLOUR_NONE;
}

/* ------------------------------------------------------------------------------------------------------------ the line */

static void add_message(struct jp_str *out, const cJSON *event) {
    const char *message = cJSON_GetStringValue(jp_get(event, "message"));
    size_t prefix = strlen(JOB_PREFIX);
    message = message == NULL ? "?" : strncmp(message, JOB_PREFIX, prefix) == 0 ? message + prefix : message;
    enum jp_colour colour = colour_of(event, message);
    jp_colour_begin(out, colour);
    jp_add_harmless(out, message);
    jp_colour_end(out, colour);
}

/* What stands behind the number. Columns are not lined up, because nobody knows what is still to come. */
static void add_line(const cJSON *event, struct jp_str *out) {
    const char *pool = cJSON_GetStringValue(jp_get(event, "pool"));
    add_field(out, "", event, "time", JP_SHOW_TIME);
    jp_str_puts(out, "  ");
    jp_add_harmless(out, pool == NULL || *pool == '\0' ? "-" : pool);
    jp_str_puts(out, "  ");
    add_message(out, event);
    add_field(out, "  pid ", event, "pid", JP_SHOW_NUMBER);
    add_field(out, " ", event, "process", JP_SHOW_TEXT);
    add_field(out, "  exit code ", event, "exitCode", JP_SHOW_CODE);
    add_field(out, "  by ", event, "origin", JP_SHOW_TEXT);
    add_field(out, "  ", event, "detail", JP_SHOW_TEXT);
    if (cJSON_IsFalse(jp_get(event, "durable")))
        jp_str_puts(out, "  (not in the database yet)");
}

void jp_event_show(const cJSON *event, struct jp_str *out) {
    struct jp_str number = {0}, line = {0};
    add_field(&number, "", event, "seq", JP_SHOW_NUMBER);
    jp_str_puts(&number, "  ");
    jp_str_puts(out, jp_str_text(&number));
    add_line(event, &line);
    jp_show_folded(jp_str_text(&line), number.length, out); /* below itself: a number at the left is the next event's */
    jp_str_putc(out, '\n');
    jp_str_free(&number);
    jp_str_free(&line);
}

static void show_events(const cJSON *result, struct jp_str *out) {
    const cJSON *event, *events = jp_get(result, "events");
    if (cJSON_GetArraySize(events) == 0 && jp_output_is_console())
        jp_str_puts(out, "no events\n");
    cJSON_ArrayForEach(event, events) {
        jp_event_show(event, out);
    }
}

const struct jp_view jp_events_view = {.list = "events", .columns = columns, .show = show_events};

/* ---------------------------------------------------------------------------------------------------------------- gaps */

static const struct {
    const char *reason, *sentence;
} gap_reasons[] = {
    {"slow", "they came faster than they were read; they follow now, from the database"},
    {"purged", "they are no longer kept"},
    {"dropped", "the database could not be written, and there were too many to wait for it; what of them is there follows"},
    {"missing", "the database does not have them"},
};

void jp_event_complain_of_gap(const cJSON *gap) {
    struct jp_str text = {0};
    const char *reason = cJSON_GetStringValue(jp_get(gap, "reason"));
    add_field(&text, "events ", gap, "from", JP_SHOW_NUMBER);
    add_field(&text, " to ", gap, "to", JP_SHOW_NUMBER);
    for (size_t i = 0; reason != NULL && i < sizeof gap_reasons / sizeof *gap_reasons; i++)
        if (strcmp(gap_reasons[i].reason, reason) == 0)
            jp_str_printf(&text, ": %s", gap_reasons[i].sentence);
    jp_complain("%s", jp_str_text(&text));
    jp_str_free(&text);
}
