/* From the model to drawings: lines, panels with limits, bars, the timeline. */
#include "report/charts.h"

#include "base/units.h"
#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- measures --- */

static bool cpu_known(const struct jp_model_step *step) { return step->known; }

static bool memory_known(const struct jp_model_step *step) { return step->memory_known; }

static double cpu_percent(const struct jp_model *model, const struct jp_model_step *step) {
    return (double)step->cpu_100ns / ((double)model->step_100ns * model->processors) * 100;
}

static double cpu_limit(const struct jp_model *model, const struct jp_model_step *step) {
    (void)model;
    return (double)step->cpu_limit / 100;
}

static double memory_bytes(const struct jp_model *model, const struct jp_model_step *step) {
    (void)model;
    return (double)step->commit_bytes;
}

static double memory_limit(const struct jp_model *model, const struct jp_model_step *step) {
    (void)model;
    return (double)step->memory_limit_bytes;
}

const struct jp_measure jp_measure_cpu = {"cpu", "CPU", "per cent of all processors, averaged over each step", false, cpu_known, cpu_percent, cpu_limit};
const struct jp_measure jp_measure_memory = {"memory", "Memory", "committed memory, the most in each step", true, memory_known, memory_bytes, memory_limit};

static const char *words(const struct jp_measure *measure, double value, char buffer[JP_WORDS]) {
    return measure->bytes ? jp_words_bytes(value, buffer) : jp_words_percent(value, buffer);
}

/* --- time --- */

const char *jp_words_moment(const struct jp_model *model, int64_t utc_100ns, enum jp_moment how, char buffer[64]) {
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[JP_TIME_TEXT];
    jp_time_format(jp_model_local(model, utc_100ns), text);
    int year = 0, month = 1, day = 1;
    sscanf(text, "%d-%d-%d", &year, &month, &day);
    const char *name = months[month >= 1 && month <= 12 ? month - 1 : 0], *clock = strchr(text, 'T') + 1;
    switch (how) {
    case JP_MOMENT_DATE: snprintf(buffer, 64, "%d\xC2\xA0%s", day, name); break;
    case JP_MOMENT_CLOCK: snprintf(buffer, 64, "%.5s", clock); break;
    case JP_MOMENT_SECONDS: snprintf(buffer, 64, "%.8s", clock); break;
    case JP_MOMENT_YEAR: snprintf(buffer, 64, "%d\xC2\xA0%s\xC2\xA0%d, %.5s", day, name, year, clock); break;
    case JP_MOMENT_EXACT: snprintf(buffer, 64, "%04d-%02d-%02d %.8s", year, month, day, clock); break;
    }
    return buffer;
}

static struct jp_scale time_scale(const struct jp_model *model, const struct jp_frame *frame) {
    return (struct jp_scale){0, (double)(model->to_100ns - model->from_100ns), frame->left, frame->right};
}

static double time_at(const struct jp_model *model, const struct jp_scale *scale, int64_t time_100ns) {
    return jp_scale_at(scale, (double)(time_100ns - model->from_100ns));
}

/* Where the clock is shown, a tick at midnight shows the date instead. */
static void draw_time_axis(struct jp_str *out, const struct jp_model *model, const struct jp_frame *frame) {
    struct jp_scale scale = time_scale(model, frame);
    struct jp_time_ticks ticks;
    jp_time_ticks(model, (unsigned)((frame->right - frame->left) / 68), &ticks);
    jp_svg_line(out, "axis", frame->left, frame->bottom, frame->right, frame->bottom);
    for (size_t i = 0; i < ticks.count; i++) {
        char text[64];
        double x = time_at(model, &scale, ticks.at_100ns[i]);
        jp_words_moment(model, ticks.at_100ns[i], ticks.seconds ? JP_MOMENT_SECONDS : JP_MOMENT_CLOCK, text);
        if (ticks.days || strcmp(text, "00:00") == 0)
            jp_words_moment(model, ticks.at_100ns[i], JP_MOMENT_DATE, text);
        jp_svg_line(out, "axis", x, frame->bottom, x, frame->bottom + 5);
        /* What would stick out at the ends is not written. */
        if (x - 22 >= 0 && x + 22 <= frame->width)
            jp_svg_text(out, "tick", "middle", x, frame->bottom + 20, text, 20);
    }
}

