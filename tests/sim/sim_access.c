/* Descriptors: enough of SDDL and of AccessCheck for the rights of job/access.h. */
#include "job/access.h"
#include "sim_internal.h"

#include <inttypes.h>

enum { ENTRIES = 64, SIDS = 24 };

struct sim_entry {
    bool denies;
    uint32_t mask;
    char sid[64];
};

struct jp_descriptor {
    struct jp_sim *sim;
    struct sim_entry entries[ENTRIES];
    size_t count;
};

/* --- names --- */

static const struct {
    const char *name, *alias, *sid;
} known[] = {
    {"NT AUTHORITY\\SYSTEM", "SY", "S-1-5-18"},
    {"NT AUTHORITY\\LOCAL SERVICE", "LS", "S-1-5-19"},
    {"NT AUTHORITY\\NETWORK SERVICE", "NS", "S-1-5-20"},
    {"NT AUTHORITY\\INTERACTIVE", "IU", "S-1-5-4"},
    {"NT AUTHORITY\\NETWORK", "NU", "S-1-5-2"},
    {"NT AUTHORITY\\BATCH", "", "S-1-5-3"},
    {"NT AUTHORITY\\SERVICE", "SU", "S-1-5-6"},
    {"NT AUTHORITY\\Authenticated Users", "AU", "S-1-5-11"},
    {"NT AUTHORITY\\ANONYMOUS LOGON", "AN", "S-1-5-7"},
    {"NT AUTHORITY\\RESTRICTED", "RC", "S-1-5-12"},
    {"Everyone", "WD", "S-1-1-0"},
    {"BUILTIN\\Administrators", "BA", "S-1-5-32-544"},
    {"BUILTIN\\Users", "BU", "S-1-5-32-545"},
    {"BUILTIN\\Guests", "BG", "S-1-5-32-546"},
    {"BUILTIN\\Power Users", "PU", "S-1-5-32-547"},
    {"BUILTIN\\Server Operators", "SO", "S-1-5-32-549"},
    {"BUILTIN\\Backup Operators", "BO", "S-1-5-32-551"},
    {"BUILTIN\\Remote Desktop Users", "RD", "S-1-5-32-555"},
};

static const char *known_sid(const char *name) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (jp_ascii_equal_nocase(known[i].name, name))
            return known[i].sid;
    return NULL;
}

static bool is_sid(const char *text) { return strncmp(text, "S-1-", 4) == 0; }

void jp__sid_of_name(const char *name, char *sid, size_t room) {
    uint32_t hash = 2166136261u;
    const char *fixed = is_sid(name) ? name : known_sid(name);
    for (const char *at = name; *at; at++)
        hash = (hash ^ (*at >= 'A' && *at <= 'Z' ? (unsigned char)*at | 32u : (unsigned char)*at)) * 16777619u;
    if (fixed)
        snprintf(sid, room, "%s", fixed);
    else
        snprintf(sid, room, "S-1-5-21-1-2-3-%" PRIu32, 1000 + hash % 1000000000);
}

/* Every account of this machine is there, by its full name: "SIM\\whoever". */
char *jp__account_sid(struct jp_backend *backend, const char *account) {
    char sid[64];
    (void)backend;
    if (!known_sid(account) && strncmp(account, "SIM\\", 4) != 0)
        return NULL;
    jp__sid_of_name(account, sid, sizeof sid);
    return jp_strdup(sid);
}

/* --- SDDL --- */

static const struct {
    char name[3];
    uint32_t mask;
} rights[] = {{"GA", JP_RIGHTS_ALL}, {"GR", JP_RIGHT_VIEW}, {"GX", JP_RIGHT_ASSIGN | JP_RIGHT_LAUNCH}, {"GW", JP_RIGHT_CONTROL},
              {"CC", 1}, {"DC", 2}, {"LC", 4}, {"SW", 8}, {"RP", 16}, {"RC", 0}, {"SD", 0}, {"WD", 0}, {"WO", 0}};

/* Of a field up to `end`; false: it is none. */
static bool read_mask(const char *at, const char *end, uint32_t *ret_mask) {
    *ret_mask = 0;
    if (at < end && *at >= '0' && *at <= '9') {
        char *stop;
        unsigned long number = strtoul(at, &stop, 0);
        *ret_mask = (uint32_t)number;
        return stop == end && number <= UINT32_MAX;
    }
    for (; at < end; at += 2) {
        size_t i = 0;
        while (i < sizeof rights / sizeof *rights && (end - at < 2 || strncmp(rights[i].name, at, 2) != 0))
            i++;
        if (i == sizeof rights / sizeof *rights)
            return false;
        *ret_mask |= rights[i].mask;
    }
    return true;
}

