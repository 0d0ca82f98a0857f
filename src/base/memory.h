/* Memory: checked sizes, 64-byte alignment, counting.
 *
 * Every block of the program comes from here, so that a job can report its peak and a test can
 * see that nothing is left. Builds with VESPER_TEST_ALLOCATOR fill fresh memory with 0xFF (a NaN
 * as float or double) and always move on resize. VESPER_MEMORY_LIMIT=BYTES in the environment makes
 * mem_resize fail where more bytes than that would be live. */
#ifndef VESPER_BASE_MEMORY_H
#define VESPER_BASE_MEMORY_H

#include "base/status.h"

#include <stddef.h>

/* A zeroed array of `count` elements of `size` bytes; aborts if there is no memory. For small
 * things whose size does not grow with the data. count 0 gives a valid block. Local. */
void *mem_new(int64_t count, size_t size) VESPER_MUST_USE;

/* Give the array at *array (a `T **`; NULL for none yet) room for `count` elements of `size`
 * bytes, keeping its contents; new elements are not initialised. On failure *array stays as it
 * was and the error is STATUS_MEMORY naming `what` and the bytes. Local. */
Status mem_resize(void *array, int64_t count, size_t size, const char *what,
                  Error *error) VESPER_MUST_USE;

/* As mem_resize, for small things: aborts if there is no memory. Local. */
void mem_grow(void *array, int64_t count, size_t size);

/* Free *array (a `T **`) and set it to NULL; accepts NULL in it. Local. */
void mem_free(void *array);

/* A copy of a C string; aborts if there is no memory. Free with mem_free. Local. */
char *mem_copy_string(const char *text) VESPER_MUST_USE;

int64_t mem_live_blocks(void);
int64_t mem_live_bytes(void);
int64_t mem_peak_bytes(void);

/* Peak resident bytes of this process, as the kernel counts them. Local. */
int64_t mem_peak_resident_bytes(void);
/* A stage begins: the system gets back what was freed, and the peak is counted from here. Not
 * beside other threads that allocate. Local. */
void mem_mark_peak(void);
/* Peak resident bytes since the last mark, where the kernel can forget its count (else of all its
 * life). Local. */
int64_t mem_peak_since_mark(void);

#endif
