import os

# What is compared runs on one thread; torch and numba read these when they are loaded.
for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
