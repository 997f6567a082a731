/* Any JSON as the answers that a report's page is made of: it is one page, well-formed, whatever they are. */
#include "report/page.h"

#include "fuzz.h"

#include "../pages/well_formed.h"

static int64_t no_offset(void *context, int64_t utc_100ns) {
    (void)context;
    return utc_100ns % 7;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 16, .max_depth = 16};
    static const struct jp_page_maker maker = {.version = "0", .zone = "Zone", .local_offset_100ns = no_offset};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    struct jp_str page = {0};
    if (jp_json_parse((const char *)data, size, &rules, &json, &place, &error) != JP_OK)
        return 0;
    jp_page_write(json.root, &maker, &page);
    MUST(why_not_well_formed(&page) == NULL);
    jp_str_free(&page);
    jp_json_free(&json);
    return 0;
}
