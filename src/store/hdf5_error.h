/* What HDF5 has to say about a failure, as one of our errors. */
#ifndef VESPER_STORE_HDF5_ERROR_H
#define VESPER_STORE_HDF5_ERROR_H

#include "base/status.h"

#include <hdf5.h>

/* Stop HDF5 from printing its error stack. */
void hdf5_be_quiet(void);

/* "cannot ACTION FILE: " and the innermost message of HDF5's error stack. Returns STATUS_IO. */
Status hdf5_error(Error *error, const char *action, const char *file);

/* Handles that were never opened are negative; closing those is a no-op. */
void hdf5_close(hid_t handle);

#endif
