/* Rights by descriptors on real tokens, and the files of a launch. Prints TAP. Children are this program again: "child" copies its input to
 * its output, and says so on stderr. */
#include "tap.h"

#include "base/str.h"
#include "job/access.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/principal.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct jp_backend *backend;
static const struct jp_backend_ops *ops;
static struct jp_principal *self, *plain; /* plain: without Administrators; NULL if it cannot be made */
static bool wine;

static size_t no_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    (void)context;
    (void)packets;
    return count;
}
static void no_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    (void)watches;
    (void)count;
}

static bool thread_is_itself(void) {
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token))
        return GetLastError() == ERROR_NO_TOKEN;
    CloseHandle(token);
    return false;
}

/* --- descriptors --- */

static uint32_t rights(const char *sddl, bool and_self, const struct jp_principal *principal) {
    struct jp_descriptor *descriptor;
    jp_status status = ops->descriptor_new(backend, sddl, and_self, &descriptor, &error);
    if (status != JP_OK) {
        printf("# %s: %s\n", sddl, error.text);
        return UINT32_MAX;
    }
    uint32_t got = ops->descriptor_rights(descriptor, principal);
    ops->descriptor_free(descriptor);
    return got;
}

static void has(const char *sddl, const struct jp_principal *principal, uint32_t wanted, const char *what) {
    uint32_t got = rights(sddl, false, principal);
    if (!CHECK(got == wanted, what))
        printf("# %s gives 0x%" PRIx32 " instead of 0x%" PRIx32 "\n", sddl, got, wanted);
}

/* The same where Wine is known to do otherwise. */
static void has_on_windows(const char *sddl, const struct jp_principal *principal, uint32_t wanted, const char *what, const char *why) {
    if (wine && rights(sddl, false, principal) != wanted)
        skip(what, why);
    else
        has(sddl, principal, wanted, what);
}

static const char denies_first[] = "Wine lets what is denied anywhere in the list be denied when it is asked for all rights (MAXIMUM_ALLOWED)";

static void test_descriptors(void) {
    has("D:(A;;0x1;;;WD)", self, JP_RIGHT_VIEW, "without owner and group it is a descriptor all the same");
    has("O:BAG:BAD:P(A;;0x4;;;WD)", self, JP_RIGHT_VIEW | JP_RIGHT_LAUNCH, "who may launch may view");
    has("D:(A;;0x10;;;WD)", self, JP_RIGHTS_ALL, "who may change may do all");
    has("D:(A;;0xFFE0;;;WD)", self, 0, "other bits are nothing to us");
    has("D:(A;;GR;;;WD)", self, JP_RIGHT_VIEW, "GR is view");
    has("D:(A;;GX;;;WD)", self, JP_RIGHT_VIEW | JP_RIGHT_ASSIGN | JP_RIGHT_LAUNCH, "GX is assign and launch");
    has("D:(A;;GW;;;WD)", self, JP_RIGHT_VIEW | JP_RIGHT_CONTROL, "GW is control");
    has("D:(A;;GA;;;WD)", self, JP_RIGHTS_ALL, "GA is all");
    has("D:(D;;0x4;;;WD)(A;;0x5;;;WD)", self, JP_RIGHT_VIEW, "what is denied first is denied");
    has_on_windows("D:(A;;0x5;;;WD)(D;;0x4;;;WD)", self, JP_RIGHT_VIEW | JP_RIGHT_LAUNCH, "what is given first is given", denies_first);
    has("D:(D;;GX;;;WD)(A;;0x5;;;WD)", self, JP_RIGHT_VIEW, "generic rights are denied as what they stand for");
    has("D:(A;OICIIO;0x1f;;;WD)", self, 0, "an entry for heirs is for nobody here");
    has("D:", self, 0, "an empty list is for nobody");
    has("D:(A;;GA;;;S-1-5-21-9-9-9-9)", self, 0, "another's entry is not ours");
    CHECK(rights("D:", true, self) == JP_RIGHTS_ALL, "whoever runs the service has all, where that is asked for");
    if (wine && rights("D:(D;;GA;;;WD)", true, self) != JP_RIGHTS_ALL)
        skip("whatever denies it", denies_first);
    else
        CHECK(rights("D:(D;;GA;;;WD)", true, self) == JP_RIGHTS_ALL, "whatever denies it");
    CHECK(rights("D:", false, NULL) == JP_RIGHTS_ALL, "the service itself may do all");
    char *own = jp_sprintf("O:%sD:(A;;0x8;;;%s)", self->sid, self->sid);
    has(own, self, JP_RIGHT_VIEW | JP_RIGHT_CONTROL, "a user is found by the SID, and has nothing more as the owner");
    jp_free(own);

    struct jp_descriptor *none = NULL;
    STATUS(ops->descriptor_new(backend, "O:SY", false, &none, &error), JP_E_PARAMS, "no access list is no descriptor");
    if (wine && rights("D:NO_ACCESS_CONTROL", false, self) == 0)
        skip("nor is one that lets everybody do all", "Wine takes the words for an empty list, which gives nothing");
    else
        STATUS(ops->descriptor_new(backend, "D:NO_ACCESS_CONTROL", false, &none, &error), JP_E_PARAMS, "nor is one that lets everybody do all");
    STATUS(ops->descriptor_new(backend, "D:(A;;GA;;;NOBODY)", false, &none, &error), JP_E_PARAMS, "nor is nonsense");
    ops->descriptor_free(NULL);
}

