#include "words.h"

#include <stdio.h>

enum { GROUP_COUNT = 32, LEAVES = 4, SYLLABLES = 20 };

static const struct {
    const char *path;
    const char *leaves[LEAVES];
} GROUPS[GROUP_COUNT] = {
    {"home/kitchen", {"pan", "kettle", "cutting board", "storage jar"}},
    {"home/bath", {"towel", "soap dish", "bath mat", "mirror"}},
    {"home/lighting", {"table lamp", "pendant", "string lights", "candle"}},
    {"home/textiles", {"cushion", "throw", "curtain", "rug"}},
    {"garden/plants", {"pot", "seed set", "planter", "trellis"}},
    {"garden/tools", {"spade", "pruner", "hose", "gloves"}},
    {"garden/furniture", {"bench", "parasol", "deck chair", "side table"}},
    {"garden/grill", {"grill", "charcoal", "tongs", "apron"}},
    {"toys/building", {"blocks", "train set", "marble run", "crane"}},
    {"toys/games", {"board game", "card game", "puzzle", "dice set"}},
    {"toys/plush", {"bear", "rabbit", "dinosaur", "whale"}},
    {"toys/crafts", {"paint set", "clay", "stickers", "bead box"}},
    {"electronics/audio", {"headphones", "speaker", "radio", "turntable"}},
    {"electronics/screens", {"monitor", "tablet", "e-reader", "picture frame"}},
    {"electronics/accessories", {"charger", "cable", "keyboard", "mouse"}},
    {"electronics/smart-home", {"thermostat", "plug", "sensor", "doorbell"}},
    {"fashion/women", {"dress", "blouse", "skirt", "scarf"}},
    {"fashion/men", {"shirt", "jumper", "belt", "tie"}},
    {"fashion/children", {"pyjamas", "raincoat", "socks", "cap"}},
    {"fashion/shoes", {"sneakers", "boots", "sandals", "slippers"}},
    {"sports/outdoor", {"tent", "backpack", "sleeping bag", "lantern"}},
    {"sports/fitness", {"yoga mat", "dumbbell", "skipping rope", "bottle"}},
    {"sports/cycling", {"helmet", "pump", "lock", "bell"}},
    {"sports/winter", {"sledge", "ski socks", "mittens", "goggles"}},
    {"food/coffee", {"beans", "ground coffee", "capsules", "filter papers"}},
    {"food/tea", {"green tea", "black tea", "herbal tea", "rooibos"}},
    {"food/sweets", {"chocolate", "biscuits", "liquorice", "nougat"}},
    {"food/pantry", {"olive oil", "pasta", "honey", "spice mix"}},
    {"office/paper", {"notebook", "calendar", "envelopes", "gift wrap"}},
    {"office/writing", {"fountain pen", "pencils", "ink", "marker"}},
    {"office/storage", {"folder", "drawer box", "letter tray", "label set"}},
    {"office/furniture", {"desk", "chair", "shelf", "footrest"}},
};

static const char *const ADJECTIVES[] = {
    "Nordic", "Vintage", "Small",  "Grand",   "Blue",   "Rosé",    "Café",  "Grün",   "Señora's",
    "Łódź",   "Classic", "Soft",   "Silver",  "Golden", "Crème",   "Retro", "Forest", "Ocean",
    "Sunny",  "Quiet",   "Bright", "Folding", "Mini",   "Outdoor", "Royal", "Simple", "Ærø",
};
static const char *const MATERIALS[] = {
    "", "oak", "cotton", "linen", "steel", "glass", "bamboo", "wool", "ceramic", "paper", "cork",
};
static const char *const ENDINGS[] = {
    "",
    "",
    "",
    "",
    "",
    ", set of 2",
    ", set of 4",
    ", 40 cm",
    " 27\"",
    " XL",
    ", \"Émile\"",
    " no. 5",
    " (refill)",
    " 2.0",
};
static const char *const FIRST[SYLLABLES] = {
    "Al",  "Bel", "Cor", "Dan", "El", "Fjo", "Gal", "Hel", "Ib",  "Jun",
    "Kar", "Lum", "Mar", "Nor", "Ol", "Pel", "Ru",  "Sol", "Tor", "Ves",
};
static const char *const SECOND[SYLLABLES] = {
    "ba",   "co", "da",  "essa", "fina",  "gård", "hus", "ino", "ka",  "la",
    "mont", "na", "ora", "pia",  "quist", "ria",  "son", "tis", "vik", "zén",
};

#define COUNT_OF(words) ((int64_t)(sizeof(words) / sizeof(words)[0]))

void words_category(int category, char name[WORDS_NAME_SIZE])
{
    snprintf(name, WORDS_NAME_SIZE, "%s/%s", GROUPS[category / LEAVES].path,
             GROUPS[category / LEAVES].leaves[category % LEAVES]);
}

void words_brand(int brand, char name[WORDS_NAME_SIZE])
{
    snprintf(name, WORDS_NAME_SIZE, "%s%s", FIRST[brand % SYLLABLES],
             SECOND[(brand / SYLLABLES + brand) % SYLLABLES]);
}

void words_product(int category, Random *random, char name[WORDS_NAME_SIZE])
{
    const char *adjective = ADJECTIVES[random_below(random, COUNT_OF(ADJECTIVES))];
    const char *material = MATERIALS[random_below(random, COUNT_OF(MATERIALS))];
    const char *ending = ENDINGS[random_below(random, COUNT_OF(ENDINGS))];
    snprintf(name, WORDS_NAME_SIZE, "%s %s%s%s%s", adjective, material,
             material[0] != '\0' ? " " : "", GROUPS[category / LEAVES].leaves[category % LEAVES],
             ending);
}
