"""Every rule as the lecture writes it, in NumPy.

A loop is given the gradient as a function of w, the start, the rate of every step and the rule's numbers, and yields
the point after each step.
"""

import numpy as np


def descent(gradient, w, rates):
    for rate in rates:
        w = w - rate * gradient(w)
        yield w


def velocity(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        v = decay * v + rate * gradient(w)
        w = w - v
        yield w


def accumulated(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        v = decay * v + gradient(w)
        w = w - rate * v
        yield w


def averaged(gradient, w, rates, decay=0.9, debias=False):
    u = np.zeros_like(w)
    for t, rate in enumerate(rates, start=1):
        u = decay * u + (1 - decay) * gradient(w)
        w = w - rate * u / (1 - decay**t if debias else 1)
        yield w


def heavy_ball(gradient, w, rates, decay=0.9):
    before = w
    for rate in rates:
        w, before = w - rate * gradient(w) + decay * (w - before), w
        yield w


def nesterov(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        v = decay * v + g
        w = w - rate * (g + decay * v)
        yield w


def look_ahead(gradient, w, rates, decay=0.9):
    v = np.zeros_like(w)
    for rate in rates:
        v = decay * v + rate * gradient(w - decay * v)
        w = w - v
        yield w


def local_gains(gradient, w, rates, delta=0.05, bounds=(0.1, 10.0)):
    gain, last = np.ones_like(w), np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        gain = np.clip(np.where(np.sign(g) * np.sign(last) > 0, gain + delta, gain * (1 - delta)), *bounds)
        w, last = w - rate * gain * g, g
        yield w


def rprop(gradient, w, rates, factors=(0.5, 1.2), bounds=(1e-6, 50.0)):
    sizes, last = np.full_like(w, rates[0]), np.zeros_like(w)
    for _ in rates:
        g = gradient(w)
        agreement = np.sign(g) * np.sign(last)
        sizes = np.clip(sizes * np.select([agreement > 0, agreement < 0], [factors[1], factors[0]], 1), *bounds)
        last = np.where(agreement < 0, 0, g)
        w = w - sizes * np.sign(last)
        yield w


def adagrad(gradient, w, rates, eps=1e-8, initial_accumulator=0.0):
    r = np.full_like(w, initial_accumulator)
    for rate in rates:
        g = gradient(w)
        r = r + g**2
        w = w - rate * g / (np.sqrt(r) + eps)
        yield w


def adadelta(gradient, w, rates, decay=0.95, eps=1e-6):
    r, u = np.zeros_like(w), np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        r = decay * r + (1 - decay) * g**2
        step = np.sqrt(u + eps) / np.sqrt(r + eps) * g
        u = decay * u + (1 - decay) * step**2
        w = w - rate * step
        yield w


def rmsprop(gradient, w, rates, decay=0.9, eps=1e-8, momentum=0.0, nesterov=False, centered=False):
    r, m, v = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        r = decay * r + (1 - decay) * g**2
        m = decay * m + (1 - decay) * g
        step = rate * g / (np.sqrt(np.maximum(r - m**2, 0) if centered else r) + eps)
        v = momentum * v + step
        w = w - (step + momentum * v if nesterov else v)
        yield w


def adam(gradient, w, rates, b1=0.9, b2=0.999, eps=1e-8, debias=True, weight_decay=0.0):
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, rate in enumerate(rates, start=1):
        g = gradient(w)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat, v_hat = (m / (1 - b1**t), v / (1 - b2**t)) if debias else (m, v)
        w = w - rate * (m_hat / (np.sqrt(v_hat) + eps) + weight_decay * w)
        yield w


def lion(gradient, w, rates, b1=0.9, b2=0.99, weight_decay=0.0):
    m = np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        step = np.sign(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g
        w = w - rate * (step + weight_decay * w)
        yield w


def sam(gradient, w, rates, rho=0.05):
    for rate in rates:
        g = gradient(w)
        w = w - rate * gradient(w + rho * g / np.sqrt(np.sum(g**2)))
        yield w


def schedule_free(gradient, w, rates, b1=0.9):
    x, y, z, total = w, w, w, 0.0
    for rate in rates:
        z = z - rate * gradient(y)
        total = total + rate**2
        x = x + rate**2 / total * (z - x)
        y = (1 - b1) * z + b1 * x
        yield y


def muon(gradient, w, rates, decay=0.95, nesterov=True, weight_decay=0.0):
    v = np.zeros_like(w)
    for rate in rates:
        g = gradient(w)
        v = decay * v + g
        left, singular, right = np.linalg.svd(g + decay * v if nesterov else v, full_matrices=False)
        x = singular / np.sqrt(np.sum(singular**2))
        for _ in range(5):
            x = 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5
        scale = np.sqrt(max(1, w.shape[1] / w.shape[0]))
        w = w - rate * (scale * (left * x) @ right + weight_decay * w)
        yield w
