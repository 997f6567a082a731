/* What `jobpool help TOPIC` says. */
#include "cli/help.h"

const struct jp_topic jp_topics[] = {
    {"formats", "table, csv, ndjson and json", "x"},
    {0},
};
