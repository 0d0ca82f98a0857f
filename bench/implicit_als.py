"""The Python package implicit on the files of bench/recommend.sh, if it is there.

  implicit_als.py TRAIN SETUP THREADS FACTORS...

Prints lines "SETUP,implicit-MODEL,FACTORS,FIGURE,VALUE" for recommend-measured.csv: seconds of one
more iteration (that of two iterations less that of one), by three steps of conjugate gradients (cg,
approximate, its default) and by Cholesky (exact, as Vesper's); of the top 20 for all users; and of
20 cosine neighbours.
"""
import sys
import time

import numpy
import scipy.sparse
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender


def read(path):
    with open(path, encoding='ascii') as file:
        rows = [numpy.array(line.split()[1:], dtype=numpy.int32) for line in file]
    starts = numpy.cumsum([0] + [len(row) for row in rows])
    columns = numpy.concatenate(rows)
    ones = numpy.ones(len(columns), dtype=numpy.float32)
    return scipy.sparse.csr_matrix((ones, columns, starts))


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main():
    path, setup, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    users = read(path)
    for factors in map(int, sys.argv[4:]):
        for name, use_cg in (('cg', True), ('cholesky', False)):
            took = []
            for iterations in (1, 2):
                model = AlternatingLeastSquares(factors=factors, iterations=iterations, use_cg=use_cg,
                                                num_threads=threads, random_state=1)
                took.append(seconds(lambda: model.fit(users, show_progress=False)))
            print(f'{setup},implicit-{name},{factors},iteration,{took[1] - took[0]:.3f}')
        everyone = numpy.arange(users.shape[0])
        took = seconds(lambda: model.recommend(everyone, users, N=20))
        print(f'{setup},implicit-cholesky,{factors},rank,{took:.3f}')
    model = CosineRecommender(K=20, num_threads=threads)
    print(f'{setup},implicit-cosine,0,learn,{seconds(lambda: model.fit(users, show_progress=False)):.3f}')


main()
