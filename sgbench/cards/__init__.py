"""Cards of datasets: what a file holds, where it is from, how it was made and where it is biased.

For readers in Markdown, for tools in Croissant. What is written depends on the dataset and its file
alone, so that it is the same whenever it is made.
"""

from sgbench.cards._croissant import croissant, croissant_text
from sgbench.cards._crystals import crystal_card
from sgbench.cards._designed import designed_card
from sgbench.cards._facts import ARTICLE, IDEAL
from sgbench.cards._files import write_card_files

__all__ = [
    "ARTICLE",
    "IDEAL",
    "croissant",
    "croissant_text",
    "crystal_card",
    "designed_card",
    "write_card_files",
]
