/* Owns the standard handles of a process that is to be: NUL, or files that are opened as whoever may open them.
 *
 * Impersonation is the wall: whatever a name leads to (a junction, a link, another stream, a drive of the client's own session), it is
 * opened with the rights of the principal and never with the service's. What is opened may nevertheless be no file: a device is closed
 * again, and servers and pipes, which learn who opens them, are refused by their name. */
#include "base/str.h"
#include "job/template.h"
#include "win32/internal.h"
#include "win32/principal.h"
#include "win32/wide.h"

static const char *const names_of[] = {"stdin", "stdout", "stderr"};

static bool is_null_device(const char *name) { return !name || jp_ascii_equal_nocase(name, "NUL"); }

/* Files' names do not tell upper from lower case. */
static bool same_file(const char *one, const char *other) {
    wchar_t *wide_one = jp_win32_wide(one), *wide_other = jp_win32_wide(other);
    bool same = CompareStringOrdinal(wide_one, -1, wide_other, -1, TRUE) == CSTR_EQUAL;
    jp_free(wide_one);
    jp_free(wide_other);
    return same;
}

static jp_status open_failed(const char *name, size_t which, const char *who, uint32_t win32, struct jp_error *error) {
    jp_status status = JP_E_SYSTEM;
    if (win32 == ERROR_ACCESS_DENIED)
        status = JP_E_DENIED;
    else if (win32 == ERROR_FILE_NOT_FOUND || win32 == ERROR_PATH_NOT_FOUND || win32 == ERROR_INVALID_NAME)
        status = JP_E_PARAMS;
    return jp_fail_win32(error, status, win32, "CreateFile", "%s: %s cannot open \"%s\"", names_of[which], who, name);
}

/* As whoever the thread is. What is there is not touched yet: another of the three may fail. SECURITY_IDENTIFICATION: should the name lead
 * to a pipe after all, whoever serves it may not act as the principal. */
static jp_status open_one(const char *name, size_t which, bool append, const char *who, HANDLE *ret_file, struct jp_error *error) {
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    const DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    DWORD access = FILE_GENERIC_READ;
    if (which > 0)
        access = append ? FILE_GENERIC_WRITE & ~(DWORD)FILE_WRITE_DATA : FILE_GENERIC_WRITE;
    wchar_t *wide = jp_win32_wide(name);
    HANDLE file = CreateFileW(wide, access, share, &inheritable, which > 0 ? OPEN_ALWAYS : OPEN_EXISTING,
                              FILE_ATTRIBUTE_NORMAL | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    DWORD win32 = file == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    jp_free(wide);
    if (win32)
        return open_failed(name, which, who, win32, error);
    if (GetFileType(file) != FILE_TYPE_DISK) {
        CloseHandle(file);
        return jp_fail(error, JP_E_PARAMS, "%s: \"%s\" is not a file", names_of[which], name);
    }
    *ret_file = file;
    return JP_OK;
}

static jp_status open_files(const struct jp_launch *launch, const char *who, struct jp__standard_handles *handles, struct jp_error *error) {
    const char *names[] = {launch->input_file, launch->output_file, launch->error_file};
    for (size_t i = 0; i < 3; i++) {
        if (is_null_device(names[i]))
            continue;
        if (i == 2 && !is_null_device(names[1]) && same_file(names[1], names[2])) {
            handles->standard[2] = handles->standard[1];
            continue;
        }
        jp_status status = open_one(names[i], i, launch->append, who, &handles->standard[i], error);
        if (status != JP_OK)
            return status;
        handles->opened[handles->count++] = handles->standard[i];
    }
    return JP_OK;
}

/* Begins the outputs anew, when all are open. */
static jp_status cut_outputs(const struct jp_launch *launch, const struct jp__standard_handles *handles, struct jp_error *error) {
    for (size_t i = 1; i < 3 && !launch->append; i++)
        if (handles->standard[i] && !SetEndOfFile(handles->standard[i])) {
            DWORD win32 = GetLastError();
            return jp_fail_win32(error, JP_E_SYSTEM, win32, "SetEndOfFile", "%s: cannot begin \"%s\" anew", names_of[i],
                                 i == 1 ? launch->output_file : launch->error_file);
        }
    return JP_OK;
}

/* For those that have no file: console programs fail in many ways when they have no standard handles at all. */
static jp_status open_null_device(struct jp__standard_handles *handles, struct jp_error *error) {
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    if (handles->standard[0] && handles->standard[1] && handles->standard[2])
        return JP_OK;
    HANDLE device = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable, OPEN_EXISTING, 0, NULL);
    if (device == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot open the NUL device for the process's standard handles");
    }
    handles->opened[handles->count++] = device;
    for (size_t i = 0; i < 3; i++)
        if (!handles->standard[i])
            handles->standard[i] = device;
    return JP_OK;
}

jp_status jp__open_standard_handles(const struct jp_launch *launch, struct jp__standard_handles *handles, struct jp_error *error) {
    const struct jp_principal *opens = jp__opener(launch);
    struct jp_launch_files names = {.input = (char *)(uintptr_t)launch->input_file, .output = (char *)(uintptr_t)launch->output_file,
                                    .error = (char *)(uintptr_t)launch->error_file};
    jp_status status = jp_launch_files_check(&names, error);
    if (status == JP_OK && (names.input || names.output || names.error)) {
        status = jp_win32_impersonate(opens, error);
        if (status != JP_OK)
            return status;
        status = open_files(launch, opens ? opens->name : "the service", handles, error);
        jp_win32_revert(opens);
        if (status == JP_OK)
            status = cut_outputs(launch, handles, error);
    }
    return status == JP_OK ? open_null_device(handles, error) : status;
}

void jp__close_standard_handles(struct jp__standard_handles *handles) {
    while (handles->count > 0)
        CloseHandle(handles->opened[--handles->count]);
}
