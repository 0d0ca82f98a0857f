/* What the tests of comm send; see comm_model.h. */
#include "rank/comm_model.h"

const int64_t comm_model_pieces[N_PIECES] = {7, 1 << 30};

int64_t comm_model_sent(Shape shape, int from, int to, int size)
{
    int empty = model_empty_rank(size);
    switch (shape) {
    case SHAPE_RANDOM:
        return from == empty || to == empty ? 0 : (int64_t)(model_noise(from, to, 6) % 20);
    case SHAPE_ALL_TO_ONE:
        return to == size - 1 ? 13 : 0;
    case SHAPE_ONE_TO_ALL:
        return from == size / 2 ? 9 : 0;
    case SHAPE_NOTHING:
    case SHAPES:
        break;
    }
    return 0;
}

Letter comm_model_letter(int from, int to, int64_t number)
{
    return (Letter){from, to, number, model_noise(from, to, number)};
}
