/* Formats a log line and hands it to the sink. */
#include "base/log.h"

#include "base/str.h"

const char *jp_log_level_name(enum jp_log_level level) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return names[level];
}

/* One entry stays one line, whatever a client put into a name. */
static char *escape_controls(const char *text) {
    struct jp_str out = {0};
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7F)
            jp_str_printf(&out, "\\x%02X", byte);
        else
            jp_str_putc(&out, *text);
    }
    return jp_str_take(&out);
}

void jp_log(const struct jp_log *log, enum jp_log_level level, const char *format, ...) {
    if (!log || !log->write || level > log->level)
        return;
    struct jp_str line = {0};
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(&line, format, arguments);
    va_end(arguments);
    char *escaped = escape_controls(jp_str_text(&line));
    log->write(log->sink, level, escaped);
    jp_free(escaped);
    jp_str_free(&line);
}
