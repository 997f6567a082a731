/* A program for each event. The event reaches it as data, on standard input and in the environment, and never in a command line: what is
 * in an event (the name of a program, a sentence) others have chosen. */
#include "cli/events.h"

#include "win32/wide.h"

#include <windows.h>

static const struct {
    const char *key;
    const wchar_t *variable;
} variables[] = {
    {"seq", L"JOBPOOL_EVENT_SEQ"},         {"time", L"JOBPOOL_EVENT_TIME"},        {"pool", L"JOBPOOL_EVENT_POOL"},
    {"message", L"JOBPOOL_EVENT_MESSAGE"}, {"pid", L"JOBPOOL_EVENT_PID"},          {"startTime", L"JOBPOOL_EVENT_START_TIME"},
    {"process", L"JOBPOOL_EVENT_PROCESS"}, {"exitCode", L"JOBPOOL_EVENT_EXIT_CODE"}, {"origin", L"JOBPOOL_EVENT_ORIGIN"},
    {"detail", L"JOBPOOL_EVENT_DETAIL"},
};

/* In our own environment, which it inherits. What the event has not is not there either. */
static void set_variables(const cJSON *event) {
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const cJSON *item = jp_get(event, variables[i].key);
        struct jp_str number = {0};
        if (cJSON_IsNumber(item))
            jp_json_print(item, &number);
        wchar_t *value = jp_win32_wide(cJSON_IsString(item) ? item->valuestring : number.data);
        SetEnvironmentVariableW(variables[i].variable, value);
        jp_free(value);
        jp_str_free(&number);
    }
}

struct running {
    HANDLE process, input; /* input: the end that we write to */
};

static jp_status start(const char *command, size_t input_size, struct running *ret_running, struct jp_error *error) {
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE read, write;
    if (!CreatePipe(&read, &write, &inherited, (DWORD)input_size)) {
        DWORD code = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreatePipe", "cannot run \"%s\"", command);
    }
    SetHandleInformation(write, HANDLE_FLAG_INHERIT, 0);
    HANDLE told = GetStdHandle(STD_ERROR_HANDLE);
    if (told != NULL && told != INVALID_HANDLE_VALUE)
        SetHandleInformation(told, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = read, .hStdOutput = told, .hStdError = told};
    PROCESS_INFORMATION made;
    wchar_t *line = jp_win32_wide(command);
    BOOL created = CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made);
    DWORD code = GetLastError();
    jp_free(line);
    CloseHandle(read);
    if (!created) {
        CloseHandle(write);
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateProcessW", "cannot run \"%s\"", command);
    }
    CloseHandle(made.hThread);
    *ret_running = (struct running){.process = made.hProcess, .input = write};
    return JP_OK;
}

/* A program that does not read its input may well end without: that is no failure. */
static void feed(const struct running *running, const struct jp_str *text) {
    size_t at = 0;
    DWORD written;
    while (at < text->length && WriteFile(running->input, text->data + at, (DWORD)(text->length - at), &written, NULL))
        at += written;
    CloseHandle(running->input);
}

jp_status jp_event_run(struct jp_event_exec *exec, const cJSON *event, struct jp_error *error) {
    struct running running = {0};
    struct jp_str text = {0};
    DWORD code = 0;
    jp_json_print(event, &text);
    jp_str_putc(&text, '\n');
    set_variables(event);
    jp_status status = start(exec->command, text.length, &running, error);
    if (status == JP_OK) {
        feed(&running, &text);
        WaitForSingleObject(running.process, INFINITE);
        if (!GetExitCodeProcess(running.process, &code))
            code = JP_EXIT_FAILED; /* not known is not good */
        CloseHandle(running.process);
    }
    jp_str_free(&text);
    if (code == 0)
        return status;
    struct jp_str seq = {0};
    jp_show_value(JP_SHOW_NUMBER, jp_get(event, "seq"), &seq);
    jp_complain("event %s: \"%s\" ended with exit code %lu", jp_str_text(&seq), exec->command, (unsigned long)code);
    jp_str_free(&seq);
    exec->failures++;
    return JP_OK;
}
