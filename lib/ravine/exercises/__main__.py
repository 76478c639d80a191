"""``python -m ravine.exercises grade FOLDER`` grades the notebooks of a class."""

import argparse
import sys

from ravine.exercises import _grade

_DESCRIPTION = """\
Grade the notebooks of a class. Each runs in a process of its own, under limits; its functions are tried on the
exercises' probes, and judged as `check` judges them, whatever the notebook shows or says.

FOLDER holds the notebooks, or a folder for each student. The CSV file has a line for each submission and exercise:
submission, exercise, passed (1 or 0), outcome, mistake (its name), message."""
_EPILOG = """\
A process with limits is no security boundary. Grade the notebooks of people whom you do not know in a container
without a network: see "Teaching with the book" in the book's reference."""


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m ravine.exercises", description="The exercises of Ravine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    grade = commands.add_parser("grade", help="grade the notebooks of a class", description=_DESCRIPTION,
                                epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    grade.add_argument("paths", nargs="+", metavar="FOLDER_OR_NOTEBOOK", help="what to grade")
    grade.add_argument("--output", default="grades.csv", metavar="FILE", help="the CSV file to write (%(default)s)")
    grade.add_argument("--chapter", type=int, metavar="N",
                       help="the chapter whose exercises are asked for (those that the notebooks hold)")
    grade.add_argument("--seconds", type=_positive(float), default=20.0, metavar="S",
                       help="computing time for each notebook; on the clock it has three times as long (%(default)g)")
    grade.add_argument("--memory", type=_positive(float), default=2.0, metavar="GB",
                       help="memory for each notebook, beyond what JAX needs (%(default)g; Linux only)")
    grade.add_argument("--workers", type=_positive(int), default=2, metavar="N",
                       help="notebooks at a time (%(default)d)")
    options = parser.parse_args(arguments)

    try:
        _grade.grade(**vars(options))
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog} grade: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, f"\nStopped. What was graded until then is in {options.output}\n")


def _positive(kind):
    def number(text):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} must be above 0")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
