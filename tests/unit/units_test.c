/* Sizes, durations, percentages, processors and times: what is taken, what is refused with which words, and that what is
 * written reads back as the same number. */
#include "base/units.h"

#include "base/str.h"

#include "unit.h"

struct row {
    const char *text;
    uint64_t value;
};
struct refusal {
    const char *text, *says;
};
typedef jp_status parser(const char *text, uint64_t *ret_value, struct jp_error *error);

static void assert_taken(parser *parse, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct jp_error error = {.text = ""};
        uint64_t value = 0;
        CHECK(parse(rows[i].text, &value, &error) == JP_OK, "\"%s\": %s", rows[i].text, error.text);
        CHECK(value == rows[i].value, "\"%s\": %llu", rows[i].text, (unsigned long long)value);
    }
}

static void assert_refused(parser *parse, const struct refusal *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct jp_error error = {.text = ""};
        uint64_t value = 77;
        CHECK(parse(rows[i].text, &value, &error) == JP_E_PARAMS && error.status == JP_E_PARAMS, "\"%s\"", rows[i].text);
        CHECK(strstr(error.text, rows[i].says), "\"%s\": %s", rows[i].text, error.text);
        CHECK(strncmp(error.text + 1, rows[i].text, 40) == 0 || strlen(rows[i].text) < 40, "the text is quoted: %s",
              error.text);
        CHECK(value == 77, "\"%s\": a result is written only on success", rows[i].text);
    }
}

/* What every parser refuses. */
static void assert_strict(parser *parse, const char *says) {
    static const char *const texts[] = {
        "",    " ",   "-1",       "+1",   "x",
        ".",   "1.",  ".5",       "1..5", "1,5",
        " 1s", "1e3", "\xC2\xB5", "1\n",  "a text that is longer than the forty bytes which a message quotes"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct refusal row = {texts[i], says};
        assert_refused(parse, &row, 1);
    }
}

/* The 32-bit parsers in the shape of the others. */
static jp_status percent_parse(const char *text, uint64_t *ret_value, struct jp_error *error) {
    uint32_t value;
    jp_status status = jp_percent_parse(text, &value, error);
    if (!status)
        *ret_value = value;
    return status;
}

static jp_status time_parse(const char *text, uint64_t *ret_value, struct jp_error *error) {
    int64_t value;
    jp_status status = jp_time_parse(text, &value, error);
    if (!status)
        *ret_value = (uint64_t)value;
    return status;
}

#define KIB UINT64_C(1024)
#define SECOND UINT64_C(10000000)
#define DAY (UINT64_C(86400) * SECOND)

/* --- bytes --- */

static void bytes_are_parsed(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"0", 0},
        {"4096", 4096},
        {"4096B", 4096},
        {"1KiB", KIB},
        {"512MiB", 512 * KIB * KIB},
        {"1.5GiB", 1536 * KIB * KIB},
        {"2TiB", 2 * KIB * KIB * KIB * KIB},
        {"64 KiB", 64 * KIB},
        {"10kB", 10000},
        {"10KB", 10000},
        {"10MB", 10000000},
        {"1GB", 1000000000},
        {"1TB", UINT64_C(1000000000000)},
        {"0.5KiB", 512},
        {"0.001953125KiB", 2},
        {"007", 7},
        {"1.000000000", 1},
        {"18446744073709551615", UINT64_MAX},
        {"18446744073709551615B", UINT64_MAX},
        {"16777215TiB", UINT64_C(16777215) << 40},
        {"0.000000001GB", 1},
        {"1.001kB", 1001},
        {"0.25TiB", UINT64_C(1) << 38},
        {"18446744073709.551615MB", UINT64_MAX},
    };
    assert_taken(jp_bytes_parse, rows, COUNT(rows));
}

static void bytes_are_refused(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        {"5 apples", "is not a size; write for example \"512MiB\" or \"1.5GiB\""},
        {"512mib", "is not a size"},
        {"512M", "is not a size"},
        {"1 ", "is not a size"},
        {"1  KiB", "is not a size"},
        {"1KiB ", "is not a size"},
        {"1KiB2", "is not a size"},
        {"KiB", "is not a size"},
        {"0x10", "is not a size"},
        {"1.0000000001", "is not a size"}, /* ten decimals */
        {"18446744073709551616", "is not a size"},
        {"1.5", "is not a whole number of bytes below 2^64"},
        {"0.1KiB", "is not a whole number of bytes"},
        {"16777216TiB", "is not a whole number of bytes below 2^64"},
        {"18446744073709551615KiB", "is not a whole number of bytes"},
        {"18446744073709.551616MB", "is not a whole number of bytes"}, /* the fraction makes it too large */
    };
    assert_refused(jp_bytes_parse, rows, COUNT(rows));
    assert_strict(jp_bytes_parse, "is not a size");
}

