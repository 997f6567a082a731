/* Reads a file after asking, of the same handle, who else could have written it. */
#include "win32/trusted_file.h"

#include "win32/host.h"
#include "win32/internal.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <aclapi.h>
#include <string.h>

/* What lets somebody change a file's content, put another in its place, or give himself the right to. */
enum {
    WRITES_FILE = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE,
    WRITES_FOLDER = FILE_ADD_FILE | FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE,
    /* The folders above: to add to them is harmless, to put another in the place of the one that leads to the file is not. */
    MOVES_FOLDER = FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER,
};

/* SYSTEM and Administrators everything, nobody else anything, and so what is made in it. */
#define PRIVATE_SDDL "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

/* NT SERVICE\TrustedInstaller, who owns what Windows installs */
static bool is_trusted_installer(PSID sid) {
    char *text = jp_win32_sid_text(sid);
    bool equal = jp_ascii_equal_nocase(text, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    jp_free(text);
    return equal;
}

static bool trusted(PSID sid, enum jp_win32_trust trust) {
    /* Under Wine there is one user, who owns everything. */
    bool own_counts = trust != JP_TRUST_SERVICE || jp_win32_is_wine();
    return IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid) || is_trusted_installer(sid) ||
           (own_counts && jp_win32_sid_trusted(sid));
}

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
static PSID untrusted_in(PACL dacl, DWORD rights, enum jp_win32_trust trust) {
    for (DWORD i = 0; i < dacl->AceCount; i++) {
        void *entry;
        if (!GetAce(dacl, i, &entry))
            continue;
        ACCESS_ALLOWED_ACE *allowed = entry;
        bool grants = allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && !(allowed->Header.AceFlags & INHERIT_ONLY_ACE) &&
                      (allowed->Mask & (rights | GENERIC_ALL));
        if (grants && !trusted((PSID)&allowed->SidStart, trust))
            return (PSID)&allowed->SidStart;
    }
    return NULL;
}

static jp_status check(HANDLE handle, const char *name, DWORD rights, enum jp_win32_trust trust, struct jp_error *error) {
    PSID owner = NULL;
    PACL dacl = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    DWORD win32 = GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &dacl, NULL,
                                  &descriptor);
    if (win32 != ERROR_SUCCESS)
        return jp_fail_win32(error, JP_E_DENIED, win32, "GetSecurityInfo", "cannot tell who may write %s", name);
    jp_status status = JP_OK;
    PSID writer = dacl ? untrusted_in(dacl, rights, trust) : NULL;
    if (!dacl)
        status = jp_fail(error, JP_E_DENIED, "everybody may write %s: it has no access list", name);
    else if (owner && !trusted(owner, trust))
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

static jp_status check_one_folder(const char *folder, DWORD rights, enum jp_win32_trust trust, bool link_counts, struct jp_error *error) {
    HANDLE handle = open_for(folder, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_FLAG_BACKUP_SEMANTICS | (link_counts ? FILE_FLAG_OPEN_REPARSE_POINT : 0));
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot look at the folder %s", folder);
    }
    jp_status status = link_counts ? check_link(handle, folder, error) : JP_OK;
    if (status == JP_OK)
        status = check(handle, folder, rights, trust, error);
    CloseHandle(handle);
    return status;
}

/* Up to and with the last backslash; 0 if there is none. */
static size_t folder_length(const char *name, size_t length) {
    while (length && name[length - 1] != '\\' && name[length - 1] != '/')
        length--;
    return length;
}

/* The file's folder: who may write there may put another file in its place. */
static jp_status check_folder(const char *name, enum jp_win32_trust trust, struct jp_error *error) {
    size_t length = folder_length(name, strlen(name));
    char *folder = length ? jp_strndup(name, length) : jp_strdup(".");
    jp_status status = check_one_folder(folder, WRITES_FOLDER, trust, false, error);
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
    bool administrators = trust != JP_TRUST_ANYONE;
    HANDLE handle = open_for(name, GENERIC_READ, administrators ? FILE_FLAG_OPEN_REPARSE_POINT : 0);
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot open %s", name);
    }
    jp_status status = JP_OK;
    if (administrators && ((status = check_link(handle, name, error)) != JP_OK || (status = check(handle, name, WRITES_FILE, trust, error)) != JP_OK ||
                           (status = check_folder(name, trust, error)) != JP_OK))
        goto close_handle;
    status = read_all(handle, name, max_bytes, text, error);

