/* Owns nothing. */
#include "win32/paths.h"

#include "win32/wide.h"

#include <string.h>
#include <windows.h>

char *jp_win32_full_path(const char *file) {
    wchar_t *wide = jp_win32_wide(file);
    DWORD length = GetFullPathNameW(wide, 0, NULL, NULL);
    wchar_t *full = jp_realloc_array(NULL, (size_t)length + 1, sizeof *full);
    full[0] = 0;
    GetFullPathNameW(wide, length + 1, full, NULL);
    char *path = jp_win32_utf8(full);
    jp_free(full);
    jp_free(wide);
    return path;
}

char *jp_win32_own_path(void) {
    enum { LENGTH_MAX = 32768 };
    wchar_t *wide = jp_realloc_array(NULL, LENGTH_MAX, sizeof *wide);
    DWORD length = GetModuleFileNameW(NULL, wide, LENGTH_MAX);
    char *path = jp_win32_utf8_n(wide, length);
    jp_free(wide);
    return path;
}

char *jp_win32_folder_of(const char *file) {
    const char *end = strrchr(file, '\\');
    if (end && end > file && end[-1] == ':') /* "C:" alone is wherever one stands on that drive */
        end++;
    return end ? jp_strndup(file, (size_t)(end - file)) : jp_strdup(".");
}

char *jp_win32_default_config(void) {
    enum { LENGTH_MAX = 1024 };
    wchar_t wide[LENGTH_MAX];
    DWORD length = GetEnvironmentVariableW(L"ProgramData", wide, LENGTH_MAX);
    char *data = length && length < LENGTH_MAX ? jp_win32_utf8(wide) : jp_strdup("C:\\ProgramData");
    char *file = jp_sprintf("%s\\JobPool\\jobpool.json", data);
    jp_free(data);
    return file;
}

bool jp_win32_file_exists(const char *file) {
    wchar_t *wide = jp_win32_wide(file);
    bool exists = GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    DWORD win32 = exists ? ERROR_SUCCESS : GetLastError();
    jp_free(wide);
    return win32 == ERROR_SUCCESS || win32 == ERROR_ACCESS_DENIED || win32 == ERROR_SHARING_VIOLATION;
}

bool jp_win32_is_folder(const char *name) {
    wchar_t *wide = jp_win32_wide(name);
    DWORD attributes = GetFileAttributesW(wide);
    jp_free(wide);
    return attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_DIRECTORY;
}

bool jp_win32_elevated(void) {
    HANDLE token;
    TOKEN_ELEVATION elevation = {0};
    DWORD length;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool known = GetTokenInformation(token, TokenElevation, &elevation, sizeof elevation, &length);
    CloseHandle(token);
    return known && elevation.TokenIsElevated;
}

/* A file of that name which is there already may be somebody else's, or lead elsewhere: what is written goes into a new one. */
static jp_status write_whole(const char *file, const wchar_t *wide, const char *text, struct jp_error *error) {
    DeleteFileW(wide);
    HANDLE handle = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    const char *operation = handle == INVALID_HANDLE_VALUE ? "CreateFile" : "WriteFile";
    DWORD win32 = handle == INVALID_HANDLE_VALUE ? GetLastError() : 0, written;
    if (handle != INVALID_HANDLE_VALUE) {
        if (!WriteFile(handle, text, (DWORD)strlen(text), &written, NULL) || !FlushFileBuffers(handle))
            win32 = GetLastError();
        CloseHandle(handle);
    }
    return win32 ? jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, operation, "cannot write %s", file) : JP_OK;
}

jp_status jp_win32_write_file(const char *file, const char *text, bool overwrite, struct jp_error *error) {
    if (jp_win32_is_folder(file))
        return jp_fail(error, JP_E_SYSTEM, "cannot write %s: it is a folder; give the name of a file in it", file);
    char *partial = jp_sprintf("%s.partial", file);
    wchar_t *from = jp_win32_wide(partial), *to = jp_win32_wide(file);
    jp_status status = write_whole(partial, from, text, error);
    if (status == JP_OK && !MoveFileExW(from, to, overwrite ? MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH : MOVEFILE_WRITE_THROUGH)) {
        DWORD win32 = GetLastError();
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "MoveFileEx", "cannot write %s", file);
    }
    if (status != JP_OK)
        DeleteFileW(from);
    jp_free(partial);
    jp_free(from);
    jp_free(to);
    return status;
}