static bool from_less(DWORD flags, DWORD disable_count, SID_AND_ATTRIBUTES *disable, DWORD restrict_count, SID_AND_ATTRIBUTES *restricting,
                      struct jp_principal **ret_principal) {
    HANDLE own, less;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own))
        return false;
    BOOL made = CreateRestrictedToken(own, flags, disable_count, disable, 0, NULL, restrict_count, restricting, &less);
    DWORD win32 = made ? 0 : GetLastError();
    CloseHandle(own);
    if (!made) {
        printf("# CreateRestrictedToken: %lu\n", win32);
        return false;
    }
    jp_status status = jp_win32_principal_from_token(less, ret_principal, &error);
    CloseHandle(less);
    return status == JP_OK;
}

static void test_less(void) {
    uint8_t administrators[SECURITY_MAX_SID_SIZE], restricted[SECURITY_MAX_SID_SIZE];
    DWORD length = sizeof administrators, more = sizeof restricted;
    CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &length);
    CreateWellKnownSid(WinRestrictedCodeSid, NULL, restricted, &more);
    SID_AND_ATTRIBUTES disable = {.Sid = administrators}, only = {.Sid = restricted};
    bool admin = rights("D:(A;;GA;;;BA)", false, self) == JP_RIGHTS_ALL;
    CHECK(rights(JP_ACCESS_DEFAULT_SDDL, false, self) == JP_RIGHTS_ALL || !admin, "an administrator has all by the default");
    if (admin && from_less(0, 1, &disable, 0, NULL, &plain)) {
        has("D:(A;;GA;;;BA)", plain, 0, "a group that only denies gives nothing");
        has_on_windows("D:(D;;0x4;;;BA)(A;;0x5;;;WD)", plain, JP_RIGHT_VIEW, "and denies", "to Wine a group that only denies is none at all");
    } else {
        skip("a group that only denies gives nothing", "this account is no administrator, or no such token can be made");
        skip("and denies", "this account is no administrator, or no such token can be made");
    }
    struct jp_principal *caged = NULL;
    if (from_less(0, 0, NULL, 1, &only, &caged) && IsTokenRestricted(caged->token)) {
        has("D:(A;;GA;;;WD)", caged, 0, "a restricted token has only what its restricting SIDs have too");
        has("D:(A;;GA;;;WD)(A;;0x1;;;RC)", caged, JP_RIGHT_VIEW, "and that it has");
    } else {
        skip("a restricted token has only what its restricting SIDs have too", "Wine makes no tokens with restricting SIDs");
        skip("and that it has", "Wine makes no tokens with restricting SIDs");
    }
    jp_win32_principal_free(caged);
}

