"""Hand-written C, compiled when first needed. OMP_NUM_THREADS says on how many threads."""

import ctypes
import os
import subprocess
from pathlib import Path

import numpy as np
from common import BETA, GAMMA, NEAR, main, network, opinion_found, opinions, sir_found, states, wealth_found

SOURCE = Path(__file__).with_name("limit.c")
BUILT = Path(__file__).parents[3] / ".venv-bench" / "limit.so"
if not BUILT.exists() or BUILT.stat().st_mtime < SOURCE.stat().st_mtime:
    BUILT.parent.mkdir(exist_ok=True)
    options = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC"]
    subprocess.check_call(["gcc", *options, SOURCE, "-o", BUILT])
C = ctypes.CDLL(str(BUILT))


def at(array):
    return ctypes.c_void_p(array.ctypes.data)


def long(number):
    return ctypes.c_long(number)


class Wealth:
    def __init__(self, n):
        threads = int(os.environ["OMP_NUM_THREADS"])
        self.coins, self.step = np.ones(n, np.int32), 0
        self.shift = 18 if n >= 1 << 20 else max(4, (n // 4).bit_length() - 1)
        self.blocks = (n >> self.shift) + 1
        self.room = int(n / threads * min(1, (1 << self.shift) / n) * 1.15) + 4000
        self.lists = np.empty(threads * self.blocks * self.room, np.uint32)

    def run(self, steps):
        n = len(self.coins)
        C.wealth(
            at(self.coins), long(n), long(self.step), long(steps), at(self.lists), long(self.room), self.blocks, self.shift
        )
        self.step += steps

    def found(self):
        return wealth_found(self.coins)


class Sir:
    def __init__(self, n):
        self.indptr, self.indices = network("random", n)
        self.state, self.step = states(n), 0
        self.marks = np.zeros(n // 64 + 1, np.uint64)
        self.risk = (1 - (1 - BETA) ** np.arange(64)).astype(np.float32)

    def run(self, steps):
        arrays = (at(a) for a in (self.indptr, self.indices, self.state, self.marks))
        n = len(self.state)
        C.sir(*arrays, long(n), long(self.step), long(steps), at(self.risk), ctypes.c_float(GAMMA))
        self.step += steps

    def found(self):
        return sir_found(self.state)


class Opinion:
    def __init__(self, n):
        self.indptr, self.indices = network("scale-free", n)
        self.now, self.next = opinions(n), np.empty(n, np.float32)

    def run(self, steps):
        arrays = (at(a) for a in (self.indptr, self.indices, self.now, self.next))
        C.opinion(*arrays, long(len(self.now)), long(steps), ctypes.c_float(NEAR))

    def found(self):
        return opinion_found(self.now)


main({"wealth": Wealth, "sir": Sir, "opinion": Opinion})
