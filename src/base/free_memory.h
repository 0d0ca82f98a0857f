/* How much memory this machine could still give. */
#ifndef VESPER_BASE_FREE_MEMORY_H
#define VESPER_BASE_FREE_MEMORY_H

#include <stdint.h>

/* Bytes that new programs could take without swapping, as the kernel estimates it, and no more than
 * what is left of the control group's limit; INT64_MAX if neither is known. Local. */
int64_t free_memory(void);

/* The same from these files: of lines "MemAvailable: N kB", and of one number each ("max": no
 * limit). Those that are not there say nothing. Local. */
int64_t free_memory_of(const char *meminfo, const char *limit, const char *used);

#endif
