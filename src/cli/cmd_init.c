/* The command init: a first configuration, from answers at the prompt or from options. */
#include "cli/cli.h"

#include "config/config.h"
#include "config/first.h"
#include "win32/installation.h"
#include "win32/paths.h"
#include "win32/security.h"
#include "win32/trusted_file.h"
#include "win32/wide.h"

#include <string.h>
#include <windows.h>

const struct jp_option jp_init_options[] = {
    {"output|o", "FILE", JP_OPTION_TEXT, "--output", "the file to write; default %ProgramData%\\JobPool\\jobpool.json"},
    {"pool|p", "NAME", JP_OPTION_TEXT, "--pool", "the first pool's name; default \"default\""},
    {"memory", "SIZE", JP_OPTION_TEXT_OR_NONE, "--memory", "what its processes may use together: 4GiB; default: as much as there is"},
    {"processes", "N", JP_OPTION_TEXT_OR_NONE, "--processes", "how many it may have at a time; default 200"},
    {"allow", "ACCOUNT", JP_OPTION_TEXT_OR_NONE, "--allow", "an account or group that may use it, \"\" for none but administrators; default Interactive: who sits here"},
    {"data", "FOLDER", JP_OPTION_TEXT, "--data", "the folder of accounts and log; default: that of the file"},
    {"force", NULL, JP_OPTION_SWITCH, "--force", "write over a file that is there"},
    {"ask", NULL, JP_OPTION_SWITCH, "--ask", "ask for what no option says, even where standard input is no console"},
    {"yes|y", NULL, JP_OPTION_SWITCH, "--yes", "ask nothing: what no option says is the default"},
    {0},
};

enum question { POOL, MEMORY, PROCESSES, ALLOW, DATA, QUESTIONS };

struct init {
    struct jp_cli *cli;
    char *file;
    char *answers[QUESTIONS]; /* never NULL once they are complete */
};

static const struct {
    const char *key, *question;
    bool optional; /* "-" is for none */
} questions[QUESTIONS] = {
    [POOL] = {"--pool", "Name of a first pool", false},
    [MEMORY] = {"--memory", "How much memory may its processes use together, for example 4GiB (-: as much as there is)", true},
    [PROCESSES] = {"--processes", "How many processes may it have at a time (-: any number)", true},
    [ALLOW] = {"--allow", "Which account or group may use it, besides administrators (-: nobody)", true},
    [DATA] = {"--data", "Folder for accounts and log", false},
};

/* --- what the answers amount to --- */

static char *text_of(const struct init *init) {
    struct jp_first_config first = {.folder = init->answers[DATA], .pool = init->answers[POOL], .memory = init->answers[MEMORY],
                                    .processes = init->answers[PROCESSES], .allow = init->answers[ALLOW]};
    return jp_config_first(&first);
}

/* The configuration's own checker has the say. */
static jp_status check(const struct init *init, struct jp_error *error) {
    static const struct jp_config_host host = {.check_security = jp_win32_sddl_check};
    struct jp_config config;
    struct jp_config_faults faults = {0};
    char *text = text_of(init);
    jp_status status = jp_config_parse(text, strlen(text), &host, &config, &faults);
    if (status == JP_OK)
        jp_config_free(&config);
    else
        jp_fail(error, status, "%s", faults.items[0].text);
    jp_config_faults_free(&faults);
    jp_free(text);
    return status;
}

/* --- asking --- */

static bool is_console(DWORD which) {
    DWORD mode;
    return GetConsoleMode(GetStdHandle(which), &mode) != 0;
}

/* Lines without their end (jp_free); NULL at the end of input. */
static char *read_console_line(HANDLE input) {
    enum { LINE_MAX_LENGTH = 1024 };
    wchar_t line[LINE_MAX_LENGTH];
    DWORD length = 0;
    if (!ReadConsoleW(input, line, LINE_MAX_LENGTH, &length, NULL) || length == 0)
        return NULL;
    while (length > 0 && (line[length - 1] == L'\n' || line[length - 1] == L'\r'))
        length--;
    return jp_win32_utf8_n(line, length);
}

static char *read_line(void) {
    struct jp_str line = {0};
    char byte;
    DWORD read;
    bool any = false;
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    if (is_console(STD_INPUT_HANDLE))
        return read_console_line(input);
    while (ReadFile(input, &byte, 1, &read, NULL) && read > 0) {
        any = true;
        if (byte == '\n')
            return jp_str_take(&line);
        if (byte != '\r')
            jp_str_putc(&line, byte);
    }
    char *text = jp_str_take(&line);
    if (any)
        return text;
    jp_free(text);
    return NULL;
}

/* Until an answer is good. False if input ends. */
static bool ask(struct init *init, enum question which) {
    for (;;) {
        struct jp_error error;
        char *otherwise = init->answers[which];
        char *prompt = jp_sprintf("%s [%s]: ", questions[which].question, *otherwise ? otherwise : "-");
        jp_complain_plain(prompt);
        jp_free(prompt);
        char *line = read_line();
        if (!line)
            return false;
        if (*line == '\0') {
            jp_free(line);
            return true;
        }
        if (questions[which].optional && strcmp(line, "-") == 0)
            *line = '\0';
        init->answers[which] = line;
        if (check(init, &error) == JP_OK) {
            jp_free(otherwise);
            return true;
        }
        jp_complain("%s", error.text);
        init->answers[which] = otherwise;
        jp_free(line);
    }
}

