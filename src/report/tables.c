/* Tables: sums by group, and what the charts show. */
#include "report/tables.h"

#include "base/units.h"
#include "report/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNT, BYTES, DURATION };

struct column {
    const char *title, *key;
    enum kind kind;
};

static const struct column sums[] = {
    {"Processes", "processes", COUNT},
    {"Running", "running", COUNT},
    {"Exited", "exited", COUNT},
    {"Crashed", "crashed", COUNT},
    {"Terminated", "terminated", COUNT},
    {"Unknown", "unknown", COUNT},
    {"Failures", "failures", COUNT},
    {"CPU user", "userTime100ns", DURATION},
    {"CPU kernel", "kernelTime100ns", DURATION},
    {"Wall", "wallTime100ns", DURATION},
    {"Peak memory", "peakCommitBytes", BYTES},
    {"Read", "readBytes", BYTES},
    {"Written", "writeBytes", BYTES},
    {0},
};
static const struct column few_sums[] = {
    {"Processes", "processes", COUNT},
    {"Failures", "failures", COUNT},
    {"CPU", NULL, DURATION}, /* user and kernel */
    {"Peak memory", "peakCommitBytes", BYTES},
    {0},
};

/* --- cells --- */

static void add_number(struct jp_str *out, const char *key, enum kind kind, bool known, uint64_t value) {
    char text[JP_WORDS];
    if (!known) {
        jp_str_printf(out, "<td class=\"number\" data-key=\"%s\"><span class=\"none\">\xE2\x80\x93</span></td>", key);
        return;
    }
    jp_str_printf(out, "<td class=\"number\" data-key=\"%s\" data-value=\"%llu\">%s</td>", key, (unsigned long long)value,
                  kind == BYTES ? jp_words_bytes((double)value, text) : kind == DURATION ? jp_words_duration(value, text) : jp_words_count(value, text));
}

static bool cpu_of(const cJSON *row, uint64_t *ret_100ns) {
    uint64_t user = 0, kernel = 0;
    bool known = jp_json_get_u64(jp_get(row, "userTime100ns"), &user) && jp_json_get_u64(jp_get(row, "kernelTime100ns"), &kernel);
    *ret_100ns = user > UINT64_MAX - kernel ? UINT64_MAX : user + kernel;
    return known;
}

static void add_sums(struct jp_str *out, const cJSON *row, const struct column *columns) {
    for (; columns->title; columns++) {
        uint64_t value = 0;
        bool known = columns->key ? jp_json_get_u64(jp_get(row, columns->key), &value) : cpu_of(row, &value);
        add_number(out, columns->key ? columns->key : "cpuTime100ns", columns->kind, known, value);
    }
}

static void add_name(struct jp_str *out, const char *name) {
    if (*name) {
        jp_str_puts(out, "<bdi>");
        jp_html_text(out, name, JP_NAME_SHOWN);
        jp_str_puts(out, "</bdi>");
    } else {
        jp_str_puts(out, "<span class=\"none\">unknown</span>");
    }
}

static void begin_table(struct jp_str *out, const char *id, const char *caption, const char *classes) {
    jp_str_printf(out, "<div class=\"scroll\" role=\"region\" aria-labelledby=\"%s-c\" tabindex=\"0\"><table id=\"%s\" class=\"%s\"><caption id=\"%s-c\">%s</caption>\n",
                  id, id, classes, id, caption);
}

static void add_head(struct jp_str *out, const char *first, const struct column *columns) {
    jp_str_printf(out, "<thead><tr><th scope=\"col\">%s</th>", first);
    for (; columns->title; columns++)
        jp_str_printf(out, "<th scope=\"col\" class=\"number\">%s</th>", columns->title);
    jp_str_puts(out, "</tr></thead>\n");
}

static void end_table(struct jp_str *out) { jp_str_puts(out, "</table></div>\n"); }

/* --- reports --- */

static void add_total(struct jp_str *out, const cJSON *report) {
    jp_str_puts(out, "<tfoot><tr><th scope=\"row\">Total</th>");
    add_sums(out, jp_get(report, "total"), sums);
    jp_str_puts(out, "</tr></tfoot>\n");
}

static void add_rest(struct jp_str *out, const cJSON *report, const char *what) {
    char shown[JP_WORDS], all[JP_WORDS];
    uint64_t groups = jp_get_u64(report, "groups"), rows = (uint64_t)cJSON_GetArraySize(jp_get(report, "rows"));
    if (groups > rows)
        jp_str_printf(out, "<p class=\"note\">%s of %s %s are shown, those that used the most CPU time. The total is of all.</p>\n", jp_words_count(rows, shown),
                      jp_words_count(groups, all), what);
}

