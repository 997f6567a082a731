/* Any JSON as the key `access`, with every account resolved, none, or some: what is taken comes back the same, and the descriptor that is made
 * of it has exactly the entries that were asked for. No name can add one, whatever it is spelt like. */
#include "job/access.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "O:SYG:SYD:P(A;;0x1f;;;SY)(A;;0x1f;;;BA)"

/* Every other account is one that there is. */
static char *sid_of(void *context, const char *account) {
    size_t *asked = context;
    ++*asked;
    return strlen(account) % 2 ? jp_sprintf("S-1-5-21-1-2-3-%u", (unsigned)strlen(account)) : NULL;
}

static const char *past(const char *at, const char *text) {
    size_t length = strlen(text);
    MUST(strncmp(at, text, length) == 0);
    return at + length;
}

/* SDDL's two letters, or a SID whose numbers Windows can hold. */
static const char *past_sid(const char *at) {
    if (strncmp(at, "S-1-", 4) != 0) {
        MUST(at[0] >= 'A' && at[0] <= 'Z' && at[1] >= 'A' && at[1] <= 'Z');
        return at + 2;
    }
    at += 3;
    for (unsigned numbers = 0; *at == '-'; numbers++) {
        char *end;
        MUST(at[1] >= '0' && at[1] <= '9' && numbers < 16);
        MUST(strtoull(at + 1, &end, 10) <= (numbers ? UINT32_MAX : (UINT64_C(1) << 48) - 1));
        at = end;
    }
    return at;
}

/* Returns how many entries there are; each gives rights, and with them the right to view. */
static size_t check_sddl(const char *sddl) {
    size_t entries = 0;
    const char *at = past(sddl, HEAD);
    for (; *at; entries++) {
        char *end;
        at = past(at, "(A;;0x");
        unsigned long rights = strtoul(at, &end, 16);
        MUST(end != at && rights & JP_RIGHT_VIEW && rights <= JP_RIGHTS_ALL);
        at = past(past_sid(past(end, ";;;")), ")");
    }
    return entries;
}

static void check_descriptor(const struct jp_access *access) {
    struct jp_strings unknown = {0};
    size_t asked = 0;
    size_t names = access->view.count + access->assign.count + access->launch.count + access->control.count + access->admin.count;
    char *sddl = jp_access_sddl(access, sid_of, &asked, &unknown);
    if (access->sddl)
        MUST(strcmp(sddl, access->sddl) == 0 && !asked);
    else if (!access->present)
        MUST(strcmp(sddl, JP_ACCESS_DEFAULT_SDDL) == 0);
    else
        MUST(check_sddl(sddl) <= names && (unknown.count || check_sddl(sddl) == names));
    for (size_t i = 0; i < unknown.count; i++)
        jp_free(unknown.items[i]);
    jp_free(unknown.items);
    jp_free(sddl);
}

static void check_access(const cJSON *json) {
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    struct jp_access access = {0}, again = {0};
    if (jp_schema_read(&context, jp_access_fields, json, "access", &access) && jp_access_check(&access, json, "access", &faults)) {
        cJSON *written = jp_schema_write(jp_access_fields, &access);
        MUST(!faults.count);
        MUST(jp_schema_read(&context, jp_access_fields, written, "access", &again) && jp_schema_equal(jp_access_fields, &access, &again));
        check_descriptor(&access);
        cJSON_Delete(written);
    } else {
        MUST(faults.count);
    }
    jp_schema_clear(jp_access_fields, &access);
    jp_schema_clear(jp_access_fields, &again);
    jp_faults_free(&faults);
}

static void check_rights(uint32_t rights) {
    uint32_t more = jp_rights_with_implied(rights);
    MUST(more <= JP_RIGHTS_ALL && (more & rights) == (rights & JP_RIGHTS_ALL) && jp_rights_with_implied(more) == more);
    MUST(!more == !(rights & JP_RIGHTS_ALL) && (!more || more & JP_RIGHT_VIEW));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 16, .max_depth = 16};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    for (size_t i = 0; i < size && i < 4; i++)
        check_rights(data[i]);
    if (jp_json_parse((const char *)data, size, &rules, &json, &place, &error))
        return 0;
    check_access(json.root);
    jp_json_free(&json);
    return 0;
}
