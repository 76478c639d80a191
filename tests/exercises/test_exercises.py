"""Every registered exercise: its reference passes, its mistakes come back by name, other right answers pass."""

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from equivalents import EQUIVALENTS
from hostile import TO_ANY, surroundings

from ravine.exercises import _compare, check
from ravine.exercises._exercise import body, chapters, evaluate

EXERCISES = [exercise for exercises in chapters().values() for exercise in exercises.values()]
MISTAKES = [pytest.param(exercise, name, id=f"{exercise.name}-{name}")
            for exercise in EXERCISES for name in exercise.mistakes]
EQUIVALENT = [pytest.param(exercise, answer, id=f"{exercise.name}-{getattr(answer, '__name__', type(answer).__name__)}")
              for exercise in EXERCISES for answer in EQUIVALENTS[exercise.name]]
by_name = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)

MARGIN = 20  # tolerances between any two answers that must be told apart


@by_name
def test_the_reference_passes(exercise, precision, covers):
    result = check(exercise.name, exercise.reference)
    assert (result.outcome, result.mistake, result.usable) == ("pass", None, exercise.reference)
    covers("exercises", exercise.name)


@pytest.mark.parametrize(("exercise", "name"), MISTAKES)
def test_a_mistake_comes_back_by_its_name(exercise, name, precision, covers):
    function, message = exercise.mistakes[name]
    result = check(exercise.name, function)
    assert (result.outcome, result.mistake) == ("mistake", name)
    assert message.partition(". ")[0] in result.message
    assert message.partition(". ")[2] in result.message
    assert result.usable is exercise.reference
    covers("mistakes", (exercise.name, name))


@by_name
def test_all_mistakes_are_far_from_the_reference_and_from_each_other(exercise, precision):
    x64 = precision == "float64"
    answers = {"reference": evaluate(exercise, exercise.reference, x64)}
    answers |= {name: evaluate(exercise, function, x64) for name, (function, _) in exercise.mistakes.items()}
    for one, other in itertools.permutations(answers, 2):
        margins = [_compare.margin(*pair, exercise.compared)
                   for pair in zip(answers[one], answers[other], strict=True)]
        assert max(margins) >= MARGIN, f"{one} and {other} are nearly the same on all probes: {margins}"


@pytest.mark.parametrize(("exercise", "answer"), EQUIVALENT)
def test_the_right_answer_may_be_written_in_another_way(exercise, answer, precision, covers):
    result = check(exercise.name, answer, time_limit=60)  # much is compiled here
    assert result.outcome == "pass", result.message
    assert result.usable is answer
    covers("right answers written in another way", (exercise.name, str(answer)))


def _is_numbers(value):
    return isinstance(value, jax.Array) and not jnp.issubdtype(value.dtype, jax.dtypes.prng_key)


def _in_numpy(value):
    return np.asarray(value) if _is_numbers(value) else value


AS = {"as lists": lambda reference: lambda *inputs: jax.tree.map(
          lambda leaf: leaf if isinstance(leaf, str) else np.asarray(leaf).tolist(), reference(*inputs)),
      "on NumPy's arrays": lambda reference: lambda *inputs: jax.tree.map(
          _in_numpy, reference(*jax.tree.map(_in_numpy, inputs))),
      "jitted": jax.jit}


@pytest.mark.parametrize("form", AS)
@by_name
def test_the_right_answer_may_come_in_any_form(exercise, form, precision, covers):
    result = check(exercise.name, AS[form](exercise.reference))
    assert result.outcome == "pass", result.message
    covers("right answers written in another way", (exercise.name, form))


@by_name
def test_an_answer_gets_arrays_of_the_notebooks_precision(exercise, precision):
    seen = []
    check(exercise.name, lambda *inputs: seen.extend(jax.tree.leaves(inputs)))
    dtypes = {leaf.dtype.name for leaf in seen if _is_numbers(leaf)} - {"int32", "int64"}
    assert dtypes <= {precision}


