/* The page: head, key figures, and a section for each question. */
#include "report/page.h"

#include "base/units.h"
#include "report/html.h"
#include "report/sort.js.h"
#include "report/style.css.h"
#include "report/tables.h"

#include <stdio.h>
#include <string.h>

#define DAY_100NS INT64_C(864000000000)

/* --- head --- */

/* Nothing may be loaded or sent, and only this style and this script count, whatever a name should manage to smuggle in. */
static void write_head(struct jp_str *out, const struct jp_model *model) {
    jp_str_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src '" jp__style_css_hash
                     "'; script-src '" jp__sort_js_hash "'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"generator\" content=\"jobpool ");
    jp_html_text(out, model->maker->version, 60);
    jp_str_puts(out, "\">\n<title>JobPool on ");
    jp_html_text(out, jp_get_text(model->answers, "host"), 80);
    jp_str_puts(out, "</title>\n<style>");
    jp_str_add(out, jp__style_css, sizeof jp__style_css);
    jp_str_puts(out, "</style>\n</head>\n<body>\n");
}

static void write_period(struct jp_str *out, const struct jp_model *model) {
    char from[64], to[64], span[JP_WORDS], utc_from[JP_TIME_TEXT], utc_to[JP_TIME_TEXT];
    jp_time_format(model->from_100ns, utc_from);
    jp_time_format(model->to_100ns, utc_to);
    jp_str_printf(out, "<p class=\"period\"><time datetime=\"%s\">%s</time> to <time datetime=\"%s\">%s</time> <span class=\"span\">(%s)</span></p>\n", utc_from,
                  jp_words_moment(model, model->from_100ns, JP_MOMENT_YEAR, from), utc_to, jp_words_moment(model, model->to_100ns, JP_MOMENT_YEAR, to),
                  jp_words_span((uint64_t)(model->to_100ns - model->from_100ns), span));
    const cJSON *pool;
    const char *before = "<p class=\"period\">Only the pools ";
    cJSON_ArrayForEach(pool, jp_get(model->answers, "chosen")) {
        jp_str_printf(out, "%s<bdi>", before);
        jp_html_text(out, cJSON_GetStringValue(pool) ? cJSON_GetStringValue(pool) : "", JP_NAME_SHOWN);
        jp_str_puts(out, "</bdi>");
        before = ", ";
    }
    if (*before == ',')
        jp_str_puts(out, "</p>\n");
}

/* --- key figures --- */

static void figure(struct jp_str *out, const char *name, const char *value, const char *note) {
    jp_str_printf(out, "<div><dt>%s</dt><dd><span class=\"value\">%s</span><span class=\"note\">%s</span></dd></div>\n", name, value, note);
}

static bool cpu_of_total(const cJSON *total, uint64_t *ret_user, uint64_t *ret_kernel) {
    return jp_json_get_u64(jp_get(total, "userTime100ns"), ret_user) && jp_json_get_u64(jp_get(total, "kernelTime100ns"), ret_kernel);
}

static void write_figures(struct jp_str *out, const struct jp_model *model) {
    const cJSON *total = jp_get(jp_get(model->answers, "byPool"), "total");
    uint64_t processes = jp_get_u64(total, "processes"), failures = jp_get_u64(total, "failures"), user = 0, kernel = 0, peak = 0, read = 0;
    char value[JP_WORDS], one[JP_WORDS], other[JP_WORDS], note[200];
    jp_str_puts(out, "<dl class=\"figures\">\n");
    snprintf(note, sizeof note, "%s still run", jp_words_count(jp_get_u64(total, "running"), one));
    figure(out, "Processes", jp_words_count(processes, value), note);
    snprintf(note, sizeof note, "%s of them, %s crashed", jp_words_percent(processes ? (double)failures / (double)processes * 100 : 0, one),
             jp_words_count(jp_get_u64(total, "crashed"), other));
    figure(out, "Failures", jp_words_count(failures, value), note);
    bool cpu = cpu_of_total(total, &user, &kernel);
    snprintf(note, sizeof note, "%s user, %s kernel", jp_words_duration(user, one), jp_words_duration(kernel, other));
    figure(out, "CPU time", cpu ? jp_words_duration(user > UINT64_MAX - kernel ? UINT64_MAX : user + kernel, value) : "\xE2\x80\x93", cpu ? note : "not known");
    bool memory = jp_json_get_u64(jp_get(total, "peakCommitBytes"), &peak);
    figure(out, "Peak memory", memory ? jp_words_bytes((double)peak, value) : "\xE2\x80\x93", memory ? "of the largest process" : "not known");
    bool io = jp_json_get_u64(jp_get(total, "readBytes"), &read);
    snprintf(note, sizeof note, "%s written", jp_words_bytes((double)jp_get_u64(total, "writeBytes"), one));
    figure(out, "Bytes read", io ? jp_words_bytes((double)read, value) : "\xE2\x80\x93", io ? note : "not known");
    jp_str_puts(out, "</dl>\n");
}

