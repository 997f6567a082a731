/* The command report: asks the service for what it has recorded of a time, and writes it as one page of HTML. */
#include "cli/cli.h"

#include "base/units.h"
#include "report/page.h"
#include "win32/clock.h"
#include "win32/filetime.h"
#include "win32/paths.h"
#include "win32/wide.h"

#include <string.h>
#include <windows.h>

#define MINUTE_100NS INT64_C(600000000)
#define DAY_100NS INT64_C(864000000000)

enum {
    DEFAULT_DAYS = 7,
    TOP = 12,             /* programs and accounts */
    SERIES_POINTS = 168,  /* hours of a week */
    SERIES_POOLS = 20,    /* asked for at once, so that no answer is too long */
    EVENTS_MOST = 5000,
};

const struct jp_option jp_page_options[] = {
    {"output|o", "FILE", JP_OPTION_TEXT, "--output", "the file to write, - for standard output; default jobpool-report-DATE.html here"},
    {"from", "TIME", JP_OPTION_TIME, "from", "from then on: yesterday, 7d, 2026-11-22 (help units); default seven days before its end, or what there is of them"},
    {"to", "TIME", JP_OPTION_TIME, "to", "until then; default now"},
    {"pool|p", "NAME", JP_OPTION_LIST, "pools", "of this pool only; may be repeated"},
    {0},
};

/* --- here --- */

/* By the rules of daylight saving that held then. */
static int64_t local_offset_100ns(void *context, int64_t utc_100ns) {
    (void)context;
    FILETIME utc = jp_win32_to_filetime(utc_100ns), local;
    SYSTEMTIME utc_parts, local_parts;
    if (!FileTimeToSystemTime(&utc, &utc_parts) || !SystemTimeToTzSpecificLocalTime(NULL, &utc_parts, &local_parts) || !SystemTimeToFileTime(&local_parts, &local))
        return 0;
    int64_t whole_ms = utc_100ns - utc_100ns % JP_100NS_PER_MS; /* the parts have no less */
    return jp_win32_from_filetime(local) - whole_ms;
}

/* "W. Europe Standard Time (UTC+01:00)", as of now. New memory. */
static char *zone_name(int64_t time_100ns) {
    TIME_ZONE_INFORMATION zone;
    bool summer = GetTimeZoneInformation(&zone) == TIME_ZONE_ID_DAYLIGHT;
    char *name = jp_win32_utf8(summer ? zone.DaylightName : zone.StandardName);
    int minutes = (int)(local_offset_100ns(NULL, time_100ns) / MINUTE_100NS), size = minutes < 0 ? -minutes : minutes;
    char *text = jp_sprintf("%s (UTC%c%02d:%02d)", name, minutes < 0 ? '-' : '+', size / 60, size % 60);
    jp_free(name);
    return text;
}

static char *host_name(void) {
    wchar_t name[256];
    DWORD size = sizeof name / sizeof *name;
    return GetComputerNameExW(ComputerNameDnsHostname, name, &size) ? jp_win32_utf8(name) : jp_strdup("");
}

/* --- what is asked --- */

struct making {
    struct jp_cli *cli;
    cJSON *answers;
    cJSON *pools; /* those asked for, or NULL */
    int64_t from_100ns, to_100ns;
};

static cJSON *params_of(const struct making *making) {
    cJSON *params = cJSON_CreateObject();
    jp_json_add_time(params, "from", making->from_100ns);
    jp_json_add_time(params, "to", making->to_100ns);
    return params;
}

static cJSON *params_of_pools(const struct making *making) {
    cJSON *params = params_of(making);
    if (making->pools != NULL)
        cJSON_AddItemToObject(params, "pools", cJSON_Duplicate(making->pools, true));
    return params;
}

/* Each takes as long as there are rows, so there is no time limit; Ctrl-C ends it. */
static int ask(const struct making *making, const char *key, const char *what, const char *method, cJSON *params) {
    cJSON *result = NULL;
    char *text = jp_sprintf("report: %s ...", what);
    jp_progress(text);
    jp_free(text);
    int code = jp_cli_call(making->cli, method, params, JP_CLIENT_NO_TIMEOUT, &result);
    if (code == JP_EXIT_OK)
        cJSON_AddItemToObject(making->answers, key, result);
    return code;
}

static int ask_report(const struct making *making, const char *key, const char *by, uint64_t top) {
    cJSON *params = params_of_pools(making);
    char *what = jp_sprintf("accounting by %s", by);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(params, "by"), cJSON_CreateString(by));
    if (top > 0)
        jp_json_add_u64(params, "top", top);
    int code = ask(making, key, what, "accounting.report", params);
    jp_free(what);
    return code;
}

/* By name if there is one: an older service knows no list of them. */
static int ask_summary(const struct making *making) {
    if (cJSON_GetArraySize(making->pools) != 1)
        return ask(making, "summary", "totals", "accounting.summary", params_of_pools(making));
    cJSON *params = params_of(making);
    jp_json_add_string(params, "pool", cJSON_GetStringValue(making->pools->child));
    return ask(making, "summary", "totals", "accounting.summary", params);
}

