/* Scales, ticks, and the few shapes that charts are made of. Coordinates are those of the viewBox: one unit is one pixel where a chart
 * is as wide as it was made. */
#ifndef JP_REPORT_SVG_H
#define JP_REPORT_SVG_H

#include "report/model.h"

/* A picture, and within it the rectangle that values are drawn in. */
struct jp_frame {
    double width, height;
    double left, right, top, bottom; /* of the rectangle */
    bool narrow;                     /* for a phone: fewer ticks, and names go into a legend beside it */
};

struct jp_scale {
    double low, high; /* values */
    double from, to;  /* where they are drawn */
};
double jp_scale_at(const struct jp_scale *scale, double value);

/* The distance between ticks that are round numbers, so that about `wanted` of them reach `most`. Bytes are round in powers of two. */
double jp_round_step(double most, unsigned wanted, bool bytes);

/* Ticks on the time axis. */
enum { JP_TICKS_MAX = 24 };
struct jp_time_ticks {
    size_t count;
    int64_t at_100ns[JP_TICKS_MAX]; /* UTC */
    bool days;                      /* of whole days: the date is enough */
    bool seconds;                   /* of less than a minute */
};
/* Round moments of local time. */
void jp_time_ticks(const struct jp_model *model, unsigned wanted, struct jp_time_ticks *ret_ticks);

/* <svg role="img"> with its title and description, which are plain text. `id` is unique in the page. */
void jp_svg_begin(struct jp_str *out, const struct jp_frame *frame, const char *id, const char *class, const char *title, const char *description);
void jp_svg_end(struct jp_str *out);

void jp_svg_line(struct jp_str *out, const char *class, double x1, double y1, double x2, double y2);
void jp_svg_rectangle(struct jp_str *out, const char *class, double x, double y, double width, double height);

/* Text at a place; anchor is "start", "middle" or "end". `most` characters of it are shown. */
void jp_svg_text(struct jp_str *out, const char *class, const char *anchor, double x, double y, const char *text, size_t most);

#endif
