/* Words: names of categories, brands and products. */
#ifndef VESPER_DATA_WORDS_H
#define VESPER_DATA_WORDS_H

#include "sampling.h"

enum { CATEGORY_COUNT = 128, BRAND_MAX = 400, WORDS_NAME_SIZE = 128 };

void words_category(int category, char name[WORDS_NAME_SIZE]); /* path "home/kitchen/pans" */
void words_brand(int brand, char name[WORDS_NAME_SIZE]);
/* A product's name; some have commas, quotes or letters beyond ASCII. */
void words_product(int category, Random *random, char name[WORDS_NAME_SIZE]);

#endif
