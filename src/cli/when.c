/* From words, spans and dates to one moment. What a local time is in UTC is asked of Windows, which knows the rules of each year. */
#include "cli/when.h"

#include "base/str.h"
#include "base/units.h"
#include "win32/clock.h"
#include "win32/filetime.h"

#include <string.h>

/* The clock on the wall as UTC. */
static bool local_to_utc(const SYSTEMTIME *local, int64_t *ret_time_100ns) {
    SYSTEMTIME utc;
    FILETIME file;
    if (!TzSpecificLocalTimeToSystemTime(NULL, local, &utc) || !SystemTimeToFileTime(&utc, &file))
        return false;
    *ret_time_100ns = jp_win32_from_filetime(file);
    return true;
}

/* The midnight with which the day began that is `days` before today. */
static bool midnight(unsigned days, int64_t *ret_time_100ns) {
    SYSTEMTIME local;
    FILETIME file;
    GetLocalTime(&local);
    local.wHour = local.wMinute = local.wSecond = local.wMilliseconds = 0;
    if (!SystemTimeToFileTime(&local, &file))
        return false;
    int64_t day = jp_win32_from_filetime(file) - (int64_t)days * 24 * 3600 * JP_100NS_PER_S; /* on the wall, where each day has 24 hours */
    file = jp_win32_to_filetime(day);
    return FileTimeToSystemTime(&file, &local) && local_to_utc(&local, ret_time_100ns);
}

/* "7d", "7d ago" */
static bool parse_span(const char *text, int64_t *ret_time_100ns) {
    static const char ago[] = " ago";
    size_t length = strlen(text), tail = sizeof ago - 1;
    if (length > tail && strcmp(text + length - tail, ago) == 0)
        length -= tail;
    char *span = jp_strndup(text, length);
    uint64_t span_100ns;
    struct jp_error error;
    int64_t now = jp_win32_now_100ns();
    bool good = jp_duration_parse(span, &span_100ns, &error) == JP_OK && span_100ns < (uint64_t)now;
    if (good)
        *ret_time_100ns = now - (int64_t)span_100ns;
    jp_free(span);
    return good;
}

/* A date with or without a time, and what follows them: "", "Z", "+01:00". The clock's fields as one number. */
static bool parse_wall(const char *text, int64_t *ret_wall_100ns, const char **ret_zone) {
    static const char shape[] = "dddd-dd-dd dd:dd:dd";
    enum { DATE = 10, MINUTES = 16, SECONDS = 19 };
    size_t length = 0;
    for (; length < SECONDS && text[length] != '\0'; length++) {
        char wanted = shape[length], found = text[length] == 'T' && length == DATE ? ' ' : text[length];
        if (wanted == 'd' ? found < '0' || found > '9' : found != wanted)
            break;
    }
    length = length >= SECONDS ? SECONDS : length >= MINUTES ? MINUTES : DATE;
    if (strlen(text) < length)
        return false;
    size_t fraction = 0;
    if (length == SECONDS && text[length] == '.')
        fraction = 1 + strspn(text + length + 1, "0123456789");
    char *iso = length == DATE ? jp_strndup(text, DATE)
                               : jp_sprintf("%.10sT%.*s%s%.*sZ", text, (int)(length - DATE - 1), text + DATE + 1,
                                            length == MINUTES ? ":00" : "", (int)fraction, text + length);
    struct jp_error error;
    bool good = jp_time_parse(iso, ret_wall_100ns, &error) == JP_OK;
    jp_free(iso);
    *ret_zone = text + length + fraction;
    return good;
}

/* "+01:00" in minutes. */
static bool parse_offset(const char *zone, int *ret_minutes) {
    for (size_t i = 0; i < 6; i++)
        if (i == 0 ? zone[i] != '+' && zone[i] != '-' : i == 3 ? zone[i] != ':' : zone[i] < '0' || zone[i] > '9')
            return false;
    int minutes = ((zone[1] - '0') * 10 + zone[2] - '0') * 60 + (zone[4] - '0') * 10 + zone[5] - '0';
    *ret_minutes = zone[0] == '-' ? -minutes : minutes;
    return zone[6] == '\0';
}

static bool parse_date(const char *text, int64_t *ret_time_100ns) {
    int64_t wall;
    const char *zone;
    int offset_minutes;
    if (!parse_wall(text, &wall, &zone))
        return false;
    if (strcmp(zone, "Z") == 0) {
        *ret_time_100ns = wall;
        return true;
    }
    if (*zone != '\0') {
        bool good = parse_offset(zone, &offset_minutes);
        *ret_time_100ns = good ? wall - (int64_t)offset_minutes * 60 * JP_100NS_PER_S : 0;
        return good;
    }
    SYSTEMTIME local;
    FILETIME file = jp_win32_to_filetime(wall);
    if (!FileTimeToSystemTime(&file, &local) || !local_to_utc(&local, ret_time_100ns))
        return false;
    *ret_time_100ns += wall % JP_100NS_PER_MS; /* SYSTEMTIME ends at milliseconds */
    return true;
}

jp_status jp_when_parse(const char *text, int64_t *ret_time_100ns, struct jp_error *error) {
    bool good;
    if (strcmp(text, "now") == 0) {
        *ret_time_100ns = jp_win32_now_100ns();
        return JP_OK;
    }
    if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0)
        good = midnight(text[0] == 'y', ret_time_100ns);
    else
        good = parse_date(text, ret_time_100ns) || parse_span(text, ret_time_100ns);
    if (good)
        return JP_OK;
    return jp_fail(error, JP_E_PARAMS, "\"%.60s\" is no time; write today, yesterday, 7d (ago), 2026-11-22, \"2026-11-22 07:15\", or in UTC"
                                       " 2026-11-22T07:15:30Z", text);
}