/* Lines from zero to the tick at or above `most`, with their values. Returns the scale. */
static struct jp_scale draw_value_axis(struct jp_str *out, const struct jp_frame *frame, double most, unsigned wanted, bool bytes, bool percent) {
    if (percent && most < 1)
        most = 1; /* of a machine that does next to nothing */
    double step = jp_round_step(most > 0 ? most : 1, wanted, bytes);
    if (!bytes && !percent && step < 1)
        step = 1;
    double high = ceil((most > 0 ? most : 1) / step) * step;
    if (percent && high > 100 && most <= 100)
        high = 100;
    struct jp_scale scale = {0, high, frame->bottom, frame->top};
    for (unsigned i = 0; i <= 12 && i * step <= high * 1.0001; i++) {
        char text[JP_WORDS];
        double value = i * step, y = jp_scale_at(&scale, value);
        if (i > 0)
            jp_svg_line(out, "grid", frame->left, y, frame->right, y);
        if (bytes)
            jp_words_bytes(value, text);
        else if (percent)
            jp_words_percent(value, text);
        else
            jp_words_count((uint64_t)value, text);
        jp_svg_text(out, "tick", "end", frame->left - 8, y + 4.5, i > 0 ? text : "0", 20);
    }
    return scale;
}

/* --- lines --- */

size_t jp_line_count(const struct jp_model *model) { return model->drawn + (model->others.steps != NULL); }

const struct jp_model_pool *jp_line(const struct jp_model *model, size_t index) {
    return index < model->drawn ? &model->pools[index] : &model->others;
}

void jp_line_name(const struct jp_model *model, size_t index, struct jp_str *out) {
    char count[JP_WORDS];
    if (index < model->drawn)
        jp_str_puts(out, model->pools[index].name);
    else
        jp_str_printf(out, "%s others", jp_words_count(model->others_count, count));
}

static double x_of_step(const struct jp_model *model, const struct jp_scale *time, size_t step) {
    int64_t begin = jp_model_time(model, step), end = begin + (int64_t)model->step_100ns;
    begin = begin < model->from_100ns ? model->from_100ns : begin;
    end = end > model->to_100ns ? model->to_100ns : end;
    return time_at(model, time, begin + (end - begin) / 2);
}

/* Where there are no samples, there is no line. One sample by itself is a dot. */
static void draw_values(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure, const struct jp_model_pool *pool,
                        const struct jp_scale *time, const struct jp_scale *values, const char *class, size_t colour) {
    struct jp_str path = {0}, area = {0}, dots = {0};
    for (size_t i = 0; i < model->step_count; i++) {
        if (!measure->known(&pool->steps[i]))
            continue;
        bool begins = i == 0 || !measure->known(&pool->steps[i - 1]), ends = i + 1 == model->step_count || !measure->known(&pool->steps[i + 1]);
        double x = x_of_step(model, time, i), y = jp_scale_at(values, measure->value(model, &pool->steps[i]));
        jp_str_printf(&path, "%c%.1f %.1f", begins ? 'M' : 'L', x, y);
        if (begins)
            jp_str_printf(&area, "M%.1f %.1f", x, values->from);
        jp_str_printf(&area, "L%.1f %.1f", x, y);
        if (ends)
            jp_str_printf(&area, "L%.1f %.1fZ", x, values->from);
        if (begins && ends)
            jp_str_printf(&dots, "<circle class=\"f%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", (unsigned)colour, x, y);
    }
    if (*class == 'a' && area.length)
        jp_str_printf(out, "<path class=\"area f%u\" d=\"%s\"/>\n", (unsigned)colour, jp_str_text(&area));
    if (path.length)
        jp_str_printf(out, "<path class=\"line s%u\" d=\"%s\"/>\n", (unsigned)colour, jp_str_text(&path));
    jp_str_puts(out, jp_str_text(&dots));
    jp_str_free(&path);
    jp_str_free(&area);
    jp_str_free(&dots);
}

