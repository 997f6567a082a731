/* FILETIME values and ISO 8601, without the C library's time zone. */
#include "base/units.h"

#include <string.h>

#define DAY_100NS INT64_C(864000000000)
#define DAYS_1601_TO_1970 134774

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back
 * (Howard Hinnant, http://howardhinnant.github.io/date_algorithms.html). */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

/* Exactly `count` digits, and the character that comes after them. */
static char *put_digits(char *to, unsigned count, unsigned value, char after) {
    for (char *at = to + count; at > to; value /= 10)
        *--at = (char)('0' + value % 10);
    to[count] = after;
    return to + count + 1;
}

/* Without printf: each row of each answer has some of them. */
const char *jp_time_format(int64_t time_100ns, char buffer[JP_TIME_TEXT]) {
    if (time_100ns < 0)
        time_100ns = 0;
    int64_t year, rest = time_100ns % DAY_100NS;
    unsigned month, day;
    date_from_days(time_100ns / DAY_100NS - DAYS_1601_TO_1970, &year, &month, &day);
    unsigned seconds = (unsigned)(rest / JP_100NS_PER_S);
    char *to = put_digits(buffer, year > 9999 ? 5 : 4, (unsigned)year, '-'); /* what 63 bits hold ends in 30828 */
    to = put_digits(to, 2, month, '-');
    to = put_digits(to, 2, day, 'T');
    to = put_digits(to, 2, seconds / 3600, ':');
    to = put_digits(to, 2, seconds / 60 % 60, ':');
    to = put_digits(to, 2, seconds % 60, '.');
    to = put_digits(to, 7, (unsigned)(rest % JP_100NS_PER_S), 'Z');
    *to = '\0';
    return buffer;
}

/* Exactly `count` digits. */
static bool take_digits(const char **text, unsigned count, unsigned *ret_value) {
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (unsigned)(**text - '0');
    }
    *ret_value = value;
    return true;
}

static bool take_char(const char **text, char wanted) {
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

static bool take_date(const char **text, int64_t *ret_days) {
    unsigned year, month, day;
    if (!take_digits(text, 4, &year) || !take_char(text, '-') || !take_digits(text, 2, &month) || !take_char(text, '-') ||
        !take_digits(text, 2, &day) || year < 1601 || month < 1 || month > 12 || day < 1)
        return false;
    *ret_days = days_from_date(year, month, day);
    int64_t same_year;
    unsigned same_month, same_day;
    date_from_days(*ret_days, &same_year, &same_month, &same_day);
    return same_month == month && same_day == day; /* not 31 June */
}

static bool take_clock(const char **text, int64_t *ret_100ns) {
    unsigned hour, minute, second, fraction = 0;
    if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute) || !take_char(text, ':') ||
        !take_digits(text, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (take_char(text, '.')) {
        unsigned place = 1000000;
        if (**text < '0' || **text > '9')
            return false;
        for (; **text >= '0' && **text <= '9' && place; (*text)++, place /= 10)
            fraction += (unsigned)(**text - '0') * place;
    }
    *ret_100ns = (int64_t)(hour * 3600 + minute * 60 + second) * JP_100NS_PER_S + fraction;
    return take_char(text, 'Z');
}

jp_status jp_time_parse(const char *text, int64_t *ret_time_100ns, struct jp_error *error) {
    const char *at = text;
    int64_t days, clock_100ns = 0;
    bool good = take_date(&at, &days);
    if (good && take_char(&at, 'T'))
        good = take_clock(&at, &clock_100ns);
    if (!good || *at)
        return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a UTC time; write \"2026-11-22\" or \"2026-11-22T07:15:30Z\"", text);
    *ret_time_100ns = (days + DAYS_1601_TO_1970) * DAY_100NS + clock_100ns;
    return JP_OK;
}
