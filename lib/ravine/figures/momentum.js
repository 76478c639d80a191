/*
 * Momentum on a quadratic: drag (α, β) across the stability map and watch the same ball creep, ring and blow up.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   bowl(kappa) -> {f, g, H}, the quadratic, its axes being its eigen-directions, the shallowest first;
 *   rules = {name: {init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]}};
 *   directions, their number;  window, the part of the plane worth showing.
 * No update rule is written here.
 */
const ONES = new Float64Array(library.directions).fill(1);
const ZEROS = new Float64Array(library.directions);
const ALL = [...ONES.keys()];
const [SHALLOW, STEEP] = [0, library.directions - 1];
const WIDEST = 4.2; // the map ends at α = 4.2/κ: beyond 4/κ no β below 1 is stable
const HIGHEST = 0.999; // β
const BANDS = [0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1];

/** The points of a run. The directions between the shallowest and the steepest start at 1. */
function simulate(name, start, learning_rate, decay, kappa, steps) {
  const [rule, hyper, bowl] = [library.rules[name], { learning_rate, decay }, library.bowl(kappa)];
  let w = Float64Array.from(ONES);
  [w[SHALLOW], w[STEEP]] = start;
  let state = rule.init(w, hyper);
  const path = [w];
  for (let t = 0; t < steps; t++) {
    [w, state] = rule.step(w, state, hyper, bowl);
    path.push(w);
  }
  return path;
}

/**
 * One step is a linear map of w and of the rule's one slot. Directions do not mix, so a step from w = 1 and one from
 * slot = 1 give the 2 × 2 matrix of every direction. Its eigenvalues σ follow from trace and determinant.
 */
function spectrum(name, learning_rate, decay, bowl) {
  const [{ step }, hyper] = [library.rules[name], { learning_rate, decay }];
  const [a, [c]] = step(ONES, [ZEROS], hyper, bowl);
  const [b, [d]] = step(ZEROS, [ONES], hyper, bowl);
  return ALL.map((i) => [a[i] + d[i], a[i] * d[i] - b[i] * c[i]]);
}
/** Negative where the two σ are complex: the direction rings. */
const gap = (trace, det) => trace * trace - 4 * det;
/** The larger |σ|. */
const size = (trace, det) =>
  gap(trace, det) < 0 ? Math.sqrt(det) : (Math.abs(trace) + Math.sqrt(gap(trace, det))) / 2;
/** Positive where both σ are inside the unit circle (Jury's criterion). */
const margin = (trace, det) => (det < 1 ? 1 - Math.abs(trace) + det : 1 - det);
const slowest = (modes) => modes.reduce((most, mode) => Math.max(most, size(...mode)), 0);

const FATES = ["creeps", "zigzags", "rings", "blows up"];
const [CREEPS, ZIGZAGS, RINGS, BLOWS_UP] = FATES;
function fate(trace, det) {
  if (size(trace, det) > 1 + 1e-9) return BLOWS_UP;
  if (gap(trace, det) < 0) return RINGS;
  return trace < 0 ? ZIGZAGS : CREEPS;
}

/** What to call the part of the map where the shallow and the steep direction have these fates, in one line or two. */
function regime(shallow, steep) {
  if (shallow === BLOWS_UP || steep === BLOWS_UP) return BLOWS_UP;
  return shallow === steep ? `both ${shallow.slice(0, -1)}` : `steep ${steep},\nshallow ${shallow}`;
}
const byFate = (entry) => Object.fromEntries(FATES.map((name) => [name, entry(name)]));
const REGIMES = byFate((shallow) => byFate((steep) => regime(shallow, steep)));

/** The (α, β) where `worst(alpha, beta)` is smallest: the best α for every β, and the β for which that is best. */
function best(worst, widest) {
  const bestAlpha = (beta) => kit.lowest((alpha) => worst(alpha, beta), 0, widest);
  const beta = kit.lowest((trial) => worst(bestAlpha(trial), trial), 0, HIGHEST);
  return [bestAlpha(beta), beta];
}

