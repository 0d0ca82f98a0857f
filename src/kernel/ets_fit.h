/* The search for one model's maximum, for ets_fit and ets_choose. The inside of kernel/ets.h.
 * Local. */
#ifndef VESPER_KERNEL_ETS_FIT_H
#define VESPER_KERNEL_ETS_FIT_H

#include "kernel/ets_filter.h"

/* pass out; with another outcome than FIT_OK this model cannot be fitted to this series. */
FitOutcome ets_prepare(EtsModel model, SeriesView series, EtsPass *pass);

enum { ETS_LIKES = 2 };

/* fit out: the maximum. Starts from several places, among them the fits of similar models, NULL
 * where there is none; from fewer beside `before`, a fit of the same model to the shorter series,
 * NULL if there is none. Gives up where minus twice the log-likelihood is not going to come below
 * `enough`: then the fit is of a place that is not the maximum, and does not come below `enough`
 * either. */
void ets_search(const EtsPass *pass, const EtsFit *const likes[ETS_LIKES], const EtsFit *before,
                double enough, EtsFit *fit);

#endif
