/* The word that somebody may have meant. */
#include "base/suggest.h"

#include <string.h>

/* Changes of one letter that make `a` into `b` (Levenshtein 1966), looking at 63 letters at most.
 */
static int edit_distance(const char *a, const char *b)
{
    enum { MOST = 63 };
    int row[MOST + 1];
    int n_a = (int)strnlen(a, MOST), n_b = (int)strnlen(b, MOST);
    for (int j = 0; j <= n_b; j++)
        row[j] = j;
    for (int i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n_b; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[n_b];
}

bool suggest_nearest(Buffer *text, const char *wrong, const char *const *names, int n_names,
                     const char *prefix)
{
    const char *nearest = NULL;
    int least = (int)strlen(wrong) / 3 + 1; /* farther than that is another word */
    for (int i = 0; i < n_names; i++) {
        int distance = edit_distance(wrong, names[i]);
        if (distance < least || (distance == least && !nearest)) {
            least = distance;
            nearest = names[i];
        }
    }
    if (nearest)
        buffer_printf(text, "; did you mean %s%s?", prefix, nearest);
    return nearest != NULL;
}

void suggest_words(Buffer *text, const char *wrong, const char *const *names, int n_names,
                   const char *prefix)
{
    bool is_near = suggest_nearest(text, wrong, names, n_names, prefix);
    if (n_names > 0)
        buffer_printf(text, "%s possible: ", is_near ? "" : ";");
    for (int i = 0; i < n_names; i++)
        buffer_printf(text, "%s%s%s", i > 0 ? ", " : "", prefix, names[i]);
}
