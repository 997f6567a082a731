/* Prints libFuzzer's dictionary for a target: every key, method and choice that there is, out of the tables that the program itself reads. */
#include "base/str.h"
#include "config/config.h"
#include "job/info.h"
#include "rpc/rpc_internal.h"

#include <stdio.h>
#include <string.h>

static struct jp_strings seen;

/* A dictionary's line is a C string; ours is a JSON string in it. */
static void print_word(const char *word) {
    for (size_t i = 0; i < seen.count; i++)
        if (strcmp(seen.items[i], word) == 0)
            return;
    seen.items = jp_realloc_array(seen.items, seen.count + 1, sizeof *seen.items);
    seen.items[seen.count++] = jp_strdup(word);
    printf("\"\\\"%s\\\"\"\n", word);
}

static void print_choices(const struct jp_choice *choices) {
    for (; choices && choices->name; choices++)
        print_word(choices->name);
}

static void print_fields(const struct jp_field *fields) {
    for (; fields && fields->key; fields++) {
        print_word(fields->key);
        print_choices(fields->choices);
        print_fields(fields->fields);
    }
}

static void print_keys(const cJSON *json) {
    for (const cJSON *member = json ? json->child : NULL; member; member = member->next) {
        if (member->string)
            print_word(member->string);
        print_keys(member);
    }
}

static void print_classes(void) {
    for (const struct jp_job_class_row *row = jp_job_classes; row->name; row++) {
        struct jp_job_info info = {.class = row->class};
        cJSON *json = jp_job_info_write(&info);
        print_keys(json);
        cJSON_Delete(json);
    }
    print_choices(jp_job_class_choices);
    print_choices(jp_job_access_choices);
    print_choices(jp_job_security_choices);
}

static void print_config(void) {
    print_fields(jp_config_fields);
    print_fields(jp_template_fields);
    print_fields(jp_pool_fields);
}

static void print_methods(void) {
    for (const struct jp_method *method = jp__methods; method->name; method++) {
        print_word(method->name);
        print_fields(method->fields);
        print_fields(method->more_fields);
    }
    print_classes();
}

static void print_names(void) {
    static const char *const names[] = {"jsonrpc", "2.0", "id", "method", "params", "build", "sub", "#1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        print_word(names[i]);
}

static void print_framing(void) { puts("\"Content-Length: \"\n\"content-type:\"\n\"\\x0d\\x0a\\x0d\\x0a\"\n\"\\xef\\xbb\\xbf\"\n\"\\x0a\""); }

static void print_json(void) {
    static const char *const words[] = {"\\\\ud83d\\\\ude00", "\\\\ud800", "\\\\u0000", "\\xed\\xa0\\x80", "\\\":", "1e308",
                                        "9007199254740993", "-0", "//", "/*", "*/", "null", "[[", "{}"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        printf("\"%s\"\n", words[i]);
}

static void print_units(void) {
    static const char *const words[] = {"KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "ms", "us", "100ns", "s", "min", "h", "d", "%", "0x", "-", ",", ".", "Z", "T"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        printf("\"%s\"\n", words[i]);
}

static void print_access(void) {
    static const char *const words[] = {"Administrators", "Interactive", "Everyone", "S-1-5-32-544", "O:SYG:SYD:P(A;;0x1f;;;SY)", "(D;;GA;;;WD)", "SIM\\\\\\\\user"};
    print_fields(jp_access_fields);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        print_word(words[i]);
}

static const struct {
    const char *target;
    void (*print)(void);
} parts[] = {
    {"access", print_access}, {"config", print_config}, {"config", print_units},   {"framing", print_framing}, {"info", print_classes}, {"json", print_json},
    {"rpc", print_framing},   {"rpc", print_names},     {"rpc", print_methods},    {"units", print_units},
};

int main(int count, char **targets) {
    for (size_t i = 0; count == 2 && i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].target, targets[1]) == 0)
            parts[i].print();
    for (size_t i = 0; i < seen.count; i++)
        jp_free(seen.items[i]);
    jp_free(seen.items);
    return count == 2 ? 0 : 2;
}
