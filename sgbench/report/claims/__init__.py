"""The article's claims and this project's own, each with a verdict by a rule that is written down.

Every public module of this package holds the claims of one group. Each is a function under the
decorator `claim`; its docstring holds the rule. Accuracies and gaps are compared as fractions, and
a *point* is 0.01.
"""

from sgbench.report.claims._claim import VERDICTS, Claim, all_claims

__all__ = ["VERDICTS", "Claim", "all_claims"]
