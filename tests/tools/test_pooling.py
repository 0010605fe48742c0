import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from maintainers_tools import tool

from sgbench.sets import family_set

pooling = tool("pooling")


def said(rng, network_knows):
    """Return what a decoder says that is right in 7 of 10 cases, and a network of some use."""
    classes = pooling.every_class()
    true = int(rng.integers(len(classes)))
    guess = true if rng.random() < 0.7 else int(rng.integers(len(classes)))
    other = int(rng.integers(len(classes)))
    decoder = {str(guess): 0.7, str(other): 0.3} if guess != other else {str(guess): 1.0}
    network = np.full(230, 1.0)
    if rng.random() < network_knows:
        network[np.array(classes[true].spacegroups) - 1] += 200
    group = int(classes[true].spacegroups[0])
    heard = (network / network.sum()).tolist()
    return pooling.Said("x", group, False, "net", heard, decoder, 0.3)


def many(network_knows, seed=0, n=150):
    rng = np.random.default_rng(seed)
    return [said(rng, network_knows) for _ in range(n)]


def nats(all_said, pool):
    return np.mean([-np.log(max(one.chances(pool)[one.right], 1e-6)) for one in all_said])


def test_the_fit_is_worth_it_on_patterns_that_it_did_not_see():
    pool = pooling.fitted(many(0.8))
    others = many(0.8, seed=1)
    decoder = pooling.Pool(1.0, 0.0, literature=0.0, doubt=0.0, slope=1.0)
    network = pooling.Pool(0.0, 1.0, literature=0.0, doubt=50.0, slope=0.0)
    assert nats(others, pool) < nats(others, decoder) - 0.2
    assert nats(others, pool) < nats(others, network) - 0.1


def test_a_network_that_knows_nothing_has_no_weight_against_the_decoder():
    pool = pooling.fitted(many(0.0))
    for one in many(0.0, seed=2, n=20):
        assert str(np.argmax(one.chances(pool))) == max(one.decoder, key=one.decoder.get)


def test_a_structure_is_none_of_those_that_are_known():
    one = many(0.5, n=1)[0]
    whole = pooling.Pool(0.0, 0.0, literature=1.0, doubt=50.0, slope=0.0)
    known = pooling.known_minerals().copy()
    known[one.right] = max(known[one.right] - 1, 0)
    np.testing.assert_allclose(one.chances(whole), (known + 0.5) / (known + 0.5).sum(), rtol=1e-6)


def test_what_is_as_likely_as_the_truth_goes_before_it():
    nothing = [
        pooling.Said("x", group, False, "net", [], {}, 1.0) for group in (1, 62, 194, 225) * 3
    ]
    even = pooling.Pool(1.0, 1.0, literature=0.0, doubt=0.0, slope=1.0)
    row = pooling.table(nothing, {"even": (even, even)}).splitlines()[-1]
    assert row.startswith("| even | all | 12 | 0.0 ")


def test_answers_of_two_networks_are_not_mixed(tmp_path, monkeypatch):
    kept = tmp_path / "said.jsonl"
    both = [many(0.9, n=1)[0], replace(many(0.9, n=1)[0], name="other")]
    kept.write_text("".join(json.dumps(pooling.asdict(one)) + "\n" for one in both))
    monkeypatch.setattr("sys.argv", ["pooling.py", "--fit", "--output", str(kept)])
    with pytest.raises(SystemExit, match="several networks"):
        pooling.main()


def test_the_table_counts_what_is_right(tmp_path, monkeypatch, capsys):
    kept = tmp_path / "said.jsonl"
    with kept.open("w") as lines:
        for one in many(0.9, n=40):
            lines.write(json.dumps(pooling.asdict(one)) + "\n")
    monkeypatch.setattr("sys.argv", ["pooling.py", "--fit", "--output", str(kept)])
    assert pooling.main() == 0
    printed = capsys.readouterr().out
    assert printed.startswith("with the network: Pool(")
    assert "\nwithout: Pool(" in printed
    rows = [line for line in printed.splitlines() if line.startswith("| all | all")]
    assert len(rows) == 1
    assert "| 40 |" in rows[0]


def test_a_simulated_pattern_is_one_of_a_laboratory():
    samples = family_set("cubic").training_samples(0, 2, 0)
    pattern = pooling.simulated(SimpleNamespace(samples=samples.take), 1)
    assert len(pattern.wavelengths) == 2
    assert 5 <= pattern.two_theta[0] <= 15
    assert 70 <= pattern.two_theta[-1] <= 90
    assert pattern.intensity[0] > 0
    assert pytest.approx(0.01, abs=1e-3) == pattern.step
