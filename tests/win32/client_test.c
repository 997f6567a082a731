/* What the backend does for clients, with their rights: jobs by name, USER handles, tokens to launch with. Prints TAP.
 *
 * Clients are this process's own identity, and what can be made of it: with fewer groups, in another session. */
#include "sinks.h"
#include "tap.h"

#include "base/str.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/principal.h"
#include "win32/wide.h"

#include <string.h>

static struct jp_backend *backend;
static const struct jp_backend_ops *ops;
static bool wine;
static char *own_path;
static struct jp_principal *self;

/* --- jobs --- */

static char *job_name(const char *prefix, const char *what) {
    return jp_sprintf("%sJobPoolClientTest.%lu.%s", prefix, GetCurrentProcessId(), what);
}

static jp_status create(const char *name, struct jp_principal *principal, struct jp_job **ret_job, bool *ret_existed) {
    struct jp_job_naming naming = {.name = name, .principal = principal};
    return ops->job_create(backend, &naming, ret_job, ret_existed, &error);
}

static jp_status open_job(const char *name, uint32_t access, struct jp_principal *principal, struct jp_job **ret_job) {
    struct jp_job_naming naming = {.name = name, .desired_access = access, .principal = principal};
    return ops->job_open(backend, &naming, ret_job, &error);
}

/* shows: CreateJobObject OpenJobObject JOB_OBJECT_ALL_ACCESS */
static void test_client_jobs(void) {
    char *plain = job_name("", "plain"), *local = job_name("Local\\", "plain"), *global = job_name("Global\\", "plain");
    struct jp_job *job = NULL, *other = NULL;
    bool existed = true;
    STATUS(create(plain, self, &job, &existed), JP_OK, "a job is made for a client");
    CHECK(!existed, "it is new");
    STATUS(create(local, self, &other, &existed), JP_OK, "a name without prefix is that of the client's session");
    CHECK(existed, "it was there already");
    ops->job_close(other);
    STATUS(open_job(plain, JP_JOB_OBJECT_QUERY, self, &other), JP_OK, "a job is opened for a client");
    struct jp_job_info info = {.class = JP_JOB_BasicLimitInformation};
    STATUS(ops->job_query(other, JP_JOB_BasicAccountingInformation, &info, &error), JP_OK, "it can do what it was opened for");
    info = (struct jp_job_info){.class = JP_JOB_BasicLimitInformation};
    STATUS(ops->job_set(other, &info, &error), JP_E_DENIED, "and nothing else");
    STATUS(ops->job_terminate(other, 1, &error), JP_E_DENIED, "nothing at all");
    ops->job_close(other);
    STATUS(ops->job_set(job, &info, &error), JP_OK, "who made it may set it");
    if (STATUS(open_job(plain, JP_JOB_OBJECT_ALL_ACCESS, self, &other), JP_OK, "with all rights")) {
        STATUS(ops->job_set(other, &info, &error), JP_OK, "it can be set");
        ops->job_close(other);
    }
    STATUS(open_job(global, JP_JOB_OBJECT_QUERY, self, &other), JP_E_NO_JOB, "a global name is another one");
    static const uint32_t wrong[] = {MAXIMUM_ALLOWED, GENERIC_ALL, ACCESS_SYSTEM_SECURITY, 0x20};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        STATUS(open_job(plain, wrong[i], self, &other), JP_E_PARAMS, "rights that are not those of a job object are refused");
    struct jp_principal shy = *self;
    shy.level = SecurityIdentification;
    STATUS(open_job(plain, JP_JOB_OBJECT_QUERY, &shy, &other), JP_E_DENIED, "a client that only identifies itself opens nothing");
    STATUS(create(NULL, &shy, &other, &existed), JP_E_DENIED, "nor makes anything");
    ops->job_close(job);
    jp_free(plain);
    jp_free(local);
    jp_free(global);
}