close_handle:
    CloseHandle(handle);
    return status;
}

/* --- a program --- */

jp_status jp_win32_check_program(const char *file, struct jp_error *error) {
    HANDLE handle = open_for(file, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_FLAG_OPEN_REPARSE_POINT);
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot open %s", file);
    }
    jp_status status = check_link(handle, file, error);
    if (status == JP_OK)
        status = check(handle, file, WRITES_FILE, JP_TRUST_SERVICE, error);
    CloseHandle(handle);
    if (status == JP_OK)
        status = check_folder(file, JP_TRUST_SERVICE, error);
    /* "C:\a\b" -> "C:\a" -> "C:\". Whoever owns a link may let it lead elsewhere, however safe the place is to which it leads now. */
    for (size_t length = folder_length(file, strlen(file)); status == JP_OK && length > 1; length = folder_length(file, length - 1)) {
        bool root = file[length - 2] == ':' || file[length - 2] == '\\';
        char *folder = jp_strndup(file, root ? length : length - 1);
        status = check_one_folder(folder, MOVES_FOLDER, JP_TRUST_SERVICE, !root, error);
        jp_free(folder);
    }
    return status;
}

/* --- a private folder --- */

static enum jp_private_folder kind_of(PSECURITY_DESCRIPTOR descriptor, PSID owner, PACL dacl, const char *folder, struct jp_error *error) {
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision;
    PSID other = dacl ? untrusted_in(dacl, ~(DWORD)0, JP_TRUST_SERVICE) : NULL;
    GetSecurityDescriptorControl(descriptor, &control, &revision);
    bool foreign = owner && !trusted(owner, JP_TRUST_SERVICE);
    if (foreign || other) {
        char *account = jp_win32_sid_name(foreign ? owner : other);
        jp_fail(error, JP_E_DENIED, "%s %s the folder %s", account, foreign ? "owns" : "may use", folder);
        jp_free(account);
        return foreign ? JP_FOLDER_FOREIGN : JP_FOLDER_OPEN;
    }
    if (dacl && ((control & SE_DACL_PROTECTED) || jp_win32_is_wine())) /* which keeps no such flag */
        return JP_FOLDER_PRIVATE;
    jp_fail(error, JP_E_DENIED,
            dacl ? "the folder %s takes over who may use the one above" : "everybody may use the folder %s: it has no access list", folder);
    return JP_FOLDER_OPEN;
}

jp_status jp_win32_folder_look(const char *folder, enum jp_private_folder *ret_kind, struct jp_error *error) {
    HANDLE handle = open_for(folder, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT);
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        *ret_kind = JP_FOLDER_NONE;
        return win32 == ERROR_FILE_NOT_FOUND || win32 == ERROR_PATH_NOT_FOUND
                   ? JP_OK
                   : jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, "CreateFile",
                                   "cannot look at the folder %s", folder);
    }
    PSID owner = NULL;
    PACL dacl = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    jp_status status = check_link(handle, folder, error);
    DWORD win32 = status == JP_OK ? GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &dacl,
                                                    NULL, &descriptor)
                                  : ERROR_SUCCESS;
    CloseHandle(handle);
    if (win32 != ERROR_SUCCESS)
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "GetSecurityInfo", "cannot tell who may use the folder %s", folder);
    if (status == JP_OK)
        *ret_kind = kind_of(descriptor, owner, dacl, folder, error);
    LocalFree(descriptor);
    return status;
}

