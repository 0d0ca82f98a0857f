/* CsvFile: one table of a run as a CSV file, written or compared with what is there. */
#ifndef VESPER_PUBLISH_CSV_FILE_H
#define VESPER_PUBLISH_CSV_FILE_H

#include "publish/csv_text.h"
#include "store/results.h"

/* Write table `i` of the results as the new file `path`, synced. Local. */
Status csv_file_write(ResultReader *reader, int i, CsvFormulas formulas, const char *path,
                      Error *error) VESPER_MUST_USE;

/* *same: the file is there, and every byte of it is what csv_file_write would write. Local. */
Status csv_file_compare(ResultReader *reader, int i, CsvFormulas formulas, const char *path,
                        bool *same, Error *error) VESPER_MUST_USE;

/* The same of a text that is known whole. */
Status csv_file_write_text(const char *path, Bytes text, Error *error) VESPER_MUST_USE;
Status csv_file_compare_text(const char *path, Bytes text, bool *same,
                             Error *error) VESPER_MUST_USE;

#endif
