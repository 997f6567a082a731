/* The commands completion, which prints a script for a shell, and complete, which that script asks: what can stand here? All that a
 * shell's script does is to ask, so that it never is older than the program. */
#include "cli/events.h"
#include "cli/help.h"
#include "cli/lookup.h"
#include "job/limits.h"

#include <string.h>

enum { PATIENCE_MS = 1000 }; /* for the names of pools: somebody waits with a finger on the Tab key */

/* ------------------------------------------------------------------------------------------------------------- scripts */

static const char bash_script[] =
    "# Completion of jobpool in bash: put  source <(jobpool completion bash)  into ~/.bashrc\n"
    "_jobpool() {\n"
    "    local word rest\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r word rest; do\n"
    "        word=${word%$'\\r'}\n"
    "        [[ $word == *[^[:alnum:]_.,:/@%+=-]* ]] && printf -v word '%q' \"$word\"\n"
    "        COMPREPLY+=(\"$word\")\n"
    "    done < <(\"${COMP_WORDS[0]}\" complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -o default -o nosort -F _jobpool jobpool jobpool.exe\n";

/* A word that cmd.exe would read itself is not passed on: then nothing is proposed. */
static const char clink_script[] =
    "-- Completion of jobpool in cmd.exe with clink: jobpool completion clink > %LOCALAPPDATA%\\clink\\jobpool.lua\n"
    "local function matches(word, word_index, line_state)\n"
    "    local command = 'jobpool complete --'\n"
    "    for i = line_state:getcommandwordindex() + 1, line_state:getwordcount() do\n"
    "        local text = line_state:getword(i)\n"
    "        if text:find('[\"%%!&|<>^\\r\\n]') then\n"
    "            return {}\n"
    "        end\n"
    "        command = command .. ' \"' .. text:gsub('(\\\\+)$', '%1%1') .. '\"'\n"
    "    end\n"
    "    local found = {}\n"
    "    local pipe = io.popen('2>nul ' .. command)\n"
    "    if pipe then\n"
    "        for line in pipe:lines() do\n"
    "            local match, description = line:match('^([^\\t]*)\\t?([^\\r]*)')\n"
    "            found[#found + 1] = { match = match, description = description }\n"
    "        end\n"
    "        pipe:close()\n"
    "    end\n"
    "    return found\n"
    "end\n"
    "clink.argmatcher('jobpool'):addarg({ nosort = true, matches }):loop()\n";

/* Windows PowerShell drops empty arguments, so the word that is being written goes with an option. */
static const char powershell_script[] =
    "# Completion of jobpool in PowerShell: put  jobpool completion powershell | Out-String | Invoke-Expression  into $PROFILE\n"
    "Register-ArgumentCompleter -Native -CommandName jobpool, jobpool.exe -ScriptBlock {\n"
    "    param($wordToComplete, $commandAst, $cursorPosition)\n"
    "    $program = $commandAst.CommandElements[0].Extent.Text.Trim('\"', \"'\")\n"
    "    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |\n"
    "        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |\n"
    "        ForEach-Object { $_.Extent.Text.Trim('\"', \"'\") } | Where-Object { $_ -ne '' })\n"
    "    & $program complete \"--word=$wordToComplete\" -- @words 2>$null | ForEach-Object {\n"
    "        $match, $description = $_ -split \"`t\", 2\n"
    "        if (-not $description) { $description = $match }\n"
    "        [System.Management.Automation.CompletionResult]::new($match, $match, 'ParameterValue', $description)\n"
    "    }\n"
    "}\n";

static const struct {
    const char *shell, *script;
} scripts[] = {{"powershell", powershell_script}, {"clink", clink_script}, {"bash", bash_script}};

int jp_command_completion(struct jp_cli *cli, cJSON *options) {
    cJSON_Delete(options);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (strcmp(scripts[i].shell, cli->arguments[0]) == 0) {
            jp_output(scripts[i].script, strlen(scripts[i].script));
            return JP_EXIT_OK;
        }
    }
    return jp_cli_misuse(cli, "\"%s\" is none of powershell, clink (for cmd.exe) and bash", cli->arguments[0]);
}

/* ---------------------------------------------------------------------------------------------------------- candidates */

struct proposals {
    struct jp_cli *cli;
    const char *word;  /* what is there of the word already */
    const char *prefix; /* stands before each candidate: "pool," of "pool,da" */
    struct jp_str out;
};

static void propose(struct proposals *proposals, const char *candidate, const char *description) {
    struct jp_str whole = {0};
    jp_str_puts(&whole, proposals->prefix);
    jp_add_harmless(&whole, candidate);
    if (strncmp(jp_str_text(&whole), proposals->word, strlen(proposals->word)) == 0) {
        jp_str_printf(&proposals->out, "%s%s", jp_str_text(&whole), description == NULL ? "" : "\t");
        jp_add_harmless(&proposals->out, description == NULL ? "" : description);
        jp_str_putc(&proposals->out, '\n');
    }
    jp_str_free(&whole);
}

