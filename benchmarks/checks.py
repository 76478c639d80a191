"""How long a check takes, in seconds of processor time: `python benchmarks/checks.py [EXERCISE …]`.

For each exercise the first check of a fresh library, of an answer that no mistake describes, and the one after it. The
first should stay under 3 s and the second under 0.5 s.
"""

import sys
import time

import jax

from ravine.exercises import check
from ravine.exercises._exercise import chapters, evaluate


def seconds(exercise):
    """Return the seconds of the first check of an answer, and of the second."""
    def wrong(*inputs):
        return jax.tree.map(lambda x: "wrong" if isinstance(x, str) else 1.7 * x, exercise.reference(*inputs))

    jax.clear_caches()
    evaluate.cache_clear()
    taken = []
    for _ in range(2):
        start = time.process_time()
        result = check(exercise.name, wrong)
        taken.append(time.process_time() - start)
        assert not result, exercise.name
    return taken


if __name__ == "__main__":
    wanted = sys.argv[1:]
    lines = [(exercise.name, *seconds(exercise)) for exercises in chapters().values()
             for exercise in exercises.values() if not wanted or exercise.name in wanted]
    print(f"\n{'exercise':18} first check  later")
    for name, first, later in lines:
        print(f"{name:18} {first:9.2f} s {later:6.2f} s")
