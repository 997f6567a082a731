/* Who may do what: from the configuration's key to a descriptor, and what the simulated kernel makes of one. */
#include "job/access.h"
#include "job/job_backend.h"
#include "job/template.h"

#include "../sim/kernel.h"
#include "unit.h"

/* --- the key --- */

static char *sid_of(void *context, const char *account) {
    int *asked = context;
    ++*asked;
    return strcmp(account, "DOMAIN\\build") == 0 ? jp_strdup("S-1-5-21-1-2-3-1001") : NULL;
}

static struct jp_access access_of(const char *json, struct jp_faults *faults) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 32};
    struct jp_json parsed;
    struct jp_json_place place;
    struct jp_error error;
    struct jp_access access = {0};
    assert_int_equal(jp_json_parse(json, strlen(json), &rules, &parsed, &place, &error), JP_OK);
    cJSON *root = jp_json_take_root(&parsed);
    jp_json_free(&parsed);
    struct jp_schema_context context = {.faults = faults};
    if (jp_schema_read(&context, jp_access_fields, root, "access", &access))
        jp_access_check(&access, NULL, "access", faults);
    cJSON_Delete(root);
    return access;
}

static void free_strings(struct jp_strings *strings) {
    for (size_t i = 0; i < strings->count; i++)
        jp_free(strings->items[i]);
    jp_free(strings->items);
    *strings = (struct jp_strings){0};
}

/* The descriptor, and the names that nobody has, with commas between them. */
static void assert_sddl(const char *json, const char *expected, const char *expected_unknown) {
    struct jp_faults faults = {0};
    struct jp_strings unknown = {0};
    int asked = 0;
    struct jp_access access = access_of(json, &faults);
    assert_int_equal(faults.count, 0);
    char *sddl = jp_access_sddl(&access, sid_of, &asked, &unknown);
    assert_string_equal(sddl, expected);
    struct jp_str names = {0};
    for (size_t i = 0; i < unknown.count; i++)
        jp_str_printf(&names, "%s%s", i ? "," : "", unknown.items[i]);
    assert_string_equal(jp_str_text(&names), expected_unknown);
    jp_str_free(&names);
    jp_free(sddl);
    free_strings(&unknown);
    jp_schema_clear(jp_access_fields, &access);
    jp_faults_free(&faults);
}

#define ALWAYS "O:SYG:SYD:P(A;;0x1f;;;SY)(A;;0x1f;;;BA)"

static void names_become_a_descriptor(void **state) {
    (void)state;
    assert_sddl("{}", JP_ACCESS_DEFAULT_SDDL, "");
    assert_sddl("{\"view\": []}", ALWAYS, "");
    assert_sddl("{\"view\": [\"interactive\"]}", ALWAYS "(A;;0x1;;;IU)", "");
    assert_sddl("{\"assign\": [\"USERS\"], \"launch\": [\"Batch\"]}", ALWAYS "(A;;0x3;;;BU)(A;;0x5;;;S-1-5-3)", "");
    assert_sddl("{\"control\": [\"S-1-5-32-545\"], \"admin\": [\"Local Service\"]}", ALWAYS "(A;;0x9;;;S-1-5-32-545)(A;;0x1f;;;LS)", "");
    assert_sddl("{\"launch\": [\"DOMAIN\\\\build\"]}", ALWAYS "(A;;0x5;;;S-1-5-21-1-2-3-1001)", "");
    assert_sddl("{\"view\": [\"gone\", \"Everyone\"], \"launch\": [\"gone\", \"away\"]}", ALWAYS "(A;;0x1;;;WD)", "gone,away");
    assert_sddl("{\"sddl\": \"D:(A;;GR;;;WD)\"}", "D:(A;;GR;;;WD)", "");
}

static void aliases_and_sids_ask_nobody(void **state) {
    (void)state;
    struct jp_faults faults = {0};
    struct jp_strings unknown = {0};
    int asked = 0;
    struct jp_access access = access_of("{\"view\": [\"Users\", \"s-1-1-0\", \"Server Operators\", \"DOMAIN\\\\build\"]}", &faults);
    assert_int_equal(faults.count, 0);
    char *sddl = jp_access_sddl(&access, sid_of, &asked, &unknown);
    assert_int_equal(asked, 1);
    assert_string_equal(sddl, ALWAYS "(A;;0x1;;;BU)(A;;0x1;;;S-1-1-0)(A;;0x1;;;SO)(A;;0x1;;;S-1-5-21-1-2-3-1001)");
    jp_free(sddl);
    free_strings(&unknown);
    jp_schema_clear(jp_access_fields, &access);
    jp_faults_free(&faults);
}