static void add_row(struct jp_str *out, const cJSON *row, const char *key) {
    jp_str_puts(out, "<tr><th scope=\"row\">");
    add_name(out, jp_get_text(row, key));
    jp_str_puts(out, "</th>");
    add_sums(out, row, sums);
    jp_str_puts(out, "</tr>\n");
}

void jp_table_pools(struct jp_str *out, const struct jp_model *model) {
    const cJSON *report = jp_get(model->answers, "byPool"), *row;
    begin_table(out, "by-pool", "What the processes of each pool have used", "sortable");
    add_head(out, "Pool", sums);
    jp_str_puts(out, "<tbody>\n");
    cJSON_ArrayForEach(row, jp_get(report, "rows")) {
        add_row(out, row, "pool");
    }
    jp_str_puts(out, "</tbody>\n");
    add_total(out, report);
    end_table(out);
    add_rest(out, report, "pools");
}

static int by_day(const void *one, const void *other) {
    return strcmp(jp_get_text(*(const cJSON *const *)one, "day"), jp_get_text(*(const cJSON *const *)other, "day"));
}

/* The answer has the busiest first; days are looked for in their order. */
void jp_table_days(struct jp_str *out, const struct jp_model *model) {
    const cJSON *report = jp_get(model->answers, "byDay"), *row;
    size_t count = 0;
    const cJSON **rows = jp_realloc_array(NULL, (size_t)cJSON_GetArraySize(jp_get(report, "rows")) + 1, sizeof *rows);
    cJSON_ArrayForEach(row, jp_get(report, "rows")) {
        rows[count++] = row;
    }
    qsort(rows, count, sizeof *rows, by_day);
    begin_table(out, "by-day", "By the day on which processes began (UTC)", "sortable");
    add_head(out, "Day (UTC)", sums);
    jp_str_puts(out, "<tbody>\n");
    for (size_t i = 0; i < count; i++)
        add_row(out, rows[i], "day");
    jp_str_puts(out, "</tbody>\n");
    add_total(out, report);
    end_table(out);
    add_rest(out, report, "days");
    jp_free(rows);
}

void jp_table_consumers(struct jp_str *out, const cJSON *report, const char *id, const char *caption, const char *title, const char *key) {
    const cJSON *row;
    uint64_t most = 0, cpu;
    cJSON_ArrayForEach(row, jp_get(report, "rows")) {
        if (cpu_of(row, &cpu) && cpu > most)
            most = cpu;
    }
    begin_table(out, id, caption, "consumers sortable");
    add_head(out, title, few_sums);
    jp_str_puts(out, "<tbody>\n");
    cJSON_ArrayForEach(row, jp_get(report, "rows")) {
        double part = cpu_of(row, &cpu) && most > 0 ? (double)cpu / (double)most : 0;
        jp_str_puts(out, "<tr><th scope=\"row\">");
        add_name(out, jp_get_text(row, key));
        jp_str_printf(out, "<svg class=\"bar\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"6\"/>"
                           "<rect class=\"f0\" width=\"%.2f\" height=\"6\"/></svg></th>", part * 100);
        add_sums(out, row, few_sums);
        jp_str_puts(out, "</tr>\n");
    }
    jp_str_puts(out, "</tbody>\n");
    end_table(out);
    add_rest(out, report, "of them");
}

/* --- what charts show --- */

static void begin_details(struct jp_str *out, const char *summary) { jp_str_printf(out, "<details><summary>%s</summary>\n", summary); }

static void end_details(struct jp_str *out) { jp_str_puts(out, "</details>\n"); }

static void add_moment(struct jp_str *out, const struct jp_model *model, int64_t time_100ns) {
    char local[64], utc[JP_TIME_TEXT];
    jp_time_format(time_100ns, utc);
    jp_words_moment(model, time_100ns, JP_MOMENT_EXACT, local);
    jp_str_printf(out, "<th scope=\"row\"><time datetime=\"%s\">%s</time></th><td>%.10s %.8s</td>", utc, local, utc, utc + 11);
}

