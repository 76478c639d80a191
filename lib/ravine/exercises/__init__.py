"""Exercises that know what went wrong.

>>> from ravine.exercises import check, hint, progress, solution

`check("ewma", ewma)` runs your function on a few small inputs and says what is wrong with it, by name where it can;
`hint("ewma")` goes one step further with each call; `solution("ewma")` shows the answer; `progress()` lists what is
done. The exercises themselves are written in one module a chapter, `ch06_momentum` and so on.
"""

from ravine.exercises._check import Result, check
from ravine.exercises._help import hint, solution
from ravine.exercises._progress import progress

__all__ = ["Result", "check", "hint", "progress", "solution"]