static int ask_events(const struct making *making) {
    cJSON *params = params_of_pools(making), *messages = cJSON_AddArrayToObject(params, "messages");
    for (const char *const *message = jp_page_messages; *message != NULL; message++)
        cJSON_AddItemToArray(messages, cJSON_CreateString(*message));
    jp_json_add_u64(params, "limit", EVENTS_MOST);
    cJSON_AddTrueToObject(params, "newest");
    int code = ask(making, "events", "events", "events.query", params);
    if (cJSON_GetArraySize(jp_get(jp_get(making->answers, "events"), "events")) >= EVENTS_MOST)
        cJSON_AddTrueToObject(making->answers, "eventsCut");
    return code;
}

/* --- samples --- */

static void add_name(cJSON *names, const char *name) {
    const cJSON *known;
    if (name == NULL)
        return;
    cJSON_ArrayForEach(known, names) {
        if (strcmp(known->valuestring, name) == 0)
            return;
    }
    cJSON_AddItemToArray(names, cJSON_CreateString(name));
}

/* Pools that are there, and those that are gone and have rows; those of single runs are in the ones above them. */
static cJSON *names_of(const struct making *making) {
    if (making->pools != NULL)
        return cJSON_Duplicate(making->pools, true);
    cJSON *names = cJSON_CreateArray();
    const cJSON *row;
    cJSON_ArrayForEach(row, jp_get(jp_get(making->answers, "pools"), "pools")) {
        if (!cJSON_IsTrue(jp_get(row, "ephemeral")))
            add_name(names, cJSON_GetStringValue(jp_get(row, "name")));
    }
    cJSON_ArrayForEach(row, jp_get(jp_get(making->answers, "byPool"), "rows")) {
        add_name(names, cJSON_GetStringValue(jp_get(row, "pool")));
    }
    return names;
}

/* A part of a list, from its front. New list. */
static cJSON *take_front(cJSON *list, int count) {
    cJSON *front = cJSON_CreateArray();
    for (int i = 0; i < count && list->child != NULL; i++)
        cJSON_AddItemToArray(front, cJSON_DetachItemViaPointer(list, list->child));
    return front;
}

/* An older service has no samples; its report has no charts of them. What is too long for one answer is asked for again in halves.
 * Takes the pools. */
static int ask_some_series(const struct making *making, cJSON *pools) {
    cJSON *params = params_of(making), *result = NULL;
    struct jp_cli_failure failure = {0};
    cJSON_AddItemToObject(params, "pools", cJSON_Duplicate(pools, true));
    jp_json_add_u64(params, "points", SERIES_POINTS);
    int code = JP_EXIT_OK, count = cJSON_GetArraySize(pools);
    if (jp_cli_try(making->cli, "accounting.series", params, JP_CLIENT_NO_TIMEOUT, &result, &failure) != JP_OK) {
        const cJSON *number = jp_get(failure.answer, "code");
        if (failure.answered && cJSON_IsNumber(number) && number->valueint == JP_E_METHOD)
            jp_cli_failure_clear(&failure);
        else
            code = jp_cli_say_failure(making->cli, &failure);
    } else if (cJSON_IsTrue(jp_get(result, "more")) && count > 1) {
        code = ask_some_series(making, take_front(pools, count / 2));
        if (code == JP_EXIT_OK)
            code = ask_some_series(making, take_front(pools, count));
        cJSON_Delete(result);
    } else {
        cJSON_AddItemToArray(jp_get(making->answers, "series"), result);
    }
    cJSON_Delete(pools);
    return code;
}

static int ask_series(const struct making *making) {
    cJSON_AddArrayToObject(making->answers, "series");
    cJSON *names = names_of(making);
    int all = cJSON_GetArraySize(names), code = JP_EXIT_OK;
    while (code == JP_EXIT_OK && names->child != NULL) {
        char *text = jp_sprintf("report: samples, %d of %d pools ...", all - cJSON_GetArraySize(names), all);
        jp_progress(text);
        jp_free(text);
        code = ask_some_series(making, take_front(names, SERIES_POOLS));
    }
    cJSON_Delete(names);
    return code;
}

/* A service that is young has less than was asked for by nobody: then the page begins with its first event. */
static int find_beginning(struct making *making) {
    cJSON *params = params_of_pools(making), *result = NULL;
    jp_json_add_u64(params, "limit", 1);
    int code = jp_cli_call(making->cli, "events.query", params, JP_CLIENT_NO_TIMEOUT, &result);
    const cJSON *events = jp_get(result, "events");
    const char *first = cJSON_GetStringValue(jp_get(events != NULL ? events->child : NULL, "time"));
    int64_t time;
    struct jp_error error;
    if (first != NULL && jp_time_parse(first, &time, &error) == JP_OK)
        making->from_100ns = time - time % MINUTE_100NS;
    cJSON_Delete(result);
    return code;
}

