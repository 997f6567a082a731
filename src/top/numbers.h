/* Numbers as a narrow column shows them: three digits that can be compared at a glance. */
#ifndef JP_TOP_NUMBERS_H
#define JP_TOP_NUMBERS_H

#include "top/sample.h"

enum { JP_TOP_NUMBER_TEXT = 24 };

/* "-" for what is not known. */
const char *jp_top_bytes(struct jp_top_number bytes, char buffer[JP_TOP_NUMBER_TEXT]);         /* "612K", "1.23G" */
const char *jp_top_bytes_rate(struct jp_top_rate rate, char buffer[JP_TOP_NUMBER_TEXT]);       /* the same, each second */
const char *jp_top_count(struct jp_top_number count, char buffer[JP_TOP_NUMBER_TEXT]);         /* "12345", "1.23M" */
const char *jp_top_decimal(struct jp_top_rate rate, char buffer[JP_TOP_NUMBER_TEXT]);          /* "0.0", "182.4" */
const char *jp_top_cpu_time(struct jp_top_number time_100ns, char buffer[JP_TOP_NUMBER_TEXT]); /* "1:02.34", "3h12:05" */

#endif
