/* Sums of rows of accounts: what a TOTAL below a table says. */
#ifndef JP_CLI_TOTALS_H
#define JP_CLI_TOTALS_H

#include "cli/show.h"

/* A row with the sums of all numbers in `rows` that add up, and the greatest of those that are peaks. What no row knows is missing. */
cJSON *jp_totals_sum(const cJSON *rows);

/* `total` less what `rows` have: the groups that are not shown. Peaks do not subtract, and are missing. */
cJSON *jp_totals_rest(const cJSON *total, const cJSON *rows);

/* Writes what a row is into its first column, if that is text. */
void jp_totals_label(cJSON *row, const struct jp_show *columns, const char *label);

#endif
