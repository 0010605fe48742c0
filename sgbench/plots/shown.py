"""The sets that figures and the report speak of; those that are trained on have no family yet."""

from dataclasses import replace

from sgbench.sets import IN_MESH, SetSpec

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

# Tested on.
IMBALANCED_IN_MESH = replace(IN_MESH, balanced=False)
CDDD, GCDD = SetSpec("crystals", "all"), SetSpec("random", "all")
CDDD_TEST, GCDD_TEST, CDDD_STRATIFIED_TEST = (
    replace(one, part="test") for one in (CDDD_TRAIN, GCDD_TRAIN, CDDD_STRATIFIED)
)
CDDD_IN_DOMAIN, GCDD_IN_DOMAIN, CDDD_TEST_IN_DOMAIN, GCDD_TEST_IN_DOMAIN = (
    replace(one, in_domain=True) for one in (CDDD, GCDD, CDDD_TEST, GCDD_TEST)
)
