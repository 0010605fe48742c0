"""What the card and the Croissant file of a dataset say alike."""

from dataclasses import dataclass

#: The article that the benchmark follows.
ARTICLE = (
    "H. Wang, J. Zhong, Y. Li, J. Zhang and R. Du, Designing a dataset for convolutional neural "
    "networks to predict space groups consistent with extinction laws"
)
#: What every designed and calculated pattern is.
IDEAL = (
    "Designed and calculated patterns are ideal: they have no noise, no background, no impurity "
    "and no texture, and all lines have one profile width."
)


@dataclass(frozen=True)
class Facts:
    """What is known of a dataset.

    Attributes
    ----------
    name : str
    version : int
    sgbench_version, summary, citation, licence : str
    keywords, biases : tuple of str
    rows : str
        What a row is, in the plural.
    key : str
        The column that names a row.
    """

    name: str
    version: int
    sgbench_version: str
    summary: str
    citation: str
    licence: str
    keywords: tuple[str, ...]
    biases: tuple[str, ...]
    rows: str
    key: str