/** Everything about the map that depends on the problem and the rule, not on the point in it. */
function survey(rule, kappa) {
  const bowl = library.bowl(kappa);
  const widest = WIDEST / kappa;
  // Traces and determinants are smooth in α and β, so a coarse grid and interpolation will do; |σ| is not.
  const [xs, ys] = [kit.grid(0, widest, 22), kit.grid(0, HIGHEST, 16)];
  const nodes = ys.flatMap((beta) => xs.map((alpha) => spectrum(rule, alpha, beta, bowl)));
  const table = (i, part) => ({ xs, ys, values: nodes.map((modes) => modes[i][part]) });
  const coarse = ALL.map((i) => [table(i, 0), table(i, 1)]);
  const traces = coarse.map(([trace]) => kit.refine(trace, 3));
  const dets = coarse.map(([, det]) => kit.refine(det, 3));
  const derive = (i, quantity) => ({
    ...traces[i], values: traces[i].values.map((trace, at) => quantity(trace, dets[i].values[at])),
  });
  const sizes = ALL.map((i) => derive(i, size).values);
  const largest = sizes.reduce((most, each) => most.map((value, at) => Math.max(value, each[at])));
  const edges = [SHALLOW, STEEP].map((i) => kit.levelLine(derive(i, margin), -1e-9)); // 0 at α = 0, but for rounding
  const worst = (alpha, beta) => coarse.reduce((most, [trace, det]) =>
    Math.max(most, size(kit.sample(trace, alpha, beta), kit.sample(det, alpha, beta))), 0);
  const optimum = best(worst, widest);
  const fateAt = (i, at) => fate(traces[i].values[at], dets[i].values[at]);
  const names = Array.from(largest, (_, at) => REGIMES[fateAt(SHALLOW, at)][fateAt(STEEP, at)]);
  return {
    kappa, widest,
    size: { ...traces[0], values: largest },
    lines: {
      [`critical hue-${SHALLOW}`]: kit.levelLine(derive(SHALLOW, gap), 0),
      [`critical hue-${STEEP}`]: kit.levelLine(derive(STEEP, gap), 0),
      edge: edges.flat(),
    },
    best: { alpha: optimum[0], beta: optimum[1], size: slowest(spectrum(rule, ...optimum, bowl)) },
    names: kit.spots({ ...traces[0], values: names }, 300, 220),
  };
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "One ball in a ravine",
    task: "Drag (α, β) across the map and watch the same ball go from creeping, to ringing, to blowing up. " +
      "Each direction of the ravine has its own fate.",
  });
  const keys = ["alpha", "beta", "condition_number", "start", "rule"];
  const initial = keys.map((key) => [key, get(key)]);
  let view = "error";

  const map = figure.plot({ title: "Every α and β", label: "Map of the step size alpha and the memory beta", ratio: 0.78 });
  const valley = figure.plot({ title: "The path of the ball", label: "Path of the ball on the level lines of the loss", ratio: 0.78 });
  const errors = figure.plot({ title: "Direction by direction", label: "Each direction against the step", ratio: 0.62, right: 80 });
  const phase = figure.plot({ title: "Error and its change", label: "Change of the error against the error, in the shallow and the steep direction", ratio: 0.62 });

  map.head.append(kit.html("div", { class: "shades" }, "max |σ| <", ...BANDS.map((level, k) =>
    kit.html("span", { style: `background: var(--band-${k})` }, kit.number(level).replace("0.", ".")))));
  valley.panel.after(kit.html("p", { class: "key" },
    "In the map: shades show |σ|, the factor by which the slowest direction shrinks in a step; coloured lines the critical " +
    "damping of the ", kit.html("span", { class: `hue-${SHALLOW}` }, "shallow"), " and the ",
    kit.html("span", { class: `hue-${STEEP}` }, "steep"), " direction; ✦ the best α and β."));

  phase.panel.after(kit.html("p", { class: "key" },
    "Beside the lines: the curvature λ of each direction, and its |σ|. On the right each direction's error is divided by " +
    "the error that it starts with."));

  const player = figure.player({ label: "step", steps: () => get("steps") });
  figure.choice({
    label: "Show", options: { error: "error", loss: "loss" }, where: errors.head,
    get: () => view,
    set: (value) => ((view = value), figure.redraw()),
  });

  const choose = (values) => (player.end(), figure.set(values));
  const alphas = figure.slider({
    label: "step size α", scale: kit.linear(0, 1), get: () => get("alpha"), set: (alpha) => choose({ alpha }),
  });
  figure.slider({
    label: "memory β", scale: kit.linear(0, HIGHEST), stops: 999, get: () => get("beta"), set: (beta) => choose({ beta }),
  });
  // α goes along, so that α/(largest stable α) stays: the point keeps its place on the map, and the map changes under it.
  figure.slider({
    label: "condition number κ", scale: kit.log(1, 1000), stops: 120, get: () => get("condition_number"),
    set: (kappa) => choose({ condition_number: kappa, alpha: kit.round((get("alpha") * get("condition_number")) / kappa) }),
  });
  library.window.forEach(([low, high], axis) => {
    figure.slider({
      label: `start: ${["shallow", "steep"][axis]}`, scale: kit.linear(low, high), stops: 200,
      get: () => get("start")[axis],
      set: (value) => choose({ start: get("start").map((old, i) => (i === axis ? value : old)) }),
    });
  });
  if (Object.keys(library.rules).length > 1) {
    figure.choice({
      label: "Rule", options: Object.keys(library.rules),
      get: () => get("rule"),
      set: (rule) => choose({ rule }),
    });
  }
  figure.button("Best α and β", () => {
    const { alpha, beta } = survey(get("rule"), get("condition_number")).best;
    choose({ alpha: kit.round(alpha), beta: Number(beta.toFixed(4)) });
    figure.release();
  });
  figure.button("Reset", () => (choose(Object.fromEntries(initial)), figure.release()));

  const point = map.handle("setting", (alpha, beta) => choose({ alpha, beta: beta }));
  const ball = valley.handle("start", (x, y) => choose({ start: [x, y] }));

  const surveyed = kit.lagging(survey);
  const run = kit.memo(simulate);
  const landscape = kit.memo((kappa) => {
    const { f } = library.bowl(kappa);
    const [[left, right], [bottom, top]] = library.window;
    // Rows crowd around the bottom of the valley, which is narrow when κ is large.
    const ys = kit.grid(-1, 1, 61).map((u) => Math.abs(u) * (u < 0 ? -u * bottom : u * top));
    const at = Float64Array.from(ZEROS);
    const values = kit.field(kit.grid(left, right, 61), ys, (x, y) => {
      [at[SHALLOW], at[STEEP]] = [x, y];
      return f(at);
    });
    return kit.grid(-4, 7, 12).flatMap((power) => kit.levelLine(values, 0.5 * 3 ** power));
  });

  function draw() {
    const [alpha, beta, kappa, rule, steps] = ["alpha", "beta", "condition_number", "rule", "steps"].map(get);
    const bowl = library.bowl(kappa);
    const hessian = bowl.H(ONES);
    const now = {
      alpha, beta, kappa, steps,
      loss: bowl.f,
      lambdas: ALL.map((i) => hessian[i * library.directions + i]),
      path: run(rule, get("start"), alpha, beta, kappa, steps),
      modes: spectrum(rule, alpha, beta, bowl),
      step: player.step(),
      survey: surveyed.ask(rule, kappa),
    };
    figure.gradually(() => surveyed.stale, surveyed.update);
    alphas.scale = kit.linear(0, WIDEST / kappa);
    drawMap(now);
    drawValley(now);
    drawErrors(now);
    drawPhase(now);
    figure.say(summary(now));
  }

  let painted = null;
  let shades = null;
  function drawMap({ alpha, beta, kappa, survey }) {
    map.begin({ x: kit.linear(0, survey.widest), y: kit.linear(0, 1), xName: "step size α", yName: "memory β" });
    if (figure.repaint) shades = [...BANDS, Infinity].map((_, k) => kit.pixel(el, `--band-${k}`));
    if (figure.repaint || painted !== survey) {
      map.bands(survey.size, BANDS, shades);
      painted = survey;
    }
    for (const [style, pieces] of Object.entries(survey.lines)) map.pieces(style, pieces, style);
    for (const { name, x, y } of survey.names.filter(({ room }) => room > 1)) {
      map.text(`region ${name}`, ...map.point(x, y), name, "region", "middle");
    }
    map.symbol("best", survey.best.alpha, survey.best.beta, "M0-7L2-2L7 0L2 2L0 7L-2 2L-7 0L-2-2Z", "best");
    point.at((alpha * kappa) / survey.kappa, beta); // on a map that lags behind, its place is the same
    map.end();
  }

  function drawValley({ kappa, path, step, lambdas }) {
    const [x, y] = library.window.map(([low, high]) => kit.linear(low, high));
    valley.begin({
      x, y,
      xName: `shallow direction, λ = ${kit.number(lambdas[SHALLOW])}`,
      yName: `steep direction, λ = ${kit.number(lambdas[STEEP])}`,
    });
    const points = path.slice(0, step + 1).map((w) => [w[SHALLOW], w[STEEP]]);
    valley.pieces("levels", landscape(kappa), "level");
    valley.line("path", points, "path");
    valley.dots("points", points, "path");
    valley.ball("ball", ...points.at(-1), "ball");
    ball.at(...points[0]);
    valley.end();
  }

  function drawErrors({ path, steps, step, lambdas, loss, modes }) {
    const alone = Float64Array.from(ZEROS);
    const share = (w, i) => {
      alone.fill(0);
      alone[i] = w[i];
      return loss(alone);
    };
    const whole = loss(path[0]) || 1;
    const most = 1.1 * Math.max(...path[0].map(Math.abs), 0.1);
    const shown = view === "loss"
      ? { y: kit.log(1e-10, 100), yName: "loss ÷ loss at the start", value: (w, i) => Math.max(share(w, i) / whole, 1e-300) }
      : { y: kit.linear(-most, most), yName: "error", value: (w, i) => w[i] };
    errors.begin({ x: kit.linear(0, steps), y: shown.y, xName: "step", yName: shown.yName });
    if (view === "error") errors.line("zero", [[0, 0], [steps, 0]], "zero");
    const ends = ALL.map((i) => {
      const points = path.map((w, t) => [t, shown.value(w, i)]);
      errors.line(`direction ${i}`, points, `hue-${i}${i === SHALLOW || i === STEEP ? " strong" : ""}`);
      errors.ball(`now ${i}`, step, shown.value(path[step], i), `hue-${i}`, 3);
      return errors.point(0, points.findLast(([, value]) => Number.isFinite(value))[1])[1];
    });
    errors.line("now", [[step, shown.y.low], [step, shown.y.high]], "cursor");
    const { left, top, width, height } = errors.area;
    const heights = kit.spread(ends.map((y) => kit.clamp(y, top, top + height)), 14, top + 7, top + height - 7);
    for (const i of ALL) {
      errors.text(`label ${i}`, left + width + 6, heights[i], `λ=${kit.number(lambdas[i], 2)} ×${size(...modes[i]).toFixed(2)}`, `hue-${i}`);
    }
    errors.end();
  }

  function drawPhase({ path, step }) {
    phase.begin({ x: kit.linear(-1.2, 1.2), y: kit.linear(-1.6, 1.6), xName: "error ÷ error at the start", yName: "change in a step" });
    phase.line("zero x", [[-2, 0], [2, 0]], "zero");
    phase.line("zero y", [[0, -2], [0, 2]], "zero");
    for (const i of [SHALLOW, STEEP]) {
      const scale = path[0][i];
      if (!scale) continue; // no error in this direction, ever
      const points = path.slice(0, step + 1).map((w, t) => [w[i] / scale, t ? (w[i] - path[t - 1][i]) / scale : 0]);
      phase.line(`orbit ${i}`, points, `hue-${i}`);
      phase.dots(`points ${i}`, points, `hue-${i}`);
      phase.ball(`now ${i}`, ...points.at(-1), `hue-${i}`);
    }
    phase.end();
  }

  return figure.stop;
}

