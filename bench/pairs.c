/* Pairs of users and items in the shape of MovieLens 20M, as train and test files for
 * vesper recommend --evaluate: activity of users log-normal from 20 items on, items by a power law,
 * and tastes, so that there is something to learn: an item has one of 40 genres, a user likes
 * three. pairs USERS ITEMS PAIRS_A_USER FOLDER Writes FOLDER/train.txt and FOLDER/test.txt, one
 * line a user; a tenth of each user's items is test. The same files on every machine. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { GENRES = 40, LIKED = 3, TRIES = 30, MOST = 8000 };

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t draw(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double unit(void)
{
    return ((double)(draw() >> 11) + .5) * 0x1p-53;
}

static double normal(void)
{
    double radius = sqrt(-2 * log(unit()));
    return radius * cos(6.283185307179586 * unit());
}

/* An item that the power law picks, of one genre if that is not negative: items of genre g are
 * g, g + GENRES, ... */
static long pick_item(long items, long genre)
{
    double u = unit();
    double place = u * u * u; /* few items of low number have most pairs */
    if (genre < 0)
        return (long)(place * (double)items);
    long members = (items - genre + GENRES - 1) / GENRES;
    return genre + GENRES * (long)(place * (double)members);
}

static long draw_user(long items, double mean_log, unsigned char *seen, long *chosen)
{
    long liked[LIKED];
    long wanted = 20 + (long)exp(mean_log + 1.1 * normal());
    long n = 0;
    wanted = wanted < items / 2 ? wanted : items / 2;
    wanted = wanted < MOST ? wanted : MOST;
    for (int i = 0; i < LIKED; i++)
        liked[i] = (long)(draw() % GENRES) % items;
    for (long tries = 0; n < wanted && tries < TRIES * wanted; tries++) {
        long genre = unit() < .6 ? liked[draw() % LIKED] : -1;
        long item = pick_item(items, genre);
        if (!seen[item]) {
            seen[item] = 1;
            chosen[n++] = item;
        }
    }
    for (long i = 0; i < n; i++)
        seen[chosen[i]] = 0;
    return n;
}

static FILE *open_file(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

int main(int argc, char **argv)
{
    static long chosen[MOST];
    if (argc != 5) {
        (void)fprintf(stderr, "usage: pairs USERS ITEMS PAIRS_A_USER FOLDER\n");
        return 2;
    }
    long users = atol(argv[1]), items = atol(argv[2]), total = 0;
    double pairs = atof(argv[3]);
    /* the mean of a log-normal is exp(mean + deviation^2 / 2) */
    double mean_log = log(pairs > 21 ? pairs - 20 : 1) - .5 * 1.1 * 1.1;
    unsigned char *seen = calloc((size_t)items, 1);
    FILE *train = open_file(argv[4], "train.txt"), *test = open_file(argv[4], "test.txt");
    for (long user = 0; seen != NULL && user < users; user++) {
        state = (uint64_t)user * UINT64_C(0xD1342543DE82EF95) + 1;
        long n = draw_user(items, mean_log, seen, chosen);
        long held_out = n / 10;
        (void)fprintf(train, "%ld", user);
        for (long i = held_out; i < n; i++)
            (void)fprintf(train, " %ld", chosen[i]);
        (void)fprintf(test, "%ld", user);
        for (long i = 0; i < held_out; i++)
            (void)fprintf(test, " %ld", chosen[i]);
        (void)fputc('\n', train);
        (void)fputc('\n', test);
        total += n;
    }
    free(seen);
    if (fclose(train) != 0 || fclose(test) != 0) {
        perror("pairs");
        return 1;
    }
    (void)printf("%ld pairs of %ld users and %ld items\n", total, users, items);
    return 0;
}
