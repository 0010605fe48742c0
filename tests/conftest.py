import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, settings

# One thread, so that the suite does not fight with what else runs. torch and numba read these when
# they are loaded, which is later.
for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# No test may write to a store that the caller happens to use.
os.environ.pop("MLFLOW_TRACKING_URI", None)
# The behaviour of the coming version, without a warning at each call.
os.environ["SPGLIB_OLD_ERROR_HANDLING"] = "0"


# Modules of minutes, begun first so that two processes end together.
SLOW = (
    "test_workflow", "test_docs_submitting", "test_tutorials_of_checks", "test_tutorials",
    "test_docs_site", "test_pages", "test_lattice_ranges", "test_site_browser", "test_trainer",
    "test_tracking_server", "test_every_model", "test_random_structures",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    order = {name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_make_parametrize_id(val, argname):
    """Name bytes by their argument: what compresses them may write the time into them.

    Both processes have to find tests of the same names.
    """
    return argname if isinstance(val, bytes | bytearray) else None


@pytest.fixture(autouse=True)
def _no_store_is_left_behind():
    """Undo what MLflow does to the environment, and so to processes that later tests start."""
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)


settings.register_profile(
    "sgbench", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sgbench")


@pytest.fixture
def sgbench(tmp_path):
    """Run the command line as a user does, in an empty folder."""

    def run(*arguments, status=0, cwd=tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "sgbench", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done

    return run
