import pytest

from sgbench.models import _registry


@pytest.fixture(autouse=True)
def _no_network_is_left_behind():
    """Take out the small network that readers of models enter in the registry."""
    yield
    _registry._REGISTRY.pop("tiny", None)