static int ask_all(const struct making *making) {
    int code = ask(making, "status", "the service", "service.status", NULL);
    if (code == JP_EXIT_OK)
        code = ask(making, "pools", "pools", "pool.list", NULL);
    if (code == JP_EXIT_OK)
        code = ask_report(making, "byPool", "pool", 0);
    if (code == JP_EXIT_OK)
        code = ask_report(making, "byDay", "day", 0);
    if (code == JP_EXIT_OK)
        code = ask_report(making, "byImage", "image", TOP);
    if (code == JP_EXIT_OK)
        code = ask_report(making, "byUser", "user", TOP);
    if (code == JP_EXIT_OK)
        code = ask_summary(making);
    if (code == JP_EXIT_OK)
        code = ask_series(making);
    if (code == JP_EXIT_OK)
        code = ask_events(making);
    jp_progress(NULL);
    return code;
}

/* --- the file --- */

static void show_written(const cJSON *result, struct jp_str *out) {
    jp_str_puts(out, "written: ");
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "file"), out);
    jp_str_puts(out, " (");
    jp_show_value(JP_SHOW_BYTES, jp_get(result, "bytes"), out);
    jp_str_puts(out, ")\n");
}

static int deliver(struct jp_cli *cli, const char *name, const struct jp_str *page) {
    struct jp_error error;
    if (strcmp(name, "-") == 0) {
        jp_output(page->data, page->length);
        return JP_EXIT_OK;
    }
    if (jp_win32_write_file(name, jp_str_text(page), true, &error) != JP_OK) {
        jp_complain("%s", error.text);
        return JP_EXIT_FAILED;
    }
    cJSON *result = jp_cli_object("file", name);
    jp_json_add_u64(result, "bytes", page->length);
    return jp_cli_print(cli, result, JP_VIEW(show_written));
}

static char *default_name(int64_t now) {
    char text[JP_TIME_TEXT];
    return jp_sprintf("jobpool-report-%.10s.html", jp_time_format(now + local_offset_100ns(NULL, now), text));
}

/* --- the command --- */

/* Options are checked already. */
static int64_t time_of(const cJSON *options, const char *key, int64_t otherwise) {
    struct jp_error error;
    int64_t time;
    const char *text = cJSON_GetStringValue(jp_get(options, key));
    return text != NULL && jp_time_parse(text, &time, &error) == JP_OK ? time : otherwise;
}

static int read_period(struct making *making, const cJSON *options, int64_t now) {
    making->to_100ns = time_of(options, "to", now);
    making->from_100ns = time_of(options, "from", making->to_100ns - DEFAULT_DAYS * DAY_100NS);
    if (making->from_100ns < making->to_100ns)
        return JP_EXIT_OK;
    return jp_cli_misuse(making->cli, "--from is not before %s", jp_get(options, "to") != NULL ? "--to" : "now");
}

/* Who names a pool twice wants it once. NULL: none is named. */
static cJSON *take_pools(cJSON *options) {
    cJSON *given = cJSON_DetachItemFromObjectCaseSensitive(options, "pools"), *pools = given == NULL ? NULL : cJSON_CreateArray();
    const cJSON *name;
    cJSON_ArrayForEach(name, given) {
        add_name(pools, cJSON_GetStringValue(name));
    }
    cJSON_Delete(given);
    return pools;
}

static void add_facts(const struct making *making, int64_t now) {
    char *host = host_name();
    jp_json_add_string(making->answers, "host", host);
    jp_json_add_time(making->answers, "from", making->from_100ns);
    jp_json_add_time(making->answers, "to", making->to_100ns);
    jp_json_add_time(making->answers, "made", now);
    jp_json_add_u64(making->answers, "processors", GetActiveProcessorCount(ALL_PROCESSOR_GROUPS));
    if (making->pools != NULL)
        cJSON_AddItemToObject(making->answers, "chosen", cJSON_Duplicate(making->pools, true));
    jp_free(host);
}

int jp_command_page(struct jp_cli *cli, cJSON *options) {
    int64_t now = jp_win32_now_100ns();
    char *name = jp_take_text(options, "--output"), *zone = zone_name(now);
    struct making making = {.cli = cli, .answers = cJSON_CreateObject()};
    struct jp_page_maker maker = {.version = JP_VERSION, .zone = zone, .local_offset_100ns = local_offset_100ns};
    struct jp_str page = {0};
    if (name == NULL)
        name = default_name(now);
    int code = read_period(&making, options, now);
    if (code == JP_EXIT_OK)
        code = jp_cli_check_pools(cli, options);
    making.pools = take_pools(options);
    if (code == JP_EXIT_OK && jp_get(options, "from") == NULL)
        code = find_beginning(&making);
    if (code == JP_EXIT_OK)
        code = ask_all(&making);
    if (code == JP_EXIT_OK) {
        add_facts(&making, now);
        jp_page_write(making.answers, &maker, &page);
        code = deliver(cli, name, &page);
    }
    jp_str_free(&page);
    jp_free(zone);
    jp_free(name);
    cJSON_Delete(making.pools);
    cJSON_Delete(making.answers);
    cJSON_Delete(options);
    return code;
}
