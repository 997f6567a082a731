/* Tables that say what a JSON object may hold, and where its values live in a C struct.
 *
 * One table reads a config section or a method's parameters (checked, with suggestions for misspelt keys), writes the
 * struct back as JSON, frees it, and feeds the documentation. A struct that a table describes begins with
 * `uint64_t present`: bit i is set when the table's field i was given. All zero is a valid empty struct. */
#ifndef JP_BASE_SCHEMA_H
#define JP_BASE_SCHEMA_H

#include "base/json.h"

enum jp_field_type {
    JP_FIELD_BOOL,     /* bool */
    JP_FIELD_U32,      /* uint32_t, min to max */
    JP_FIELD_U64,      /* uint64_t: a number, or a decimal string */
    JP_FIELD_BYTES,    /* uint64_t: "512MiB", or a number of bytes */
    JP_FIELD_DURATION, /* uint64_t, 100 ns: "90s" (a bare number is refused: of what?) */
    JP_FIELD_PERCENT,  /* uint32_t, 1/100 %: "50%" */
    JP_FIELD_AFFINITY, /* uint64_t: "0-3,6" or "0xF" */
    JP_FIELD_STRING,   /* char * (jp_free), min to max bytes, no control characters */
    JP_FIELD_PATH,     /* char * (jp_free): as STRING, %VAR% expanded */
    JP_FIELD_CHOICE,   /* uint32_t: one of `choices` by name */
    JP_FIELD_FLAGS,    /* uint32_t: a list of `choices`, or-ed */
    JP_FIELD_CODE,     /* uint32_t: a number, or one of `choices` by name; written as a number */
    JP_FIELD_BITS,     /* uint32_t: the same, or a list of those, or-ed */
    JP_FIELD_OBJECT,   /* a struct described by `fields`, embedded */
    JP_FIELD_RECORD,   /* likewise, without `present`: every key must be there */
    JP_FIELD_LIST,     /* struct jp_list: a list of structs described by `fields`, `size` bytes each, at most `max` of them */
    JP_FIELD_STRINGS,  /* struct jp_strings: a list of strings, at most `max` of them */
    JP_FIELD_ENV,      /* struct jp_strings: an object {"NAME": "value" | null}, kept as "NAME=value" and "NAME"; at most `max` */
    JP_FIELD_JSON,     /* cJSON * (cJSON_Delete): taken as it is, for who knows what it means */
};

/* Owns its strings, where nothing else is said. */
struct jp_strings {
    char **items;
    size_t count;
};
void jp_strings_add(struct jp_strings *strings, const char *text); /* a copy */
void jp_strings_add_all(struct jp_strings *strings, const struct jp_strings *more);
void jp_strings_free(struct jp_strings *strings);                  /* empty afterwards */

struct jp_list {
    void *items; /* jp_free'd with what they own by jp_schema_clear */
    size_t count;
};

struct jp_choice {
    const char *name;
    uint32_t value;
};

struct jp_field {
    const char *key;
    enum jp_field_type type;
    size_t offset;
    bool required;
    bool nullable;  /* null is taken as "not given, on purpose": see `present` and `jp_schema_nulls` */
    uint64_t min;   /* numbers: lowest; strings: least length. Units as the type has them */
    uint64_t max;   /* 0: the type's own bound (strings: 32,767 bytes, as Windows bounds a command line) */
    const struct jp_choice *choices; /* ends with a NULL name */
    const struct jp_field *fields;   /* ends with a NULL key */
    size_t size;                     /* LIST: of one element */
    const char *shorthand;           /* OBJECT: a value that is no object is taken as this key's */
    const char *documentation;       /* one sentence */
};

/* A fault in a JSON text. Its own text is one line of UTF-8. */
struct jp_fault {
    char *text;        /* "limits.job_memory: \"5 apples\" is not a size; write for example \"512MiB\"" */
    const cJSON *item; /* where */
    bool at_key;       /* the key is wrong, not the value */
};

struct jp_faults {
    struct jp_fault *items;
    size_t count; /* at most JP_FAULTS_MAX; then reading ends */
};
enum { JP_FAULTS_MAX = 100 };

void jp_faults_add(struct jp_faults *faults, const cJSON *item, bool at_key, const char *format, ...) JP_PRINTF(4, 5);
void jp_faults_free(struct jp_faults *faults);

/* What reading needs from outside. */
struct jp_schema_context {
    const char *(*environment)(const char *name); /* for %VAR% in paths; NULL: a path with % is refused */
    struct jp_faults *faults;
};

/* Reads `object` into the struct at `target` (all zero before). `path` names the object in faults ("pools.build.limits";
 * "" for the root). False if a fault was added; `target` then holds what was good, and wants jp_schema_clear all the same. */
bool jp_schema_read(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *object,
                    const char *path, void *target);

/* The same for a struct without `present`: every field must be there. False if a fault was added. */
bool jp_schema_read_record(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *object,
                           const char *path, void *target);
cJSON *jp_schema_write_record(const struct jp_field *fields, const void *source);

/* The struct as JSON: only fields that are present, numbers in the form that the reader takes back. */
cJSON *jp_schema_write(const struct jp_field *fields, const void *source);

void jp_schema_clear(const struct jp_field *fields, void *target);                    /* frees; all zero after */
void jp_schema_copy(const struct jp_field *fields, const void *source, void *target); /* deep; target all zero before */
bool jp_schema_equal(const struct jp_field *fields, const void *one, const void *other);

/* Lays `change` over `target`: what is present there replaces, a given null removes, objects merge field by field. */
void jp_schema_merge(const struct jp_field *fields, void *target, const void *change);

/* The bit in `present` for a nullable field that was given as null: the field's own bit is clear then. */
#define JP_SCHEMA_NULL_BIT(index) (UINT64_C(1) << (32 + (index)))
#define JP_SCHEMA_BIT(index) (UINT64_C(1) << (index))

/* "restart" for 2 in a table that says so; NULL if the value is not in it. */
const char *jp_choice_name(const struct jp_choice *choices, uint32_t value);

#endif
