/* The source package keeps cJSON.h beside cJSON.c; this gives it the name that it is installed under. */
#include "../../cJSON.h"