/* A client in a session that is not ours: its names are not those of our session. */
static void test_sessions(void) {
    struct jp_principal away = *self;
    away.session = 0xFFFE; /* which is not there */
    CHECK(ops->session_of(backend, &away) == 0xFFFE, "a client's session is its token's");
    CHECK(ops->session_of(backend, NULL) == ops->session_of(backend, self), "without a client it is the service's");
    char *plain = job_name("", "away"), *local = job_name("Local\\", "away"), *global = job_name("Global\\", "away");
    struct jp_job *job = NULL, *other = NULL;
    bool existed;
    create(plain, self, &job, &existed);
    STATUS(open_job(plain, JP_JOB_OBJECT_QUERY, &away, &other), JP_E_NO_JOB, "a name is looked for in the client's session");
    CHECK(strstr(error.text, "\"Session\\65534\\JobPoolClientTest") != NULL, "and in no other");
    STATUS(open_job(local, JP_JOB_OBJECT_QUERY, &away, &other), JP_E_NO_JOB, "also with Local\\ before it");
    CHECK(strstr(error.text, "\"Session\\65534\\JobPoolClientTest") != NULL, "which is not ours");
    ops->job_close(job);
    create(global, self, &job, &existed);
    if (STATUS(open_job(global, JP_JOB_OBJECT_QUERY, &away, &other), JP_OK, "global names are the same for all"))
        ops->job_close(other);
    ops->job_close(job);

    struct jp_principal zero = *self;
    zero.session = 0;
    if (self->session == 0) {
        skip("a job of another session is made and found", "this program runs in session 0 itself");
    } else if (STATUS(create(local, &zero, &job, &existed), JP_OK, "a job of another session is made")) {
        char *there = job_name("Session\\0\\", "away");
        STATUS(open_job(plain, JP_JOB_OBJECT_QUERY, self, &other), JP_E_NO_JOB, "it is not in ours");
        if (STATUS(open_job(there, JP_JOB_OBJECT_QUERY, self, &other), JP_OK, "a job of another session is made and found"))
            ops->job_close(other);
        ops->job_close(job);
        jp_free(there);
    }
    jp_free(plain);
    jp_free(local);
    jp_free(global);
}

/* shows: UserHandleGrantAccess */
static void test_user_handles(void) {
    struct jp_job *job = NULL;
    bool existed;
    create(NULL, self, &job, &existed);
    struct jp_principal away = *self;
    away.session++;
    STATUS(ops->job_grant_user_handle(job, 1, true, &away, &error), JP_E_SESSION, "a USER handle of another session means nothing");
    CHECK(strstr(error.text, "grant-handle") != NULL, "the error says what to do");
    jp_status status = ops->job_grant_user_handle(job, 0xDEAD4, true, self, &error);
    printf("# in our own: %s: %s\n", jp_status_name(status), status == JP_OK ? "" : error.text);
    if (status == JP_OK && wine)
        skip("a value that is no USER handle is refused", "Wine's UserHandleGrantAccess takes anything and does nothing");
    else
        CHECK(status == JP_E_PARAMS || status == JP_E_SESSION, "a value that is no USER handle is refused");
    ops->job_close(job);
}

/* --- launches --- */

/* What the child says of its token, in its exit code. */
enum { CHILD_IS_ADMIN = 1, CHILD_IS_RESTRICTED = 2, CHILD_MAY_SHUT_DOWN = 4 };

static jp_status run_child(const struct jp_launch *how, uint32_t *ret_code) {
    struct jp_launch launch = *how;
    struct jp_process *process = NULL;
    char *line = jp_sprintf("\"%s\" child", own_path);
    launch.command_line = line;
    jp_status status = ops->process_launch(backend, &launch, &process, &error);
    jp_free(line);
    if (status != JP_OK)
        return status;
    ops->process_resume(process, &error);
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    HANDLE pause = CreateEventW(NULL, TRUE, FALSE, NULL);
    while (!ops->process_exited(process, ret_code) && jp_win32_now_ms() < until)
        WaitForSingleObject(pause, 5);
    CloseHandle(pause);
    ops->process_close(process);
    printf("# the child said 0x%x\n", (unsigned)*ret_code);
    return status;
}

