"""What pyproject.toml cannot say: a description that stands without the repository."""

import re
from pathlib import Path

from setuptools import setup

# A picture or a link that leads into the repository; of a link the words stay.
_INTO_THE_REPOSITORY = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://)[^)]*\)")


def description() -> str:
    """Return the README, which has no pictures and no dead links wherever it is shown."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    return _INTO_THE_REPOSITORY.sub(lambda found: "" if found[1] else found[2], text)


setup(long_description=description(), long_description_content_type="text/markdown")