void jp_table_samples(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure) {
    struct jp_str caption = {0}, id = {0};
    size_t lines = jp_line_count(model);
    jp_str_printf(&caption, "%s by pool: %s", measure->title, measure->bytes ? "committed memory, the most in each step" : "CPU time used in each step");
    jp_str_printf(&id, "samples-%s", measure->id);
    begin_details(out, measure->bytes ? "Memory as a table" : "CPU as a table");
    begin_table(out, jp_str_text(&id), jp_str_text(&caption), "samples");
    jp_str_puts(out, "<thead><tr><th scope=\"col\">From</th><th scope=\"col\">UTC</th>");
    for (size_t i = 0; i < lines; i++) {
        struct jp_str name = {0};
        jp_line_name(model, i, &name);
        jp_str_puts(out, "<th scope=\"col\" class=\"number\"><bdi>");
        jp_html_text(out, jp_str_text(&name), JP_NAME_SHOWN);
        jp_str_puts(out, "</bdi></th>");
        jp_str_free(&name);
    }
    jp_str_puts(out, "</tr></thead>\n<tbody>\n");
    for (size_t at = 0; at < model->step_count; at++) {
        size_t known = 0;
        for (size_t i = 0; i < lines; i++)
            known += measure->known(&jp_line(model, i)->steps[at]);
        if (!known)
            continue;
        jp_str_puts(out, "<tr>");
        add_moment(out, model, jp_model_time(model, at));
        for (size_t i = 0; i < lines; i++) {
            const struct jp_model_step *step = &jp_line(model, i)->steps[at];
            add_number(out, measure->id, measure->bytes ? BYTES : DURATION, measure->known(step), measure->bytes ? step->commit_bytes : step->cpu_100ns);
        }
        jp_str_puts(out, "</tr>\n");
    }
    jp_str_puts(out, "</tbody>\n");
    end_table(out);
    end_details(out);
    jp_str_free(&caption);
    jp_str_free(&id);
}

void jp_table_bars(struct jp_str *out, const struct jp_model *model, const struct jp_bar *bars, size_t count) {
    begin_details(out, "Processes as a table");
    begin_table(out, "samples-processes", "Processes that began, and those of them with an exit code other than 0", "samples");
    jp_str_puts(out, "<thead><tr><th scope=\"col\">From</th><th scope=\"col\">UTC</th><th scope=\"col\" class=\"number\">Processes</th>"
                     "<th scope=\"col\" class=\"number\">Failures</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++) {
        if (!bars[i].processes && !bars[i].failures)
            continue;
        jp_str_puts(out, "<tr>");
        add_moment(out, model, bars[i].from_100ns);
        add_number(out, "processes", COUNT, true, bars[i].processes);
        add_number(out, "failures", COUNT, true, bars[i].failures);
        jp_str_puts(out, "</tr>\n");
    }
    jp_str_puts(out, "</tbody>\n");
    end_table(out);
    end_details(out);
}

/* JOB_OBJECT_MSG_ says nothing to a reader, and takes the width of a phone. */
static void add_event(struct jp_str *out, const struct jp_model *model, const struct jp_model_event *event) {
    static const char prefix[] = "JOB_OBJECT_MSG_";
    const char *message = jp_get_text(event->event, "message");
    if (strncmp(message, prefix, sizeof prefix - 1) == 0)
        message += sizeof prefix - 1;
    jp_str_puts(out, "<tr>");
    add_moment(out, model, event->time_100ns);
    jp_str_printf(out, "<td>%s</td><td><code>", jp_lane_names[event->lane]);
    jp_html_text(out, message, JP_NAME_SHOWN);
    jp_str_puts(out, "</code></td><td><bdi>");
    jp_html_text(out, jp_get_text(event->event, "pool"), JP_NAME_SHOWN);
    jp_str_puts(out, "</bdi></td><td class=\"long\"><bdi>");
    jp_html_text(out, jp_get_text(event->event, "process"), JP_NAME_SHOWN);
    jp_str_puts(out, "</bdi> <bdi>");
    jp_html_text(out, jp_get_text(event->event, "detail"), 400);
    jp_str_puts(out, "</bdi></td></tr>\n");
}

void jp_table_events(struct jp_str *out, const struct jp_model *model) {
    enum { SHOWN = 200 };
    size_t first = model->event_count > SHOWN ? model->event_count - SHOWN : 0;
    char caption[100], all[JP_WORDS];
    begin_details(out, "Events as a table");
    if (first > 0)
        snprintf(caption, sizeof caption, "The last %d of %s events, the newest first", SHOWN, jp_words_count(model->event_count, all));
    else
        snprintf(caption, sizeof caption, "All events that are drawn, the newest first");
    begin_table(out, "event-list", caption, "samples events");
    jp_str_puts(out, "<thead><tr><th scope=\"col\">Time</th><th scope=\"col\">UTC</th><th scope=\"col\">Kind</th><th scope=\"col\">Event</th>"
                     "<th scope=\"col\">Pool</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n");
    for (size_t i = model->event_count; i-- > first;)
        add_event(out, model, &model->events[i]);
    jp_str_puts(out, "</tbody>\n");
    end_table(out);
    end_details(out);
}