static void bytes_are_formatted(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"0B", 0},
        {"1B", 1},
        {"1023B", 1023},
        {"1KiB", KIB},
        {"1025B", 1025},
        {"1536KiB", 1536 * KIB},
        {"512MiB", 512 * KIB * KIB},
        {"3GiB", 3 * KIB * KIB * KIB},
        {"2TiB", 2 * KIB * KIB * KIB * KIB},
        {"18446744073709551615B", UINT64_MAX},
        {"16777215TiB", UINT64_C(16777215) << 40},
    };
    char buffer[JP_UNITS_TEXT];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(jp_bytes_format(rows[i].value, buffer), rows[i].text);
}

/* --- durations --- */

static void durations_are_parsed(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"0", 0},
        {"0s", 0},
        {"90s", 90 * SECOND},
        {"2h", 7200 * SECOND},
        {"1h30m", 5400 * SECOND},
        {"250ms", SECOND / 4},
        {"1.5s", SECOND * 3 / 2},
        {"7d", 7 * DAY},
        {"5min", 300 * SECOND},
        {"5m", 300 * SECOND},
        {"1us", 10},
        {"0.1us", 1},
        {"0.0000001s", 1},
        {"1d2h3m4s5ms6us", DAY + 7384 * SECOND + 50060},
        {"1.5h", 5400 * SECOND},
        {"1h0.5s", 3600 * SECOND + SECOND / 2},
        {"100000000h", UINT64_C(100000000) * 3600 * SECOND},
        {"1844674407370955161.5us", UINT64_MAX},
    };
    assert_taken(jp_duration_parse, rows, COUNT(rows));
}

static void durations_are_refused(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        {"90", "is not a duration; write for example \"90s\", \"1h30m\" or \"250ms\""},
        {"00", "is not a duration"},
        {"90 s", "is not a duration"},
        {"1h 30m", "is not a duration"},
        {"90S", "is not a duration"},
        {"30m1h", "is not a duration"},
        {"1s1s", "is not a duration"},
        {"1m1min", "is not a duration"},
        {"1h30", "is not a duration"},
        {"1w", "is not a duration"},
        {"s", "is not a duration"},
        {"1hour", "is not a duration"},
        {"-5s", "is not a duration"},
        {"0.00000001s", "is not a whole number of 100 ns below 2^64"},
        {"0.01us", "is not a whole number of 100 ns"},
        {"21350399d", "is not a whole number of 100 ns below 2^64"},
        {"1844674407370955161.6us", "is not a whole number of 100 ns"},
        {"21350398d23h59m59s", "is not a whole number of 100 ns"}, /* only the sum is too large */
    };
    assert_refused(jp_duration_parse, rows, COUNT(rows));
    assert_strict(jp_duration_parse, "is not a duration");
}

static void durations_are_formatted(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"0s", 0},
        {"0.0000001s", 1},
        {"0.000001s", 10},
        {"1ms", 10000},
        {"1.5s", SECOND * 3 / 2},
        {"999ms", 9990000},
        {"1s", SECOND},
        {"1m", 60 * SECOND},
        {"1m30s", 90 * SECOND},
        {"1h30m", 5400 * SECOND},
        {"1h0.5s", 3600 * SECOND + SECOND / 2},
        {"2h", 7200 * SECOND},
        {"7d", 7 * DAY},
        {"1d1s", DAY + SECOND},
        {"21350398d5h36m10.9551615s", UINT64_MAX},
    };
    char buffer[JP_UNITS_TEXT];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(jp_duration_format(rows[i].value, buffer), rows[i].text);
}

/* --- percentages --- */

static void percentages(void **state) {
    (void)state;
    static const struct row rows[] = {{"0%", 0},       {"50%", 5000},      {"12.5%", 1250},   {"0.01%", 1},
                                      {"100%", 10000}, {"100.00%", 10000}, {"33.330%", 3333}, {"99.99%", 9999}};
    assert_taken(percent_parse, rows, COUNT(rows));
    static const struct refusal refusals[] = {
        {"50", "is not a percentage; write for example \"50%\" or \"12.5%\""},
        {"50 %", "is not a percentage"},
        {"50%%", "is not a percentage"},
        {"%", "is not a percentage"},
        {"50% ", "is not a percentage"},
        {"100.01%", "is not within 0% and 100% with at most two decimals"},
        {"12.345%", "is not within 0% and 100%"},
        {"101%", "is not within"},
        {"18446744073709551615%", "is not within"},
    };
    assert_refused(percent_parse, refusals, COUNT(refusals));
    assert_strict(percent_parse, "is not a percentage");
    char buffer[JP_UNITS_TEXT];
    assert_string_equal(jp_percent_format(5000, buffer), "50%");
    assert_string_equal(jp_percent_format(1250, buffer), "12.5%");
    assert_string_equal(jp_percent_format(1, buffer), "0.01%");
}

