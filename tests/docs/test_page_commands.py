"""What runs the pages: it must notice when a page is wrong."""

import pytest
from page_commands import PROJECT, run_page


@pytest.fixture
def run(tmp_path):
    def write_and_run(text):
        page = tmp_path / "page.md"
        page.write_text(text)
        return run_page(page, tmp_path, timeout=20)

    return write_and_run


def test_blocks_share_a_shell_and_a_folder(run, tmp_path):
    done = run(
        '# Title\n\n```text title="a/b.txt"\nwhat $HOME is\n```\n\n```sh\nx=1\ncd a\n```\n\n'
        "```bash\necho $x; cat b.txt\n```\n\n```python\nopen('c.txt', 'w').write('$x')\n```\n"
    )
    assert done.stdout == "1\nwhat $HOME is\n"
    assert (tmp_path / "a" / "c.txt").read_text() == "$x"


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nfalse\n```",
        "```sh\nfalse | true\n```",
        "```python\nassert 1 == 2\n```",
        "```console\n$ echo one\ntwo\n```",
        "```console\n$ echo one\none\n$ echo two\n```",
    ],
)
def test_what_fails_is_noticed(run, text):
    with pytest.raises(AssertionError, match=r"# page.md, line 3"):
        run(f"# Title\n\n{text}\n\n```sh\ntrue\n```\n")


def test_what_a_page_prints_is_compared_without_trailing_blanks(run):
    run("```console\n$ printf 'a b   \\n'\na b\n$ seq 1 3 | head -1\n1\n```\n")


def test_skipped_blocks_say_why(run, tmp_path):
    run("<!-- skip: minutes -->\n```sh\nfalse\n```\n\n```sh\ntouch done\n```\n")
    assert (tmp_path / "done").exists()
    with pytest.raises(AssertionError):
        run("<!-- skip -->\n```sh\nfalse\n```\n")


def test_few_blocks_are_skipped():
    skipped = [
        (page.name, line)
        for page in (PROJECT / "docs").rglob("*.md")
        for line in page.read_text().splitlines()
        if line.startswith("<!-- skip")
    ]
    assert len(skipped) <= 23
