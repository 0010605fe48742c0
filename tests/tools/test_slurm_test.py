"""What the run on Slurm calls a fault. The run itself is `make slurm-test`."""

from maintainers_tools import tool

slurm = tool("slurm_test")
MEMORY = {"train": "8000M", "predict": "4000M"}


def job(number, rule, wildcards="a", state="COMPLETED", **changed):
    requested = {"cpu": "1", "mem": MEMORY[rule]} | ({"gres/gpu": "1"} if rule == "train" else {})
    values = {
        "id": number, "state": state, "comment": f"rule_{rule}_wildcards_{wildcards}",
        "partition": "gpu" if rule == "train" else "cpu",
        "minutes": 11 if rule == "train" else 60, "requested": requested,
    }  # fmt: skip
    return slurm.Job(**values | changed)


GOOD = [
    job(1, "train", state="FAILED"), job(2, "predict", state="FAILED"), job(3, "train"),
    job(4, "predict"), job(5, "predict", "b"),
]  # fmt: skip
KILLED = {"train": 1, "predict": 2}


def said(jobs, killed=KILLED):
    return "\n".join(slurm.faults(jobs, killed))


def test_two_killed_jobs_that_came_back_are_no_fault():
    assert said(GOOD) == ""


def test_what_was_not_killed_or_not_run_again_is_named():
    assert "only train was killed" in said(GOOD[:1] + GOOD[2:], {"train": 1})
    assert "job 1 (rule_train_wildcards_a) was not run again" in said(GOOD[:2] + GOOD[3:])
    assert "but lost [1, 2, 5]" in said([*GOOD[:4], job(5, "predict", "b", state="TIMEOUT")])


def test_requests_that_did_not_reach_the_scheduler_are_named():
    assert "asked for 60 minutes" in said([*GOOD, job(6, "train", "b", minutes=60)])
    assert "'gpu': None" in said([*GOOD, job(6, "train", "b", requested={"cpu": "1"})])
    assert "'partition': 'gpu'" in said([*GOOD, job(6, "predict", "c", partition="gpu")])


def test_tables_that_differ_say_in_which_columns():
    one = [{"model": "a", "top1": "0.5", "train_seconds": "1"}]
    assert slurm.differing(one, one) == set()
    assert slurm.differing(one, [one[0] | {"top1": "0.6"}]) == {"top1"}
    assert slurm.differing(one, [{"model": "a", "top1": "0.5"}]) == {"train_seconds"}