static void test_names(void) {
    static const struct {
        const char *name, *sid;
    } known[] = {{"NT AUTHORITY\\SYSTEM", "S-1-5-18"}, {"BUILTIN\\Administrators", "S-1-5-32-544"}, {"Everyone", "S-1-1-0"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *sid = ops->account_sid(backend, known[i].name);
        if (!CHECK(sid && strcmp(sid, known[i].sid) == 0, "a well-known account has its SID"))
            printf("# %s is %s\n", known[i].name, sid ? sid : "nobody");
        jp_free(sid);
    }
    char *sid = ops->account_sid(backend, self->name);
    if (!CHECK(sid && strcmp(sid, self->sid) == 0, "and so has the one that runs this"))
        printf("# %s is %s\n", self->name, sid ? sid : "nobody");
    jp_free(sid);
    CHECK(ops->account_sid(backend, "no such account\\at all") == NULL, "nobody has none");
    CHECK(ops->account_sid(backend, "") == NULL, "nor has an empty name");
}

/* --- the files of a launch --- */

static char *folder;

static char *in_folder(const char *name) { return jp_sprintf("%s\\%s", folder, name); }

static void write_file(const char *name, const char *text) {
    wchar_t *wide = jp_win32_wide(name);
    DWORD written;
    HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    WriteFile(file, text, (DWORD)strlen(text), &written, NULL);
    CloseHandle(file);
    jp_free(wide);
}

/* Nobody else may have it open. */
static bool holds(const char *name, const char *text) {
    char got[256] = {0};
    DWORD length = 0;
    wchar_t *wide = jp_win32_wide(name);
    HANDLE file = CreateFileW(wide, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    DWORD win32 = file == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    jp_free(wide);
    if (win32 || !ReadFile(file, got, sizeof got - 1, &length, NULL)) {
        printf("# %s: %lu\n", name, win32);
        return false;
    }
    CloseHandle(file);
    if (strcmp(got, text) != 0)
        printf("# %s holds \"%s\"\n", name, got);
    return strcmp(got, text) == 0;
}

static char *child_line(void) {
    wchar_t wide[1024];
    GetModuleFileNameW(NULL, wide, 1024);
    char *path = jp_win32_utf8(wide), *line = jp_sprintf("\"%s\" child", path);
    jp_free(path);
    return line;
}

/* Runs the child to its end. */
static jp_status run(struct jp_launch launch) {
    char *line = child_line();
    struct jp_process *process = NULL;
    uint32_t code;
    launch.command_line = line;
    jp_status status = ops->process_launch(backend, &launch, &process, &error);
    jp_free(line);
    if (status != JP_OK)
        return status;
    status = ops->process_resume(process, &error);
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    HANDLE pause = CreateEventW(NULL, TRUE, FALSE, NULL);
    while (!ops->process_exited(process, &code) && jp_win32_now_ms() < until)
        WaitForSingleObject(pause, 5);
    CloseHandle(pause);
    if (!ops->process_exited(process, &code) || code != 7)
        status = jp_fail(&error, JP_E_SYSTEM, "the child did not end as it should");
    ops->process_close(process);
    return status;
}

static void test_files(void) {
    char *in = in_folder("in.txt"), *out = in_folder("out.txt"), *out_again = in_folder("OUT.TXT"), *err = in_folder("err.txt"), *none = in_folder("none.txt");
    write_file(in, "hello ");
    write_file(out, "something longer that was there before");
    STATUS(run((struct jp_launch){.principal = self, .input_file = in, .output_file = out, .error_file = err}), JP_OK, "a program reads and writes files");
    CHECK(holds(out, "hello "), "its output is begun anew");
    CHECK(holds(err, "done "), "its errors have a file of their own, which is made");
    STATUS(run((struct jp_launch){.principal = self, .input_file = in, .output_file = out, .error_file = out_again, .append = true}), JP_OK,
           "outputs are gone on with");
    CHECK(holds(out, "hello hello done "), "and one file for both is one file, however it is written");
    STATUS(run((struct jp_launch){.principal = self, .output_file = out, .error_file = "nul"}), JP_OK, "what has no file has NUL");
    CHECK(holds(out, ""), "so there was nothing to copy");

    write_file(out, "kept");
    STATUS(run((struct jp_launch){.principal = self, .input_file = none, .output_file = out}), JP_E_PARAMS, "nothing is started without its input");
    CHECK(strstr(error.text, "stdin: ") && strstr(error.text, "none.txt"), "it is said which file is not there");
    STATUS(run((struct jp_launch){.principal = self, .output_file = out, .error_file = folder}), JP_E_DENIED, "nor with a folder for its errors");
    CHECK(holds(out, "kept"), "and no other file is touched then");
    static const char *const refused[] = {"out.txt", "\\\\.\\pipe\\jobpool", "\\\\server\\share\\x", "\\\\?\\C:\\x", "C:out.txt", "\\\\.\\NUL"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        STATUS(run((struct jp_launch){.principal = self, .output_file = refused[i]}), JP_E_PARAMS, "what is no full name on a drive is refused");

    struct jp_principal asking = *self;
    asking.level = SecurityIdentification;
    STATUS(run((struct jp_launch){.principal = &asking, .output_file = out}), JP_E_DENIED, "who only says who he is launches nothing");
    CHECK(strstr(error.text, "identification level") != NULL, "and is told what to do");
    CHECK(holds(out, "kept"), "nor is a file opened for him");
    has("D:(A;;GR;;;WD)", &asking, JP_RIGHT_VIEW, "but he may look");
    CHECK(thread_is_itself(), "after all that the thread is itself");
    jp_free(in);
    jp_free(out);
    jp_free(out_again);
    jp_free(err);
    jp_free(none);
}

/* A file that only administrators may write, and one who is none. */
static void test_others_file(void) {
    static const char what[] = "a file that the caller may not write is not written";
    char *file = in_folder("denied.txt");
    wchar_t *wide = jp_win32_wide(file);
    struct jp_win32_security security;
    DWORD written;
    if (jp_win32_security_as_written("D:P(A;;FA;;;BA)", &security, &error) != JP_OK)
        printf("# %s\n", error.text);
    HANDLE made = CreateFileW(wide, GENERIC_WRITE, 0, &security.attributes, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    WriteFile(made, "kept", 4, &written, NULL);
    CloseHandle(made);
    jp_win32_security_free(&security);
    if (!plain || wine)
        skip(what, "Wine opens files as its Unix user, whatever the thread's token");
    else if (STATUS(run((struct jp_launch){.principal = plain, .output_file = file}), JP_E_DENIED, what))
        printf("# %s\n", error.text);
    jp_free(wide);
    jp_free(file);
}

/* --- a client that goes --- */

static void test_gone_client(void) {
    char *name = jp_sprintf("\\\\.\\pipe\\jobpool-access-%lu", GetCurrentProcessId()), byte;
    wchar_t *wide = jp_win32_wide(name);
    DWORD length;
    HANDLE server = CreateNamedPipeW(wide, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
    HANDLE client = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    struct jp_principal *principal = NULL, *late = NULL;
    WriteFile(client, "xy", 2, &length, NULL);
    bool read = ReadFile(server, &byte, 1, &length, NULL);
    CHECK(read, "a client says something");
    STATUS(jp_win32_principal_from_pipe(server, &principal, &error), JP_OK, "and is known");
    CloseHandle(client);
    jp_status status = jp_win32_principal_from_pipe(server, &late, &error);
    CHECK(status == JP_OK || status == JP_E_DENIED, "one that has gone is known, or is nobody");
    CHECK(thread_is_itself(), "and in either case the thread is itself");
    jp_win32_principal_free(late);
    CloseHandle(server);
    has("D:(A;;0x1;;;WD)", principal, JP_RIGHT_VIEW, "what was known of it stays");
    static const char level[] = "a client that opened the pipe for identification only cannot be acted for";
    if (principal && principal->level >= SecurityImpersonation && wine) {
        skip(level, "Wine gives every client's token at impersonation level");
    } else if (principal) {
        STATUS(jp_win32_impersonate(principal, &error), JP_E_DENIED, level);
        CHECK(thread_is_itself(), "which leaves the thread as it is");
    }
    jp_win32_principal_free(principal);
    jp_free(wide);
    jp_free(name);
}

/* --- all of it --- */

static int child(void) {
    char buffer[256];
    DWORD length, written;
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE), output = GetStdHandle(STD_OUTPUT_HANDLE);
    while (ReadFile(input, buffer, sizeof buffer, &length, NULL) && length > 0)
        WriteFile(output, buffer, length, &written, NULL);
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), "done ", 5, &written, NULL);
    return 7;
}

static void make_folder(void) {
    wchar_t temporary[MAX_PATH], name[MAX_PATH + 32];
    GetTempPathW(MAX_PATH, temporary);
    swprintf(name, sizeof name / sizeof *name, L"%lsjobpool-access-%lu", temporary, GetCurrentProcessId());
    CreateDirectoryW(name, NULL);
    folder = jp_win32_utf8(name);
}

int wmain(int count, wchar_t **arguments); /* no header declares it */

int wmain(int count, wchar_t **arguments) {
    if (count > 1 && wcscmp(arguments[1], L"child") == 0)
        return child();
    struct jp_win32_backend_options options = {.sinks = {.packets = no_packets, .exits = no_exits}, .log = &test_log};
    if (!STATUS(jp_win32_backend_new(&options, &backend, &error), JP_OK, "there is a backend"))
        return finish();
    ops = backend->ops;
    wine = strstr(ops->capabilities(backend)->host, "Wine") != NULL;
    if (!STATUS(jp_win32_principal_self(&self, &error), JP_OK, "and somebody to act for"))
        return finish();
    make_folder();
    test_descriptors();
    test_less();
    test_names();
    test_files();
    test_others_file();
    test_gone_client();
    jp_win32_principal_free(plain);
    jp_win32_principal_free(self);
    jp_win32_backend_free(backend);
    jp_free(folder);
    return finish();
}
