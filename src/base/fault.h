/* Fault points: places where a test can make one rank fail or die.
 *
 * VESPER_FAULT=site:rank:nth makes the nth visit (from 1) of `site` on `rank` fail with STATUS_IO
 * "injected fault at SITE". With an action it goes otherwise: site:rank:nth:kill raises SIGKILL
 * there; :stop raises SIGUSR1, and :wait stands still until a signal asks to stop (base/stop.h).
 * VESPER_FAULT_TRACE=PATH appends every site visited to PATH.RANK, one a line; the fault tests
 * learn from it which sites there are. Without these variables a fault point costs one branch. */
#ifndef VESPER_BASE_FAULT_H
#define VESPER_BASE_FAULT_H

#include "base/status.h"

/* Read the two variables; `rank` is this process. STATUS_USAGE if VESPER_FAULT is malformed. */
Status fault_init(int rank, Error *error) VESPER_MUST_USE;

Status fault_point(const char *site, Error *error) VESPER_MUST_USE;

#endif
