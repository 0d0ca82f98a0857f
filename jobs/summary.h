/* Summary: the few lines that a job leaves on stdout, for people. Printed by rank 0. Local. */
#ifndef VESPER_JOBS_SUMMARY_H
#define VESPER_JOBS_SUMMARY_H

#include "job.h"

void summary_of_ingest(const Run *run); /* nothing if there was no input */
void summary_of_store(const Run *run);
void summary_of_sales(const Run *run);
void summary_of_recommend(const Run *run);
void summary_of_forecast(const Run *run);
/* Rank 0's: what became of all pieces sold, of the lines of a file. */
void summary_of_pieces(const char *label, const SeriesReadCounts *pieces);
void summary_of_lines(const char *label, const SeriesFileCounts *lines);
void summary_of_gate(const Run *run);
void summary_of_publish(const Run *run);
void summary_of_rollback(const Run *run);
void summary_of_verify(const Run *run);
void summary_done(const Run *run); /* the last line: time and ranks */

/* One line: `label` in its own column, then the text. */
void summary_line(const char *label, const char *format, ...) VESPER_PRINTF(2, 3);

#endif