/* Options, else defaults. */
static void take_answers(struct init *init, cJSON *options, bool *ret_given) {
    char *folder = jp_win32_folder_of(init->file);
    const char *defaults[QUESTIONS] = {[POOL] = jp_first_defaults.pool, [MEMORY] = jp_first_defaults.memory,
                                       [PROCESSES] = jp_first_defaults.processes, [ALLOW] = jp_first_defaults.allow, [DATA] = folder};
    for (int i = 0; i < QUESTIONS; i++) {
        char *given = jp_take_text(options, questions[i].key);
        ret_given[i] = given != NULL;
        init->answers[i] = given ? given : jp_strdup(defaults[i]);
    }
    jp_free(folder);
}

/* A folder's name means what it does where it is typed: the service's own folder is another. */
static void name_from_here(struct init *init) {
    char *full = jp_win32_full_path(init->answers[DATA]);
    if (*full == '\0') { /* the configuration's checker has said what it thinks of it */
        jp_free(full);
        return;
    }
    jp_free(init->answers[DATA]);
    init->answers[DATA] = full;
}

static int complete_answers(struct init *init, cJSON *options) {
    bool given[QUESTIONS];
    bool forced = jp_take_switch(options, "--ask"), silent = jp_take_switch(options, "--yes");
    bool asks = forced || (!silent && !init->cli->json && is_console(STD_INPUT_HANDLE) && is_console(STD_OUTPUT_HANDLE));
    struct jp_error error;
    take_answers(init, options, given);
    if (check(init, &error) != JP_OK)
        return jp_cli_misuse(init->cli, "%s", error.text);
    for (int i = 0; asks && i < QUESTIONS; i++) {
        if (!given[i] && !ask(init, (enum question)i)) {
            jp_complain("the answers ended; nothing was written");
            return JP_EXIT_FAILED;
        }
    }
    name_from_here(init);
    return JP_EXIT_OK;
}

/* --- writing --- */

static jp_status make_folder(const struct init *init, struct jp_error *error) {
    char *folder = jp_win32_folder_of(init->file);
    jp_status status = JP_OK;
    if (!jp_win32_file_exists(folder)) {
        /* One that an ordinary user makes is his: the service would refuse what is in it. */
        status = jp_win32_elevated() ? jp_win32_folder_make(folder, error)
                                     : jp_fail(error, JP_E_DENIED, "there is no folder %s, and only an administrator may make one that the service trusts: "
                                                                   "start this elevated, or name another file with --output", folder);
    }
    jp_free(folder);
    return status;
}

static jp_status write_it(const struct init *init, bool force, struct jp_error *error) {
    jp_status status = make_folder(init, error);
    if (status != JP_OK)
        return status;
    char *text = text_of(init);
    status = jp_win32_write_file(init->file, text, force, error);
    jp_free(text);
    return status;
}

/* --- what next --- */

/* Beside this program, where both mostly are, or else where it ought to be. */
static char *service_program(void) {
    char *own = jp_win32_own_path(), *folder = jp_win32_folder_of(own), *program = jp_sprintf("%s\\jobpoold.exe", folder);
    if (!jp_win32_file_exists(program)) {
        jp_free(program);
        program = jp_strdup("C:\\Program Files\\JobPool\\jobpoold.exe");
    }
    jp_free(own);
    jp_free(folder);
    return program;
}

static void show_written(const cJSON *result, struct jp_str *out) {
    const char *program = cJSON_GetStringValue(jp_get(result, "program"));
    const char *file = cJSON_GetStringValue(jp_get(result, "file"));
    const char *create = cJSON_GetStringValue(jp_get(result, "create"));
    jp_str_printf(out, "%s: written, and good\n\n", file);
    jp_str_printf(out, "Next, at an administrator's prompt, everything at once:\n  \"%s\" install --config \"%s\"\n", program, file);
    jp_str_printf(out, "or the service alone:\n  %s\n  sc start " JP_SERVICE_NAME "\n", create);
    jp_str_puts(out, "Then: jobpool doctor\n");
}

static int tell(const struct init *init) {
    char *program = service_program();
    char *create = jp_win32_create_command(&(struct jp_installation){.program = program, .config = init->file});
    cJSON *result = jp_cli_object("file", init->file);
    jp_json_add_string(result, "program", program);
    jp_json_add_string(result, "create", create);
    jp_free(create);
    jp_free(program);
    return jp_cli_print(init->cli, result, JP_VIEW(show_written));
}

int jp_command_init(struct jp_cli *cli, cJSON *options) {
    char *output = jp_take_text(options, "--output");
    struct init init = {.cli = cli, .file = output ? jp_win32_full_path(output) : jp_win32_default_config()};
    bool force = jp_take_switch(options, "--force");
    struct jp_error error;
    int code = JP_EXIT_OK;
    if (jp_win32_is_folder(init.file) || (!force && jp_win32_file_exists(init.file))) { /* before anybody is asked anything */
        jp_complain("%s is %s", init.file, jp_win32_is_folder(init.file) ? "a folder; give the name of a file in it" : "there already; --force writes over it");
        code = JP_EXIT_FAILED;
    }
    if (code == JP_EXIT_OK)
        code = complete_answers(&init, options);
    if (code == JP_EXIT_OK && write_it(&init, force, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    }
    if (code == JP_EXIT_OK)
        code = tell(&init);
    for (int i = 0; i < QUESTIONS; i++)
        jp_free(init.answers[i]);
    jp_free(init.file);
    jp_free(output);
    cJSON_Delete(options);
    return code;
}