static bool token_has_privilege(HANDLE token, const wchar_t *name) {
    union {
        TOKEN_PRIVILEGES privileges;
        uint8_t room[4096];
    } held;
    LUID luid;
    DWORD length;
    if (!LookupPrivilegeValueW(NULL, name, &luid) || !GetTokenInformation(token, TokenPrivileges, &held, sizeof held, &length))
        return false;
    for (DWORD i = 0; i < held.privileges.PrivilegeCount; i++)
        if (memcmp(&held.privileges.Privileges[i].Luid, &luid, sizeof luid) == 0)
            return true;
    return false;
}

static int be_child(void) {
    uint8_t sid[SECURITY_MAX_SID_SIZE];
    DWORD length = sizeof sid;
    BOOL admin = FALSE;
    HANDLE token;
    CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &length);
    CheckTokenMembership(NULL, sid, &admin);
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    return (admin ? CHILD_IS_ADMIN : 0) | (IsTokenRestricted(token) ? CHILD_IS_RESTRICTED : 0) |
           (token_has_privilege(token, SE_SHUTDOWN_NAME) ? CHILD_MAY_SHUT_DOWN : 0);
}

static void test_bad_filters(void) {
    static char account[] = "No Such Account 4711", sid[] = "S-1-nonsense", privilege[] = "SeNoSuchPrivilege";
    char *names[] = {account, sid, privilege};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct jp_token_filter filter = {0};
        struct jp_strings one = {&names[i], 1};
        *(i == 0 ? &filter.sids_to_disable : i == 1 ? &filter.restricted_sids : &filter.privileges_to_delete) = one;
        uint32_t code;
        STATUS(run_child(&(struct jp_launch){.principal = self, .filter = &filter}, &code), JP_E_PARAMS, "what nobody knows is not filtered");
        CHECK(strstr(error.text, names[i]) != NULL, "the error names it");
    }
}

/* shows: JOB_OBJECT_SECURITY_FILTER_TOKENS */
static void test_filter(struct jp_principal *principal) {
    static char administrators[] = "S-1-5-32-544", shut_down[] = "SeShutdownPrivilege", users[] = "S-1-5-32-545";
    char *disable[] = {administrators}, *privileges[] = {shut_down}, *restrict_to[] = {users};
    uint32_t before = 0, after = 0;
    STATUS(run_child(&(struct jp_launch){.principal = principal}, &before), JP_OK, "a process is launched as it is");
    struct jp_token_filter filter = {.sids_to_disable = {disable, 1}, .privileges_to_delete = {privileges, 1}};
    STATUS(run_child(&(struct jp_launch){.principal = principal, .filter = &filter}, &after), JP_OK, "another with fewer rights");
    CHECK(!(after & CHILD_IS_ADMIN), "it is no administrator");
    CHECK(!(after & CHILD_MAY_SHUT_DOWN), "the privilege is gone");
    CHECK(!wine || (before & CHILD_IS_ADMIN), "where the first was one");
    filter = (struct jp_token_filter){.restricted_sids = {restrict_to, 1}};
    jp_status status = run_child(&(struct jp_launch){.principal = principal, .filter = &filter}, &after);
    if (wine)
        skip("a restricted token runs a process", "Wine's CreateRestrictedToken passes over the restricting SIDs");
    else
        CHECK(status == JP_OK && (after & CHILD_IS_RESTRICTED), "a restricted token runs a process");
}

