"""The sets that figures and the report speak of; those that are trained on have no family yet."""

from dataclasses import replace

from sgbench.sets import IN_MESH, OFF_MESH, SetSpec, designed_test_set

# Trained on.
ULBD = SetSpec("designed")
PHYSICAL = replace(ULBD, law="physical")
#: ULBD-physical without one of its ingredients, and what that is called.
WITHOUT = {
    replace(ULBD, law="physical-no-wilson"): "Wilson statistics",
    replace(ULBD, law="physical-no-multiplicity"): "multiplicity",
    replace(ULBD, law="physical-no-falloff"): "fall-off",
}
IMBALANCED = SetSpec("designed", family="cubic", balanced=False)
CDDD_TRAIN, GCDD_TRAIN = SetSpec("crystals"), SetSpec("random")
CDDD_STRATIFIED = replace(CDDD_TRAIN, split="stratified")

MINERAL_CELLS, AMPLITUDE = replace(ULBD, cells="mineral"), replace(ULBD, law="amplitude")
#: Accuracy over extinction classes of designed patterns that this project asks of its network, and
#: what it aims at.
CLASS_GOALS = {
    "cubic": (0.999, 0.999),
    "tetragonal": (0.985, 0.995),
    "trigonal-hexagonal": (0.99, 0.997),
    "all": (0.90, 0.95),
}

# Tested on.
IMBALANCED_IN_MESH = replace(IN_MESH, balanced=False)
MINERAL_OFF_MESH, AMPLITUDE_OFF_MESH = (
    designed_test_set(OFF_MESH.part, one) for one in (MINERAL_CELLS, AMPLITUDE)
)
CDDD, GCDD = SetSpec("crystals", "all"), SetSpec("random", "all")
CDDD_TEST, GCDD_TEST, CDDD_STRATIFIED_TEST = (
    replace(one, part="test") for one in (CDDD_TRAIN, GCDD_TRAIN, CDDD_STRATIFIED)
)
CDDD_IN_DOMAIN, GCDD_IN_DOMAIN, CDDD_TEST_IN_DOMAIN, GCDD_TEST_IN_DOMAIN = (
    replace(one, in_domain=True) for one in (CDDD, GCDD, CDDD_TEST, GCDD_TEST)
)
