"""What a student reads, word for word, and what `hint`, `solution` and `progress` show."""

import json
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from ravine.exercises import Result, _check, _exercise, _show, check, hint, progress, solution
from ravine.exercises._exercise import Exercise, Key, find

VELOCITY = find("velocity_step").reference


def test_unsolved(capsys):
    def ewma(x, beta):
        """The student's stub."""
        ...  # your code here

    result = check("ewma", ewma)
    assert result.message == ("– ewma: not solved yet. Write the body of ewma(x, beta) where the three dots are, run "
                              'its cell, then this one. Next: hint("ewma")')
    assert capsys.readouterr().out == result.message + "\n"
    assert (result.outcome, result.usable, bool(result)) == ("unsolved", find("ewma").reference, False)


def test_right(capsys):
    result = check("velocity_step", VELOCITY)
    assert capsys.readouterr().out == "✓ velocity_step: right, on all 4 probes.\n"
    assert result
    assert repr(result) == ""


def test_a_mistake_with_a_name_gives_one_number_as_an_example():
    result = check("velocity_step", lambda w, v, g, lr, mu: (w - v, mu * v + lr * g))
    assert result.message == (
        "✗ velocity_step: the weights move by the old velocity. On probe 1 your w[2] = 0.9, expected 0.56. "
        'Update v first, then subtract the new one. Next: hint("velocity_step")')


def test_a_mistake_of_structure_gives_no_number():
    result = check("velocity_step", lambda w, v, g, lr, mu: w - mu * v - lr * g)
    assert result.message == ("✗ velocity_step: only the weights come back. Return (w, v): the next step needs the "
                              'velocity. Next: hint("velocity_step")')


def test_nothing_returned():
    result = check("velocity_step", lambda w, v, g, lr, mu: None)
    assert (result.outcome, result.mistake) == ("mistake", "nothing returned")
    assert result.message == ("✗ velocity_step: nothing returned. The function should end by returning w, v. "
                              'Next: hint("velocity_step")')


def test_a_wrong_answer_without_a_name_shows_input_yours_and_expected():
    def velocity_step(w, v, g, lr, mu):
        v = mu * v + lr * g
        return w - jnp.tanh(v), v

    assert check("velocity_step", velocity_step).message == """\
✗ velocity_step: not what is expected, and no mistake that I know by name.
  on probe 1 of 4, with
    w = [1, -2, 0.5]
    v = [0.3, 0.1, -0.4]
    g = [2, -1, 3]
    lr = 0.1
    mu = 0.9
  your     w = [0.5618, -1.99, 0.5599]
  expected w = [0.53, -1.99, 0.56]
  your     v is right
  Next: hint("velocity_step")"""


def test_a_small_difference_is_shown_with_enough_digits():
    message = check("velocity_step", lambda *inputs: tuple(1.000001 * x for x in VELOCITY(*inputs))).message
    yours, expected = re.findall(r"w = (\[.*\])", message)[-2:]
    assert yours != expected


def test_an_error_shows_their_line_and_no_other():
    def velocity_step(w, v, g, lr, mu):
        v = momentum * v + lr * g  # noqa: F821
        return w - v, v

    message = check("velocity_step", velocity_step).message
    assert message.startswith("✗ velocity_step: your code raised NameError: name 'momentum' is not defined\n  in line ")
    assert "v = momentum * v + lr * g" in message
    assert "Traceback" not in message
    assert "_run.py" not in message


def test_an_error_deep_in_a_library_shows_the_students_own_line():
    def lookahead_step(w, v, grad, lr, mu):
        return w, grad([w, w, "w"])

    assert "return w, grad([w, w, \"w\"])" in check("lookahead_step", lookahead_step).message


def test_the_function_of_a_probe_is_shown_as_it_can_be_typed():
    message = check("lookahead_step", lambda w, v, grad, lr, mu: (w, v)).message
    assert "\n    grad = lambda w: jnp.array([1.0, 20.0]) * w\n" in message


def _tree_and_key(tree, key):
    """The reference of an exercise whose answers are random."""
    return tree["w"][0] + 0.0 * key.size


def _sum_and_sign(inputs, outputs):
    return [(np.asarray(np.sum(output)), np.sign(output)) for output in outputs]


