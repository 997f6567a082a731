/* The tables of a page. Cells have the exact number in data-value, beside what a person reads. */
#ifndef JP_REPORT_TABLES_H
#define JP_REPORT_TABLES_H

#include "report/charts.h"

/* Characters of a name that are shown. */
enum { JP_NAME_SHOWN = 120 };

/* Rows of accounting.report by one key, with their totals. */
void jp_table_pools(struct jp_str *out, const struct jp_model *model);
void jp_table_days(struct jp_str *out, const struct jp_model *model);

/* The first rows only, with a bar each: who used the most CPU time. */
void jp_table_consumers(struct jp_str *out, const cJSON *report, const char *id, const char *caption, const char *title, const char *key);

/* What the charts show. */
void jp_table_samples(struct jp_str *out, const struct jp_model *model, const struct jp_measure *measure);
void jp_table_bars(struct jp_str *out, const struct jp_model *model, const struct jp_bar *bars, size_t count);
void jp_table_events(struct jp_str *out, const struct jp_model *model);

#endif