/* What keeps the numbers from being the whole truth. */
static void write_notices(struct jp_str *out, const struct jp_model *model) {
    const cJSON *report = jp_get(model->answers, "byPool"), *row;
    char text[64], count[JP_WORDS];
    uint64_t unobserved = 0;
    if (cJSON_IsFalse(jp_get(report, "complete")) && jp_get_time(report, "completeFrom"))
        jp_str_printf(out, "<p class=\"notice\">Not complete: of processes that began before %s some rows were purged. <code>jobpool accounting summary</code> has their sums.</p>\n",
                      jp_words_moment(model, jp_get_time(report, "completeFrom"), JP_MOMENT_YEAR, text));
    cJSON_ArrayForEach(row, jp_get(jp_get(model->answers, "summary"), "pools")) {
        unobserved += jp_get_u64(row, "unobserved");
    }
    if (unobserved)
        jp_str_printf(out, "<p class=\"notice\">%s processes more were counted by the job objects and seen by nobody, because they came and went while no service was there. They are in no row below.</p>\n",
                      jp_words_count(unobserved, count));
    const cJSON *database = jp_get(jp_get(model->answers, "status"), "database");
    if (cJSON_IsTrue(jp_get(database, "degraded"))) {
        jp_str_puts(out, "<p class=\"notice\">The accounting database cannot be written now: ");
        jp_html_text(out, jp_get_text(database, "reason"), 400);
        jp_str_puts(out, "</p>\n");
    }
}

/* --- sections --- */

static void begin_section(struct jp_str *out, const char *id, const char *title, const char *words) {
    jp_str_printf(out, "<section class=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n<p class=\"lead\">%s</p>\n", id, id, id, title, words);
}

static void end_section(struct jp_str *out) { jp_str_puts(out, "</section>\n"); }

/* Beside a narrow chart, which has no room for names. */
static void write_legend(struct jp_str *out, const struct jp_model *model) {
    jp_str_puts(out, "<ul class=\"legend narrow\">\n");
    for (size_t i = 0; i < jp_line_count(model); i++) {
        struct jp_str name = {0};
        jp_line_name(model, i, &name);
        jp_str_printf(out, "<li><svg viewBox=\"0 0 10 8\" aria-hidden=\"true\"><rect class=\"f%u\" width=\"10\" height=\"8\"/></svg><bdi>", (unsigned)i);
        jp_html_text(out, jp_str_text(&name), 40);
        jp_str_puts(out, "</bdi></li>\n");
        jp_str_free(&name);
    }
    jp_str_puts(out, "</ul>\n");
}

static void write_lines(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure) {
    char words[300], step[JP_WORDS];
    jp_words_duration(model->step_100ns, step);
    if (measure->bytes)
        snprintf(words, sizeof words, "Committed memory, the most in each step of %s. A pool includes those below it.", step);
    else
        snprintf(words, sizeof words, "Per cent of the machine\xE2\x80\x99s %u processor%s, averaged over steps of %s. A pool includes those below it.", model->processors,
                 model->processors == 1 ? "" : "s", step);
    begin_section(out, measure->id, measure->title, words);
    jp_str_puts(out, "<figure>\n");
    write_legend(out, model);
    jp_chart_lines(out, model, measure);
    jp_str_puts(out, "</figure>\n");
    jp_table_samples(out, model, measure);
    end_section(out);
}

