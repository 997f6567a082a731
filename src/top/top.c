/* Owns what top knows: two samples, and how they are looked at. */
#include "top/top.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

void jp_top_order_clear(struct jp_top_order *order) {
    jp_free(order->method);
    jp_free(order->question);
    cJSON_Delete(order->params);
    *order = (struct jp_top_order){0};
}

void jp_top_free(struct jp_top *top) {
    jp_top_order_clear(&top->order);
    jp_top_sample_free(&top->before);
    jp_top_sample_free(&top->now);
    jp_str_free(&top->filter);
    jp_free(top->inside);
    jp_free(top->selected);
    jp_free(top->notice);
    jp_free(top->away);
    jp_free(top->lines);
    *top = (struct jp_top){0};
}

cJSON *jp_top_question(const struct jp_top *top) {
    cJSON *params = cJSON_CreateObject();
    if (top->inside != NULL)
        jp_json_add_string(params, "processesOf", top->inside);
    return params;
}

/* An answer with the clock of the last one is the same look at the machine: rates stay those against the one before. */
jp_status jp_top_take(struct jp_top *top, const cJSON *answer, struct jp_error *error) {
    struct jp_top_sample sample;
    jp_status status = jp_top_sample_read(answer, &sample, error);
    if (status != JP_OK)
        return status;
    if (top->has_frame && sample.clock_100ns != top->now.clock_100ns) {
        jp_top_sample_free(&top->before);
        top->before = top->now;
    } else {
        jp_top_sample_free(&top->now);
    }
    top->now = sample;
    top->has_frame = true;
    jp_top_sample_rate(&top->now, &top->before);
    jp__top_arrange(top);
    return JP_OK;
}

void jp_top_tell(struct jp_top *top, bool bad, const char *format, ...) {
    struct jp_str text = {0}, made = {0};
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(&text, format, arguments);
    va_end(arguments);
    jp_add_harmless(&made, jp_str_text(&text));
    jp_str_free(&text);
    jp_free(top->notice);
    top->notice = jp_str_take(&made);
    top->notice_is_bad = bad;
}

void jp_top_set_away(struct jp_top *top, const char *why) {
    struct jp_str made = {0};
    jp_free(top->away);
    top->away = NULL;
    if (why == NULL)
        return;
    jp_add_harmless(&made, why);
    top->away = jp_str_take(&made);
}