def test_random_answers_are_compared_by_their_facts_and_trees_and_keys_are_shown(monkeypatch):
    probe = {"w": [np.array([[1.5, -2.0]]), 3.0]}, Key(7)
    exercise = Exercise(_tree_and_key, "w", [probe], "", "", "", {
        "negated": (lambda tree, key: -tree["w"][0], "the sign is wrong. Do not negate.")},
        facts="total, signs", measure=_sum_and_sign)
    monkeypatch.setattr(_check, "find", lambda _: exercise)
    assert check("_tree_and_key", lambda tree, key: jnp.array([[2.5, -3.0]])).outcome == "pass"
    assert check("_tree_and_key", lambda tree, key: jnp.array([[-2.5, 3.0]])).message == (
        "✗ _tree_and_key: the sign is wrong. On probe 1 your total = 0.5, expected -0.5. Do not negate. "
        'Next: hint("_tree_and_key")')
    assert check("_tree_and_key", lambda tree, key: jnp.array([[2.5, -4.0]])).message == """\
✗ _tree_and_key: not what is expected, and no mistake that I know by name.
  on probe 1 of 1, with
    tree = {'w': [[[1.5, -2]], 3]}
    key = jax.random.key(7)
  your     w = [[2.5, -4]]
  your     total = -1.5
  expected total = -0.5
  your     signs is right
  Next: hint("_tree_and_key")"""


def test_nan_is_named_with_its_entry():
    result = check("velocity_step", lambda w, v, g, lr, mu: (w - v * jnp.nan, v))
    assert result.outcome == "structure"
    assert result.message.startswith(
        "✗ velocity_step: w[0] is nan: something overflows, divides by zero, or takes the root of a negative number.\n"
        "  on probe 1 of 4, with\n    w = [1, ")


@pytest.mark.parametrize("value", [3.0, (1.0, 2.0), None, "ewma"])
def test_a_result_in_place_of_the_function_is_recognised(value):
    result = check("ewma", value)
    assert result.outcome == "structure"
    assert result.message.endswith('should be the function itself, as in check("ewma", ewma). Next: hint("ewma")')


def test_a_fault_of_the_checker_is_not_the_students(monkeypatch):
    def broken(x):
        raise RuntimeError("no such value")

    monkeypatch.setattr(_check, "find", lambda _: Exercise(broken, "y", [(1.0,)], "", "", "", {}))
    result = check("broken", lambda x: x)
    assert result.outcome == "checker"
    assert result.message.startswith("? broken: the checker itself failed (RuntimeError: no such value).")
    assert "not of your answer" in result.message
    assert not Path(".ravine").exists()


def test_an_unknown_name_lists_the_nearest():
    for ask in (hint, solution, lambda name: check(name, VELOCITY)):
        with pytest.raises(ValueError, match="'velocity': there is no such exercise; did you mean velocity_step"):
            ask("velocity")
    with pytest.raises(ValueError, match=r"'zzz': there is no such exercise; progress\(\) lists them all"):
        hint("zzz")
    with pytest.raises(TypeError, match="in quotes"):
        check(VELOCITY, "velocity_step")


def test_hints_go_one_step_further_each_time(capsys):
    for _ in range(4):
        hint("lookahead_step")
    shown = capsys.readouterr().out.split("Hint ")[1:]
    assert [text[:6] for text in shown] == ["1 of 3", "2 of 3", "3 of 3", "3 of 3"]
    assert "v ← μ v + η ∇L(w − μ v)" in shown[1]
    assert "v = mu * v + lr * grad(____)\nreturn w - v, v" in shown[2]
    assert shown[0].endswith('\n\nFurther: hint("lookahead_step") again\n')
    assert shown[3].endswith('\n\nThat was the last; solution("lookahead_step")\n')


def test_solution_shows_the_reference(capsys):
    solution("velocity_step")
    assert "    v = mu * v + lr * g\n    return w - v, v\n" in capsys.readouterr().out


def plain_spaces(capsys):
    return capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")


