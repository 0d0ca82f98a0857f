/* FileSyncs: files on their way to the disk while whoever wrote them goes on.
 *
 * Each waits on a thread of its own. Several at once take little longer than one: the file system
 * writes its journal once for all of them. All zero is none. All Local. */
#ifndef VESPER_STORE_FILE_SYNCS_H
#define VESPER_STORE_FILE_SYNCS_H

#include "base/status.h"

#include <stdint.h>

typedef struct FileSync FileSync;

typedef struct FileSyncs {
    int64_t n;
    FileSync **started; /* [n] */
} FileSyncs;

/* Begin to make a file, or a folder's list of names, durable. */
void file_syncs_start(FileSyncs *syncs, const char *path);
/* Wait for all, of which none are left then; the first that failed, in the order of their start.
 * Until then nothing that was started is durable. */
Status file_syncs_finish(FileSyncs *syncs, Error *error) VESPER_MUST_USE;

#endif