@pytest.mark.parametrize("kind", TO_ANY)
@by_name
def test_a_hostile_answer_to_any_exercise_changes_nothing(exercise, kind, covers):
    hostile, outcome = TO_ANY[kind]
    before = surroundings()
    result = check(exercise.name, hostile(exercise.reference), time_limit=0.1 if outcome == "timeout" else 5.0)
    assert result.outcome == outcome, result.message
    assert surroundings() == before
    assert check(exercise.name, exercise.reference)
    covers("hostile answers", (exercise.name, kind))


GARBAGE = {"number": 3.0, "complex": 1j, "text": "text", "empty": (), "empty list": [[]], "no numbers": np.zeros(0),
           "not finite": [np.nan], "whole": [[0, 1], [2, 3]], "ragged": [[1.0], [2.0, 3.0]], "dict": {"w": None},
           "object": object()}


@pytest.mark.parametrize("kind", GARBAGE)
@by_name
def test_whatever_comes_back_is_the_answers_fault(exercise, kind):
    assert check(exercise.name, lambda *_: GARBAGE[kind]).outcome in ("structure", "wrong", "mistake")


@pytest.mark.parametrize("verdict", [True, False])
def test_with_a_comparison_that_always_gives_one_verdict_these_tests_turn_red(monkeypatch, verdict):
    """One mistake and one right answer of each exercise stand for the others: their tests are the same."""
    monkeypatch.setattr(_compare, "agree", lambda *_: verdict)
    for exercise in EXERCISES:
        with pytest.raises(AssertionError):
            test_a_mistake_comes_back_by_its_name(exercise, next(iter(exercise.mistakes)), "float64", lambda *_: None)
        if verdict:
            with pytest.raises(AssertionError):
                test_whatever_comes_back_is_the_answers_fault(exercise, "not finite")
        else:
            with pytest.raises(AssertionError):
                test_the_reference_passes(exercise, "float64", lambda *_: None)
            answer = EQUIVALENTS[exercise.name][0]
            with pytest.raises(AssertionError):
                test_the_right_answer_may_be_written_in_another_way(exercise, answer, "float64", lambda *_: None)


def test_with_a_distance_that_is_always_zero_the_margins_turn_red(monkeypatch):
    monkeypatch.setattr(_compare, "margin", lambda *_: 0.0)
    for exercise in EXERCISES:
        with pytest.raises(AssertionError, match="nearly the same"):
            test_all_mistakes_are_far_from_the_reference_and_from_each_other(exercise, "float64")


@by_name
def test_the_probes_can_tell_answers_apart(exercise):
    """There are at least three. Those of numbers hold small and large ones, and not zeros alone in any place."""
    assert len(exercise.probes) >= 3
    numbers = [[np.asarray(leaf) for leaf in jax.tree.leaves(probe) if isinstance(leaf, (float, np.ndarray))]
               for probe in exercise.probes]
    arguments = [[leaf for leaf in leaves if leaf.dtype == np.float64] for leaves in zip(*numbers, strict=True)]
    sizes = [[abs(leaf).max() for leaf in leaves] for leaves in arguments if leaves]
    for leaves in arguments:
        assert not leaves or np.all(np.any([leaf != 0 for leaf in leaves], axis=0))
    assert not sizes or any(min(size) < 1e-5 and max(size) > 1e5 for size in sizes)


@by_name
def test_texts_are_complete(exercise):
    concept, formula, code = exercise.hints
    assert body(exercise.reference).count(exercise.blank) == 1
    assert len(re.findall(r"(?<![\w.])____(?!\w)", code)) == 1, "the blank should hold whole names"
    compile("def filled():\n" + "\n".join(f"    {line}" for line in code.splitlines()), exercise.name, "exec")
    assert concept
    assert formula
    assert exercise.reference.__doc__.count("Returns ") == 1
    for name, (_, message) in exercise.mistakes.items():
        assert name.isidentifier()
        said, stop, right = message.partition(". ")
        assert stop, f"{exercise.name}, {name}: the message should say what was done, and then what is right"
        assert not said[0].isupper()
        assert right.endswith(".")
