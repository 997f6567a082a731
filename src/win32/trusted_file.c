/* Reads a file after asking, of the same handle, who else could have written it. */
#include "win32/trusted_file.h"

#include "win32/security.h"
#include "win32/wide.h"

#include <aclapi.h>
#include <string.h>

/* What lets somebody change a file's content, put another in its place, or give himself the right to. */
enum {
    WRITES_FILE = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE,
    WRITES_FOLDER = FILE_ADD_FILE | FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE,
};

/* NT SERVICE\TrustedInstaller, who owns what Windows installs */
static bool is_trusted_installer(PSID sid) {
    char *text = jp_win32_sid_text(sid);
    bool equal = jp_ascii_equal_nocase(text, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    jp_free(text);
    return equal;
}

static bool trusted(PSID sid) { return jp_win32_sid_trusted(sid) || is_trusted_installer(sid); }

static jp_status refuse(PSID sid, const char *what, const char *name, struct jp_error *error) {
    char *account = jp_win32_sid_name(sid);
    jp_status status = jp_fail(error, JP_E_DENIED,
                               "%s %s %s: whoever can, decides what the service does. Let only SYSTEM and Administrators: icacls \"%s\" "
                               "/inheritance:r /grant *S-1-5-18:F *S-1-5-32-544:F",
                               account, what, name, name);
    jp_free(account);
    return status;
}

/* An entry that grants one of `rights`, and is not only a pattern for files still to be made. */
static PSID untrusted_in(PACL dacl, DWORD rights) {
    for (DWORD i = 0; i < dacl->AceCount; i++) {
        void *entry;
        if (!GetAce(dacl, i, &entry))
            continue;
        ACCESS_ALLOWED_ACE *allowed = entry;
        bool grants = allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && !(allowed->Header.AceFlags & INHERIT_ONLY_ACE) &&
                      (allowed->Mask & (rights | GENERIC_ALL));
        if (grants && !trusted((PSID)&allowed->SidStart))
            return (PSID)&allowed->SidStart;
    }
    return NULL;
}

static jp_status check(HANDLE handle, const char *name, DWORD rights, struct jp_error *error) {
    PSID owner = NULL;
    PACL dacl = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    DWORD win32 = GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &dacl, NULL,
                                  &descriptor);
    if (win32 != ERROR_SUCCESS)
        return jp_fail_win32(error, JP_E_DENIED, win32, "GetSecurityInfo", "cannot tell who may write %s", name);
    jp_status status = JP_OK;
    PSID writer = dacl ? untrusted_in(dacl, rights) : NULL;
    if (!dacl)
        status = jp_fail(error, JP_E_DENIED, "everybody may write %s: it has no access list", name);
    else if (owner && !trusted(owner))
        status = refuse(owner, "owns", name, error);
    else if (writer)
        status = refuse(writer, "may write", name, error);
    LocalFree(descriptor);
    return status;
}

static jp_status check_link(HANDLE handle, const char *name, struct jp_error *error) {
    BY_HANDLE_FILE_INFORMATION information;
    if (!GetFileInformationByHandle(handle, &information)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "GetFileInformationByHandle", "cannot look at %s", name);
    }
    if (information.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return jp_fail(error, JP_E_DENIED, "%s is a link; name the file itself", name);
    return JP_OK;
}

static HANDLE open_for(const char *name, DWORD access, DWORD flags) {
    wchar_t *wide = jp_win32_wide(name);
    HANDLE handle = CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, flags, NULL);
    DWORD win32 = GetLastError();
    jp_free(wide);
    SetLastError(win32);
    return handle;
}

/* The file's folder: who may write there may put another file in its place. */
static jp_status check_folder(const char *name, struct jp_error *error) {
    size_t length = strlen(name);
    while (length && name[length - 1] != '\\' && name[length - 1] != '/')
        length--;
    char *folder = length ? jp_strndup(name, length) : jp_strdup(".");
    HANDLE handle = open_for(folder, READ_CONTROL, FILE_FLAG_BACKUP_SEMANTICS);
    DWORD win32 = GetLastError();
    jp_status status;
    if (handle == INVALID_HANDLE_VALUE) {
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot look at the folder %s", folder);
    } else {
        status = check(handle, folder, WRITES_FOLDER, error);
        CloseHandle(handle);
    }
    jp_free(folder);
    return status;
}

static jp_status read_all(HANDLE handle, const char *name, size_t max_bytes, struct jp_str *text, struct jp_error *error) {
    static char block[64 << 10];
    DWORD length;
    do {
        if (!ReadFile(handle, block, sizeof block, &length, NULL)) {
            DWORD win32 = GetLastError();
            return jp_fail_win32(error, JP_E_SYSTEM, win32, "ReadFile", "cannot read %s", name);
        }
        jp_str_add(text, block, length);
    } while (length > 0 && text->length <= max_bytes);
    return JP_OK;
}

jp_status jp_win32_read_file(const char *name, size_t max_bytes, enum jp_win32_trust trust, struct jp_str *text, struct jp_error *error) {
    bool administrators = trust == JP_TRUST_ADMINISTRATORS;
    HANDLE handle = open_for(name, GENERIC_READ, administrators ? FILE_FLAG_OPEN_REPARSE_POINT : 0);
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot open %s", name);
    }
    jp_status status = JP_OK;
    if (administrators && ((status = check_link(handle, name, error)) != JP_OK || (status = check(handle, name, WRITES_FILE, error)) != JP_OK ||
                           (status = check_folder(name, error)) != JP_OK))
        goto close_handle;
    status = read_all(handle, name, max_bytes, text, error);

close_handle:
    CloseHandle(handle);
    return status;
}