static void propose_choice(void *context, const char *choice) { propose(context, choice, NULL); }

/* Silent where nobody can be asked. What is no pool's name is left out, whoever says so: not every shell quotes what it inserts. */
static void propose_pools(struct proposals *proposals) {
    cJSON *result = NULL;
    struct jp_cli_failure failure;
    proposals->cli->connection.connect_timeout_ms = PATIENCE_MS;
    if (jp_cli_try(proposals->cli, "pool.list", NULL, PATIENCE_MS, &result, &failure) != JP_OK) {
        jp_cli_failure_clear(&failure);
        return;
    }
    const cJSON *pool;
    cJSON_ArrayForEach(pool, jp_get(result, "pools")) {
        const char *name = cJSON_GetStringValue(jp_get(pool, "name"));
        if (name != NULL && jp_pool_name_valid(name))
            propose(proposals, name, cJSON_GetStringValue(jp_get(pool, "description")));
    }
    cJSON_Delete(result);
}

static void propose_columns(struct proposals *proposals, const struct jp_command *command) {
    const struct jp_show *column = command == NULL || command->view == NULL ? NULL : command->view->columns;
    for (; column != NULL && column->title != NULL; column++)
        propose(proposals, column->key, column->title);
}

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static void propose_values(struct proposals *proposals, const struct jp_command *command, const struct jp_option *row) {
    static const char *const of_pools[] = {"pool", "pools", "--job", "parent", NULL};
    bool is_columns = strcmp(row->key, "--columns") == 0, is_sort = strcmp(row->key, "--sort") == 0;
    bool many = is_columns || (row->kind == JP_OPTION_LIST && strchr(row->value, '|') != NULL);
    const char *comma = many ? strrchr(proposals->word, ',') : NULL;
    size_t length = comma != NULL ? (size_t)(comma - proposals->word) + 1 : is_sort && proposals->word[0] == '-' ? 1 : 0;
    char *prefix = jp_strndup(proposals->word, length);
    proposals->prefix = prefix;
    if (is_columns || is_sort)
        propose_columns(proposals, command);
    else if (is_one_of(row->key, of_pools))
        propose_pools(proposals);
    else if (strcmp(row->key, "messages") == 0)
        jp_event_each_message(propose_choice, proposals);
    else if (row->kind == JP_OPTION_TIME)
        jp_option_each_choice(&(struct jp_option){.value = "today|yesterday|7d|30d"}, propose_choice, proposals);
    else
        jp_option_each_choice(row, propose_choice, proposals);
    proposals->prefix = "";
    jp_free(prefix);
}

static void propose_options(struct proposals *proposals, const struct jp_option *rows) {
    for (; rows != NULL && rows->name != NULL; rows++) {
        char *name = jp_option_name(rows), *whole = jp_sprintf("--%s", name);
        propose(proposals, whole, rows->help);
        jp_free(whole);
        jp_free(name);
    }
}

static void propose_verbs(struct proposals *proposals, const struct jp_command *verbs) {
    for (; verbs != NULL && verbs->name != NULL; verbs++)
        propose(proposals, verbs->name, verbs->summary);
}

static void propose_verbs_of(struct proposals *proposals, const struct jp_noun *noun) {
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++) {
        char *verb = NULL;
        if (jp_verb_of_noun(command, noun->name, &verb))
            propose(proposals, verb, command->summary);
        jp_free(verb);
    }
}

static void propose_first_words(struct proposals *proposals) {
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        if (!command->only_full && !command->hidden)
            propose(proposals, command->name, command->summary);
    for (const struct jp_noun *noun = jp_nouns; noun->name != NULL; noun++)
        propose(proposals, noun->name, noun->summary);
    propose(proposals, "help", "what a command does, or how a subject is");
}

/* ------------------------------------------------------------------------------------------- what stands before the word */

struct place {
    const struct jp_noun *noun;
    const struct jp_command *command;
    const struct jp_option *pending; /* the option whose value comes next */
    size_t arguments;
    bool helping;
    bool foreign; /* the command line of somebody else, or nothing that we know */
};

/* The row of "--name", "--name=value" or "-n"; NULL. */
static const struct jp_option *find_option(const struct jp_option *rows, const char *word) {
    for (; rows != NULL && rows->name != NULL; rows++) {
        char *name = jp_option_name(rows);
        bool same = word[1] == '-' ? strncmp(word + 2, name, strlen(name)) == 0 && strchr("=", word[2 + strlen(name)]) != NULL
                                   : word[1] != '\0' && jp_option_letter(rows) == word[1];
        jp_free(name);
        if (same)
            return rows;
    }
    return NULL;
}

static const struct jp_option *option_at(const struct place *place, const char *word) {
    const struct jp_option *row = place->command == NULL ? NULL : find_option(place->command->options, word);
    return row != NULL ? row : find_option(jp_common_options, word);
}

