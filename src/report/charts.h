/* The charts of a page. Each of the wide ones is drawn twice, for a screen and for a phone, so that its text is never too small to read;
 * the style shows one of them. */
#ifndef JP_REPORT_CHARTS_H
#define JP_REPORT_CHARTS_H

#include "report/svg.h"

/* What is drawn over time. */
struct jp_measure {
    const char *id;
    const char *title; /* "CPU" */
    const char *words; /* what the numbers are, for who cannot see it */
    bool bytes;        /* the unit: bytes, or percent of the machine */
    bool (*known)(const struct jp_model_step *step);
    double (*value)(const struct jp_model *model, const struct jp_model_step *step);
    double (*limit)(const struct jp_model *model, const struct jp_model_step *step); /* 0: none */
};
extern const struct jp_measure jp_measure_cpu, jp_measure_memory;

/* The pool that a line is of: those drawn, and behind them the rest, if there is one. */
const struct jp_model_pool *jp_line(const struct jp_model *model, size_t index);
size_t jp_line_count(const struct jp_model *model);
void jp_line_name(const struct jp_model *model, size_t index, struct jp_str *out);

/* All pools in one chart. */
void jp_chart_lines(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure);

/* One pool with its limit. */
void jp_chart_panel(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure, size_t index);

/* Processes and failures: a bar each. */
struct jp_bar {
    int64_t from_100ns, to_100ns;
    uint64_t processes, failures;
};
void jp_chart_bars(struct jp_str *out, const struct jp_model *model, const struct jp_bar *bars, size_t count);

/* Events, a lane for each kind. */
void jp_chart_timeline(struct jp_str *out, const struct jp_model *model);

/* A moment: "22 Nov", "14:05", "14:05:30", "22 Nov 2026, 14:05", "2026-11-22 14:05:30". */
enum jp_moment { JP_MOMENT_DATE, JP_MOMENT_CLOCK, JP_MOMENT_SECONDS, JP_MOMENT_YEAR, JP_MOMENT_EXACT };
const char *jp_words_moment(const struct jp_model *model, int64_t utc_100ns, enum jp_moment how, char buffer[64]);

#endif
