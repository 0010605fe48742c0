import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_training import TWO_CELLS, full_disk, tiny_network

from sgbench.errors import SgbenchError
from sgbench.models import REFERENCE, TrainingPlan, get_model
from sgbench.sets import SetSpec, open_training_set
from sgbench.symmetry import class_labels
from sgbench.training import (
    _trainer,
    choose_device,
    hardware,
    load_model,
    memory_in_words,
    save_model,
    train,
)

CPU = torch.device("cpu")


@pytest.fixture
def tiny():
    with tiny_network():
        yield


def tiny_plan(**changes) -> TrainingPlan:
    values = {"patterns": 320, "batch_size": 8, "validations": 4, "validation_per_spacegroup": 1}
    return TrainingPlan("tiny", TWO_CELLS, **{**values, **changes})


def weights(trained) -> dict[str, torch.Tensor]:
    return trained.network.state_dict()


def assert_same_weights(a, b) -> None:
    assert a.keys() == b.keys()
    assert all(a[name].equal(b[name]) for name in a)


def without_times(history) -> list[dict]:
    return [{k: v for k, v in entry.items() if k != "patterns_per_second"} for entry in history]


class Stop:
    """Raises at a step, as Ctrl-C or a crash would."""

    def __init__(self, step: int, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.step, self.error = step, error

    def __call__(self, step: int, loss: float) -> None:
        if step == self.step:
            raise self.error


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("step", [1, 9, 10, 25, 39])
@pytest.mark.parametrize("every_step", [True, False])
def test_a_broken_training_goes_on_as_if_unbroken(tmp_path, monkeypatch, step, every_step):
    plan = tiny_plan()
    unbroken = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    monkeypatch.setattr(_trainer, "_CHECKPOINT_SECONDS", 0.0 if every_step else 1e9)
    with pytest.raises(KeyboardInterrupt):
        train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=Stop(step))
    assert not (tmp_path / "b.pt").exists()
    assert (tmp_path / "b.ck").exists() == (every_step and step > 1)
    steps, reports = [], []
    resumed = train(
        plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, reports.append,
        lambda step, loss: steps.append(step),
    )  # fmt: skip
    assert steps[0] == (step if every_step else 1)
    seen = step - 1 if every_step else 0  # the steps that the checkpoint holds
    assert [report.step for report in reports] == [n for n in (10, 20, 30, 40) if n > seen]
    assert_same_weights(weights(resumed), weights(unbroken))
    assert without_times(resumed.provenance["history"]) == without_times(
        unbroken.provenance["history"]
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ck", "a.pt", "b.ck", "b.pt"]


@pytest.mark.usefixtures("tiny")
def test_broken_many_times(tmp_path, monkeypatch):
    plan = tiny_plan()
    unbroken = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    monkeypatch.setattr(_trainer, "_CHECKPOINT_SECONDS", 0.0)
    for step in (3, 4, 17, 31):
        with pytest.raises(RuntimeError):
            train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=Stop(step, RuntimeError))
    resumed = train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU)
    assert_same_weights(weights(resumed), weights(unbroken))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_met_after_the_step_with_a_checkpoint(tmp_path, number):
    plan = tiny_plan()
    unbroken = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    before = signal.getsignal(number)
    steps = []

    def on_step(step, loss):
        steps.append(step)
        if step == 12:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=on_step)
    assert steps[-1] in (12, 13)  # the step under way is finished
    assert signal.getsignal(number) is before
    stopped, begun = steps[-1], []
    resumed = train(
        plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU,
        on_step=lambda s, loss: steps.append(s), on_start=begun.append,
    )  # fmt: skip
    assert begun == [stopped * plan.batch_size]
    assert steps == list(range(1, 41))
    assert_same_weights(weights(resumed), weights(unbroken))


@pytest.mark.usefixtures("tiny")
def test_training_outside_the_main_thread(tmp_path):
    """Signals can only be handled in the main thread; training elsewhere must still work."""
    done = []
    thread = threading.Thread(
        target=lambda: done.append(train(tiny_plan(), tmp_path / "a.pt", tmp_path / "a.ck", CPU))
    )
    thread.start()
    thread.join()
    assert len(done) == 1