static void write_panels(struct jp_str *out, const struct jp_model *model) {
    begin_section(out, "panels", "Pools against their limits", "Each of these pools by itself. The dashed line is its limit, where it has one; the scale is its own.");
    for (size_t i = 0; i < model->drawn; i++) {
        jp_str_puts(out, "<figure class=\"pool\"><figcaption><h3><bdi>");
        jp_html_text(out, model->pools[i].name, JP_NAME_SHOWN);
        jp_str_puts(out, "</bdi></h3></figcaption>\n");
        jp_chart_panel(out, model, &jp_measure_cpu, i);
        jp_chart_panel(out, model, &jp_measure_memory, i);
        jp_str_puts(out, "</figure>\n");
    }
    end_section(out);
}

/* Where samples were deleted, or were not recorded yet, a line that is not there does not mean that nothing ran. */
static void write_since(struct jp_str *out, const struct jp_model *model) {
    const cJSON *answer;
    int64_t since = 0;
    char text[64];
    cJSON_ArrayForEach(answer, jp_get(model->answers, "series")) {
        since = jp_get_time(answer, "completeFrom") > since ? jp_get_time(answer, "completeFrom") : since;
    }
    if (since)
        jp_str_printf(out, "<p class=\"notice\">Samples before %s are not kept any more.</p>\n", jp_words_moment(model, since, JP_MOMENT_YEAR, text));
}

static void write_samples(struct jp_str *out, const struct jp_model *model) {
    if (!jp_line_count(model)) {
        begin_section(out, "cpu", "CPU and memory over time",
                      "No samples of this time are there: nothing ran, or none were recorded. <code>sampling.record</code> in the configuration says how often they are.");
        end_section(out);
        return;
    }
    write_since(out, model);
    write_lines(out, model, &jp_measure_cpu);
    write_lines(out, model, &jp_measure_memory);
    write_panels(out, model);
}

/* --- processes --- */

enum { BARS_MAX = 400, DAYS_AS_BARS = 4 };

/* Steps put together, so that there are at most about sixty bars. */
static size_t bars_of_steps(const struct jp_model *model, struct jp_bar *bars) {
    size_t together = (model->step_count + 59) / 60, count = 0;
    for (size_t i = 0; i < model->step_count; i++) {
        if (i % together == 0)
            bars[count++] = (struct jp_bar){.from_100ns = jp_model_time(model, i)};
        struct jp_bar *bar = &bars[count - 1];
        bar->to_100ns = jp_model_time(model, i + 1);
        bar->processes += model->starts[i].started;
        bar->failures += model->starts[i].failures;
    }
    return count;
}

static size_t bars_of_days(const struct jp_model *model, struct jp_bar *bars) {
    const cJSON *row;
    size_t count = 0;
    cJSON_ArrayForEach(row, jp_get(jp_get(model->answers, "byDay"), "rows")) {
        int64_t day = jp_get_time(row, "day");
        if (day == 0 || count == BARS_MAX)
            continue;
        struct jp_bar bar = {.from_100ns = day, .to_100ns = day + DAY_100NS, .processes = jp_get_u64(row, "processes"), .failures = jp_get_u64(row, "failures")};
        size_t at = count++;
        for (; at > 0 && bars[at - 1].from_100ns > day; at--) /* the answer has the busiest first */
            bars[at] = bars[at - 1];
        bars[at] = bar;
    }
    return count;
}

static void write_processes(struct jp_str *out, const struct jp_model *model) {
    struct jp_bar bars[BARS_MAX];
    bool days = model->to_100ns - model->from_100ns >= DAYS_AS_BARS * DAY_100NS || !model->step_count;
    size_t count = days ? bars_of_days(model, bars) : bars_of_steps(model, bars);
    char words[200], step[JP_WORDS];
    if (days)
        snprintf(words, sizeof words, "Processes by the day on which they began (UTC), and those of them that ended with a code other than 0.");
    else
        snprintf(words, sizeof words, "Processes that began, and failures that ended, by %s.",
                 jp_words_duration(count ? (uint64_t)(bars[0].to_100ns - bars[0].from_100ns) : 0, step));
    begin_section(out, "processes", "Processes and failures", words);
    if (count) {
        jp_str_puts(out, "<figure>\n<ul class=\"legend\"><li><svg viewBox=\"0 0 10 8\" aria-hidden=\"true\"><rect class=\"good\" width=\"10\" height=\"8\"/></svg>processes</li>"
                         "<li><svg viewBox=\"0 0 10 8\" aria-hidden=\"true\"><rect class=\"bad\" width=\"10\" height=\"8\"/></svg>failures</li></ul>\n");
        jp_chart_bars(out, model, bars, count);
        jp_str_puts(out, "</figure>\n");
        jp_table_bars(out, model, bars, count);
    } else {
        jp_str_puts(out, "<p class=\"empty\">No process began in this time.</p>\n");
    }
    end_section(out);
}

