import base64
import hashlib

import pytest
from jinja2 import UndefinedError

from sgbench.pages import environment, source_hash


def test_text_is_escaped_and_a_name_that_is_not_there_is_an_error(tmp_path):
    (tmp_path / "a.jinja").write_text("<p>{{ text }}</p>\n{% if text %}\nyes\n{% endif %}\n")
    template = environment(tmp_path).get_template("a.jinja")
    assert template.render(text="<b>&") == "<p>&lt;b&gt;&amp;</p>\nyes\n"
    with pytest.raises(UndefinedError):
        template.render()


def test_json_inside_of_a_page_ends_no_script(tmp_path):
    (tmp_path / "a.jinja").write_text("<script>{{ value|tojson }}</script>")
    page = environment(tmp_path).get_template("a.jinja").render(value={"a": "</script><b>"})
    assert page.count("</script>") == 1
    with pytest.raises(ValueError, match="JSON compliant"):
        environment(tmp_path).get_template("a.jinja").render(value=float("nan"))


def test_a_hash_is_that_of_the_policy():
    digest = base64.b64encode(hashlib.sha256("é".encode()).digest()).decode()
    assert source_hash("é") == f"sha256-{digest}"