/* A limit is a step of its own: it holds from one sample to the next. Returns the last one that is drawn, or 0. */
static double draw_limit(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure, const struct jp_model_pool *pool,
                         const struct jp_scale *time, const struct jp_scale *values) {
    struct jp_str path = {0};
    double last = 0, before = 0;
    for (size_t i = 0; i < model->step_count; i++) {
        double limit = pool->steps[i].known ? measure->limit(model, &pool->steps[i]) : 0;
        if (limit > 0 && limit <= values->high) {
            double x = time_at(model, time, jp_model_time(model, i)), y = jp_scale_at(values, limit);
            double end = time_at(model, time, jp_model_time(model, i) + (int64_t)model->step_100ns);
            jp_str_printf(&path, "%c%.1f %.1fH%.1f", before > 0 ? 'L' : 'M', x, y, end);
            last = limit;
        } else {
            limit = 0;
        }
        before = limit;
    }
    if (path.length)
        jp_str_printf(out, "<path class=\"limit\" d=\"%s\"/>\n", jp_str_text(&path));
    jp_str_free(&path);
    return last;
}

static double most_of(const struct jp_model *model, const struct jp_measure *measure, const struct jp_model_pool *pool, bool of_limit) {
    double most = 0;
    for (size_t i = 0; i < model->step_count; i++) {
        double value = !measure->known(&pool->steps[i]) ? 0 : of_limit ? measure->limit(model, &pool->steps[i]) : measure->value(model, &pool->steps[i]);
        most = value > most ? value : most;
    }
    return most;
}

/* Names beside the chart in the order of their weight: at the ends of lines that all go to zero at night they would be a heap. */
static void draw_names(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure, const struct jp_frame *frame) {
    enum { APART = 36 };
    for (size_t i = 0; i < jp_line_count(model); i++) {
        struct jp_str name = {0}, most = {0};
        char class[8], text[JP_WORDS];
        double y = frame->top + (double)i * APART;
        jp_line_name(model, i, &name);
        snprintf(class, sizeof class, "f%u", (unsigned)i);
        jp_svg_rectangle(out, class, frame->right + 24, y + 2, 12, 8);
        jp_svg_text(out, "label", "start", frame->right + 44, y + 10.5, jp_str_text(&name), 17);
        jp_str_printf(&most, "at most %s", words(measure, most_of(model, measure, jp_line(model, i), false), text));
        jp_svg_text(out, "tick", "start", frame->right + 44, y + 26, jp_str_text(&most), 40);
        jp_str_free(&name);
        jp_str_free(&most);
    }
}

static void describe_lines(struct jp_str *text, const struct jp_model *model, const struct jp_measure *measure) {
    char most[JP_WORDS];
    jp_str_printf(text, "%s. The most in a step: ", measure->words);
    for (size_t i = 0; i < jp_line_count(model); i++) {
        jp_str_puts(text, i > 0 ? ", " : "");
        jp_line_name(model, i, text);
        jp_str_printf(text, " %s", words(measure, most_of(model, measure, jp_line(model, i), false), most));
    }
    jp_str_puts(text, ". The table below has all values.");
}

static void draw_lines(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure, const struct jp_frame *frame) {
    struct jp_str title = {0}, description = {0};
    char id[32];
    double most = 0;
    for (size_t i = 0; i < jp_line_count(model); i++)
        most = fmax(most, most_of(model, measure, jp_line(model, i), false));
    snprintf(id, sizeof id, "%s-%s", measure->id, frame->narrow ? "narrow" : "wide");
    jp_str_printf(&title, "%s by pool over time", measure->title);
    describe_lines(&description, model, measure);
    jp_svg_begin(out, frame, id, frame->narrow ? "chart narrow" : "chart wide", jp_str_text(&title), jp_str_text(&description));
    struct jp_scale values = draw_value_axis(out, frame, most, 5, measure->bytes, !measure->bytes), time = time_scale(model, frame);
    draw_time_axis(out, model, frame);
    for (size_t i = jp_line_count(model); i-- > 0;) /* the most important on top */
        draw_values(out, model, measure, jp_line(model, i), &time, &values, "line", i);
    if (!frame->narrow)
        draw_names(out, model, measure, frame);
    jp_svg_end(out);
    jp_str_free(&title);
    jp_str_free(&description);
}

void jp_chart_lines(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure) {
    static const struct jp_frame wide = {.width = 900, .height = 300, .left = 72, .right = 720, .top = 14, .bottom = 264};
    static const struct jp_frame narrow = {.width = 400, .height = 260, .left = 66, .right = 392, .top = 12, .bottom = 226, .narrow = true};
    draw_lines(out, model, measure, &wide);
    draw_lines(out, model, measure, &narrow);
}

