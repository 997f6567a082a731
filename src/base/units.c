/* Sizes, durations, percentages and processor sets, between text and number. */
#include "base/units.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A decimal number with up to nine decimals, exact: whole + fraction / 10^9. Advances *text. False if there is none, or
 * if the whole part does not fit. */
struct decimal {
    uint64_t whole;
    uint32_t billionths;
};

static bool digit(char character) { return character >= '0' && character <= '9'; }

static bool take_decimal(const char **text, struct decimal *ret) {
    const char *at = *text;
    struct decimal number = {0};
    if (!digit(*at))
        return false;
    for (; digit(*at); at++) {
        unsigned value = (unsigned)(*at - '0');
        if (number.whole > (UINT64_MAX - value) / 10)
            return false;
        number.whole = number.whole * 10 + value;
    }
    if (*at == '.') {
        at++;
        if (!digit(*at))
            return false;
        for (uint32_t place = 100000000; digit(*at); at++, place /= 10) {
            if (!place)
                return false; /* a tenth decimal */
            number.billionths += place * (uint32_t)(*at - '0');
        }
    }
    *text = at;
    *ret = number;
    return true;
}

/* number * factor, false if it overflows or is not whole. */
static bool scale(struct decimal number, uint64_t factor, uint64_t *ret) {
    if (number.whole && factor > UINT64_MAX / number.whole)
        return false;
    /* factor < 2^50, billionths < 2^30: in two steps, so that nothing overflows */
    uint64_t high = factor / 1000000000, low = factor % 1000000000;
    uint64_t low_product = low * number.billionths;
    if (low_product % 1000000000)
        return false;
    uint64_t fraction = high * number.billionths + low_product / 1000000000;
    uint64_t whole = number.whole * factor;
    if (fraction > UINT64_MAX - whole)
        return false;
    *ret = whole + fraction;
    return true;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* In the order in which the formatters try them. */
static const struct unit byte_units[] = {
    {"TiB", UINT64_C(1) << 40}, {"GiB", UINT64_C(1) << 30}, {"MiB", UINT64_C(1) << 20}, {"KiB", UINT64_C(1) << 10},
    {"TB", UINT64_C(1000000000000)}, {"GB", 1000000000}, {"MB", 1000000}, {"kB", 1000}, {"KB", 1000}, {"B", 1}, {"", 1}};
static const struct unit time_units[] = {
    {"d", UINT64_C(864000000000)}, {"h", UINT64_C(36000000000)}, {"m", 600000000}, {"min", 600000000},
    {"s", 10000000}, {"ms", 10000}, {"us", 10}};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The unit that stands at `text` up to the next digit or the end. */
static const struct unit *find_unit(const struct unit *units, size_t count, const char *text, size_t length) {
    for (size_t i = 0; i < count; i++)
        if (strlen(units[i].name) == length && strncmp(units[i].name, text, length) == 0)
            return &units[i];
    return NULL;
}

static size_t unit_length(const char *text) {
    size_t length = 0;
    while (text[length] && !digit(text[length]))
        length++;
    return length;
}

jp_status jp_bytes_parse(const char *text, uint64_t *ret_bytes, struct jp_error *error) {
    const char *at = text;
    struct decimal number;
    const struct unit *unit = NULL;
    if (take_decimal(&at, &number)) {
        if (*at == ' ' && at[1])
            at++;
        unit = find_unit(byte_units, COUNT(byte_units), at, strlen(at));
    }
    if (!unit)
        return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a size; write for example \"512MiB\" or \"1.5GiB\"", text);
    if (!scale(number, unit->factor, ret_bytes))
        return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a whole number of bytes below 2^64", text);
    return JP_OK;
}

const char *jp_bytes_format(uint64_t bytes, char buffer[JP_UNITS_TEXT]) {
    for (size_t i = 0; i < 4; i++)
        if (bytes && bytes % byte_units[i].factor == 0) {
            snprintf(buffer, JP_UNITS_TEXT, "%" PRIu64 "%s", bytes / byte_units[i].factor, byte_units[i].name);
            return buffer;
        }
    snprintf(buffer, JP_UNITS_TEXT, "%" PRIu64 "B", bytes);
    return buffer;
}

jp_status jp_duration_parse(const char *text, uint64_t *ret_100ns, struct jp_error *error) {
    uint64_t total = 0, last_factor = UINT64_MAX;
    const char *at = text;
    if (strcmp(text, "0") == 0) {
        *ret_100ns = 0;
        return JP_OK;
    }
    do {
        struct decimal number;
        uint64_t part;
        bool numbered = take_decimal(&at, &number);
        size_t length = numbered ? unit_length(at) : 0;
        const struct unit *unit = numbered ? find_unit(time_units, COUNT(time_units), at, length) : NULL;
        if (!unit || unit->factor >= last_factor)
            return jp_fail(error, JP_E_PARAMS,
                           "\"%.40s\" is not a duration; write for example \"90s\", \"1h30m\" or \"250ms\"", text);
        if (!scale(number, unit->factor, &part) || part > UINT64_MAX - total)
            return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a whole number of 100 ns below 2^64", text);
        total += part;
        last_factor = unit->factor;
        at += length;
    } while (*at);
    *ret_100ns = total;
    return JP_OK;
}

