/* One value of each field type: read, write, free, copy, compare. Private to schema.c. */
#ifndef JP_BASE_SCHEMA_VALUES_H
#define JP_BASE_SCHEMA_VALUES_H

#include "base/schema.h"

/* `slot` is the field's place in the struct. `path` names the field in faults. False if a fault was added. */
bool jp__value_read(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                    const char *path, void *slot);
cJSON *jp__value_write(const struct jp_field *field, const void *slot);
void jp__value_clear(const struct jp_field *field, void *slot);
void jp__value_copy(const struct jp_field *field, const void *from, void *to);
bool jp__value_equal(const struct jp_field *field, const void *one, const void *other);

#endif