/* "SY", "S-1-5-18"; false: neither. */
static bool read_sid(const char *at, size_t length, char *sid, size_t room) {
    if (length >= room)
        return false;
    if (strncmp(at, "S-1-", 4) == 0 && strspn(at + 4, "0123456789-") >= length - 4) {
        memcpy(sid, at, length);
        sid[length] = 0;
        return length > 4;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (length == 2 && strncmp(known[i].alias, at, 2) == 0) {
            snprintf(sid, room, "%s", known[i].sid);
            return true;
        }
    return false;
}

/* "A;flags;rights;;;sid" up to `end`. */
static bool read_entry(const char *at, const char *end, struct jp_descriptor *descriptor) {
    const char *fields[7] = {at};
    size_t count = 1;
    struct sim_entry entry = {0};
    for (const char *c = at; c < end; c++)
        if (*c == ';' && count < 7)
            fields[count++] = c + 1;
    if (count != 6 || descriptor->count == ENTRIES || fields[1] - at != 2 || (*at != 'A' && *at != 'D'))
        return false;
    entry.denies = *at == 'D';
    if (!read_mask(fields[2], fields[3] - 1, &entry.mask) || !read_sid(fields[5], (size_t)(end - fields[5]), entry.sid, sizeof entry.sid))
        return false;
    if (!strstr(fields[1], "IO") || strstr(fields[1], "IO") >= fields[2]) /* for those that inherit it only */
        descriptor->entries[descriptor->count++] = entry;
    return true;
}

/* The access list that begins at `at`; NULL: there is no such thing, else what comes after it. */
static const char *read_list(const char *at, struct jp_descriptor *descriptor) {
    at += strspn(at, "PARI"); /* protected, inherited: nothing to us */
    while (*at == '(') {
        const char *end = strchr(at, ')');
        if (!end || !read_entry(at + 1, end, descriptor))
            return NULL;
        at = end + 1;
    }
    return at;
}

static bool read_descriptor(const char *at, struct jp_descriptor *descriptor) {
    char sid[64];
    bool listed = false;
    while (at && *at) {
        char part = *at;
        if (at[1] != ':')
            return false;
        at += 2;
        if (part == 'O' || part == 'G') {
            size_t length = strcspn(at, ":");
            length -= at[length] == ':'; /* the next part's letter */
            if (!read_sid(at, length, sid, sizeof sid))
                return false;
            at += length;
        } else if (part == 'D' && !listed) {
            listed = true;
            at = read_list(at, descriptor);
        } else {
            return part == 'S' && listed; /* audit and integrity are not simulated */
        }
    }
    return at && listed;
}

jp_status jp__descriptor_new(struct jp_backend *backend, const char *sddl, bool and_self, struct jp_descriptor **ret_descriptor,
                             struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    struct jp_descriptor *descriptor = jp_alloc(sizeof *descriptor);
    descriptor->sim = sim;
    if (and_self) {
        struct sim_entry *own = &descriptor->entries[descriptor->count++];
        own->mask = JP_RIGHTS_ALL;
        jp__sid_of_name(sim->service.user, own->sid, sizeof own->sid);
    }
    if (!read_descriptor(sddl, descriptor)) {
        jp_free(descriptor);
        return jp_fail(error, JP_E_PARAMS, "\"%s\" is not a security descriptor in SDDL with an access list", sddl);
    }
    sim->descriptors++;
    *ret_descriptor = descriptor;
    return JP_OK;
}

void jp__descriptor_free(struct jp_descriptor *descriptor) {
    if (!descriptor)
        return;
    descriptor->sim->descriptors--;
    jp_free(descriptor);
}

/* --- AccessCheck --- */

struct sids {
    char items[SIDS][64];
    size_t count;
};

static void add_sid(struct sids *sids, const char *name) {
    if (sids->count < SIDS)
        jp__sid_of_name(name, sids->items[sids->count++], sizeof sids->items[0]);
}

static void sids_of(const struct jp_principal *who, struct sids *sids) {
    const char *logon = who->network ? "S-1-5-2" : who->service ? "S-1-5-6" : "S-1-5-4";
    char groups[sizeof who->groups], *rest = groups;
    add_sid(sids, *who->sid ? who->sid : who->user);
    add_sid(sids, "Everyone");
    add_sid(sids, "S-1-5-11");
    if (!who->system)
        add_sid(sids, logon);
    if (!who->system && !who->service)
        add_sid(sids, "BUILTIN\\Users");
    if (who->admin || who->system)
        add_sid(sids, "BUILTIN\\Administrators");
    memcpy(groups, who->groups, sizeof groups);
    for (char *name; (name = strtok_r(rest, ",", &rest));)
        add_sid(sids, name);
}

static bool is_among(const char *sid, const struct sids *sids) {
    for (size_t i = 0; i < sids->count; i++)
        if (strcmp(sids->items[i], sid) == 0)
            return true;
    return false;
}

/* In the order in which they are written: what was given is not taken away further down, nor the other way round. */
static uint32_t granted_to(const struct jp_descriptor *descriptor, const struct sids *sids, bool only_denies) {
    uint32_t granted = 0, denied = 0;
    for (size_t i = 0; i < descriptor->count; i++) {
        const struct sim_entry *entry = &descriptor->entries[i];
        bool cut = only_denies && strcmp(entry->sid, "S-1-5-32-544") == 0;
        if (entry->denies && (cut || is_among(entry->sid, sids)))
            denied |= entry->mask & ~granted;
        else if (!entry->denies && is_among(entry->sid, sids))
            granted |= entry->mask & ~denied;
    }
    return granted;
}

/* Whose token is restricted must have it twice: as who it is, and by its restricting SIDs. */
uint32_t jp__descriptor_rights(const struct jp_descriptor *descriptor, const struct jp_principal *principal) {
    if (!principal)
        return JP_RIGHTS_ALL;
    const struct jp_principal *who = jp__who(descriptor->sim, principal);
    struct sids sids = {0}, restricting = {0};
    sids_of(who, &sids);
    uint32_t granted = granted_to(descriptor, &sids, who->only_denies);
    if (who->restricted) {
        add_sid(&restricting, "Everyone");
        add_sid(&restricting, "BUILTIN\\Users");
        add_sid(&restricting, "S-1-5-12");
        granted &= granted_to(descriptor, &restricting, false);
    }
    return jp_rights_with_implied(granted);
}
