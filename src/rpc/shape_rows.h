/* How the rows of shapes_*.c are written. */
#ifndef JP_RPC_SHAPE_ROWS_H
#define JP_RPC_SHAPE_ROWS_H

#include "rpc/shapes.h"

#define STRING(name, says) {.key = name, .kind = JP_SHAPE_STRING, .documentation = says}
#define STRING_OR_NULL(name, says) {.key = name, .kind = JP_SHAPE_STRING, .nullable = true, .documentation = says}
#define WORD(name, list, says) {.key = name, .kind = JP_SHAPE_STRING, .words = list, .documentation = says}
#define BOOL(name, says) {.key = name, .kind = JP_SHAPE_BOOL, .documentation = says}
#define COUNT(name, says) {.key = name, .kind = JP_SHAPE_U64, .documentation = says}
#define COUNT_OR_NULL(name, says) {.key = name, .kind = JP_SHAPE_U64, .nullable = true, .documentation = says}
#define TIME(name, says) {.key = name, .kind = JP_SHAPE_TIME, .documentation = says}
#define NAMES(name, says) {.key = name, .kind = JP_SHAPE_LIST, .documentation = says}
#define LIST_OF(name, shape, says) {.key = name, .kind = JP_SHAPE_LIST, .of = &(shape), .documentation = says}
#define OF(name, shape, says) {.key = name, .kind = JP_SHAPE_OBJECT, .of = &(shape), .documentation = says}
#define PID(name, says) {.key = name, .kind = JP_SHAPE_INTEGER, .documentation = says}
#define START_TIME {.key = "startTime", .kind = JP_SHAPE_DECIMAL, .documentation = "Its creation time as Windows keeps it: with the pid it names one process for ever."}
#define TIME_OR_NULL(name, says) {.key = name, .kind = JP_SHAPE_TIME, .nullable = true, .documentation = says}
#define SHAPE(title, says, member_table) {.name = title, .documentation = says, .members = member_table}

#endif