def test_the_reference_network_killed_by_sigterm_and_run_again(tmp_path):
    """The command, in processes of its own, against an unbroken run in this one."""
    command = [
        sys.executable, "-m", "sgbench", "train", "fcn-wang2024", "ulbd-cubic", "--patterns", "240",
        "--batch-size", "8", "--validations", "2", "--device", "cpu", "-o", "model.pt",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if "validation loss" in line:  # half-way
            process.send_signal(signal.SIGTERM)
            break
    said.append(process.stderr.read())
    process.stderr.close()
    assert process.wait() == 130, "".join(said)
    assert "Traceback" not in "".join(said)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.pt.checkpoint"]
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert again.stderr.count("validation loss") == 1  # the second
    assert sorted(p.name for p in tmp_path.iterdir()) == ["history.csv", "model.pt"]
    resumed = load_model(tmp_path / "model.pt", CPU)
    plan = TrainingPlan(**resumed.provenance["plan"])
    assert (plan.patterns, plan.batch_size, plan.validations) == (240, 8, 2)
    unbroken = train(plan, tmp_path / "other.pt", tmp_path / "other.ck", CPU)
    assert_same_weights(weights(resumed), weights(unbroken))


@pytest.mark.usefixtures("tiny")
def test_seeds_and_plans_give_other_weights(tmp_path):
    def run(**changes):
        return weights(train(tiny_plan(**changes), tmp_path / "a.pt", tmp_path / "a.ck", CPU))

    first = run()
    assert_same_weights(first, run())
    for changes in ({"seed": 1}, {"peak_rate": 2e-3}, {"patterns": 328}):
        assert not first["3.weight"].equal(run(**changes)["3.weight"])


@pytest.mark.parametrize("name", ["ulbd-cubic", "ulbd-tetragonal"])
def test_a_posterior_is_what_labels_say_in_the_mean(name):
    labels, posterior = (get_model(one) for one in (REFERENCE, "fcn-wang2024.soft"))
    dataset = open_training_set(SetSpec.parse(name))
    of_labels, soft = (_trainer._Source(dataset, one, CPU) for one in (labels, posterior))
    plan = tiny_plan(batch_size=64)
    patterns, hot = of_labels.training_batch(plan, 3)
    same_patterns, targets = soft.training_batch(plan, 3)
    assert torch.equal(patterns, same_patterns)
    assert torch.equal(hot.sum(1), torch.ones(64))
    classes = class_labels(dataset.spacegroups)
    for one, target in zip(hot.argmax(1), targets, strict=True):
        members = np.flatnonzero(classes == classes[one])
        assert torch.equal(target, torch.eye(len(classes))[members].mean(0))


@pytest.mark.parametrize("name", ["ulbd-physical-cubic", "ulbd-cubic-imbalanced"])
def test_a_posterior_that_nobody_knows(name, tmp_path):
    plan = TrainingPlan("fcn-wang2024.soft", name, 8)
    with pytest.raises(SgbenchError, match=f"which nobody knows of {name}; expected a designed"):
        train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tiny")
def test_learning_a_reduced_problem(tmp_path):
    """Two cells and one layer: far from the full problem, but the whole trainer around it."""
    plan = tiny_plan(patterns=12_800, batch_size=64, peak_rate=0.02, validation_per_spacegroup=10)
    trained = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    history = trained.provenance["history"]
    assert history[0]["validation_loss"] > history[-1]["validation_loss"]
    # 17 classes of 36 groups: log 36 = 3.58 without the pattern, 1.29 with the class known
    assert history[-1]["validation_loss"] < 0.7 * math.log(36)
    assert history[-1]["class_accuracy"] > 0.5
    assert history[-1]["top1"] < 0.6  # the ceiling is 0.47


@pytest.mark.usefixtures("tiny")
def test_the_best_weights_are_kept(tmp_path, monkeypatch):
    seen = []
    losses = iter([3.0, 2.0, 2.5, 4.0])

    def validate(network, source, validation):
        seen.append({k: v.clone() for k, v in network.state_dict().items()})
        return next(losses), 0.1, 0.2

    monkeypatch.setattr(_trainer, "_validate", validate)
    trained = train(tiny_plan(decay=1), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    assert_same_weights(weights(trained), seen[1])
    assert_same_weights(weights(load_model(tmp_path / "a.pt", CPU)), seen[1])


@pytest.mark.usefixtures("tiny")
def test_patience(tmp_path, monkeypatch):
    """Without a better loss training stops, though not in its first half."""
    losses = iter([1.0] + [2.0] * 100)
    monkeypatch.setattr(_trainer, "_validate", lambda *_: (next(losses), 0.1, 0.2))
    plan = tiny_plan(validations=10, patience=2, decay=1)
    trained = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    assert trained.provenance["history"][-1]["step"] == 20
    assert trained.provenance["train_patterns"] == 160


@pytest.mark.usefixtures("tiny")
def test_a_loss_that_diverges(tmp_path, monkeypatch):
    original = _trainer.F.cross_entropy
    calls = []

    def diverging(*arguments):
        calls.append(1)
        return original(*arguments) * (float("nan") if len(calls) == 7 else 1.0)

    monkeypatch.setattr(_trainer.F, "cross_entropy", diverging)
    with pytest.raises(SgbenchError, match=r"diverged .*step 7: .* Lower peak_rate"):
        train(tiny_plan(), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    assert list(tmp_path.iterdir()) == []


# Files.


def interrupted(tmp_path, monkeypatch, plan):
    with monkeypatch.context() as patch:
        patch.setattr(_trainer, "_CHECKPOINT_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=Stop(15))
    return tmp_path / "b.ck"


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_damaged_checkpoint(tmp_path, monkeypatch, share):
    checkpoint = interrupted(tmp_path, monkeypatch, tiny_plan())
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SgbenchError, match="is damaged"):
        train(tiny_plan(), tmp_path / "b.pt", checkpoint, CPU)


@pytest.mark.usefixtures("tiny")
def test_a_checkpoint_that_is_something_else(tmp_path):
    torch.save({"weights": torch.zeros(2)}, tmp_path / "b.ck")
    with pytest.raises(SgbenchError, match="checkpoint"):
        train(tiny_plan(), tmp_path / "b.pt", tmp_path / "b.ck", CPU)


@pytest.mark.usefixtures("tiny")
def test_a_checkpoint_of_another_plan_is_ignored(tmp_path, monkeypatch):
    interrupted(tmp_path, monkeypatch, tiny_plan(seed=1))
    steps = []
    resumed = train(
        tiny_plan(), tmp_path / "b.pt", tmp_path / "b.ck", CPU,
        on_step=lambda step, loss: steps.append(step),
    )  # fmt: skip
    assert steps[0] == 1
    fresh = train(tiny_plan(), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    assert_same_weights(weights(resumed), weights(fresh))


@pytest.mark.usefixtures("tiny")
def test_a_saved_model_is_read_back(tmp_path):
    trained = train(
        tiny_plan(), tmp_path / "a.pt", tmp_path / "a.ck", CPU, extra_provenance={"scale": "smoke"}
    )
    found = load_model(tmp_path / "a.pt", CPU)
    assert_same_weights(weights(found), weights(trained))
    assert found.provenance == json.loads(json.dumps(trained.provenance))
    assert found.provenance["scale"] == "smoke"
    assert found.provenance["plan_sha256"] == tiny_plan().sha256()
    assert found.provenance["train_patterns"] == 320
    assert found.provenance["parameters"] == 513 * 36
    assert found.provenance["family"] == "cubic"


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_model(tmp_path, share):
    train(tiny_plan(patterns=8), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    content = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(content[: int(share * len(content))])
    with pytest.raises(SgbenchError, match="is not a readable model"):
        load_model(tmp_path / "a.pt", CPU)


def test_no_model(tmp_path):
    with pytest.raises(SgbenchError, match="is missing; expected a file that `sgbench train`"):
        load_model(tmp_path / "none.pt", CPU)


class Malicious:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_in_a_file_is_run(tmp_path):
    trap = tmp_path / "trap"
    torch.save({"weights": Malicious(trap), "provenance": "{}"}, tmp_path / "a.pt")
    with pytest.raises(SgbenchError, match="is not a readable model"):
        load_model(tmp_path / "a.pt", CPU)
    torch.save({"plan": Malicious(trap)}, tmp_path / "a.ck")
    plan = TrainingPlan("fcn-wang2024", "ulbd-cubic", 8, batch_size=8)
    with pytest.raises(SgbenchError, match="is damaged"):
        train(plan, tmp_path / "b.pt", tmp_path / "a.ck", CPU)
    assert not trap.exists()


# Disks and memory.


@pytest.mark.usefixtures("tiny")
def test_a_full_disk_costs_no_more_than_what_came_after_the_checkpoint(tmp_path, monkeypatch):
    plan = tiny_plan()
    unbroken = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    checkpoint = interrupted(tmp_path, monkeypatch, plan)
    before = checkpoint.read_bytes()
    with full_disk(), pytest.raises(SgbenchError, match=r"b\.ck failed .* Make room"):
        train(plan, tmp_path / "b.pt", checkpoint, CPU)
    assert checkpoint.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ck", "a.pt", "b.ck"]
    resumed = train(plan, tmp_path / "b.pt", checkpoint, CPU)
    assert_same_weights(weights(resumed), weights(unbroken))


@pytest.mark.usefixtures("tiny")
def test_a_model_is_whole_or_not_there(tmp_path):
    trained = train(tiny_plan(patterns=8), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    before = (tmp_path / "a.pt").read_bytes()
    with full_disk(), pytest.raises(SgbenchError, match=r"a\.pt failed .* Make room"):
        save_model(tmp_path / "a.pt", trained)
    assert (tmp_path / "a.pt").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ck", "a.pt"]


@pytest.mark.usefixtures("tiny")
def test_equal_models_are_equal_files(tmp_path):
    trained = train(tiny_plan(patterns=8), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    for name in ("b.pt", "c.pt"):
        save_model(tmp_path / name, trained)
    assert (tmp_path / "b.pt").read_bytes() == (tmp_path / "c.pt").read_bytes()


@pytest.mark.usefixtures("tiny")
def test_a_report_comes_after_the_checkpoint(tmp_path):
    """Whatever a report does, it costs no training."""

    def dies(progress):
        if progress.step == 40:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        train(tiny_plan(), tmp_path / "a.pt", tmp_path / "a.ck", CPU, dies)
    steps = []
    trained = train(
        tiny_plan(), tmp_path / "a.pt", tmp_path / "a.ck", CPU,
        on_step=lambda step, loss: steps.append(step),
    )  # fmt: skip
    assert steps == []
    assert [entry["step"] for entry in trained.provenance["history"]] == [10, 20, 30, 40]


@pytest.mark.usefixtures("tiny")
def test_too_little_memory(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), before[1]))
    try:
        with pytest.raises(SgbenchError, match=r"^training needs more memory .* fewer patterns"):
            train(
                tiny_plan(patterns=60_000, batch_size=60_000), tmp_path / "a.pt",
                tmp_path / "a.ck", CPU,
            )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("allocate", [torch.empty, np.empty])
def test_whoever_asks_for_memory(allocate):
    said = pytest.raises(SgbenchError, match=r"^predicting needs more memory .* or rest")
    with said, memory_in_words("predicting", "rest"):
        allocate(10**14)
    with pytest.raises(RuntimeError, match="another"), memory_in_words("predicting", "rest"):
        raise RuntimeError("another")


# Plans and devices.


@pytest.mark.parametrize(
    "name", ["patterns", "batch_size", "validations", "validation_per_spacegroup"]
)
def test_counts_below_one(name):
    with pytest.raises(SgbenchError, match=f"{name} is 0"):
        tiny_plan(**{name: 0})


@pytest.mark.parametrize(
    "values",
    [{"peak_rate": 0}, {"peak_rate": 1}, {"peak_rate": float("nan")}, {"decay": 0}, {"decay": 1.1}],
)
def test_rates_out_of_range(values):
    with pytest.raises(SgbenchError, match="between 0 and 1"):
        tiny_plan(**values)


@pytest.mark.parametrize(("patterns", "steps"), [(1, 1), (8, 1), (9, 2), (320, 40)])
def test_steps_cover_all_patterns(patterns, steps):
    assert tiny_plan(patterns=patterns).steps == steps


def test_the_rate_rises_stays_and_falls():
    plan = tiny_plan(patterns=800, batch_size=8, peak_rate=0.01, warmup=80, decay=0.25)
    rates = [plan.rate(step) for step in range(plan.steps)]
    assert rates[:10] == pytest.approx([0.001 * step for step in range(1, 11)])
    assert rates[9:76] == [0.01] * 67
    assert plan.constant_steps == 75
    assert rates[75:] == pytest.approx([0.01 * (1 - math.sqrt(i / 25)) for i in range(25)])
    longer = tiny_plan(patterns=8000, batch_size=8, peak_rate=0.01, warmup=80, decay=0.25)
    assert [longer.rate(step) for step in range(75)] == rates[:75]


def test_what_comes_before_the_decay_has_one_name_at_any_length():
    plan = tiny_plan(warmup=16)
    for changes in ({"patterns": 640}, {"decay": 0.1}, {"validations": 9}, {"patience": 1}):
        assert tiny_plan(warmup=16, **changes).beginning_sha256() == plan.beginning_sha256()
    named = replace(plan, model=f"{plan.model}@640")
    assert named.beginning_sha256() == plan.beginning_sha256()
    assert named.sha256() != plan.sha256()
    for changes in ({"seed": 1}, {"warmup": 1}, {"peak_rate": 0.1}, {"batch_size": 4}):
        assert tiny_plan(**{"warmup": 16, **changes}).beginning_sha256() != plan.beginning_sha256()
    assert tiny_plan(warmup=800).rise == tiny_plan().rise == 32  # a tenth of the patterns


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("changes", [{}, {"peak_rate": 0.03, "patience": 1, "validations": 20}])
def test_a_training_is_lengthened_as_if_it_had_been_long_from_the_start(tmp_path, changes):
    """And a shorter one, which ends before that state, does without, and leaves it there."""
    kept = tmp_path / "kept.pt"

    def run(patterns, *kept):
        steps = []
        trained = train(
            tiny_plan(patterns=patterns, warmup=16, **changes), tmp_path / "a.pt",
            tmp_path / f"{patterns}.ck", CPU,
            on_step=lambda step, loss: steps.append(step), before_decay=kept[0] if kept else None,
        )  # fmt: skip
        (tmp_path / f"{patterns}.ck").unlink()
        return trained, steps[0]

    apart, first = run(640)
    assert first == 1
    _, first = run(320, kept)
    assert first == 1
    after, first = run(640, kept)
    assert first == 29  # 40 steps, of which 12 are the decay
    assert_same_weights(weights(after), weights(apart))
    assert (
        without_times(after.provenance["history"])[-2:]
        == without_times(apart.provenance["history"])[-2:]
    )
    before = kept.read_bytes()
    _, first = run(320, kept)
    assert first == 1
    assert kept.read_bytes() == before


@pytest.mark.usefixtures("tiny")
def test_a_kill_after_the_state_before_the_decay_loses_no_validation(tmp_path, monkeypatch):
    plan, kept = tiny_plan(), tmp_path / "kept.pt"
    unbroken = train(plan, tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    monkeypatch.setattr(_trainer, "_CHECKPOINT_SECONDS", 1e9)
    stop = Stop(plan.constant_steps + 1)
    with pytest.raises(KeyboardInterrupt):
        train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, on_step=stop, before_decay=kept)
    assert kept.exists()
    resumed = train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, before_decay=kept)
    assert_same_weights(weights(resumed), weights(unbroken))
    assert without_times(resumed.provenance["history"]) == without_times(
        unbroken.provenance["history"]
    )


@pytest.mark.usefixtures("tiny")
def test_a_kill_between_its_checkpoint_and_the_state_before_the_decay_loses_neither(
    tmp_path, monkeypatch
):
    plan, kept = tiny_plan(), tmp_path / "kept.pt"
    monkeypatch.setattr(_trainer, "_CHECKPOINT_SECONDS", 1e9)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(_trainer._State, "without_validations", killed)
        with pytest.raises(KeyboardInterrupt):
            train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, before_decay=kept)
    assert not kept.exists()
    train(plan, tmp_path / "b.pt", tmp_path / "b.ck", CPU, before_decay=kept)
    assert kept.exists()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("patterns", [1, 8, 16, 24])
def test_the_shortest_trainings(tmp_path, patterns):
    train(tiny_plan(patterns=patterns), tmp_path / "a.pt", tmp_path / "a.ck", CPU)
    assert load_model(tmp_path / "a.pt", CPU).provenance["history"]


def test_plans_have_names_of_their_own():
    assert tiny_plan().sha256() == tiny_plan().sha256() != tiny_plan(seed=1).sha256()


def test_devices():
    assert choose_device("cpu") == CPU
    assert choose_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(SgbenchError, match="unknown device 'tpu'"):
        choose_device("tpu")


@pytest.mark.parametrize(
    ("capable", "words"), [({"avx512_bf16": True}, ", bfloat16), 1 threads"), ({}, "), 1 threads")]
)
def test_hardware_is_named_with_what_digits_depend_on(capable, words, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capable)
    found = hardware(CPU)
    assert f" ({torch.backends.cpu.get_cpu_capability()}" in found
    assert found.endswith(words)
    assert ("bfloat16" in found) == bool(capable)


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a device that is present here")
def test_a_device_that_is_absent():
    with pytest.raises(SgbenchError, match="no CUDA device is present"):
        choose_device("cuda")