void jp_chart_panel(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure, size_t index) {
    static const struct jp_frame frame = {.width = 420, .height = 170, .left = 66, .right = 410, .top = 22, .bottom = 136};
    const struct jp_model_pool *pool = jp_line(model, index);
    double most = most_of(model, measure, pool, false), limit = most_of(model, measure, pool, true);
    bool far = limit > 8 * most; /* such a limit would flatten all below it */
    struct jp_str title = {0}, description = {0}, note = {0};
    char id[32], text[JP_WORDS];
    snprintf(id, sizeof id, "%s-%u", measure->id, (unsigned)index);
    jp_str_printf(&title, "%s of %s over time", measure->title, pool->name);
    jp_str_printf(&description, "%s. The most: %s.", measure->words, words(measure, most, text));
    if (limit > 0)
        jp_str_printf(&description, " The limit: %s.", words(measure, limit, text));
    jp_svg_begin(out, &frame, id, "chart panel", jp_str_text(&title), jp_str_text(&description));
    struct jp_scale values = draw_value_axis(out, &frame, limit > 0 && !far ? fmax(most, limit * 1.05) : most, 3, measure->bytes, !measure->bytes);
    struct jp_scale time = time_scale(model, &frame);
    draw_time_axis(out, model, &frame);
    draw_values(out, model, measure, pool, &time, &values, "area", index);
    double drawn = draw_limit(out, model, measure, pool, &time, &values);
    jp_svg_text(out, "heading", "start", frame.left, 12, measure->title, 20);
    if (drawn > 0)
        jp_str_printf(&note, "limit %s", words(measure, drawn, text));
    else if (limit > 0)
        jp_str_printf(&note, "limit %s, far above", words(measure, limit, text));
    else
        jp_str_puts(&note, "no limit");
    jp_svg_text(out, drawn > 0 ? "tick limited" : "tick", "end", frame.right, 12, jp_str_text(&note), 60);
    jp_svg_end(out);
    jp_str_free(&title);
    jp_str_free(&description);
    jp_str_free(&note);
}

/* --- bars --- */

/* With its numbers, where there is room for them. */
static void draw_bar(struct jp_str *out, const struct jp_model *model, const struct jp_frame *frame, const struct jp_scale *values, const struct jp_scale *time,
                     const struct jp_bar *bar) {
    enum { WIDEST = 48, ROOM_FOR_NUMBERS = 76 };
    char text[JP_WORDS];
    double from = time_at(model, time, bar->from_100ns), to = time_at(model, time, bar->to_100ns), room = to - from;
    double width = fmin(fmax(room - (room > 8 ? 2 : room > 3 ? 1 : 0), 1), WIDEST), x = from + (room - width) / 2;
    double all = jp_scale_at(values, (double)bar->processes), failed = jp_scale_at(values, (double)bar->failures);
    if (bar->processes > 0)
        jp_svg_rectangle(out, "good", x, all, width, fmax(frame->bottom - all, 1));
    if (bar->failures > 0)
        jp_svg_rectangle(out, "bad", x, failed, width, fmax(frame->bottom - failed, 1));
    if (room < ROOM_FOR_NUMBERS)
        return;
    double top = fmin(all, failed), lines = bar->failures > 0 ? 2 : 1;
    jp_svg_text(out, "label", "middle", x + width / 2, top + 7 - 15 * lines, jp_words_count(bar->processes, text), 20);
    if (bar->failures > 0) {
        struct jp_str failures = {0};
        jp_str_printf(&failures, "%s failed", jp_words_count(bar->failures, text));
        jp_svg_text(out, "limited", "middle", x + width / 2, top - 8, jp_str_text(&failures), 30);
        jp_str_free(&failures);
    }
}

