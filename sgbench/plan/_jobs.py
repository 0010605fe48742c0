"""Which sets and which runs belong to settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from sgbench.models import (
    TrainingPlan,
    UntrainedSpec,
    get_model,
    get_trained_model,
    model_names,
)
from sgbench.sets import DESIGNED, DESIGNED_SETS, STEMS, SetSpec
from sgbench.symmetry import PAPER_FAMILIES


@dataclass(frozen=True)
class Run:
    """A model that is scored, and what it is scored on.

    Attributes
    ----------
    model : str
    family : str
    train_set : SetSpec or None
        None for a model that is not trained.
    seed : int
    test_sets : tuple of SetSpec
    per_spacegroup : int
        Samples a space group of the designed test sets.
    plan : mapping
        How it is trained, by the names of `PLAN_FIELDS`; what is left out is as published with the
        model, or the trainer's default.
    """

    model: str
    family: str
    train_set: SetSpec | None
    seed: int
    test_sets: tuple[SetSpec, ...]
    per_spacegroup: int
    plan: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where its files lie in the folder of their kind."""
        trained = self.train_set.name if self.train_set else f"none-{self.family}"
        return f"{trained}/{self.model}/seed{self.seed}"

    @property
    def training_plan(self) -> TrainingPlan:
        """The whole plan of a run that trains a model."""
        assert self.train_set is not None
        spec = get_trained_model(self.model)
        return TrainingPlan.of(spec, self.train_set.name, self.seed, self.plan)

    @property
    def options(self) -> tuple[str, ...]:
        """The plan, as options of `sgbench train`."""
        pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in self.plan.items())
        return tuple(chain.from_iterable(pairs))


def runs(settings: Mapping[str, Any]) -> tuple[Run, ...]:
    """Return all runs.

    Parameters
    ----------
    settings : mapping
        As `resolve_settings` returns them; the same for the other functions here.
    """
    return trainings(settings) + untrained(settings)


def trainings(settings: Mapping[str, Any]) -> tuple[Run, ...]:
    """Return the runs that train a model, of the families that the settings name."""
    trained = ((SetSpec.parse(name), plans) for name, plans in settings["training"].items())
    return tuple(
        Run(
            model,
            train_set.family,
            train_set,
            seed,
            test_sets_of(settings, train_set),
            settings["test_patterns_per_spacegroup"],
            {name: value for name, value in plan.items() if name != "seeds"},
        )
        for train_set, plans in trained
        if train_set.family in settings["families"]
        for model, plan in plans.items()
        for seed in plan.get("seeds", settings["seeds"])
    )


def untrained(settings: Mapping[str, Any]) -> tuple[Run, ...]:
    """Return the runs of controls, and of other untrained models, for the families that they take.

    A control is scored on what a model of the family's designed set is scored on, as far as it has
    an answer. The others have test sets of their own, since they take far longer over a pattern.
    """
    found = []
    for spec in map(get_model, model_names()):
        if not isinstance(spec, UntrainedSpec):
            continue
        decodes = spec.status == "reference"
        if not decodes and spec.name not in settings["controls"]:
            continue
        for family in settings["families"]:
            if family in spec.families:
                tests = (
                    tuple(map(SetSpec.parse, settings["decoder"]["test_sets"]))
                    if decodes
                    else test_sets_of(settings, SetSpec("designed", family=family))
                )
                size = (
                    settings["decoder"]["patterns_per_spacegroup"]
                    if decodes
                    else settings["test_patterns_per_spacegroup"]
                )
                if spec.needs_posterior:
                    tests = tuple(t for t in tests if t.posterior_is_known_of(family))
                elif not decodes:  # its answer is the same whatever a pattern looks like
                    tests = tuple(test for test in tests if not test.conditions)
                if tests:
                    found.append(Run(spec.name, family, None, 0, tests, size))
    return tuple(found)


def test_sets_of(settings: Mapping[str, Any], train_set: SetSpec) -> tuple[SetSpec, ...]:
    """Return what a model is scored on: the test sets that its training has not seen.

    Random structures are those of the article's families. The set of unequal space groups tests the
    models that were trained on its like. Not every family has every designed set.
    """
    return tuple(
        spec
        for spec in map(SetSpec.parse, _tested(settings, train_set.family))
        if spec.held_out_from(train_set)
        and (spec.origin != "random" or train_set.family in PAPER_FAMILIES)
        and (spec.balanced or not train_set.balanced)
        and (spec.origin != DESIGNED or _drawn_from(spec, train_set.family) in DESIGNED_SETS)
    )


def _tested(settings: Mapping[str, Any], family: str) -> tuple[str, ...]:
    own = settings["family_test_sets"].get(family, ())
    return tuple(dict.fromkeys((*settings["test_sets"], *own)))


def _drawn_from(test_set: SetSpec, family: str) -> SetSpec:
    return replace(test_set, part="train", family=family, conditions=())


def ceiling_sets(settings: Mapping[str, Any]) -> tuple[SetSpec, ...]:
    """Return the designed sets whose held-out patterns models are scored on.

    Those of the article's law and cells are among them, whatever the test sets are.
    """
    scored = {
        _drawn_from(SetSpec.parse(name), family)
        for family in settings["families"]
        for name in _tested(settings, family)
    }
    return tuple(
        spec
        for spec in DESIGNED_SETS
        if spec.family in settings["families"]
        and (
            (spec.law, spec.protocol, spec.cells) == ("uniform", "canonical", "") or spec in scored
        )
    )


def designed_datasets(settings: Mapping[str, Any]) -> tuple[SetSpec, ...]:
    """Return the designed sets that are written to files: those of one family each."""
    return tuple(spec for spec in ceiling_sets(settings) if spec.family != "all")


def crystal_datasets(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the datasets of structures that models are trained on or scored on."""
    needed = {
        spec.dataset
        for run in runs(settings)
        for spec in (*run.test_sets, run.train_set)
        if spec is not None
    }
    return tuple(name for name in STEMS.values() if name in needed)


def generated_families(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the families that have random structures: the article's."""
    return tuple(family for family in settings["families"] if family in PAPER_FAMILIES)


def on_gpu(settings: Mapping[str, Any]) -> bool:
    """Tell whether networks are expected to be trained on a GPU."""
    return bool(settings["scale"] == "full" and settings["device"] != "cpu")