def test_progress_lists_a_chapter_and_the_course(capsys):
    check("ewma", find("ewma").reference)
    check("velocity_step", lambda w, v, g, lr, mu: None)
    capsys.readouterr()
    progress(6)
    assert plain_spaces(capsys) == ("1 of 3 exercises done:\n"
                                    "  6 momentum:  ✓ ewma  ✗ velocity_step  – lookahead_step\n")
    progress()
    assert "6 momentum:  ✓ ewma  ✗ velocity_step  – lookahead_step\n" in plain_spaces(capsys)
    with pytest.raises(ValueError, match="chapter = 99: must be the number of a chapter with exercises"):
        progress(99)


def test_progress_survives_a_restart_and_what_passed_stays_passed(capsys, monkeypatch):
    check("ewma", find("ewma").reference)
    monkeypatch.setattr("ravine.exercises._progress._session", {})
    check("ewma", lambda x, beta: None)
    assert json.loads(Path(".ravine/progress.json").read_text()) == {"ewma": True}
    capsys.readouterr()
    progress(6)
    assert "✓ ewma" in plain_spaces(capsys)


@pytest.mark.parametrize("spoil", [
    lambda: Path(".ravine").write_text("a file where the folder should be"),
    lambda: (Path(".ravine").mkdir(), Path(".ravine/progress.json").mkdir()),
    lambda: (Path(".ravine").mkdir(), Path(".ravine/progress.json").write_text("{broken")),
    lambda: (Path(".ravine").mkdir(), Path(".ravine/progress.json").write_text("[1, 2]")),
])
def test_progress_needs_no_file(spoil, capsys):
    spoil()
    assert check("ewma", find("ewma").reference)
    progress(6)
    assert "✓ ewma" in plain_spaces(capsys)


def test_the_html_of_a_message_is_escaped_and_carries_its_mark():
    page = _show._Message("✗ ewma: it raised <Error> & more:\n\n  x = [1]")._repr_html_()
    assert "✗ ewma:</strong> it raised &lt;Error&gt; &amp; more:<div" in page
    assert _show._COLOURS["✗"] in page
    assert [line.split("</div>")[0] for line in page.split("<div style=")[2:]] == [
        '"padding-left: 0ch; text-indent: -0ch">&nbsp;', '"padding-left: 4ch; text-indent: -4ch">  x = [1]']


def test_a_lines_marks_stay_with_their_names_and_long_lines_go_on_indented(page):
    """At any width: in a narrow page no line ends with a mark, and those that go on do so further right."""
    page.set_viewport_size({"width": 375, "height": 600})
    names = ["gains", "rprop", "adagrad", "rmsprop", "adadelta"]
    text = "0 of 5 exercises done:\n  7 adaptive methods:  " + "  ".join(f"–\N{NO-BREAK SPACE}{name}" for name in names)
    page.set_content(_show._Message(text)._repr_html_())
    lines = page.evaluate("""() => {
        const walker = document.createTreeWalker(document.querySelector("div div"), NodeFilter.SHOW_TEXT);
        const text = walker.nextNode(), lines = {};
        for (let i = 0; i < text.length; i++) {
            const range = document.createRange(); range.setStart(text, i); range.setEnd(text, i + 1);
            const box = range.getBoundingClientRect();
            if (!text.data[i].trim() || !box.width) continue;
            const line = lines[Math.round(box.top)] ??= {left: box.left, text: ""};
            line.text += text.data[i];
        }
        return Object.values(lines);
    }""")
    assert len(lines) > 1
    assert all(not line["text"].endswith("–") for line in lines)
    assert lines[0]["left"] < lines[1]["left"] == lines[-1]["left"]


def test_a_long_array_is_shown_by_its_first_entries_and_chance_by_its_bound():
    message = check("he_init", lambda key, fi, fo: np.ones((fi, 1)) + np.arange(fo)).message
    row = "[1, 2, 3, … 340 in all]"
    assert f"\n  your     W = [{row}, {row}, {row}, … 930 in all]\n" in message
    assert re.search(r"\n  expected standard deviation of W = 0\.046\d* ± 0\.000\d+\n", message)
    assert len(message) < 1_000


def test_a_result_shows_nothing_of_its_own(capsys):
    result = Result("pass", "✓", None, VELOCITY)
    assert result._ipython_display_() is None
    assert capsys.readouterr().out == ""


def test_names_are_unique_in_the_course():
    names = [name for exercises in _exercise.chapters().values() for name in exercises]
    assert len(names) == len(set(names))