static void draw_bars(struct jp_str *out, const struct jp_model *model, const struct jp_frame *frame, const struct jp_bar *bars, size_t count) {
    uint64_t most = 0;
    double processes = 0, failures = 0;
    char description[200];
    for (size_t i = 0; i < count; i++) {
        most = bars[i].processes > most ? bars[i].processes : most;
        most = bars[i].failures > most ? bars[i].failures : most;
        processes += (double)bars[i].processes;
        failures += (double)bars[i].failures;
    }
    snprintf(description, sizeof description, "%.0f processes in all, %.0f of them with an exit code other than 0. The table below has all values.", processes, failures);
    jp_svg_begin(out, frame, frame->narrow ? "processes-narrow" : "processes-wide", frame->narrow ? "chart narrow" : "chart wide", "Processes and failures over time", description);
    struct jp_scale values = draw_value_axis(out, frame, (double)most, 4, false, false), time = time_scale(model, frame);
    draw_time_axis(out, model, frame);
    for (size_t i = 0; i < count; i++)
        draw_bar(out, model, frame, &values, &time, &bars[i]);
    jp_svg_end(out);
}

void jp_chart_bars(struct jp_str *out, const struct jp_model *model, const struct jp_bar *bars, size_t count) {
    static const struct jp_frame wide = {.width = 900, .height = 262, .left = 72, .right = 892, .top = 40, .bottom = 226};
    static const struct jp_frame narrow = {.width = 400, .height = 220, .left = 66, .right = 392, .top = 12, .bottom = 186, .narrow = true};
    draw_bars(out, model, &wide, bars, count);
    draw_bars(out, model, &narrow, bars, count);
}

/* --- timeline --- */

enum { LANE_HEIGHT = 36 };

/* Events that would fall on each other are one mark, the higher the more they are. */
static void draw_lane(struct jp_str *out, const struct jp_model *model, const struct jp_frame *frame, enum jp_lane lane) {
    struct jp_scale time = time_scale(model, frame);
    double middle = frame->top + ((int)lane + 0.5) * LANE_HEIGHT;
    char class[8], count[JP_WORDS];
    snprintf(class, sizeof class, "lane%u", (unsigned)lane);
    jp_svg_line(out, "grid", frame->left, frame->top + (lane + 1) * LANE_HEIGHT, frame->right, frame->top + (lane + 1) * LANE_HEIGHT);
    jp_svg_text(out, "label", "start", 0, middle + 4.5, jp_lane_names[lane], 20);
    jp_svg_text(out, "tick", "end", frame->left - 12, middle + 4.5, jp_words_count(model->lane_counts[lane], count), 20);
    for (size_t i = 0; i < model->event_count;) {
        if (model->events[i].lane != lane) {
            i++;
            continue;
        }
        double x = time_at(model, &time, model->events[i].time_100ns);
        size_t together = 0;
        for (; i < model->event_count && time_at(model, &time, model->events[i].time_100ns) < x + 4; i++)
            together += model->events[i].lane == lane;
        double height = fmin(10 + 4 * log2((double)together), LANE_HEIGHT - 6);
        jp_svg_rectangle(out, class, x - 1.5, middle - height / 2, 3, height);
    }
}

static void draw_timeline(struct jp_str *out, const struct jp_model *model, const struct jp_frame *frame) {
    struct jp_str description = {0};
    char count[JP_WORDS];
    for (unsigned lane = 0; lane < JP_LANES; lane++)
        jp_str_printf(&description, "%s%s: %s", lane > 0 ? ", " : "", jp_lane_names[lane], jp_words_count(model->lane_counts[lane], count));
    jp_str_puts(&description, ". The table below has the last of them.");
    jp_svg_begin(out, frame, frame->narrow ? "events-narrow" : "events-wide", frame->narrow ? "chart narrow" : "chart wide", "Events over time, by kind",
                 jp_str_text(&description));
    draw_time_axis(out, model, frame);
    for (unsigned lane = 0; lane < JP_LANES; lane++)
        draw_lane(out, model, frame, (enum jp_lane)lane);
    jp_svg_end(out);
    jp_str_free(&description);
}

void jp_chart_timeline(struct jp_str *out, const struct jp_model *model) {
    static const struct jp_frame wide = {.width = 900, .height = JP_LANES * LANE_HEIGHT + 32, .left = 130, .right = 892, .top = 0, .bottom = JP_LANES * LANE_HEIGHT};
    static const struct jp_frame narrow = {.width = 400, .height = JP_LANES * LANE_HEIGHT + 32, .left = 116, .right = 392, .top = 0,
                                           .bottom = JP_LANES * LANE_HEIGHT, .narrow = true};
    draw_timeline(out, model, &wide);
    draw_timeline(out, model, &narrow);
}
