/* What the numbers in an information class mean, by the key that they stand under. */
#include "cli/show_info.h"

#include "base/schema.h"
#include "base/units.h"
#include "base/text.h"
#include "jobpool/job_constants.h"

#include <inttypes.h>
#include <string.h>

enum { INDENT = 2, GAP = 2 };

/* ----------------------------------------------------------------------------------------------------- names of numbers */

#define NAME(name, value) {"JOB_OBJECT_" #name, value},
static const struct jp_choice limit_names[] = {JP_JOB_LIMIT_TABLE(NAME){NULL, 0}};
static const struct jp_choice ui_names[] = {JP_JOB_UI_TABLE(NAME){NULL, 0}};
static const struct jp_choice security_names[] = {JP_JOB_SECURITY_TABLE(NAME){NULL, 0}};
static const struct jp_choice end_names[] = {JP_JOB_END_TABLE(NAME){NULL, 0}};
static const struct jp_choice cpu_rate_names[] = {JP_JOB_CPU_RATE_TABLE(NAME){NULL, 0}};
static const struct jp_choice net_rate_names[] = {JP_JOB_NET_RATE_TABLE(NAME){NULL, 0}};
#undef NAME
#define NAME(name, value) {#name, value},
static const struct jp_choice priority_names[] = {JP_JOB_PRIORITY_TABLE(NAME){NULL, 0}};
static const struct jp_choice tolerance_names[] = {JP_JOB_TOLERANCE_TABLE(NAME){NULL, 0}};
static const struct jp_choice interval_names[] = {JP_JOB_TOLERANCE_INTERVAL_TABLE(NAME){NULL, 0}};
#undef NAME

enum meaning { FLAGS, CODE, SIZE, RATE, TIME, SHARE, PROCESSORS };

/* A key that ends so has this meaning; the first row that fits counts, one for its own class before all others. */
struct key_meaning {
    const char *ending;
    const struct jp_choice *names;
    enum meaning meaning;
    enum jp_job_class only_of; /* 0: of any class */
};
static const struct key_meaning key_meanings[] = {
    {"LimitFlags", limit_names, FLAGS, 0}, /* also ViolationLimitFlags */
    {"SecurityLimitFlags", security_names, FLAGS, JP_JOB_SecurityLimitInformation},
    {"ControlFlags", cpu_rate_names, FLAGS, JP_JOB_CpuRateControlInformation},
    {"ControlFlags", net_rate_names, FLAGS, JP_JOB_NetRateControlInformation},
    {"UIRestrictionsClass", ui_names, FLAGS, 0},
    {"EndOfJobTimeAction", end_names, CODE, 0},
    {"PriorityClass", priority_names, CODE, 0},
    {"ToleranceInterval", interval_names, CODE, 0},
    {"Tolerance", tolerance_names, CODE, 0},
    {"ToleranceLimit", tolerance_names, CODE, 0},
    {"CpuRate", NULL, SHARE, 0},
    {"MinRate", NULL, SHARE, 0},
    {"MaxRate", NULL, SHARE, 0},
    {"MaxBandwidth", NULL, RATE, 0},
    {"UserTime", NULL, TIME, 0},
    {"KernelTime", NULL, TIME, 0},
    {"TimeLimit", NULL, TIME, 0},
    {"WorkingSetSize", NULL, SIZE, 0},
    {"TransferCount", NULL, SIZE, 0},
    {"MemoryLimit", NULL, SIZE, 0},
    {"MemoryUsed", NULL, SIZE, 0},
    {"Memory", NULL, SIZE, 0},
    {"Bytes", NULL, SIZE, 0},
    {"BytesLimit", NULL, SIZE, 0},
    {"Affinity", NULL, PROCESSORS, 0},
    {"Mask", NULL, PROCESSORS, 0},
};

static const struct key_meaning *meaning_of(const char *key, uint64_t class) {
    size_t length = strlen(key);
    const struct key_meaning *found = NULL;
    for (size_t i = 0; i < sizeof key_meanings / sizeof key_meanings[0]; i++) {
        const struct key_meaning *row = &key_meanings[i];
        size_t ending = strlen(row->ending);
        if (length < ending || strcmp(key + length - ending, row->ending) != 0 || (row->only_of != 0 && row->only_of != class))
            continue;
        if (found == NULL || row->only_of != 0) /* the class's own meaning of a key goes before the general one */
            found = row;
    }
    return found;
}

