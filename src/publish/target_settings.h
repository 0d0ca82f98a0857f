/* Settings of a target: what stands behind ? in its URL, as in csv:out?formulas=keep. */
#ifndef VESPER_PUBLISH_TARGET_SETTINGS_H
#define VESPER_PUBLISH_TARGET_SETTINGS_H

#include "base/bytes.h"

/* Cut `place` into what stands before the first ? (*bare) and the values of the settings that
 * `names` [n] lists; the value of one that is not given stays as it is in `values` [n].
 * STATUS_USAGE names a setting that is not listed or has no value, and never anything else of
 * `place`, which may hold a secret. Values point into `place`. Local. */
Status target_settings_read(const char *scheme, const char *place, const char *const *names, int n,
                            Bytes *bare, Bytes *values, Error *error) VESPER_MUST_USE;

#endif
