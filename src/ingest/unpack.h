/* Unpack: .gz, .xz and .zst files to plain ones. */
#ifndef VESPER_INGEST_UNPACK_H
#define VESPER_INGEST_UNPACK_H

#include "base/status.h"

/* True if the name ends in .gz, .xz or .zst. */
bool unpack_is_needed(const char *path);

/* Unpack `from` into the new file `to` (mode 0600) and set `bytes` to its size. Several streams one
 * after another make one content. Cut off or damaged: STATUS_INPUT naming `from`; no room:
 * STATUS_IO. On failure `to` is removed. Local. */
Status unpack_file(const char *from, const char *to, int64_t *bytes, Error *error) VESPER_MUST_USE;

#endif