static void assert_fault(const char *json, const char *expected) {
    struct jp_faults faults = {0};
    struct jp_access access = access_of(json, &faults);
    CHECK(faults.count == 1, "%zu faults in %s", faults.count, json);
    if (!strstr(faults.items[0].text, expected))
        fail_msg("\"%s\" does not say \"%s\"", faults.items[0].text, expected);
    jp_schema_clear(jp_access_fields, &access);
    jp_faults_free(&faults);
}

static void what_names_nobody_is_a_fault(void **state) {
    (void)state;
    assert_fault("{\"sddl\": \"D:(A;;GR;;;WD)\", \"view\": []}", "either sddl or lists, not both");
    assert_fault("{\"view\": [\"\"]}", "access.view: an empty name is nobody's");
    static const char *const no_sids[] = {"S-",           "S-1",          "S-1-",   "S-1-5",      "S-1-5-",      "S-1-5--18", "S-2-5-18",
                                          "S-1-5-18 ",    "S-1-5-x",      "S-1-5-99999999999", "S-1-5-1;;;SY)(A"};
    for (size_t i = 0; i < COUNT(no_sids); i++) {
        char *json = jp_sprintf("{\"control\": [\"%s\"]}", no_sids[i]);
        assert_fault(json, "is no SID");
        jp_free(json);
    }
    char *many = jp_sprintf("{\"admin\": [\"S-1-5%s\"]}", "-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1"); /* 16 of at most 15 */
    assert_fault(many, "is no SID");
    jp_free(many);
}

static void rights_bring_others_along(void **state) {
    (void)state;
    assert_int_equal(jp_rights_with_implied(0), 0);
    assert_int_equal(jp_rights_with_implied(JP_RIGHT_VIEW), JP_RIGHT_VIEW);
    assert_int_equal(jp_rights_with_implied(JP_RIGHT_LAUNCH), JP_RIGHT_LAUNCH | JP_RIGHT_VIEW);
    assert_int_equal(jp_rights_with_implied(JP_RIGHT_ASSIGN | JP_RIGHT_CONTROL), JP_RIGHT_ASSIGN | JP_RIGHT_CONTROL | JP_RIGHT_VIEW);
    assert_int_equal(jp_rights_with_implied(JP_RIGHT_ADMIN), JP_RIGHTS_ALL);
    assert_int_equal(jp_rights_with_implied(0xFFFFFFE0), 0); /* none of ours */
}

/* --- descriptors on the simulated kernel --- */

static struct jp_sim *sim;

static uint32_t rights(const char *sddl, bool and_self, const struct jp_principal *like) {
    const struct jp_backend_ops *ops = jp_sim_backend(sim)->ops;
    struct jp_descriptor *descriptor;
    struct jp_error error;
    if (ops->descriptor_new(jp_sim_backend(sim), sddl, and_self, &descriptor, &error))
        fail_msg("%s", error.text);
    struct jp_principal *principal = jp_sim_principal_new(sim, like);
    uint32_t got = ops->descriptor_rights(descriptor, principal);
    assert_int_equal(ops->descriptor_rights(descriptor, NULL), JP_RIGHTS_ALL);
    jp_sim_principal_free(sim, principal);
    ops->descriptor_free(descriptor);
    return got;
}

static const struct jp_principal alice = {.user = "SIM\\alice", .session = 1}, bob = {.user = "SIM\\bob", .session = 1, .groups = "SIM\\builders"},
                                 root = {.user = "SIM\\root", .session = 1, .admin = true, .elevated = true},
                                 cut = {.user = "SIM\\root", .session = 1, .only_denies = true},
                                 caged = {.user = "SIM\\alice", .session = 1, .restricted = true},
                                 service = {.user = "NT AUTHORITY\\LOCAL SERVICE", .service = true};

static void everybody_has_what_the_default_says(void **state) {
    (void)state;
    assert_int_equal(rights(JP_ACCESS_DEFAULT_SDDL, false, &root), JP_RIGHTS_ALL);
    assert_int_equal(rights(JP_ACCESS_DEFAULT_SDDL, false, &alice), JP_RIGHT_VIEW);
    assert_int_equal(rights(JP_ACCESS_DEFAULT_SDDL, false, &cut), JP_RIGHT_VIEW); /* as what UAC leaves of an administrator */
    assert_int_equal(rights(JP_ACCESS_DEFAULT_SDDL, false, &service), 0);
    assert_int_equal(rights(JP_ACCESS_DEFAULT_SDDL, false, &caged), 0);
}

