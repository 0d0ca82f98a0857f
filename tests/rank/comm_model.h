/* What the tests of comm send: letters, in the shapes that an exchange can have. */
#ifndef VESPER_TESTS_RANK_COMM_MODEL_H
#define VESPER_TESTS_RANK_COMM_MODEL_H

#include "rank/model.h"

/* Piece sizes that every transfer is tried with: cut often, and not at all. */
enum { N_PIECES = 2 };
extern const int64_t comm_model_pieces[N_PIECES];

typedef enum Shape {
    SHAPE_RANDOM,
    SHAPE_NOTHING,
    SHAPE_ALL_TO_ONE,
    SHAPE_ONE_TO_ALL,
    SHAPES
} Shape;

/* Elements that `from` sends to `to`. */
int64_t comm_model_sent(Shape shape, int from, int to, int size);

/* A row as it is sent: who, to whom, which. */
typedef struct Letter {
    int32_t from, to;
    int64_t number;
    uint64_t content;
} Letter;

Letter comm_model_letter(int from, int to, int64_t number);

#endif
