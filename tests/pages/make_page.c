/* The page of answers that somebody wrote down: make_page < answers.json > page.html. Beside what page.h takes, the object may have
 * "offsetMinutes" (local time), "zone" and "version". */
#include "report/page.h"

#include "base/units.h"

#include <stdio.h>

static int64_t offset(void *context, int64_t utc_100ns) {
    (void)utc_100ns;
    return *(const int64_t *)context;
}

static const char *text_of(const cJSON *answers, const char *key, const char *otherwise) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answers, key));
    return text ? text : otherwise;
}

int main(void) {
    static const struct jp_json_rules rules = {.max_bytes = (size_t)1 << 28, .max_depth = 32};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    struct jp_str input = {0}, page = {0};
    char buffer[1 << 16];
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, stdin)) > 0;)
        jp_str_add(&input, buffer, got);
    if (jp_json_parse(jp_str_text(&input), input.length, &rules, &json, &place, &error) != JP_OK) {
        fprintf(stderr, "make_page: line %u, column %u: %s\n", place.line, place.column, error.text);
        return 1;
    }
    const cJSON *minutes = cJSON_GetObjectItemCaseSensitive(json.root, "offsetMinutes");
    int64_t offset_100ns = (cJSON_IsNumber(minutes) ? (int64_t)minutes->valuedouble : 0) * 60 * JP_100NS_PER_S;
    struct jp_page_maker maker = {.version = text_of(json.root, "version", "0.1.0"), .zone = text_of(json.root, "zone", "UTC"),
                                  .local_offset_100ns = offset, .context = &offset_100ns};
    jp_page_write(json.root, &maker, &page);
    bool good = fwrite(page.data, 1, page.length, stdout) == page.length && fflush(stdout) == 0;
    jp_str_free(&page);
    jp_str_free(&input);
    jp_json_free(&json);
    return good ? 0 : 1;
}