/** What the pictures show, in two or three sentences. */
function summary({ path, loss, steps, modes, lambdas, survey }) {
  const [shallow, steep] = [SHALLOW, STEEP].map((i) => describe(...modes[i]));
  const fates = shallow === steep
    ? `Both the steep and the shallow direction ${plural(steep)}`
    : `The steep direction ${steep}, the shallow one ${shallow}`;
  const ratio = loss(path[steps]) / loss(path[0]);
  const fell = !(ratio > 1) ? `the loss has fallen to ${kit.number(ratio, 2)} of its start`
    : `the loss has grown to ${kit.number(ratio, 2)} times its start`;
  const worst = slowest(modes);
  const which = lambdas[modes.findIndex((mode) => size(...mode) === worst)];
  const rate = worst > 1 + 1e-9 ? "grows" : "shrinks";
  return `${fates}: after ${steps} steps ${fell}. The slowest direction (λ = ${kit.number(which, 2)}) ${rate} by a factor of ` +
    `${worst.toFixed(3)} a step; the best α and β would make that ${survey.best.size.toFixed(3)}.`;
}

/** A fate, or critical damping where the two σ of a direction are as good as one. */
function describe(trace, det) {
  const critical = Math.sqrt(Math.abs(gap(trace, det))) / 2 < 0.1 * (1 - size(trace, det));
  return critical ? "is critically damped" : fate(trace, det);
}
const plural = (words) => words.replace(/^is /, "are ").replace(/^(\w+)s\b/, (verb, stem) => (verb === "is" ? verb : stem));

export default { render, simulate };
