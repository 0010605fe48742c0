"""Where crystal structures come from, one module a source."""

from sgbench.datasets.sources._structure import Excluded, Structure

__all__ = ["Excluded", "Structure"]