const char *jp_duration_format(uint64_t time_100ns, char buffer[JP_UNITS_TEXT]) {
    if (!time_100ns)
        return strcpy(buffer, "0s");
    size_t length = 0;
    uint64_t rest = time_100ns;
    static const struct unit whole[] = {{"d", UINT64_C(864000000000)}, {"h", UINT64_C(36000000000)}, {"m", 600000000}};
    if (rest < JP_100NS_PER_S && rest % JP_100NS_PER_MS == 0) {
        snprintf(buffer, JP_UNITS_TEXT, "%" PRIu64 "ms", rest / JP_100NS_PER_MS);
        return buffer;
    }
    for (size_t i = 0; i < COUNT(whole); i++) {
        if (rest >= whole[i].factor)
            length += (size_t)snprintf(buffer + length, JP_UNITS_TEXT - length, "%" PRIu64 "%s", rest / whole[i].factor,
                                       whole[i].name);
        rest %= whole[i].factor;
    }
    if (!rest)
        return buffer;
    length += (size_t)snprintf(buffer + length, JP_UNITS_TEXT - length, "%" PRIu64, rest / JP_100NS_PER_S);
    uint64_t fraction = rest % JP_100NS_PER_S;
    if (fraction) {
        length += (size_t)snprintf(buffer + length, JP_UNITS_TEXT - length, ".%07" PRIu64, fraction);
        while (buffer[length - 1] == '0')
            length--;
    }
    snprintf(buffer + length, JP_UNITS_TEXT - length, "s");
    return buffer;
}

jp_status jp_percent_parse(const char *text, uint32_t *ret_hundredths, struct jp_error *error) {
    const char *at = text;
    struct decimal number;
    uint64_t hundredths;
    if (!take_decimal(&at, &number) || strcmp(at, "%") != 0)
        return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a percentage; write for example \"50%%\" or \"12.5%%\"", text);
    if (!scale(number, 100, &hundredths) || hundredths > 10000)
        return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not within 0%% and 100%% with at most two decimals", text);
    *ret_hundredths = (uint32_t)hundredths;
    return JP_OK;
}

const char *jp_percent_format(uint32_t hundredths, char buffer[JP_UNITS_TEXT]) {
    if (hundredths % 100 == 0)
        snprintf(buffer, JP_UNITS_TEXT, "%u%%", (unsigned)(hundredths / 100));
    else if (hundredths % 10 == 0)
        snprintf(buffer, JP_UNITS_TEXT, "%u.%u%%", (unsigned)(hundredths / 100), (unsigned)(hundredths % 100 / 10));
    else
        snprintf(buffer, JP_UNITS_TEXT, "%u.%02u%%", (unsigned)(hundredths / 100), (unsigned)(hundredths % 100));
    return buffer;
}

static bool parse_hex_mask(const char *text, uint64_t *ret_mask) {
    uint64_t mask = 0;
    size_t digits = 0;
    for (; text[digits]; digits++) {
        char c = text[digits];
        unsigned value;
        if (digit(c))
            value = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            value = (unsigned)(c - 'A') + 10;
        else
            return false;
        mask = (mask << 4) | value;
    }
    *ret_mask = mask;
    return digits > 0 && digits <= 16;
}

static bool take_processor(const char **text, unsigned *ret_number) {
    unsigned number = 0;
    const char *at = *text;
    while (digit(*at) && number < 64)
        number = number * 10 + (unsigned)(*at++ - '0');
    if (at == *text || number > 63 || digit(*at))
        return false;
    *text = at;
    *ret_number = number;
    return true;
}

static bool parse_processor_list(const char *text, uint64_t *ret_mask) {
    uint64_t mask = 0;
    for (;;) {
        unsigned first, last;
        if (!take_processor(&text, &first))
            return false;
        last = first;
        if (*text == '-' && (text++, !take_processor(&text, &last)))
            return false;
        if (last < first)
            return false;
        for (unsigned i = first; i <= last; i++)
            mask |= UINT64_C(1) << i;
        if (!*text)
            break;
        if (*text++ != ',')
            return false;
    }
    *ret_mask = mask;
    return true;
}

jp_status jp_affinity_parse(const char *text, uint64_t *ret_mask, struct jp_error *error) {
    uint64_t mask = 0;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    bool good = hex ? parse_hex_mask(text + 2, &mask) : parse_processor_list(text, &mask);
    if (!good || !mask)
        return jp_fail(error, JP_E_PARAMS,
                       "\"%.40s\" is not a set of processors 0 to 63; write for example \"0-3,6\" or \"0xF\"", text);
    *ret_mask = mask;
    return JP_OK;
}

char *jp_affinity_format(uint64_t mask) {
    struct jp_str out = {0};
    for (unsigned i = 0; i < 64; i++) {
        if (!(mask >> i & 1))
            continue;
        unsigned last = i;
        while (last < 63 && (mask >> (last + 1) & 1))
            last++;
        jp_str_printf(&out, last > i ? "%s%u-%u" : "%s%u", out.length ? "," : "", i, last);
        i = last;
    }
    return jp_str_take(&out);
}

jp_status jp_u64_parse(const char *text, uint64_t *ret_value, struct jp_error *error) {
    uint64_t value = 0;
    size_t length = 0;
    for (; digit(text[length]); length++) {
        unsigned next = (unsigned)(text[length] - '0');
        if (value > (UINT64_MAX - next) / 10)
            return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not below 2^64", text);
        value = value * 10 + next;
    }
    if (!length || text[length])
        return jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a decimal number", text);
    *ret_value = value;
    return JP_OK;
}