static void entries_count_in_their_order(void **state) {
    (void)state;
    assert_int_equal(rights("D:(D;;0x4;;;WD)(A;;0x5;;;WD)", false, &alice), JP_RIGHT_VIEW);
    assert_int_equal(rights("D:(A;;0x5;;;WD)(D;;0x4;;;WD)", false, &alice), JP_RIGHT_VIEW | JP_RIGHT_LAUNCH);
    assert_int_equal(rights("D:P(D;;GX;;;SU)(A;;GX;;;AU)", false, &service), 0);
    assert_int_equal(rights("D:P(D;;GX;;;SU)(A;;GX;;;AU)", false, &bob), JP_RIGHT_VIEW | JP_RIGHT_ASSIGN | JP_RIGHT_LAUNCH);
    assert_int_equal(rights("D:(A;IOCI;0x1f;;;WD)(A;;0x1;;;WD)", false, &alice), JP_RIGHT_VIEW); /* the first is for heirs only */
    assert_int_equal(rights("D:", false, &root), 0);
    assert_int_equal(rights("O:BAG:BAD:PAI(A;;GA;;;SY)S:(AU;SA;0x1;;;WD)", false, &root), 0);
    assert_int_equal(rights("D:", true, &(struct jp_principal){.user = "NT AUTHORITY\\SYSTEM", .system = true}), JP_RIGHTS_ALL);
    assert_int_equal(rights("D:(D;;GA;;;BA)(A;;GA;;;WD)", false, &cut), 0); /* a group that only denies does deny */
    assert_int_equal(rights("D:(A;;0x9;;;WD)(A;;GA;;;IU)", false, &caged), JP_RIGHT_VIEW | JP_RIGHT_CONTROL);
}

static void groups_are_found_by_name(void **state) {
    (void)state;
    const struct jp_backend_ops *ops = jp_sim_backend(sim)->ops;
    char *sid = ops->account_sid(jp_sim_backend(sim), "SIM\\builders");
    assert_non_null(sid);
    assert_null(ops->account_sid(jp_sim_backend(sim), "OTHER\\builders"));
    char *sddl = jp_sprintf("D:(A;;0x4;;;%s)", sid);
    assert_int_equal(rights(sddl, false, &bob), JP_RIGHT_LAUNCH | JP_RIGHT_VIEW);
    assert_int_equal(rights(sddl, false, &alice), 0);
    jp_free(sddl);
    jp_free(sid);
}

static void what_is_no_descriptor_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",  "x", "O:SY", "D", "D:(A;;0x1;;;WD", "D:(A;;0x1;;;)", "D:(A;;0x1;;;NOBODY)", "D:(A;;QQ;;;WD)", "D:NO_ACCESS_CONTROL",
                                        "D:(A;;0x1;;WD)", "D:(OA;;0x1;;;WD)", "D:()D:()", "O:SYG:D:", "D:(A;;1x;;;WD)"};
    const struct jp_backend_ops *ops = jp_sim_backend(sim)->ops;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct jp_descriptor *descriptor;
        struct jp_error error;
        CHECK(ops->descriptor_new(jp_sim_backend(sim), texts[i], false, &descriptor, &error) == JP_E_PARAMS, "\"%s\"", texts[i]);
    }
}

/* --- a launch's files --- */

static void a_file_is_on_a_drive(void **state) {
    (void)state;
    struct jp_error error;
    static const char *const good[] = {"C:\\x", "z:/folder/file.txt", "NUL", "nul", "C:\\a\\b:stream"};
    static const char *const bad[] = {"",   "x.txt", "\\x", "C:x", "C:\\", "C:", "\\\\server\\share\\x", "\\\\.\\pipe\\x", "\\\\?\\C:\\x", "//server/x",
                                      "CON", "NUL:", "1:\\x", "\\??\\C:\\x"};
    assert_int_equal(jp_launch_file_check(NULL, "stdin", &error), JP_OK);
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(jp_launch_file_check(good[i], "stdin", &error) == JP_OK, "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(jp_launch_file_check(bad[i], "stdin", &error) == JP_E_PARAMS, "%s", bad[i]);
    char input[] = "C:\\x", relative[] = "y";
    assert_int_equal(jp_launch_files_check(&(struct jp_launch_files){.input = input, .error = relative}, &error), JP_E_PARAMS);
    assert_non_null(strstr(error.text, "stderr: \"y\" is not the full name of a file on a drive"));
}

static int begin(void **state) {
    (void)state;
    sim = jp_sim_new();
    return 0;
}

static int end(void **state) {
    (void)state;
    jp_sim_free(sim);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_a_descriptor),
        cmocka_unit_test(aliases_and_sids_ask_nobody),
        cmocka_unit_test(what_names_nobody_is_a_fault),
        cmocka_unit_test(rights_bring_others_along),
        cmocka_unit_test_setup_teardown(everybody_has_what_the_default_says, begin, end),
        cmocka_unit_test_setup_teardown(entries_count_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(groups_are_found_by_name, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_descriptor_is_refused, begin, end),
        cmocka_unit_test(a_file_is_on_a_drive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