/* Without Administrators among the groups that grant. */
static struct jp_principal *ordinary_user(void) {
    uint8_t sid[SECURITY_MAX_SID_SIZE];
    DWORD length = sizeof sid;
    HANDLE less = NULL;
    struct jp_principal *result = NULL;
    CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &length);
    SID_AND_ATTRIBUTES disable = {.Sid = sid};
    if (CreateRestrictedToken(self->token, 0, 1, &disable, 0, NULL, 0, NULL, &less))
        jp_win32_principal_from_token(less, &result, &error);
    CloseHandle(less);
    return result;
}

/* shows: JOB_OBJECT_SECURITY_ONLY_TOKEN */
static void test_token_of_process(void) {
    struct jp_principal *token = NULL, *ordinary = ordinary_user();
    uint32_t own = GetCurrentProcessId(), code = 0;
    if (CHECK(ordinary != NULL, "there is a client that is no administrator")) {
        STATUS(ops->token_of_process(backend, own, ordinary, &token, &error), JP_E_DENIED, "it borrows no token");
        CHECK(strstr(error.text, "administrator") != NULL, "the error says why");
    }
    STATUS(ops->token_of_process(backend, own, NULL, &token, &error), JP_OK, "the service may");
    if (ordinary) {
        STATUS(run_child(&(struct jp_launch){.principal = ordinary, .token = token}, &code), JP_OK, "a process runs with a token that is lent");
        CHECK(!wine || (code & CHILD_IS_ADMIN), "not with that of who launched it");
        STATUS(run_child(&(struct jp_launch){.principal = self, .token = ordinary}, &code), JP_OK, "also with one that is less");
        CHECK(!(code & CHILD_IS_ADMIN), "which is no administrator's");
    }
    ops->token_free(backend, token);
    STATUS(ops->token_of_process(backend, 0xFFFFFFF0, NULL, &token, &error), JP_E_NO_PROCESS, "nobody's token is not to be had");
    struct jp_principal shy = *self;
    shy.level = SecurityIdentification;
    STATUS(ops->token_of_process(backend, own, &shy, &token, &error), JP_E_DENIED, "nor any by who only identifies itself");
    jp_win32_principal_free(ordinary);
}

static void test_token_of_account(void) {
    static const enum jp_token_account accounts[] = {JP_TOKEN_LOCAL_SERVICE, JP_TOKEN_NETWORK_SERVICE};
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        static const char what[] = "a service account's token is had and used";
        struct jp_principal *token = NULL;
        uint32_t code;
        jp_status status = ops->token_of_account(backend, accounts[i], &token, &error);
        if (wine)
            skip(what, "Wine's LogonUser gives everybody the one user there is");
        else if (status != JP_OK)
            skip(what, error.text); /* this program is not SYSTEM */
        else
            STATUS(run_child(&(struct jp_launch){.token = token}, &code), JP_OK, what);
        ops->token_free(backend, token);
    }
    struct jp_principal *token = NULL;
    STATUS(ops->token_of_account(backend, JP_TOKEN_NONE, &token, &error), JP_E_PARAMS, "no account has no token");
    ops->token_free(backend, NULL);
}

/* --- all --- */

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    if (argc > 1 && wcscmp(argv[1], L"child") == 0)
        return be_child();
    wchar_t path[1024];
    GetModuleFileNameW(NULL, path, 1024);
    own_path = jp_win32_utf8(path);
    struct jp_win32_backend_options options = {.sinks = {.packets = pass_over_packets, .exits = pass_over_exits}, .log = &test_log};
    if (!STATUS(jp_win32_backend_new(&options, &backend, &error), JP_OK, "the backend starts") ||
        !STATUS(jp_win32_principal_self(&self, &error), JP_OK, "this process has an identity"))
        return finish();
    ops = backend->ops;
    wine = strstr(ops->capabilities(backend)->host, "Wine") != NULL;

    test_client_jobs();
    test_sessions();
    test_user_handles();
    test_bad_filters();
    test_filter(NULL);
    test_filter(self);
    test_token_of_process();
    test_token_of_account();

    jp_win32_principal_free(self);
    jp_win32_backend_free(backend);
    jp_free(own_path);
    return finish();
}
