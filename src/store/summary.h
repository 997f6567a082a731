/* The sums of a time, as a SELECT. */
#ifndef JP_STORE_SUMMARY_H
#define JP_STORE_SUMMARY_H

#include "store/select.h"

/* The filter's pool must live until the statement is finalized. */
void jp__select_summary(struct jp__select *select, const struct jp_summary_filter *filter);

#endif
