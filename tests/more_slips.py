"""The slips that only `make mutants` tries, by the whole of their module's tests; see slips.py."""

from ravine import _products, curvature, initializers, krylov
from ravine.optimizers import _adaptive, _clip, _descent, _frontier, _lift

SLIPS = (
    (_lift._update, "lift", {
        "t from 0": ("count = optax.safe_increment(state.count)", "count = state.count",
                     "RuleState(count, tuple(slots))", "RuleState(count + 1, tuple(slots))"),
        "slots in the wrong order": ("RuleState(count, tuple(slots))", "RuleState(count, tuple(slots[::-1]))"),
        "the old slots": ("RuleState(count, tuple(slots))", "RuleState(count, state.slots)")}),
    (_lift._init, "lift", {
        "slots from the parameters": ("jnp.full_like(w, plain(value))", "w"),
        "slots from 0": ("plain(value)", "0.0")}),
    (_lift.fitted, "type", {
        "the type of the number": ("jnp.asarray(value, like.dtype)", "value")}),
    (_lift.static_unless_array, "compiled or array", {
        "everything static": ("value if isinstance(value, jax.Array) else Static(value)", "Static(value)")}),
    (_adaptive._slope_of_root, "adaptive", {
        "an infinite slope at 0": ("ratio(dx, 2 * y)", "dx / (2 * y)"),
        "half the slope": ("2 * y", "4 * y")}),
    (_adaptive.ratio, "adaptive", {
        "no guard whatever the least": ("least >= jnp.finfo(scale.dtype).tiny", "least >= 0"),
        "no guard where the least is rounded to 0": ("least >= jnp.finfo(scale.dtype).tiny", "least > 0"),
        "0/0": ("step / jnp.where(none, 1, scale)", "step / scale", "jnp.where(none, 0,", "jnp.where(False, 0,")}),
    (_adaptive._centered_rmsprop, "adaptive", {
        "the root of a negative number": ("jnp.maximum(r - m**2, 0)", "r - m**2")}),
    (_clip._clip_by_norm, "clip", {
        "always as long as the limit": ("norm * largest <= max_norm", "norm * largest < 0"),
        "the limit for its inverse": ("ratio(max_norm, norm)", "ratio(norm, max_norm)"),
        "the largest entry for the norm": ("norm * largest <= max_norm", "largest <= max_norm"),
        "never": ("norm * largest <= max_norm", "norm * largest <= jnp.inf")}),
    (_clip._measured, "clip", {
        "one norm an array": ("jnp.max(jnp.array(sizes), initial=0)", "jnp.array(sizes)[0]"),
        "overflow": ("leaf.astype(float), largest)", "leaf.astype(float), 1.0)",
                     "jnp.max(jnp.array(sizes), initial=0)", "jnp.ones(())"),
        "the sum of sizes for the norm": ("root(sum(jnp.sum(leaf**2) for", "(sum(jnp.sum(abs(leaf)) for")}),
    (_clip._clip_by_value, "clip", {
        "no lower limit": ('-fitted("limit", limit, g)', "-jnp.inf"),
        "no upper limit": (', fitted("limit", limit, g))', ", jnp.inf)")}),
    (_clip.direction, "frontier", {
        "of the largest entry 1": ("ratio(leaf, norm)", "leaf"),
        "squared": ("ratio(leaf, norm)", "ratio(leaf, norm**2)")}),
    (_frontier.orthogonalised, "muon", {
        "four rounds": ("range(5)", "range(4)"),
        "six rounds": ("range(5)", "range(6)"),
        "not normalised": ("direction(matrix).astype(matrix.dtype)", "matrix"),
        "a cubic": ("(b * gram + c * gram @ gram)", "b * gram"),
        "XᵀX for XXᵀ": ("x @ x.T", "x.T @ x", "a * x + (b * gram + c * gram @ gram) @ x",
                        "a * x + x @ (b * gram - c * gram @ gram)"),
        "a digit wrong": ("3.4445", "3.4454"),
        "b of the other sign": ("-4.7750", "4.7750"),
        "tall ones not turned back": ("orthogonalised(matrix.T).T", "orthogonalised(matrix.T).reshape(matrix.shape)")}),
    (_frontier._muon, "muon", {
        "no μ": ("decay * v + g", "v + g"),
        "the old v": ("    v = ", "    old, v = v, ", "else v)", "else old)"),
        "1 − μ before G": ("decay * v + g\n", "decay * v + (1 - decay) * g\n"),
        "Nesterov when not asked": ("if nesterov", "if True"),
        "no Nesterov": ("if nesterov", "if False"),
        "the fans swapped": ("fan_in, fan_out = g.shape", "fan_out, fan_in = g.shape"),
        "no root in the scale": ("** 0.5", ""),
        "scaled down as well": ("max(1, fan_out / max(1, fan_in))", "(fan_out / max(1, fan_in))"),
        "decay without the rate": ("(step + weight_decay * w)", "step - weight_decay * w"),
        "growth for decay": ("+ weight_decay", "- weight_decay"),
        "ascent": ("-learning_rate", "learning_rate")}),
    (_frontier._keep, "muon", {
        "vectors as matrices": ("== 2", "== 1"),
        "filters as matrices": ("jnp.ndim(leaf) == 2", "jnp.ndim(leaf) >= 2")}),
    (_frontier.eval_params, "frontier", {
        "y for x": ("y + (1 / b1 - 1).astype(y.dtype) * (y - z)", "y"),
        "z for x": ("y + (1 / b1 - 1).astype(y.dtype) * (y - z)", "z"),
        "x on the other side of z": ("y + (1", "y - (1"),
        "not divided by β": ("1 / b1 - 1", "1 - b1")}),

    (_descent._step, "search", {
        "uphill": ("(down < 0) & ", ""),
        "a NaN passes": ("(down < 0) & jnp.isfinite(down)", "~(down >= 0)"),
        "an infinity passes": (" & jnp.isfinite(down)", ""),
        "no new beginning": (" & (state.status != StepStatus.SEARCH_FAILED)", ""),
        "silence": ("jnp.where(own | (status == StepStatus.SEARCH_FAILED), status, StepStatus.STEEPEST)", "status"),
        "a step in failure": ("jnp.where(stays, 0, u)", "u"),
        "the gradient of the old point": ("jnp.where(stays, slope, found.grad)", "slope"),
        "the loss of the old point": ("jnp.where(stays, value, found.value)", "value"),
        "rest goes unsaid": ("jnp.all(g == 0)", "False"),
        "rest but for rounding goes unsaid": ("status = jnp.where(rests, StepStatus.STATIONARY, status)", "pass"),
        "rest at the rounding of the loss": ("float(jnp.finfo(w.dtype).eps) ** 2", "float(jnp.finfo(w.dtype).eps)"),
        "age runs on": ("jnp.where(status == StepStatus.SEARCH_FAILED, 0, optax.safe_increment(state.age))",
                        "optax.safe_increment(state.age)")}),
    (_descent._search, "search", {
        "any step is a step": ("jnp.where(lower, StepStatus.SHORT, StepStatus.SEARCH_FAILED)", "StepStatus.STEPPED"),
        "no slope condition": ("curv_rtol=flatness", "curv_rtol=jnp.inf"),
        "the whole of a short step": ("low & flat,", "low,"),
        "the whole of a long step": ("low & flat,", "flat,"),
        "the whole step's loss for another's": ("_Reached(u, found.value", "_Reached(u, there"),
        "the whole step's gradient for another's": ("found.grad, status", "grad, status")}),

    (krylov._conjugate_gradient, "conjugate or gradient or iterates or steps", {
        "β = 0, steepest descent": ("p = r + rr / at.rr * at.p", "p = r"),
        "β upside down": ("rr / at.rr * at.p", "at.rr / rr * at.p"),
        "β of the wrong sign": ("r + rr / at.rr", "r - rr / at.rr"),
        "β without the square": ("rr / at.rr * at.p", "jnp.sqrt(rr / at.rr) * at.p"),
        "β off by 1e-6": ("rr / at.rr * at.p", "(1 + 1e-6) * rr / at.rr * at.p"),
        "α of the direction's length": ("at.rr / _dot(at.p, Ap)", "_dot(at.p, at.p) / _dot(at.p, Ap)"),
        "α of the residual's curvature": ("at.rr / _dot(at.p, Ap)", "at.rr / _dot(Ap, Ap)"),
        "α off by 1e-8": ("alpha = at.rr", "alpha = (1 + 1e-8) * at.rr"),
        "half a residual update": ("at.r - alpha * Ap", "at.r - 0.5 * alpha * Ap"),
        "the start forgotten": ("unravel(x0 + unit * end.x)", "unravel(unit * end.x)"),
        "the residual of b": ("r = b - product(x0)", "r = b"),
        "no unit at the end": ("x0 + unit * end.x", "x0 + end.x"),
        "no unit of the norms": ("unit * norms", "norms"),
        "tol of r₀": ("_norm(b / unit)", "_norm(r)"),
        "tol absolute": ("* _norm(b / unit)", "/ unit"),
        "negative curvature followed": ("curvature <= 10 * eps * largest", "curvature == 0"),
        "converged whatever the norm": ("jnp.isfinite(rr) & (jnp.sqrt(rr) <= enough)", "jnp.isfinite(rr)"),
        "one step too many": ("at.steps < max_steps", "at.steps <= max_steps"),
        "norms squared": (".set(jnp.sqrt(rr))", ".set(rr)")}),
    (krylov._lanczos, "lanczos", {
        "the recurrence alone": ("w = w - _dot(_dot(basis, w), basis)", "w = w"),
        "the basis alone": ("w = w - alpha * q - beta * previous", "w = w"),
        "against two vectors only": ("_dot(basis, w), basis)",
                                     "_dot(basis, w) * (abs(jnp.arange(steps) - j) < 2), basis)"),
        "vectors not of length 1": ("(basis, q, _over(w, beta)", "(basis, q, 1.0001 * _over(w, beta)"),
        "added for taken off": ("w - _dot(_dot", "w + _dot(_dot"),
        "α of the residual": ("alpha = _dot(q, w)", "alpha = _dot(w, w)"),
        "β squared": ("beta = _norm(w)", "beta = _norm(w) ** 2"),
        "v₀ not of length 1": ("_over(v0, _norm(v0))", "v0"),
        "no end": ("jnp.where(beta <= float(jnp.finfo(w.dtype).eps) ** 0.75 * largest, 0, beta)", "beta"),
        "an early end": ("** 0.75", "** 0.25"),
        "residual of length 1": ("unravel(beta[-1] * q)", "unravel(q)"),
        "no residual": ("unravel(beta[-1] * q)", "unravel(0 * q)"),
        "α one late": ("(basis), alpha, beta[:-1]", "(basis), jnp.roll(alpha, 1), beta[:-1]"),
        "β one early": ("beta[:-1], unravel", "beta[1:], unravel"),
        "rank one short": ("rank = jnp.any(v0 != 0).astype(jnp.int32) + ", "rank = ")}),
    (krylov.tridiagonal, "lanczos", {
        "not symmetric": (" + jnp.diag(beta, -1)", ""),
        "the diagonal alone": ("jnp.diag(alpha) + jnp.diag(beta, 1) + jnp.diag(beta, -1)", "jnp.diag(alpha)")}),
    (krylov._norm, "float32", {
        "overflow": ("unit = _unit(v)", "unit = 1"),
        "whatever the square": ("jax.lax.cond(fits, lambda: jnp.sqrt(square), measured)", "jnp.sqrt(square)"),
        "small squares": ("(square > float(limits.tiny / limits.eps)) & ", ""),
        "large squares": (" & jnp.isfinite(square)", "")}),

    (_products.hessian_product, "product", {
        "g · v": ("jax.jvp(jax.grad(fun), (params,), (v,))[1]",
                  "jax.tree.map(jax.numpy.multiply, jax.grad(fun)(params), v)"),
        "H at w + v": ("(params,), (v,)", "(jax.tree.map(jax.numpy.add, params, v),), (v,)"),
        "a crude difference": (
            "jax.jvp(jax.grad(fun), (params,), (v,))[1]",
            "jax.tree.map(lambda b, a: (b - a) / 1e-3, "
            "jax.grad(fun)(jax.tree.map(lambda w, v: w + 1e-3 * v, params, v)), jax.grad(fun)(params))"),
        "H along w": ("(params,), (v,)", "(params,), (params,)"),
        "H at v": ("(params,), (v,)", "(v,), (v,)"),
        "g for Hv": ("[1]", "[0]"),
        "v twice": ("jax.jvp(jax.grad(fun), (params,), (v,))[1]",
                    "jax.tree.map(lambda a: 2 * a, jax.jvp(jax.grad(fun), (params,), (v,))[1])")}),
    (_products.gauss_newton_product, "product or newton", {
        "JᵀJ": ("hessian_product(loss, outputs)(Jv)", "Jv"),
        "the Hessian": ("jax.vjp(predict, params)[1](hessian_product(loss, outputs)(Jv))[0]",
                        "hessian_product(lambda w: loss(predict(w)), params)(v)"),
        "H_L at Jv": ("hessian_product(loss, outputs)", "hessian_product(loss, Jv)")}),
    (curvature._hessian, "hessian", {
        "half of one triangle": ("(matrix + matrix.T) / 2", "matrix + 1e-3 * jnp.triu(matrix, 1)"),
        "the diagonal only": ("(matrix + matrix.T) / 2", "jnp.diag(jnp.diag(matrix))"),
        "twice": ("(matrix + matrix.T) / 2", "matrix + matrix.T")}),
    (curvature._eigenvalues, "hessian", {
        "sizes": ("jnp.linalg.eigvalsh(_hessian(fun, params, args))",
                  "jnp.sort(abs(jnp.linalg.eigvalsh(_hessian(fun, params, args))))"),
        "falling": ("jnp.linalg.eigvalsh(_hessian(fun, params, args))",
                    "jnp.linalg.eigvalsh(_hessian(fun, params, args))[::-1]")}),
    (curvature._matrix_condition_number, "condition", {
        "with signs": ("sizes = abs(jnp.linalg.eigvalsh(matrix))", "sizes = jnp.linalg.eigvalsh(matrix)"),
        "upside down": ("greatest / least", "least / greatest"),
        "never singular": ("jnp.where(singular, jnp.inf, greatest / least)", "greatest / least")}),
    (curvature.classify_critical_point, "classif or critical", {
        "no test of the slope": ("not slope <= zero", "False"),
        "a saddle with a zero degenerate": ("if below and above:",
                                            "if below and above and jnp.all(abs(values) > zero):"),
        "the kinds swapped": ('"minimum" if above', '"minimum" if below'),
        "no zero": ("jnp.any(abs(values) <= zero)", "False"),
        "tol absolute": ("tol * jnp.max(abs(values))", "tol")}),
    (curvature._step_diagnostics, "step or diagnostics", {
        "no half": ("rate**2 * gTHg / 2", "rate**2 * gTHg"),
        "η for η²": ("rate**2 * gTHg", "rate * gTHg"),
        "uphill": ("w - rate", "w + rate"),
        "the fall counted up": ("rise - fall, objective", "rise + fall, objective"),
        "the change of sign": ("objective(moved) - value", "value - objective(moved)"),
        "never ill-conditioned": ("rise > fall)", "rise > fall + jnp.inf)"),
        "gᵀg for gᵀHg": ("_vdot(grad, hessian_product(objective, params)(grad))", "_vdot(grad, grad)")}),
    (curvature._sharpness, "sharpness", {
        "the least eigenvalue": ("found, values[-1], done", "found, values[0], done"),
        "the largest size": ("found, values[-1], done", "found, jnp.max(abs(values)), done"),
        "no restart": ("~done & (rounds <= restarts)", "~done & (rounds < 1)"),
        "done at once": ("done = residual <=", "done = residual >="),
        "zeros left on the diagonal": ("basis.alpha, basis.alpha[0])", "basis.alpha, basis.alpha)")}),
    (curvature._spectral_density, "density", {
        "weights not squared": ("vectors[0] ** 2", "abs(vectors[0])"),
        "weights not squared, of sum 1": ("vectors[0] ** 2", "abs(vectors[0]) / jnp.sum(abs(vectors[0]))"),
        "equal weights": ("vectors[0] ** 2", "jnp.full_like(vectors[0], 1 / steps)"),
        "last entries": ("vectors[0] ** 2", "vectors[-1] ** 2"),
        "rows for columns": ("vectors[0] ** 2", "vectors[:, 0] ** 2"),
        "the sum over the probes": (" / probes", ""),
        "probes of zeros and ones": ("jax.random.rademacher(key, flat.shape, flat.dtype)",
                                     "jax.random.bernoulli(key, 0.5, flat.shape).astype(flat.dtype)")}),
    (curvature._hutchinson, "trace or diagonal or error", {
        "normal probes": ("jax.random.rademacher", "jax.random.normal"),
        "zeros and ones": ("jax.random.rademacher(key, flat.shape, flat.dtype)",
                           "jax.random.bernoulli(key, 0.5, flat.shape).astype(flat.dtype)"),
        "no root of the mean": ("squares / (probes - 1) / probes", "squares / (probes - 1)"),
        "no root": ("jnp.sqrt(squares", "(squares"),
        "probes between −1 and 1": ("jax.random.rademacher(key, flat.shape, flat.dtype)",
                                    "jax.random.uniform(key, flat.shape, flat.dtype, -1, 1)"),
        "one probe for all": ("x = probe(key)", "x = probe(jax.random.key(0))"),
        "a sum for the mean": ("mean + (x - mean) / number", "mean + x"),
        "deviations from the old mean": ("(x - mean) * (x - new)", "(x - mean) * (x - mean)")}),
    (curvature._hessian_trace, "trace", {
        "|zᵀHz|": ('jnp.dot(z, Hz, precision="highest")', 'abs(jnp.dot(z, Hz, precision="highest"))'),
        "zᵀHz / zᵀz": ('jnp.dot(z, Hz, precision="highest")', "jnp.dot(z, Hz) / jnp.dot(z, z)"),
        "the sum of Hz": ('jnp.dot(z, Hz, precision="highest")', "jnp.sum(Hz)")}),
    (curvature._hessian_diagonal, "diagonal", {
        "Hz": ("jnp.multiply", "lambda z, Hz: Hz"),
        "|z ⊙ Hz|": ("jnp.multiply", "lambda z, Hz: abs(z * Hz)")}),

    (initializers._normal, "normal", {
        "the variance for the deviation": (".normal(stddev)", ".normal(stddev**2)"),
        "truncated": (".normal(stddev)", ".truncated_normal(stddev)")}),
    (initializers._constant, "constant", {
        "zeros": ("_shape(shape), value", "_shape(shape), 0.0")}),
    (initializers.fan_in_normal, "fan_in", {
        "fan out": ('_scaled, "fan_in", "normal"', '_scaled, "fan_out", "normal"'),
        "2 for 1": ("1.0)", "2.0)")}),
    (initializers.kaiming_normal, "kaiming_normal", {
        "fan out": ('_scaled, "fan_in", "normal"', '_scaled, "fan_out", "normal"'),
        "1 for 2": ("2.0)", "1.0)"),
        "uniform": ('_scaled, "fan_in", "normal"', '_scaled, "fan_in", "uniform"'),
        "truncated": ('_scaled, "fan_in", "normal"', '_scaled, "fan_in", "truncated_normal"')}),
    (initializers.kaiming_uniform, "kaiming_uniform", {
        "3 for 6": ("2.0)", "1.0)"),
        "PyTorch's default": ("2.0)", "1 / 3)"),
        "normal": ('_scaled, "fan_in", "uniform"', '_scaled, "fan_in", "normal"')}),
    (initializers.xavier_uniform, "xavier_uniform", {
        "the sum of the fans": ("_gain(gain) ** 2", "0.5 * _gain(gain) ** 2"),
        "fan in": ('_scaled, "fan_avg"', '_scaled, "fan_in"'),
        "the gain unsquared": ("_gain(gain) ** 2", "_gain(gain)")}),
    (initializers.xavier_normal, "xavier_normal", {
        "the geometric mean": ('_scaled, "fan_avg"', '_scaled, "fan_geo_avg"'),
        "the gain unsquared": ("_gain(gain) ** 2", "_gain(gain)"),
        "glorot_normal": ('_scaled, "fan_avg", "normal"', '_scaled, "fan_avg", "truncated_normal"')}),
    (initializers.sigmoid_xavier_uniform, "sigmoid", {
        "4 in the variance": ("xavier_uniform(4.0)", "xavier_uniform(2.0)")}),
    (initializers._orthogonal, "orthogonal", {
        "no gain": (".orthogonal(gain)", ".orthogonal(1.0)"),
        "the root of the gain": (".orthogonal(gain)", ".orthogonal(gain**0.5)"),
        "in single precision": ("jnp.promote_types(_dtype(dtype), jnp.float32)", "jnp.float32")}),
)
