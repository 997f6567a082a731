/* A report as one page of HTML: the service's answers in, text out. The page has its charts as SVG within it, loads nothing, and can
 * be read without its script, which only sorts tables. */
#ifndef JP_REPORT_PAGE_H
#define JP_REPORT_PAGE_H

#include "base/json.h"

/* Who makes it, and how the times in it are shown. */
struct jp_page_maker {
    const char *version;
    const char *zone; /* the name of the time zone */
    int64_t (*local_offset_100ns)(void *context, int64_t utc_100ns); /* what to add for local time */
    void *context;
};

/* `answers` is an object; what is missing in it is left out of the page, or said to be missing:
 *   "host" text, "from", "to", "made" times, "processors" number,
 *   "status", "pools", "byPool", "byDay", "byImage", "byUser", "summary", "events": results of service.status, pool.list,
 *   accounting.report by pool, day, image and user, accounting.summary, events.query,
 *   "series": a list of results of accounting.series, all of the same time. */
void jp_page_write(const cJSON *answers, const struct jp_page_maker *maker, struct jp_str *out);

/* Events that its timeline shows, by their names as events.query takes them; ends with NULL. Starts and ends of processes are
 * counted elsewhere. */
extern const char *const jp_page_messages[];

#endif