/* Whoever owns a file may give himself all rights to it, whatever the folder says. */
static jp_status check_owner(const char *file, struct jp_error *error) {
    HANDLE handle = open_for(file, READ_CONTROL | FILE_READ_ATTRIBUTES, FILE_FLAG_OPEN_REPARSE_POINT);
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateFile", "cannot look at %s", file);
    }
    PSID owner = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    jp_status status = check_link(handle, file, error);
    DWORD win32 = status == JP_OK ? GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &descriptor) : ERROR_SUCCESS;
    CloseHandle(handle);
    if (win32 != ERROR_SUCCESS)
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "GetSecurityInfo", "cannot tell whose file %s is", file);
    if (status == JP_OK && !trusted(owner, JP_TRUST_SERVICE)) {
        char *account = jp_win32_sid_name(owner);
        status = jp_fail(error, JP_E_DENIED, "%s has made %s, for the service to read: look at it, then delete or move it", account, file);
        jp_free(account);
    }
    LocalFree(descriptor);
    return status;
}

static bool is_program(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (jp_ascii_equal_nocase(dot, ".exe") || jp_ascii_equal_nocase(dot, ".dll"));
}

static jp_status check_in_folder(const char *folder, const WIN32_FIND_DATAW *found, struct jp_error *error) {
    char *name = jp_win32_utf8(found->cFileName), *file = jp_sprintf("%s\\%s", folder, name);
    bool directory = found->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY;
    jp_status status = JP_OK;
    if (directory && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
        ;
    else if (directory || is_program(name))
        status = jp_fail(error, JP_E_DENIED,
                         "the folder %s is not the service's alone: there is %s in it. Who may use it is not changed; keep the configuration in a "
                         "folder of its own, as C:\\ProgramData\\JobPool",
                         folder, name);
    else
        status = check_owner(file, error);
    jp_free(name);
    jp_free(file);
    return status;
}

jp_status jp_win32_folder_is_data(const char *folder, struct jp_error *error) {
    WIN32_FIND_DATAW found;
    jp_status status = JP_OK;
    char *pattern = jp_sprintf("%s\\*", folder);
    wchar_t *wide = jp_win32_wide(pattern);
    HANDLE search = FindFirstFileW(wide, &found);
    DWORD win32 = search == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    jp_free(pattern);
    jp_free(wide);
    if (win32 == ERROR_FILE_NOT_FOUND) /* the root of a drive can be quite empty */
        return JP_OK;
    if (win32 != ERROR_SUCCESS)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "FindFirstFile", "cannot look into the folder %s", folder);
    do
        status = check_in_folder(folder, &found, error);
    while (status == JP_OK && FindNextFileW(search, &found));
    FindClose(search);
    return status;
}

jp_status jp_win32_folder_make(const char *folder, struct jp_error *error) {
    struct jp_win32_security security;
    jp_status status = jp_win32_security_as_written(PRIVATE_SDDL, &security, error);
    if (status != JP_OK)
        return status;
    wchar_t *wide = jp_win32_wide(folder);
    BOOL made = CreateDirectoryW(wide, &security.attributes);
    DWORD win32 = made ? 0 : GetLastError();
    jp_free(wide);
    jp_win32_security_free(&security);
    return made ? JP_OK
                : jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, "CreateDirectory",
                                "cannot make the folder %s", folder);
}

jp_status jp_win32_folder_close(const char *folder, struct jp_error *error) {
    PSECURITY_DESCRIPTOR descriptor;
    jp_status status = jp_win32_sddl_parse(PRIVATE_SDDL, &descriptor, error);
    if (status != JP_OK)
        return status;
    PSID owner = NULL;
    PACL dacl = NULL;
    BOOL present, defaulted;
    GetSecurityDescriptorOwner(descriptor, &owner, &defaulted);
    GetSecurityDescriptorDacl(descriptor, &present, &dacl, &defaulted);
    wchar_t *wide = jp_win32_wide(folder);
    SECURITY_INFORMATION what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    DWORD win32 = SetNamedSecurityInfoW(wide, SE_FILE_OBJECT, what, owner, NULL, dacl, NULL);
    jp_free(wide);
    LocalFree(descriptor);
    return win32 == ERROR_SUCCESS ? JP_OK : jp_fail_win32(error, JP_E_SYSTEM, win32, "SetNamedSecurityInfo",
                                                            "cannot change who may use the folder %s", folder);
}
