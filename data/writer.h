/* Writer: CSV files written by all ranks at once, block by block, in bounded memory.
 *
 * A table is a fixed number of blocks that does not depend on the ranks. In a round each rank
 * makes a run of blocks as text, learns the offsets and writes its text in its place. Files get
 * their final names together, when all are complete. */
#ifndef VESPER_DATA_WRITER_H
#define VESPER_DATA_WRITER_H

#include "comm/comm.h"

#include <string.h>

/* Text of rows; grows. */
typedef struct Text {
    char *data;
    int64_t size;
    int64_t capacity;
    int64_t rows;
} Text;

/* Room for `bytes` more; then put at text_end and pass the new end to text_row. */
Status text_reserve(Text *text, int64_t bytes, Error *error) VESPER_MUST_USE;
static inline char *text_end(Text *text)
{
    return text->data + text->size;
}
static inline void text_row(Text *text, const char *end)
{
    text->size = end - text->data;
    text->rows++;
}

/* Put something at `at` and return the place after it. */
char *put_int(char *at, int64_t value);
char *put_money(char *at, int64_t minor);    /* two decimals */
char *put_date(char *at, int32_t day);       /* YYYY-MM-DD of a civil day */
char *put_seconds(char *at, int64_t second); /* HH:MM:SS of a second of the day */
static inline char *put_bytes(char *at, const char *bytes, int64_t size)
{
    memcpy(at, bytes, (size_t)size);
    return at + size;
}
static inline char *put_string(char *at, const char *string)
{
    return put_bytes(at, string, (int64_t)strlen(string));
}
/* A CSV field, in quotes if it needs them; at most 2 bytes a character and 2 more. */
char *put_field(char *at, const char *string);

typedef enum OutputId {
    OUTPUT_ORDERS,
    OUTPUT_PRODUCTS,
    OUTPUT_CUSTOMERS,
    OUTPUT_EVENTS,
    OUTPUT_REVIEWS,
    OUTPUT_PROMOTIONS,
    OUTPUT_HOLIDAYS,
    OUTPUT_STOCKOUTS,
    OUTPUT_DIRTY,
    OUTPUT_COUNT
} OutputId;

typedef struct Output {
    bool wanted;
    int descriptor;
    int64_t bytes; /* written so far by all ranks */
    int64_t rows;  /* without the header */
} Output;

typedef struct Outputs {
    const char *folder;
    Output files[OUTPUT_COUNT];
} Outputs;

const char *output_name(OutputId id); /* "orders" */

/* Mark the tables named in `list` (separated by commas; NULL for all) as wanted. Local. */
Status outputs_choose(Outputs *outputs, const char *list, Error *error) VESPER_MUST_USE;

/* Make the folder and the wanted files under temporary names, with their headers. Collective. */
Status outputs_open(Comm *comm, Outputs *outputs, Error *error) VESPER_MUST_USE;

/* One run over blocks that write to some of the files. */
typedef struct Stage {
    const char *name;
    int64_t n_blocks;
    int64_t n_rows;    /* of the first file it writes; for the progress bar */
    OutputId progress; /* that file */
    /* Append the block's rows to the texts of wanted files. Local. */
    Status (*make_block)(void *context, int64_t block, Text texts[OUTPUT_COUNT], Error *error);
    void *context;
} Stage;

Status outputs_write(Comm *comm, Outputs *outputs, const Stage *stage,
                     Error *error) VESPER_MUST_USE;

/* Close all files and give them their names. Collective. */
Status outputs_finish(Comm *comm, Outputs *outputs, Error *error) VESPER_MUST_USE;

/* Close what is open and, on rank 0, remove what has not got its name. Accepts zeroed outputs. */
void outputs_abandon(Comm *comm, Outputs *outputs);

#endif
