"""Write sgbench/models/index.json, what the models are as data; a test compares it with them.

python tools/index_models.py  # after any change in sgbench/models
"""

from sgbench.models._index import PATH, index_text
from sgbench.models._registry import import_models


def main() -> None:
    """Import all models and describe them."""
    PATH.write_text(index_text(import_models().values()), encoding="utf-8")


if __name__ == "__main__":
    main()
