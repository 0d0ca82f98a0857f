/* The MPI communicator itself, for the one library that needs it: HDF5, in src/store. */
#ifndef VESPER_COMM_NATIVE_H
#define VESPER_COMM_NATIVE_H

#include "comm/comm.h"

#include <mpi.h>

MPI_Comm comm_native(const Comm *comm);

#endif