static void write_events(struct jp_str *out, const struct jp_model *model) {
    begin_section(out, "events", "Events", "What limits, administrators and the service itself did. Starts and ends of processes are counted above.");
    if (model->event_count) {
        jp_str_puts(out, "<figure>\n");
        jp_chart_timeline(out, model);
        jp_str_puts(out, "</figure>\n");
        if (cJSON_IsTrue(jp_get(model->answers, "eventsCut")))
            jp_str_puts(out, "<p class=\"note\">There were more; only the newest are drawn.</p>\n");
        jp_table_events(out, model);
    } else {
        jp_str_puts(out, "<p class=\"empty\">None in this time.</p>\n");
    }
    end_section(out);
}

static bool has_rows(const cJSON *report) { return cJSON_GetArraySize(jp_get(report, "rows")) > 0; }

static void write_consumers(struct jp_str *out, const struct jp_model *model) {
    const cJSON *images = jp_get(model->answers, "byImage"), *users = jp_get(model->answers, "byUser");
    if (!has_rows(images) && !has_rows(users))
        return;
    begin_section(out, "consumers", "Who used the most", "By CPU time, user and kernel together.");
    jp_str_puts(out, "<div class=\"halves\">\n");
    jp_table_consumers(out, images, "by-image", "Programs", "Program", "image");
    jp_table_consumers(out, users, "by-user", "Accounts", "Account", "user");
    jp_str_puts(out, "</div>\n");
    end_section(out);
}

static void write_tables(struct jp_str *out, const struct jp_model *model) {
    begin_section(out, "pools", "Pools", "Processes that began in the time, also those that still run. Without those of pools below.");
    jp_table_pools(out, model);
    end_section(out);
    if (!has_rows(jp_get(model->answers, "byDay")))
        return;
    begin_section(out, "days", "Days", "The same by day.");
    jp_table_days(out, model);
    end_section(out);
}

static void write_foot(struct jp_str *out, const struct jp_model *model) {
    char local[64], utc[JP_TIME_TEXT];
    const cJSON *status = jp_get(model->answers, "status");
    int64_t made = jp_get_time(model->answers, "made");
    jp_time_format(made, utc);
    jp_str_printf(out, "</main>\n<footer>\n<p>Made on <time datetime=\"%s\">%s</time> (%.10s %.8s UTC) by jobpool ", utc,
                  jp_words_moment(model, made, JP_MOMENT_YEAR, local), utc, utc + 11);
    jp_html_text(out, model->maker->version, 60);
    if (*jp_get_text(status, "version")) {
        jp_str_puts(out, ", from a service of version ");
        jp_html_text(out, jp_get_text(status, "version"), 60);
    }
    if (*jp_get_text(status, "host")) {
        jp_str_puts(out, " on ");
        jp_html_text(out, jp_get_text(status, "host"), 120);
    }
    jp_str_puts(out, ". Times are local: ");
    jp_html_text(out, model->maker->zone, 120);
    jp_str_puts(out, "; the tables have UTC too.</p>\n</footer>\n<script>");
    jp_str_add(out, jp__sort_js, sizeof jp__sort_js);
    jp_str_puts(out, "</script>\n</body>\n</html>\n");
}

void jp_page_write(const cJSON *answers, const struct jp_page_maker *maker, struct jp_str *out) {
    struct jp_model model;
    jp_model_make(&model, answers, maker);
    write_head(out, &model);
    jp_str_puts(out, "<main>\n<header>\n<p class=\"eyebrow\">JobPool report</p>\n<h1><bdi>");
    jp_html_text(out, *jp_get_text(answers, "host") ? jp_get_text(answers, "host") : "this machine", 80);
    jp_str_puts(out, "</bdi></h1>\n");
    write_period(out, &model);
    jp_str_puts(out, "</header>\n");
    write_figures(out, &model);
    write_notices(out, &model);
    write_samples(out, &model);
    write_processes(out, &model);
    write_events(out, &model);
    write_consumers(out, &model);
    write_tables(out, &model);
    write_foot(out, &model);
    jp_model_free(&model);
}