/* --- processors --- */

static void processors_are_parsed(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"0", 1},
        {"63", UINT64_C(1) << 63},
        {"0-3", 0xF},
        {"0-3,6", 0x4F},
        {"6,0-3", 0x4F},
        {"1,1,1", 2},
        {"0-0", 1},
        {"007", 0x80},
        {"0-63", UINT64_MAX},
        {"0-2,1-5", 0x3F},
        {"0xF", 0xF},
        {"0Xf", 0xF},
        {"0x4f", 0x4F},
        {"0xFFFFFFFFFFFFFFFF", UINT64_MAX},
        {"0x0000000000000001", 1},
    };
    assert_taken(jp_affinity_parse, rows, COUNT(rows));
}

static void processors_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "64",
                                        "0-64",
                                        "99999999999999999999",
                                        "3-0",
                                        "0-",
                                        "-3",
                                        "0--3",
                                        "0,",
                                        ",0",
                                        "0,,1",
                                        "0 ,1",
                                        "0-3-6",
                                        "a",
                                        "0x",
                                        "0x0",
                                        "0xG",
                                        "0x10000000000000000",
                                        "0x00000000000000001",
                                        "x1",
                                        "0-3;6",
                                        "1.5"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct refusal row = {texts[i], "is not a set of processors 0 to 63; write for example \"0-3,6\" or \"0xF\""};
        assert_refused(jp_affinity_parse, &row, 1);
    }
}

static void processors_are_formatted(void **state) {
    (void)state;
    static const struct row rows[] = {{"0", 1},
                                      {"0-1", 3},
                                      {"0-3,6", 0x4F},
                                      {"63", UINT64_C(1) << 63},
                                      {"0-63", UINT64_MAX},
                                      {"0,2,4", 0x15},
                                      {"62-63", UINT64_C(3) << 62}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = jp_affinity_format(rows[i].value);
        assert_string_equal(text, rows[i].text);
        jp_free(text);
    }
}

/* --- plain numbers --- */

static void plain_numbers(void **state) {
    (void)state;
    static const struct row rows[] = {{"0", 0}, {"1", 1}, {"007", 7}, {"18446744073709551615", UINT64_MAX}};
    assert_taken(jp_u64_parse, rows, COUNT(rows));
    static const struct refusal refusals[] = {{"", "is not a decimal number"},
                                              {"-1", "is not a decimal number"},
                                              {"+1", "is not a decimal number"},
                                              {" 1", "is not a decimal number"},
                                              {"1 ", "is not a decimal number"},
                                              {"0x1", "is not a decimal number"},
                                              {"1.0", "is not a decimal number"},
                                              {"18446744073709551616", "is not below 2^64"},
                                              {"99999999999999999999999", "is not below 2^64"}};
    assert_refused(jp_u64_parse, refusals, COUNT(refusals));
}

/* --- times --- */

static void times_are_parsed(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"1601-01-01", 0},
        {"1601-01-01T00:00:00.0000001Z", 1},
        {"1970-01-01", (uint64_t)JP_UNIX_EPOCH_100NS},
        {"1970-01-01T00:00:00Z", (uint64_t)JP_UNIX_EPOCH_100NS},
        {"1970-01-01T00:00:00.5Z", (uint64_t)JP_UNIX_EPOCH_100NS + SECOND / 2},
        {"2026-11-22T07:15:30.1234567Z", UINT64_C(134398053301234567)},
        {"2000-02-29", (uint64_t)JP_UNIX_EPOCH_100NS + 11016 * DAY},
        {"2024-02-29T23:59:59Z", (uint64_t)JP_UNIX_EPOCH_100NS + 19782 * DAY + 86399 * SECOND},
        {"9999-12-31T23:59:59.9999999Z", UINT64_C(2650467743999999999)},
    };
    assert_taken(time_parse, rows, COUNT(rows));
}

static void times_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "now",
        "2026",
        "2026-11",
        "2026-1-1",
        "20261122",
        "1600-12-31",
        "0000-01-01",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "2026-06-31",
        "2023-02-29",
        "1900-02-29",
        "2100-02-29",
        "2026-11-22T",
        "2026-11-22Z",
        "2026-11-22T07:15Z",
        "2026-11-22T07:15:30",
        "2026-11-22T07:15:30+01:00",
        "2026-11-22T24:00:00Z",
        "2026-11-22T07:60:00Z",
        "2026-11-22T07:15:60Z",
        "2026-11-22T07:15:30.Z",
        "2026-11-22T07:15:30.12345678Z",
        "2026-11-22T07:15:30,5Z",
        "2026-11-22t07:15:30Z",
        "2026-11-22 07:15:30Z",
        "2026-11-22T07:15:30Zx",
        " 2026-11-22",
        "2026-11-22 ",
        "-2026-11-22",
        "12026-11-22",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct refusal row = {texts[i], "is not a UTC time; write \"2026-11-22\" or \"2026-11-22T07:15:30Z\""};
        assert_refused(time_parse, &row, 1);
    }
}

