/* Files: the few things the store asks of a file system, each with a message that says what to do.
 * Folders are made with mode 0700, files with 0600. All Local. */
#ifndef VESPER_STORE_FILES_H
#define VESPER_STORE_FILES_H

#include "base/bytes.h"

/* Fill `error` from errno: "cannot ACTION PATH: REASON; ADVICE". Returns STATUS_IO. */
Status files_error(Error *error, const char *action, const char *path);

bool files_exist(const char *path);
/* Make a folder and those above it; one that is there already is fine. */
Status files_make_folder(const char *path, Error *error) VESPER_MUST_USE;
/* Remove a file, or a folder with all that is in it; links are not followed. Absent is fine. */
Status files_remove(const char *path, Error *error) VESPER_MUST_USE;
/* Remove what is in a folder, not the folder. */
Status files_clear_folder(const char *path, Error *error) VESPER_MUST_USE;

/* Make a file or a folder's list of names durable. */
Status files_sync(const char *path, Error *error) VESPER_MUST_USE;
/* Rename and make it durable; both must be in one file system. */
Status files_rename(const char *from, const char *to, Error *error) VESPER_MUST_USE;
/* Put the folder `from` in place of `to`; what was there is removed. A reader that looks at a
 * moment in between sees one of the two where the file system can exchange names. */
Status files_replace_folder(const char *from, const char *to, Error *error) VESPER_MUST_USE;

/* A small file that nobody looks for yet; not synced. */
Status files_write_fresh(const char *path, Bytes contents, Error *error) VESPER_MUST_USE;
/* A small file at once. It appears whole: written beside as PATH.new, synced, renamed. */
Status files_write_small(const char *path, Bytes contents, Error *error) VESPER_MUST_USE;
/* For programs of other users, mode 0644: the same, and one that `contents` are put behind in one
 * piece, which is made if need be. */
Status files_write_public(const char *path, Bytes contents, Error *error) VESPER_MUST_USE;
Status files_append_public(const char *path, Bytes contents, Error *error) VESPER_MUST_USE;
/* STATUS_IO now if no file could be made at `path` later: its folder is not there or refuses. */
Status files_check_writable(const char *path, Error *error) VESPER_MUST_USE;
Status files_read_small(const char *path, int64_t limit, Buffer *contents,
                        Error *error) VESPER_MUST_USE;

/* An empty file; what was there is gone. */
Status files_create(const char *path, Error *error) VESPER_MUST_USE;
Status files_open(const char *path, bool for_writing, int *fd, Error *error) VESPER_MUST_USE;
/* All `size` bytes at `offset`, or an error that names `path`. */
Status files_read_at(int fd, const char *path, void *data, int64_t size, int64_t offset,
                     Error *error) VESPER_MUST_USE;
Status files_write_at(int fd, const char *path, const void *data, int64_t size, int64_t offset,
                      Error *error) VESPER_MUST_USE;

/* Refuse now if the disk of the file `path` has no room for `bytes`. */
Status files_check_room(const char *path, int64_t bytes, Error *error) VESPER_MUST_USE;
/* Set `bytes` of room aside for the file where the file system can. */
Status files_reserve(const char *path, int64_t bytes, Error *error) VESPER_MUST_USE;
/* Give back what was set aside and not written. */
Status files_release(const char *path, Error *error) VESPER_MUST_USE;

/* True if both files are there and have the same bytes. */
bool files_equal(const char *a, const char *b);

#endif
