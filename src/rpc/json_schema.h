/* The tables of parameters and of answers as JSON Schema (draft 7, as OpenRPC has it). */
#ifndef JP_RPC_JSON_SCHEMA_H
#define JP_RPC_JSON_SCHEMA_H

#include "rpc/shapes.h"

/* The schema of a shape: a reference to components.schemas, where it is added (`schemas`) with what it needs, if it is not there yet. */
cJSON *jp__schema_of_shape(cJSON *schemas, const struct jp_shape *shape);

/* Of what a field reads and writes, without null. */
cJSON *jp__schema_of_field(cJSON *schemas, const struct jp_field *field);

cJSON *jp__schema_or_null(cJSON *schema); /* takes it */

#endif
