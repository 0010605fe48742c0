"""What `make audit` makes of pip-audit's answers."""

from maintainers_tools import tool

audit = tool("audit")
UNKNOWN = {"name": "one", "skip_reason": "not found"}
SOUND = {"name": "two", "version": "1.0", "vulns": []}
FAULTY = {"name": "three", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}


def test_nothing_that_could_be_asked_is_no_clean_bill():
    for packages in ([], [UNKNOWN]):
        assert audit.verdict({"dependencies": packages}) == (
            3, "not audited: no advisory database could be reached from here"
        )  # fmt: skip


def test_what_the_database_does_not_know_is_named():
    status, said = audit.verdict({"dependencies": [UNKNOWN, SOUND]})
    assert status == 0
    assert said == "0 known vulnerabilities in 1 packages\nthe database does not know one"


def test_a_known_vulnerability_is_listed():
    status, said = audit.verdict({"dependencies": [SOUND, FAULTY]})
    assert status == 1
    assert said.startswith("three 2.0: CVE-1, mended in 2.1\n1 known vulnerabilities")
