/* Powers of 1024, as everywhere in JobPool; the letter alone, because the column's title says of what. */
#include "top/numbers.h"

#include "base/units.h"

#include <stdio.h>

static const char *scaled(double value, double step, char buffer[JP_TOP_NUMBER_TEXT]) {
    static const char letters[] = " KMGTPE";
    size_t letter = 0;
    while (value >= 999.5 && letters[letter + 1] != '\0') {
        value /= step;
        letter++;
    }
    int decimals = letter == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    if (letter == 0)
        snprintf(buffer, JP_TOP_NUMBER_TEXT, "%.0f", value);
    else
        snprintf(buffer, JP_TOP_NUMBER_TEXT, "%.*f%c", decimals, value, letters[letter]);
    return buffer;
}

const char *jp_top_bytes(struct jp_top_number bytes, char buffer[JP_TOP_NUMBER_TEXT]) {
    return bytes.known ? scaled((double)bytes.value, 1024, buffer) : "-";
}

const char *jp_top_bytes_rate(struct jp_top_rate rate, char buffer[JP_TOP_NUMBER_TEXT]) {
    return rate.known ? scaled(rate.value, 1024, buffer) : "-";
}

const char *jp_top_count(struct jp_top_number count, char buffer[JP_TOP_NUMBER_TEXT]) {
    if (!count.known)
        return "-";
    if (count.value >= 100000)
        return scaled((double)count.value, 1000, buffer);
    snprintf(buffer, JP_TOP_NUMBER_TEXT, "%u", (unsigned)count.value);
    return buffer;
}

const char *jp_top_decimal(struct jp_top_rate rate, char buffer[JP_TOP_NUMBER_TEXT]) {
    if (!rate.known)
        return "-";
    if (rate.value >= 99999.95)
        return scaled(rate.value, 1000, buffer);
    snprintf(buffer, JP_TOP_NUMBER_TEXT, "%.1f", rate.value);
    return buffer;
}

const char *jp_top_cpu_time(struct jp_top_number time_100ns, char buffer[JP_TOP_NUMBER_TEXT]) {
    if (!time_100ns.known)
        return "-";
    uint64_t hundredths = time_100ns.value / (JP_100NS_PER_S / 100), minutes = hundredths / 6000;
    if (minutes < 60)
        snprintf(buffer, JP_TOP_NUMBER_TEXT, "%u:%02u.%02u", (unsigned)minutes, (unsigned)(hundredths / 100 % 60), (unsigned)(hundredths % 100));
    else
        snprintf(buffer, JP_TOP_NUMBER_TEXT, "%lluh%02u:%02u", (unsigned long long)(minutes / 60), (unsigned)(minutes % 60),
                 (unsigned)(hundredths / 100 % 60));
    return buffer;
}
