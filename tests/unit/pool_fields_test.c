/* Any pool that could be in a configuration, filled at random by its table of fields: written and read, it is the same; so are its parts laid over others. */
#include "base/schema.h"
#include "job/limits.h"

#include "unit.h"

static uint64_t random_in(uint64_t *random, uint64_t least, uint64_t most) {
    uint64_t value = random_magnitude(random);
    return value < least ? least : value > most ? most : value;
}

static void fill(const struct jp_field *table, void *target, uint64_t *random);

static void fill_field(const struct jp_field *field, void *slot, uint64_t *random) {
    size_t choices = 0;
    while (field->choices && field->choices[choices].name)
        choices++;
    switch (field->type) {
    case JP_FIELD_BOOL:
        *(bool *)slot = random_below(random, 2);
        break;
    case JP_FIELD_U32:
        *(uint32_t *)slot = (uint32_t)random_in(random, field->min, field->max ? field->max : UINT32_MAX);
        break;
    case JP_FIELD_U64:
    case JP_FIELD_BYTES:
    case JP_FIELD_DURATION:
        *(uint64_t *)slot = random_in(random, field->min, field->max ? field->max : UINT64_MAX);
        break;
    case JP_FIELD_AFFINITY:
        *(uint64_t *)slot = next_random(random) | 1;
        break;
    case JP_FIELD_PERCENT:
        *(uint32_t *)slot = (uint32_t)random_in(random, field->min, 10000);
        break;
    case JP_FIELD_STRING:
        *(char **)slot = jp_sprintf("text \"\\\xC3\xA9 %u", random_below(random, 1000));
        break;
    case JP_FIELD_CHOICE:
        *(uint32_t *)slot = field->choices[random_below(random, (unsigned)choices)].value;
        break;
    case JP_FIELD_FLAGS:
        for (size_t i = 0; i < choices; i++)
            *(uint32_t *)slot |= random_below(random, 2) ? field->choices[i].value : 0;
        break;
    case JP_FIELD_OBJECT:
        fill(field->fields, slot, random);
        break;
    case JP_FIELD_STRINGS:
        ((struct jp_strings *)slot)->count = random_in(random, 1, 3);
        ((struct jp_strings *)slot)->items = jp_alloc(3 * sizeof(char *));
        for (size_t i = 0; i < ((struct jp_strings *)slot)->count; i++)
            ((struct jp_strings *)slot)->items[i] = jp_sprintf("%u:0-3", random_below(random, 100));
        break;
    case JP_FIELD_LIST:
        ((struct jp_list *)slot)->count = random_below(random, 4);
        ((struct jp_list *)slot)->items = jp_alloc(3 * field->size);
        for (size_t i = 0; i < ((struct jp_list *)slot)->count; i++)
            fill(field->fields, (char *)((struct jp_list *)slot)->items + i * field->size, random);
        break;
    case JP_FIELD_PATH:
    case JP_FIELD_ENV:
    case JP_FIELD_JSON:
    case JP_FIELD_CODE:
    case JP_FIELD_BITS:
    case JP_FIELD_RECORD:
        fail_msg("%s: a pool has no field of this type yet", field->key);
    }
}

static void fill(const struct jp_field *table, void *target, uint64_t *random) {
    for (size_t i = 0; table[i].key; i++)
        if (table[i].required || random_below(random, 2)) {
            fill_field(&table[i], (char *)target + table[i].offset, random);
            *(uint64_t *)target |= JP_SCHEMA_BIT(i);
        }
}

static void read_pool(const char *text, struct jp_pool_spec *spec) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 16};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    if (jp_json_parse(text, strlen(text), &rules, &json, &place, &error))
        fail_msg("%s: %s", text, error.text);
    CHECK(jp_schema_read(&context, jp_pool_fields, json.root, "", spec), "%s: %s", text, faults.items[0].text);
    jp_faults_free(&faults);
    jp_json_free(&json);
}

static char *write_pool(const struct jp_pool_spec *spec) {
    struct jp_str out = {0};
    cJSON *json = jp_schema_write(jp_pool_fields, spec);
    jp_json_print(json, &out);
    cJSON_Delete(json);
    return jp_str_take(&out);
}

static void any_pool_comes_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 5000; i++) {
        struct jp_pool_spec spec = {0}, again = {0}, merged = {0}, lifted = {0};
        fill(jp_pool_fields, &spec, &random);
        char *text = write_pool(&spec), *once_more;
        read_pool(text, &again);
        once_more = write_pool(&again);
        assert_string_equal(once_more, text);
        CHECK(jp_schema_equal(jp_pool_fields, &spec, &again), "%s", text);
        jp_schema_merge(jp_pool_fields, &merged, &spec); /* over nothing, and twice, it is itself */
        jp_schema_merge(jp_pool_fields, &merged, &again);
        CHECK(jp_schema_equal(jp_pool_fields, &merged, &spec), "%s", text);
        fill(jp_pool_fields, &lifted, &random); /* over something else, every field of it is there */
        jp_schema_merge(jp_pool_fields, &lifted, &spec);
        assert_int_equal(lifted.present & spec.present, spec.present);
        assert_int_equal(lifted.limits.present & spec.limits.present, spec.limits.present);
        jp_free(once_more);
        jp_free(text);
        jp_schema_clear(jp_pool_fields, &spec);
        jp_schema_clear(jp_pool_fields, &again);
        jp_schema_clear(jp_pool_fields, &merged);
        jp_schema_clear(jp_pool_fields, &lifted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_pool_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