static void times_are_formatted(void **state) {
    (void)state;
    char buffer[JP_TIME_TEXT];
    assert_string_equal(jp_time_format(0, buffer), "1601-01-01T00:00:00.0000000Z");
    assert_string_equal(jp_time_format(-5, buffer), "1601-01-01T00:00:00.0000000Z");
    assert_string_equal(jp_time_format(INT64_C(134398053301234567), buffer), "2026-11-22T07:15:30.1234567Z");
    assert_string_equal(jp_time_format(INT64_MAX, buffer), "30828-09-14T02:48:05.4775807Z");
}

/* --- there and back --- */

enum { ROUNDS = 200000 };

static void assert_comes_back(parser *parse, const char *text, uint64_t value) {
    struct jp_error error = {.text = ""};
    uint64_t again = ~value;
    CHECK(parse(text, &again, &error) == JP_OK && again == value, "\"%s\": %s", text, error.text);
}

static void quantities_come_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    char buffer[JP_UNITS_TEXT];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t value = random_magnitude(&random);
        assert_comes_back(jp_bytes_parse, jp_bytes_format(value, buffer), value);
        assert_comes_back(jp_duration_parse, jp_duration_format(value, buffer), value);
        value = value / SECOND * SECOND; /* whole seconds take other paths */
        assert_comes_back(jp_duration_parse, jp_duration_format(value, buffer), value);
    }
}

static void all_percentages_come_back(void **state) {
    (void)state;
    char buffer[JP_UNITS_TEXT];
    for (uint32_t value = 0; value <= 10000; value++)
        assert_comes_back(percent_parse, jp_percent_format(value, buffer), value);
}

static void processors_come_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < ROUNDS / 10; i++) {
        uint64_t mask = next_random(&random);
        if (i % 2)
            mask &= next_random(&random) & next_random(&random);
        if (!mask)
            continue;
        char *text = jp_affinity_format(mask);
        assert_comes_back(jp_affinity_parse, text, mask);
        jp_free(text);
        text = jp_sprintf("0x%llX", (unsigned long long)mask);
        assert_comes_back(jp_affinity_parse, text, mask);
        jp_free(text);
    }
}

static void times_come_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    char buffer[JP_TIME_TEXT];
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t value = next_random(&random) % UINT64_C(2650467744000000000); /* the year 10000 */
        assert_comes_back(time_parse, jp_time_format((int64_t)value, buffer), value);
    }
    for (uint64_t day = 0; day < 2 * 146097; day++) { /* every day of twice 400 years, after which the calendar repeats */
        jp_time_format((int64_t)(day * DAY), buffer);
        buffer[10] = '\0'; /* a date alone */
        assert_comes_back(time_parse, buffer, day * DAY);
    }
}

int main(void) {
    const struct CMUnitTest bytes[] = {cmocka_unit_test(bytes_are_parsed), cmocka_unit_test(bytes_are_refused),
                                       cmocka_unit_test(bytes_are_formatted)};
    const struct CMUnitTest durations[] = {cmocka_unit_test(durations_are_parsed), cmocka_unit_test(durations_are_refused),
                                           cmocka_unit_test(durations_are_formatted)};
    const struct CMUnitTest sets[] = {cmocka_unit_test(percentages), cmocka_unit_test(processors_are_parsed),
                                      cmocka_unit_test(processors_are_refused), cmocka_unit_test(processors_are_formatted),
                                      cmocka_unit_test(plain_numbers)};
    const struct CMUnitTest times[] = {cmocka_unit_test(times_are_parsed), cmocka_unit_test(times_are_refused),
                                       cmocka_unit_test(times_are_formatted)};
    const struct CMUnitTest back[] = {cmocka_unit_test(quantities_come_back), cmocka_unit_test(all_percentages_come_back),
                                      cmocka_unit_test(processors_come_back), cmocka_unit_test(times_come_back)};
    int failed = cmocka_run_group_tests(bytes, NULL, NULL);
    failed += cmocka_run_group_tests(durations, NULL, NULL);
    failed += cmocka_run_group_tests(sets, NULL, NULL);
    failed += cmocka_run_group_tests(times, NULL, NULL);
    failed += cmocka_run_group_tests(back, NULL, NULL);
    return failed;
}
