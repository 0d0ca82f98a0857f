/* What this process read and wrote. */
#ifndef VESPER_BASE_PROCESS_IO_H
#define VESPER_BASE_PROCESS_IO_H

#include <stdint.h>

/* Bytes that went through the kernel's calls to read and write so far, whether they came from the
 * disk or from its cache. */
typedef struct ProcessIo {
    int64_t read, written; /* 0 if the kernel does not count */
} ProcessIo;

/* Local. */
ProcessIo process_io(void);

#endif