/* The names of the bits that are set. Names of several bits at once (VALID_FLAGS) and of none would only repeat. */
static void add_flags(const struct jp_choice *names, uint64_t value, struct jp_str *out) {
    bool first = true;
    jp_str_printf(out, "0x%" PRIX64, value);
    for (; names->name != NULL; names++) {
        if (names->value == 0 || (names->value & (names->value - 1)) != 0 || (value & names->value) == 0)
            continue;
        jp_str_printf(out, "%s%s", first ? " " : " | ", names->name);
        first = false;
    }
}

static void add_code(const struct jp_choice *names, uint64_t value, struct jp_str *out) {
    const char *name = value > UINT32_MAX ? NULL : jp_choice_name(names, (uint32_t)value);
    jp_str_printf(out, value > 9 ? "0x%" PRIX64 : "%" PRIu64, value);
    if (name != NULL)
        jp_str_printf(out, " %s", name);
}

static void add_number(const struct key_meaning *meaning, uint64_t value, struct jp_str *out) {
    char text[JP_UNITS_TEXT];
    char *processors = NULL;
    if (meaning->meaning == FLAGS) {
        add_flags(meaning->names, value, out);
        return;
    }
    if (meaning->meaning == CODE) {
        add_code(meaning->names, value, out);
        return;
    }
    jp_str_printf(out, meaning->meaning == PROCESSORS ? "0x%" PRIX64 : "%" PRIu64, value);
    if (value == 0)
        return;
    switch (meaning->meaning) {
    case SIZE:
        jp_str_printf(out, " (%s)", jp_bytes_format(value, text));
        break;
    case RATE:
        jp_str_printf(out, " (%s a second)", jp_bytes_format(value, text));
        break;
    case TIME:
        jp_str_printf(out, " (%s)", jp_duration_format(value, text));
        break;
    case SHARE:
        if (value <= 10000)
            jp_str_printf(out, " (%s)", jp_percent_format((uint32_t)value, text));
        break;
    case PROCESSORS:
        processors = jp_affinity_format(value);
        jp_str_printf(out, " (processors %s)", processors);
        jp_free(processors);
        break;
    case FLAGS:
    case CODE:
        break;
    }
}

/* -------------------------------------------------------------------------------------------------------------- lines */

static void add_value(const cJSON *item, uint64_t class, struct jp_str *out) {
    uint64_t number;
    const struct key_meaning *meaning = item->string == NULL ? NULL : meaning_of(item->string, class);
    if (meaning != NULL && jp_json_get_u64(item, &number)) {
        add_number(meaning, number, out);
        return;
    }
    struct jp_str text = {0};
    if (cJSON_IsString(item))
        jp_str_puts(&text, item->valuestring);
    else
        jp_json_print(item, &text);
    jp_add_harmless(out, jp_str_text(&text));
    jp_str_free(&text);
}

static size_t widest(const cJSON *object, size_t depth) {
    size_t width = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        size_t own = cJSON_IsObject(item) ? widest(item, depth + 1) : depth * INDENT + strlen(item->string);
        width = own > width ? own : width;
    }
    return width;
}

/* A key that holds an object is a heading; its keys stand below, further in. */
static void add_object(const cJSON *object, uint64_t class, size_t depth, size_t width, struct jp_str *out) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        jp_str_printf(out, "%*s", (int)(depth * INDENT), "");
        jp_add_harmless(out, item->string);
        if (cJSON_IsObject(item)) {
            jp_str_putc(out, '\n');
            add_object(item, class, depth + 1, width, out);
            continue;
        }
        size_t used = depth * INDENT + strlen(item->string);
        jp_str_printf(out, "%*s", (int)((used < width ? width - used : 0) + GAP), "");
        add_value(item, class, out);
        jp_str_putc(out, '\n');
    }
}

/* "Mask 0xF (processors 0-3), Group 0" */
static void add_element(const cJSON *element, uint64_t class, struct jp_str *out) {
    if (!cJSON_IsObject(element)) {
        add_value(element, class, out);
        return;
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, element) {
        jp_str_puts(out, item == element->child ? "" : ", ");
        jp_add_harmless(out, item->string);
        jp_str_putc(out, ' ');
        add_value(item, class, out);
    }
}

void jp_show_job_info(uint64_t class, const cJSON *info, struct jp_str *out) {
    if (cJSON_IsObject(info)) {
        add_object(info, class, 0, widest(info, 0), out);
        return;
    }
    const cJSON *element;
    cJSON_ArrayForEach(element, info) {
        add_element(element, class, out);
        jp_str_putc(out, '\n');
    }
}
