/* Elements of SVG, and scales with round numbers. */
#include "report/svg.h"

#include "base/units.h"
#include "report/html.h"

#define MINUTE_100NS (INT64_C(60) * JP_100NS_PER_S)
#define HOUR_100NS (60 * MINUTE_100NS)
#define DAY_100NS (24 * HOUR_100NS)

double jp_scale_at(const struct jp_scale *scale, double value) {
    double span = scale->high - scale->low;
    double part = span > 0 ? (value - scale->low) / span : 0;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return scale->from + part * (scale->to - scale->from);
}

double jp_round_step(double most, unsigned wanted, bool bytes) {
    static const double decimal[] = {1, 2, 5, 10}, binary[] = {1, 2, 4, 8, 16};
    const double *factors = bytes ? binary : decimal;
    double base = bytes ? 1 : 0.001, growth = bytes ? 16 : 10, least = most / (wanted ? wanted : 1);
    while (base * growth < least && base < 1e30)
        base *= growth;
    for (size_t i = 0; i < 4; i++)
        if (base * factors[i] >= least)
            return base * factors[i];
    return base * growth;
}

void jp_time_ticks(const struct jp_model *model, unsigned wanted, struct jp_time_ticks *ret_ticks) {
    static const int64_t steps[] = {
        JP_100NS_PER_S, 5 * (int64_t)JP_100NS_PER_S, 15 * (int64_t)JP_100NS_PER_S, 30 * (int64_t)JP_100NS_PER_S,
        MINUTE_100NS, 2 * MINUTE_100NS, 5 * MINUTE_100NS, 10 * MINUTE_100NS, 15 * MINUTE_100NS, 30 * MINUTE_100NS,
        HOUR_100NS, 2 * HOUR_100NS, 3 * HOUR_100NS, 6 * HOUR_100NS, 12 * HOUR_100NS,
        DAY_100NS, 2 * DAY_100NS, 7 * DAY_100NS, 14 * DAY_100NS, 28 * DAY_100NS, 91 * DAY_100NS, 365 * DAY_100NS, 3650 * DAY_100NS, 36500 * DAY_100NS, 365000 * DAY_100NS,
    };
    int64_t span = model->to_100ns - model->from_100ns, first = jp_model_local(model, model->from_100ns);
    size_t which = 0;
    while (which + 1 < sizeof steps / sizeof *steps && span / steps[which] > (int64_t)wanted)
        which++;
    int64_t step = steps[which];
    *ret_ticks = (struct jp_time_ticks){.days = step >= DAY_100NS, .seconds = step < MINUTE_100NS};
    for (int64_t local = (first / step + (first % step > 0)) * step; ret_ticks->count < JP_TICKS_MAX; local += step) {
        /* The zone's offset then may be another than now; near a change of it the first guess is an hour off. */
        int64_t guess = local - (jp_model_local(model, local) - local);
        int64_t utc = local - (jp_model_local(model, guess) - guess);
        if (utc > model->to_100ns)
            break;
        if (utc >= model->from_100ns)
            ret_ticks->at_100ns[ret_ticks->count++] = utc;
    }
}

void jp_svg_begin(struct jp_str *out, const struct jp_frame *frame, const char *id, const char *class, const char *title, const char *description) {
    jp_str_printf(out, "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-t %s-d\"><title id=\"%s-t\">", class,
                  frame->width, frame->height, id, id, id);
    jp_html_text(out, title, 300);
    jp_str_printf(out, "</title><desc id=\"%s-d\">", id);
    jp_html_text(out, description, 2000);
    jp_str_puts(out, "</desc>\n");
}

void jp_svg_end(struct jp_str *out) { jp_str_puts(out, "</svg>\n"); }

void jp_svg_line(struct jp_str *out, const char *class, double x1, double y1, double x2, double y2) {
    jp_str_printf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1, x2, y2);
}

void jp_svg_rectangle(struct jp_str *out, const char *class, double x, double y, double width, double height) {
    jp_str_printf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", class, x, y, width, height);
}

void jp_svg_text(struct jp_str *out, const char *class, const char *anchor, double x, double y, const char *text, size_t most) {
    jp_str_printf(out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, anchor, x, y);
    jp_html_text(out, text, most);
    jp_str_puts(out, "</text>\n");
}
