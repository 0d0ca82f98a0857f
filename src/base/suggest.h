/* Help with a word that is none of those possible. */
#ifndef VESPER_BASE_SUGGEST_H
#define VESPER_BASE_SUGGEST_H

#include "base/bytes.h"

/* Append "; did you mean X?" if a name is close to `wrong`; false if none is. Local. */
bool suggest_nearest(Buffer *text, const char *wrong, const char *const *names, int n_names,
                     const char *prefix);

/* Append "; did you mean X? " if a name is close to `wrong`, and "possible: " with all of them.
 * Each name gets `prefix` ("--"). Local. */
void suggest_words(Buffer *text, const char *wrong, const char *const *names, int n_names,
                   const char *prefix);

#endif
