"""What a network's weights are before the first step, where they are not random."""

import torch

from sgbench.errors import SgbenchError
from sgbench.models import NetworkSpec, TrainingPlan
from sgbench.sets import SetSpec
from sgbench.symmetry import family_spacegroups
from sgbench.training._model_file import TrainedModel


def begin_from(
    network: torch.nn.Module, spec: NetworkSpec, plan: TrainingPlan, start: TrainedModel | None
) -> str:
    """Give a network the weights that a plan begins from, and return the SHA-256 of their file.

    Empty, and the network left as it is, where the plan begins from random weights. A network for
    more space groups gives what answers for those that are asked for.

    Raises
    ------
    SgbenchError
        If the weights are not given, or are those of another network or input, or do not know the
        space groups.
    """
    if not plan.start:
        return ""
    if start is None:
        raise SgbenchError(
            f"the plan begins from the weights '{plan.start}', which are not given; expected a "
            "trained model beside the plan. Pass it as start."
        )
    if start.spec.input_scaling != spec.input_scaling:
        raise SgbenchError(
            f"'{plan.start}' was fed patterns scaled by '{start.spec.input_scaling}', and "
            f"{spec.name} is fed them by '{spec.input_scaling}'; expected the same. Name others "
            "(`sgbench models --pretrained`)."
        )
    known, asked = (
        family_spacegroups(SetSpec.parse(name).family)
        for name in (start.provenance["plan"]["dataset"], plan.dataset)
    )
    rows = [known.index(group) for group in asked if group in known]
    given, wanted = start.network.state_dict(), network.state_dict()
    for name in given.keys() & wanted.keys() if len(rows) == len(asked) else ():
        # What answers has a row for each space group.
        if given[name].shape[:1] == (len(known),) and given[name].shape != wanted[name].shape:
            given[name] = given[name][rows]
    if {k: v.shape for k, v in given.items()} != {k: v.shape for k, v in wanted.items()}:
        raise SgbenchError(
            f"the weights of '{plan.start}' do not fit {spec.name} on {plan.dataset}; expected "
            "those of the same network, which knows its space groups. Name others "
            "(`sgbench models --pretrained`)."
        )
    network.load_state_dict(given)
    return str(start.provenance["weights_sha256"])
