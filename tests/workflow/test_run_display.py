"""What a run of the workflow shows, from the events that the engine tells of it."""

import io
import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import LoggerManager
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

import snakemake_logger_plugin_sgbench
from sgbench.progress import in_words
from snakemake_logger_plugin_sgbench import LogHandler, _run

NETWORK = "train/ulbd-cubic/fcn-wang2024/seed0"


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in seconds."""
    now = [0.0]
    monkeypatch.setattr(_run.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        snakemake_logger_plugin_sgbench, "_TICK", 1e9
    )  # the thread that looks at the clock has nothing to look at
    return now


@pytest.fixture
def tell():
    """Hand events to the handler; its output is in `tell.said()`."""
    stream = io.StringIO()
    handlers = []

    def handler(**settings):
        made = LogHandler(OutputSettings(nocolor=True, **settings), None)
        made._engine.stream = stream
        handlers.append(made)

        def tell(event=None, message=None, level=logging.INFO, **fields):
            record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
            record.__dict__.update(fields, **({"event": event} if event else {}))
            made.handle(record)

        return tell

    yield SimpleNamespace(handler=handler, said=stream.getvalue, stream=stream)
    for one in handlers:
        one.close()


def started(number, name, log="", threads=1):
    return {
        "jobid": number, "rule_name": name.partition("/")[0], "log": [log] if log else [],
        "threads": threads,
    }  # fmt: skip


def begin(tell, stats, expected, cores=2):
    tell(LogEvent.WORKFLOW_STARTED, "Workflow has started!")
    tell(message="", expected_seconds=expected, cores=cores)
    tell(LogEvent.RUN_INFO, "Job stats", stats={**stats, "total": sum(stats.values())})


def test_snakemake_finds_the_plugin_where_the_profile_names_it():
    assert "sgbench" in LoggerPluginRegistry().plugins


def test_a_run_without_a_terminal(tell, clock, tmp_path):
    log = tmp_path / "results/smoke/logs" / f"{NETWORK}.log"
    log.parent.mkdir(parents=True)
    log.write_text("training\n3,200 of 6,000 patterns, 950/s\n")
    said = tell.handler()
    begin(said, {"train": 1, "predict": 2, "all": 1}, {NETWORK: 60.0, "predict": 30.0})
    assert "4 jobs on 2 cores, expected to take 2 min" in tell.said()
    said(LogEvent.JOB_INFO, "", **started(1, "train", str(log)))
    said(message="Select jobs to execute...")
    clock[0] = 40.0
    said(LogEvent.JOB_FINISHED, "", job_id=5)
    said(LogEvent.PROGRESS, None, done=1, total=4)
    line = tell.said().splitlines()[-1]
    assert line.startswith("1 of 4 jobs, 0:40, ")
    assert "min left" in line or " s left" in line
    assert line.endswith("| train ulbd-cubic fcn-wang2024: 3,200 of 6,000 patterns, 950/s")
    said(LogEvent.PROGRESS, None, done=2, total=4)  # too soon for another line
    assert tell.said().splitlines()[-1] == line
    assert "Select jobs" not in tell.said()
    clock[0] = 125.0
    said(LogEvent.PROGRESS, None, done=4, total=4)
    said(message="page    results/site/index.html", shown=True)
    assert tell.said().splitlines()[-2:] == [
        "4 of 4 jobs are done in 2:05", "page    results/site/index.html",
    ]  # fmt: skip


def test_a_long_run_has_few_lines(tell, clock):
    """However long it takes and however wrong the expectation was."""
    said = tell.handler()
    begin(said, {"train": 1000}, {"train": 0.5})
    for number in range(1000):
        clock[0] += 20.0
        said(LogEvent.JOB_INFO, "", **started(number, "train"))
        said(LogEvent.JOB_FINISHED, "", job_id=number)
        said(LogEvent.PROGRESS, None, done=number + 1, total=1000)
    assert 10 < len(tell.said().splitlines()) < 60


@pytest.mark.parametrize("seconds", [1500, 9000])
def test_a_run_does_not_end_before_its_jobs_do(clock, tmp_path, seconds):
    """What a job says of itself counts more than what was expected of it."""
    log = tmp_path / "train.log"
    log.write_text(f"training x: 5 of 9 patterns, 12/s, {in_words(seconds)} left, loss 1\n")
    run = _run.Run({"train/x": 60.0}, began=0.0)
    run.plan({"train": 1})
    run.start(1, _run.Job("train", "train/x", log, 1, 0.0))
    clock[0] = 3000.0
    assert run.left() == pytest.approx(seconds, rel=0.05)


def test_a_failure_is_told_in_full_and_once(tell, clock, tmp_path):
    log = tmp_path / "results/smoke/logs" / f"{NETWORK}.log"
    log.parent.mkdir(parents=True)
    log.write_text("training\nerror: training diverged by step 3; lower peak_rate\n")
    said = tell.handler()
    begin(said, {"train": 1}, {})
    said(LogEvent.JOB_INFO, "", **started(1, "train", str(log)))
    failure = {
        **started(1, "train", str(log)), "rule_msg": None, "aux": {},
        "shellcmd": "sgbench train  fcn", "msg": None,
    }  # fmt: skip
    for _ in range(2):
        said(LogEvent.JOB_ERROR, "Error in rule", logging.ERROR, **failure)
    assert tell.said().splitlines()[1:] == [
        "train ulbd-cubic fcn-wang2024 failed",
        "    training",
        "    error: training diverged by step 3; lower peak_rate",
        "    command: sgbench train fcn",
        f"    whole log: {log}",
    ]
    said(LogEvent.ERROR, "At least one job did not complete", logging.ERROR)
    assert "At least one job did not complete" in tell.said()


def test_a_job_that_is_tried_again_may_fail_again(tell, clock):
    said = tell.handler()
    begin(said, {"train": 1}, {})
    failure = {
        **started(1, "train"), "rule_msg": None, "aux": {"external_jobid": 7}, "shellcmd": "x",
    }  # fmt: skip
    for _ in range(2):
        said(LogEvent.JOB_INFO, "", **started(1, "train"))
        said(LogEvent.JOB_ERROR, "Error in rule", logging.ERROR, **failure)
    assert tell.said().count("external_jobid: 7") == 2


@pytest.mark.parametrize("asked", [{"verbose": True}, {"printshellcmds": True}])
def test_verbose_is_what_the_engine_says(tell, clock, asked):
    said = tell.handler(**asked)
    begin(said, {"train": 1}, {})
    said(LogEvent.JOB_FINISHED, "Finished jobid: 1 (Rule: train)", job_id=1)
    said(message="Select jobs to execute...")
    said(message="a detail", level=logging.DEBUG)
    assert "Finished jobid: 1" in tell.said()
    assert "Select jobs" in tell.said()
    assert "a detail" not in tell.said()


def test_what_is_no_run_says_what_it_says(tell):
    said = tell.handler()
    said(message="Building DAG of jobs...")
    said(message="Report created: report.html.")
    assert tell.said() == "Report created: report.html.\n"


def test_a_warning_and_the_end_of_nothing_are_shown(tell):
    said = tell.handler()
    said(LogEvent.WORKFLOW_STARTED, "Workflow has started!")
    said(message="Nothing to be done (all requested files are present and up to date).")
    said(message="this is odd", level=logging.WARNING)
    assert tell.said().splitlines() == [
        "Nothing to be done (all requested files are present and up to date).", "this is odd",
    ]  # fmt: skip


def test_a_terminal_has_a_bar(tell, clock, monkeypatch):
    monkeypatch.setattr(tell.stream, "isatty", lambda: True)
    said = tell.handler()
    begin(said, {"train": 2}, {NETWORK: 60.0})
    said(LogEvent.JOB_INFO, "", **started(1, "train", f"results/smoke/logs/{NETWORK}.log"))
    said(LogEvent.PROGRESS, None, done=1, total=2)
    said(LogEvent.PROGRESS, None, done=2, total=2)
    drawn = tell.said().split("\r")
    assert any("1 of 2 jobs, 0:00" in part and "train ulbd-cubic" in part for part in drawn)
    assert drawn[-1].startswith("2 of 2 jobs are done in 0:00")


def test_the_engine_takes_it(clock):
    logger = logging.getLogger("tests.run_display")
    manager = LoggerManager(
        logger, OutputSettings(log_handler_settings={"sgbench": LogHandlerSettingsBase()})
    )
    assert [type(one) for one in manager.get_log_handlers()] == [LogHandler]
    manager.stop()
