/* Owns the key `access`, and the security descriptor that it stands for. */
#include "job/access.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct jp_choice jp_rights[] = {{"view", JP_RIGHT_VIEW},       {"assign", JP_RIGHT_ASSIGN}, {"launch", JP_RIGHT_LAUNCH},
                                      {"control", JP_RIGHT_CONTROL}, {"admin", JP_RIGHT_ADMIN},   {NULL, 0}};

#define WHO(right, member_name, what)                                                                                                \
    {.key = right, .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_access, member_name), .max = 64, .nullable = true, .documentation = "Who may " what \
     ": accounts, groups, aliases such as \"Interactive\", or SIDs."}

const struct jp_field jp_access_fields[] = {
    [JP_ACCESS_VIEW] = WHO("view", view, "see it, its processes, events and accounts"),
    [JP_ACCESS_ASSIGN] = WHO("assign", assign, "take running processes of their own into it"),
    [JP_ACCESS_LAUNCH] = WHO("launch", launch, "start processes in it"),
    [JP_ACCESS_CONTROL] = WHO("control", control, "end, freeze and thaw"),
    [JP_ACCESS_ADMIN] = WHO("admin", admin, "change and delete it, and make pools below it"),
    [JP_ACCESS_SDDL] = {.key = "sddl", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_access, sddl), .min = 1, .nullable = true,
                        .documentation = "A security descriptor instead of the lists. Rights: 0x1 view, 0x2 assign, 0x4 launch, 0x8 control, 0x10 admin."},
    {0}};

uint32_t jp_rights_with_implied(uint32_t rights) {
    rights &= JP_RIGHTS_ALL;
    if (rights & JP_RIGHT_ADMIN)
        return JP_RIGHTS_ALL;
    return rights ? rights | JP_RIGHT_VIEW : 0;
}

/* SDDL's names of those that are the same on every machine, in whatever language Windows speaks
 * (https://learn.microsoft.com/windows/win32/secauthz/sid-strings). */
static const struct {
    const char *name, *sid;
} aliases[] = {
    {"SYSTEM", "SY"},
    {"Administrators", "BA"},
    {"Users", "BU"},
    {"Interactive", "IU"},
    {"Everyone", "WD"},
    {"Authenticated Users", "AU"},
    {"Local Service", "LS"},
    {"Network Service", "NS"},
    {"Service", "SU"},
    {"Batch", "S-1-5-3"},
    {"Remote Desktop Users", "RD"},
    {"Power Users", "PU"},
    {"Backup Operators", "BO"},
    {"Server Operators", "SO"},
};

static const char *alias_of(const char *name) {
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (jp_ascii_equal_nocase(aliases[i].name, name))
            return aliases[i].sid;
    return NULL;
}

static bool looks_like_sid(const char *text) { return (text[0] == 'S' || text[0] == 's') && text[1] == '-'; }

/* S-1-authority-sub-authority..., of which a SID has at most 15; 48 and 32 bits. */
static bool sid_valid(const char *text) {
    unsigned numbers = 0;
    if (!looks_like_sid(text) || strncmp(text + 1, "-1-", 3) != 0)
        return false;
    for (const char *at = text + 3; *at; numbers++) {
        size_t digits = *at == '-' ? strspn(at + 1, "0123456789") : 0;
        if (!digits || digits > 15 || strtoull(at + 1, NULL, 10) > (numbers ? UINT32_MAX : (UINT64_C(1) << 48) - 1))
            return false;
        at += 1 + digits;
    }
    return numbers >= 2 && numbers <= 16;
}

bool jp_access_given(const struct jp_access *access) { return access->present & (JP_SCHEMA_BIT(JP_ACCESS_SDDL + 1) - 1); }

static const struct jp_strings *list_of(const struct jp_access *access, size_t row) {
    return (const struct jp_strings *)(const void *)((const char *)access + jp_access_fields[row].offset);
}

bool jp_access_check(const struct jp_access *access, const cJSON *json, const char *path, struct jp_faults *faults) {
    size_t before = faults->count;
    if (access->sddl && access->present & (JP_SCHEMA_BIT(JP_ACCESS_SDDL) - 1))
        jp_faults_add(faults, json, false, "%s: give either sddl or lists, not both", path);
    for (size_t row = JP_ACCESS_VIEW; row <= JP_ACCESS_ADMIN; row++)
        for (size_t i = 0; i < list_of(access, row)->count; i++) {
            const char *name = list_of(access, row)->items[i];
            if (!*name)
                jp_faults_add(faults, json, false, "%s.%s: an empty name is nobody's", path, jp_access_fields[row].key);
            else if (looks_like_sid(name) && !sid_valid(name))
                jp_faults_add(faults, json, false, "%s.%s: \"%.100s\" is no SID; write for example \"S-1-5-32-545\"", path,
                              jp_access_fields[row].key, name);
        }
    return faults->count == before;
}

static void add_unknown(struct jp_strings *unknown, const char *name) {
    for (size_t i = 0; i < unknown->count; i++)
        if (strcmp(unknown->items[i], name) == 0)
            return;
    jp_strings_add(unknown, name);
}

static void add_entry(struct jp_str *sddl, uint32_t rights, const char *sid) {
    bool alias = !looks_like_sid(sid); /* in which case a SID is written does not count for us, and so not for whoever reads the descriptor */
    jp_str_printf(sddl, "(A;;0x%" PRIx32 ";;;%s%s)", jp_rights_with_implied(rights), alias ? "" : "S", alias ? sid : sid + 1);
}

char *jp_access_sddl(const struct jp_access *access, jp_account_sid_fn *sid_of, void *context, struct jp_strings *ret_unknown) {
    struct jp_str sddl = {0};
    if (!access || !jp_access_given(access))
        return jp_strdup(JP_ACCESS_DEFAULT_SDDL);
    if (access->sddl)
        return jp_strdup(access->sddl);
    jp_str_puts(&sddl, "O:SYG:SYD:P(A;;0x1f;;;SY)(A;;0x1f;;;BA)");
    for (size_t row = JP_ACCESS_VIEW; row <= JP_ACCESS_ADMIN; row++)
        for (size_t i = 0; i < list_of(access, row)->count; i++) {
            const char *name = list_of(access, row)->items[i], *known = looks_like_sid(name) ? name : alias_of(name);
            char *found = known ? NULL : sid_of(context, name);
            if (known || found)
                add_entry(&sddl, jp_rights[row].value, known ? known : found);
            else
                add_unknown(ret_unknown, name);
            jp_free(found);
        }
    return jp_str_take(&sddl);
}
