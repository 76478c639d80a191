"""The exercise of chapter 5, learning-rate schedules."""

import math

import jax.numpy as jnp

from ravine.exercises._exercise import Exercise


def warmup_cosine(t, peak, warmup, T, floor):
    """The learning rate of a step: up in a straight line, down in half a wave.

    t       the number of the step, a whole number from 0
    peak    the highest rate, reached at step `warmup`
    warmup  the steps of the warm-up, which begins with rate 0 at step 0;
            there may be none
    T       the step at which the rate has come down to the floor; all steps
            count, those of the warm-up too
    floor   the rate from step T on

    Returns the rate, one number.
    """
    if t < warmup:
        return peak * t / warmup
    done = min((t - warmup) / (T - warmup), 1)
    return floor + (peak - floor) * (1 + jnp.cos(jnp.pi * done)) / 2


def _falling(peak, floor, done):
    """Half a wave from the peak to the floor."""
    return floor + (peak - floor) * (1 + math.cos(math.pi * done)) / 2


def _done(t, warmup, T):
    """The share of the way down that lies behind."""
    return min((t - warmup) / (T - warmup), 1)


def _warmed(fall, rise=lambda t, peak, warmup, floor: peak * t / warmup):
    """A schedule that rises and falls as told."""
    def schedule(t, peak, warmup, T, floor):
        return rise(t, peak, warmup, floor) if t < warmup else fall(t, peak, warmup, T, floor)

    return schedule


def _fall(t, peak, warmup, T, floor):
    return _falling(peak, floor, _done(t, warmup, T))


_warmup_cosine = Exercise(
    reference=warmup_cosine,
    returns="rate",
    probes=[
        (3, 0.8, 10, 40, 0.1),
        (10, 0.8, 10, 40, 0.1),
        (17, 0.8, 10, 40, 0.1),
        (29, 3e6, 10, 40, 2e5),
        (36, 3e-6, 4, 50, 5e-7),
        (40, 0.8, 10, 40, 0.1),
        (55, 0.8, 10, 40, 0.1),
        (12, 0.3, 0, 20, 0.02),
        (0, 0.8, 10, 40, 0.1),
    ],
    concept="Two pieces, and a third that is flat. First the rate is a share of the peak: t of `warmup` steps. Then "
            "ask which share of the way from `warmup` to T is done, at most 1: the cosine of π times that goes from 1 "
            "to −1, and the rate from the peak to the floor.",
    formula="t < t_w:  η = peak · t/t_w;   else s = min((t − t_w)/(T − t_w), 1),   "
            "η = floor + (peak − floor) · ½(1 + cos πs)",
    blank="(t - warmup) / (T - warmup)",
    mistakes={
        "one_early": (
            _warmed(_fall, lambda t, peak, warmup, floor: peak * (t + 1) / warmup),
            "the warm-up is one step ahead. Here step 0 has rate 0, and the peak is reached at step `warmup`."),
        "no_warmup": (
            lambda t, peak, warmup, T, floor: _falling(peak, floor, _done(max(t, warmup), warmup, T)),
            "there is no warm-up. Before step `warmup` the rate is peak · t/warmup."),
        "warmup_from_floor": (
            _warmed(_fall, lambda t, peak, warmup, floor: floor + (peak - floor) * t / warmup),
            "the warm-up begins at the floor. Here it begins at 0: peak · t/warmup."),
        "warmup_to_one": (
            _warmed(_fall, lambda t, peak, warmup, floor: t / warmup),
            "the warm-up rises to 1. It should rise to the peak: peak · t/warmup."),
        "peak_late": (
            _warmed(_fall, lambda t, peak, warmup, floor: peak * t / (warmup + 1)),
            "the warm-up divides by warmup + 1. Here the peak is reached at step `warmup`: peak · t/warmup."),
        "period_T": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, floor, min(t / T, 1))),
            "the wave is counted from step 0. It begins at the peak, after the warm-up: (t − warmup)/(T − warmup)."),
        "T_without_warmup": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, floor, min((t - warmup) / T, 1))),
            "the way down takes T steps. T counts the warm-up too: divide by T − warmup."),
        "floor_one_early": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, floor, _done(t, warmup, T - 1))),
            "the floor is reached at step T − 1. Here it is reached at step T: divide by T − warmup."),
        "whole_wave": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, floor, 2 * _done(t, warmup, T))),
            "the wave is a whole one, with 2π. It goes down and up again: half a wave has π."),
        "no_pi": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, floor, _done(t, warmup, T) / math.pi)),
            "π is missing in the cosine. The cosine of π comes down to −1, that of 1 only to 0.54."),
        "quarter_wave": (
            _warmed(lambda t, peak, warmup, T, floor: (
                floor + (peak - floor) * math.cos(math.pi / 2 * _done(t, warmup, T)))),
            "this is a quarter of a wave. It ends steeply; half a wave, ½(1 + cos πs), is flat at both ends."),
        "sine": (
            _warmed(lambda t, peak, warmup, T, floor: (
                floor + (peak - floor) * (1 + math.sin(math.pi * _done(t, warmup, T))) / 2)),
            "the sine is taken. It begins and ends at the middle: the cosine goes from 1 to −1."),
        "upside_down": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(floor, peak, _done(t, warmup, T))),
            "the wave rises. After the warm-up the rate falls: ½(1 + cos πs), not ½(1 − cos πs)."),
        "straight": (
            _warmed(lambda t, peak, warmup, T, floor: peak + (floor - peak) * _done(t, warmup, T)),
            "the way down is a straight line. Here it is half a cosine wave."),
        "no_half": (
            _warmed(lambda t, peak, warmup, T, floor: (
                floor + (peak - floor) * (1 + math.cos(math.pi * _done(t, warmup, T))))),
            "the ½ is missing. 1 + cos goes from 2 to 0: halve it."),
        "no_one": (
            _warmed(lambda t, peak, warmup, T, floor: (
                floor + (peak - floor) * math.cos(math.pi * _done(t, warmup, T)))),
            "the cosine is used as it is. It goes below 0: ½(1 + cos πs) goes from 1 to 0."),
        "rises_again": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, floor, (t - warmup) / (T - warmup))),
            "after T the rate rises again. The share that is done is at most 1: min(…, 1)."),
        "zero_after": (
            _warmed(lambda t, peak, warmup, T, floor: _fall(t, peak, warmup, T, floor) if t <= T else 0.0),
            "after T the rate is 0. It stays on the floor."),
        "no_floor": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(peak, 0.0, _done(t, warmup, T))),
            "there is no floor. The rate falls from the peak to the floor, not to 0."),
        "floor_added": (
            _warmed(lambda t, peak, warmup, T, floor: floor + _falling(peak, 0.0, _done(t, warmup, T))),
            "the floor is added to the whole. Then the rate begins above the peak: scale the wave by peak − floor."),
        "floor_cut": (
            _warmed(lambda t, peak, warmup, T, floor: max(floor, _falling(peak, 0.0, _done(t, warmup, T)))),
            "the wave goes to 0 and is cut off at the floor. It should end there: scale it by peak − floor."),
        "floor_in_warmup": (
            lambda t, *rest: max(_warmed(_fall)(t, *rest), rest[-1]),
            "the warm-up does not go below the floor. Here it begins at 0: the floor is for the end."),
        "peak_missing": (
            _warmed(lambda t, peak, warmup, T, floor: _falling(1.0, floor, _done(t, warmup, T))),
            "the wave begins at 1. It should begin at the peak: scale it by peak − floor."),
    },
)


EXERCISES = (_warmup_cosine,)
