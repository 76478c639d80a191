"""The table of `reference/conventions.md`, made of the cases of the tests: what is printed there is what they try.

The formula is that of the rule's docstring, and Optax's call the expression that the case evaluates. Only PyTorch's
call, and the words about what differs, stand here.
"""

import re

import ravine as rv

from .cases import CASES

# A rule's name: PyTorch's call (None: it has none), and what differs.
ELSEWHERE = {
    "sgd": ("SGD(lr=η)", ""),
    "momentum": ("SGD(lr=η, momentum=γ)", "Only for a constant η: PyTorch, and Optax's `sgd`, have the rate outside."),
    "accumulated_momentum": ("SGD(lr=η, momentum=ρ)", "The form of both libraries, under schedules too."),
    "averaged_momentum": ("SGD(lr=η, momentum=β, dampening=1 − β)",
                          "PyTorch's v begins at g, not at (1 − β) g; and it corrects nothing."),
    "heavy_ball": ("SGD(lr=η, momentum=β)", "Only for a constant η, as `momentum`."),
    "nesterov": ("SGD(lr=η, momentum=γ, nesterov=True)", "The parameters are the look-ahead points."),
    "nesterov_lookahead": (None, "Optax's call has its steps where the gradient is the same everywhere. Elsewhere its "
                                 "look-ahead points w − γv are the iterates of `nesterov`."),
    "local_gains": (None, "In neither library."),
    "rprop": ("Rprop(lr=s, etas, step_sizes)", "Optax's own returns each update one step late; `undelayed` "
                                               "takes it from the state."),
    "adagrad": ("Adagrad(lr=η, eps=ε)", "Optax has ε inside the root: equal at ε = 0."),
    "adadelta": ("Adadelta(lr=η, rho=ρ, eps=ε)", ""),
    "rmsprop": ("RMSprop(lr=η, alpha=α, eps=ε, momentum=μ, centered=…)",
                "PyTorch has its momentum before the rate; it has no Nesterov form."),
    "adam": ("Adam(lr=η, betas=(β₁, β₂), eps=ε)", "`debias=False` is in neither library."),
    "adamw": ("AdamW(lr=η, betas=(β₁, β₂), eps=ε, weight_decay=λ)", "λ is 0.01 here and in PyTorch, 0.0001 in Optax."),
    "lion": (None, "λ is 0 here, 0.001 in Optax."),
    "sam": (None, "Optax's call has its steps where the gradient is the same everywhere. Elsewhere "
                  "`optax.contrib.sam(…, opaque_mode=True)` has."),
    "muon": ("Muon(lr=η, momentum=μ, nesterov=True, weight_decay=λ)",
             "`optax.contrib.muon` has its steps without Nesterov. PyTorch's takes matrices only, of the transposed "
             "layout, with an average for the sum."),
    "schedule_free": (None, "`optax.contrib.schedule_free` has its steps at a constant rate."),
}
LETTERS = {"learning_rate": "η", "initial_accumulator": "r₀", "eps": "ε", "b1": "β₁", "b2": "β₂", "weight_decay": "λ"}
OWN = {"momentum": {"decay": "γ"}, "accumulated_momentum": {"decay": "ρ"}, "averaged_momentum": {"decay": "β"},
       "heavy_ball": {"decay": "β"}, "nesterov": {"decay": "γ"}, "nesterov_lookahead": {"decay": "γ"},
       "adadelta": {"decay": "ρ"}, "rmsprop": {"decay": "α", "momentum": "μ"}, "rprop": {"learning_rate": "s"}}


def formula(name):
    """Return the first displayed formula of a rule's docstring, each of its parts on a line of its own."""
    displayed = re.search(r"\$\$(.*?)\$\$", getattr(rv, name).__doc__, re.DOTALL)[1]
    parts = re.split(r"(?<=,)\s*\\q?quad\s*|\s*\\quad(?=\\text)", displayed.strip())
    return "\n".join([r"\begin{gathered}", " \\\\\n".join(parts), r"\end{gathered}"])


def spelt(name, expression):
    """Return an Optax expression with the lecture's letters in place of the names of arguments, values only."""
    for argument, letter in {**LETTERS, **OWN.get(name, {})}.items():
        expression = re.sub(rf"(?<![\w.]){argument}\b(?!=)", letter, expression)
    return expression


def entry(name):
    """Return what there is to say of a rule, in Markdown."""
    torch, words = ELSEWHERE[name]
    calls = dict.fromkeys(spelt(name, case.optax) for case in CASES if case.name.split(",")[0] == name and case.optax)
    lines = [f"- Optax: `{call}`" for call in calls]
    lines += [f"- PyTorch: `torch.optim.{torch}`"] if torch else []
    lines += [f"- {words}"] if words else []
    return "\n".join([f"**`{name}`**", "", "$$", formula(name), "$$", "", *lines, ""])


def table():
    """Return the entries of all rules."""
    return "\n".join(map(entry, ELSEWHERE))