/* A word that is neither an option nor its value. */
static void take_plain(struct place *place, const char *word) {
    if (place->helping || place->command == NULL) {
        bool first = place->noun == NULL && place->command == NULL;
        if (first && strcmp(word, "help") == 0 && !place->helping) {
            place->helping = true;
            return;
        }
        if (first)
            place->noun = jp_find_noun(word);
        if (first && place->noun != NULL)
            return;
        const struct jp_command *group = place->command;
        place->command = place->noun != NULL ? jp_find_full(place->noun->name, word) : group != NULL ? jp_find_verb(group, word) : jp_find_short(word);
        place->foreign = place->command == NULL;
        return;
    }
    const struct jp_command *verb = place->arguments == 0 && place->command->verbs != NULL ? jp_find_verb(place->command, word) : NULL;
    if (verb != NULL)
        place->command = verb;
    else
        place->arguments++;
    place->foreign = place->command->passes_through && place->arguments > 0;
}

static void take_word(struct place *place, const char *word) {
    if (place->pending != NULL) {
        if (strcmp(word, "=") != 0) /* bash makes a word of its own of it */
            place->pending = NULL;
    } else if (strcmp(word, "--") == 0) {
        place->foreign = true;
    } else if (word[0] == '-') {
        const struct jp_option *row = option_at(place, word);
        if (row != NULL && row->kind != JP_OPTION_SWITCH && strchr(word, '=') == NULL)
            place->pending = row;
    } else {
        take_plain(place, word);
    }
}

/* What an argument can be, as the row calls it: "POOL PID". */
static void propose_argument(struct proposals *proposals, const struct place *place) {
    const char *arguments = place->command->arguments == NULL ? "" : place->command->arguments;
    arguments += arguments[0] == '[';
    if (place->arguments > 0)
        return;
    propose_verbs(proposals, place->command->verbs);
    if (strncmp(arguments, "POOL", 4) == 0 || strncmp(arguments, "JOB", 3) == 0)
        propose_pools(proposals);
    if (place->command->run == jp_command_completion)
        for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
            propose(proposals, scripts[i].shell, NULL);
}

static void propose_plain(struct proposals *proposals, const struct place *place) {
    if (place->noun != NULL && place->command == NULL) {
        propose_verbs_of(proposals, place->noun);
    } else if (place->command == NULL) {
        propose_first_words(proposals);
        for (const struct jp_topic *topic = jp_topics; place->helping && topic->name != NULL; topic++)
            propose(proposals, topic->name, topic->summary);
    } else if (place->helping) {
        propose_verbs(proposals, place->command->verbs);
    } else {
        propose_argument(proposals, place);
    }
}

/* "--format=c", of which a shell that does not split it wants the whole back. */
static void propose_attached(struct proposals *proposals, const struct place *place) {
    const char *whole = proposals->word, *value = strchr(whole, '=') + 1;
    const struct jp_option *row = option_at(place, whole);
    if (row == NULL || row->kind == JP_OPTION_SWITCH)
        return;
    struct proposals inner = {.cli = proposals->cli, .word = value, .prefix = ""};
    propose_values(&inner, place->command, row);
    for (const char *line = jp_str_text(&inner.out); *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        jp_str_add(&proposals->out, whole, (size_t)(value - whole));
        jp_str_add(&proposals->out, line, length);
        line += length;
    }
    jp_str_free(&inner.out);
}

static void propose_for(struct proposals *proposals, const struct place *place) {
    if (place->foreign)
        return;
    if (place->pending != NULL) {
        propose_values(proposals, place->command, place->pending);
    } else if (proposals->word[0] != '-') {
        propose_plain(proposals, place);
    } else if (strchr(proposals->word, '=') != NULL) {
        propose_attached(proposals, place);
    } else {
        propose_options(proposals, place->command == NULL ? NULL : place->command->options);
        propose_options(proposals, jp_common_options);
    }
}

/* complete [--word=TEXT] -- WORD ...: without the option, the last word is the one that is being written. */
int jp_command_complete(struct jp_cli *cli, cJSON *options) {
    char *own = jp_take_text(options, "--word");
    size_t count = cli->argument_count;
    const char *word = own != NULL ? own : count > 0 ? cli->arguments[--count] : "";
    cJSON_Delete(options);
    struct place place = {0};
    for (size_t i = 0; i < count && !place.foreign; i++)
        take_word(&place, cli->arguments[i]);
    if (place.pending != NULL && strcmp(word, "=") == 0)
        word = "";
    struct proposals proposals = {.cli = cli, .word = word, .prefix = ""};
    propose_for(&proposals, &place);
    jp_output(jp_str_text(&proposals.out), proposals.out.length);
    jp_str_free(&proposals.out);
    jp_free(own);
    return JP_EXIT_OK;
}

const struct jp_option jp_complete_options[] = {
    {"word", "TEXT", JP_OPTION_TEXT_OR_NONE, "--word", "the word that is being written; without it, the last argument"},
    {0},
};
