/*
 * Gradient descent in a long and narrow bowl: drag the rate past 2/λmax and see the zigzag grow. For every step, what the
 * gradient promises and what curvature takes back.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   bowl(kappa, angle) -> {f, g, H};  eigenvalues(kappa, angle), ascending;
 *   descent = {init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]};
 *   diagnose(w, learning_rate, kappa, angle) -> [gᵀg, gᵀHg, predicted change, actual change, whether it is a rise];
 *   window;  tolerance, of the loss at the start;  steps shown;  mostSteps counted;  kappas at which they are counted.
 * No update rule is written here.
 */
const [X, Y] = [0, 1];

/** The points of a run. */
function simulate(kappa, angle, start, learning_rate, steps) {
  const [hyper, objective] = [{ learning_rate }, library.bowl(kappa, angle)];
  let w = Float64Array.from(start);
  let state = library.descent.init(w, hyper);
  const path = [w];
  for (let t = 0; t < steps; t++) {
    [w, state] = library.descent.step(w, state, hyper, objective);
    path.push(w);
  }
  return path;
}

/** How many steps until the loss is within the tolerance; Infinity if it never is, or not in mostSteps. */
function stepsNeeded(kappa, angle, start, learning_rate) {
  const [hyper, objective] = [{ learning_rate }, library.bowl(kappa, angle)];
  let w = Float64Array.from(start);
  let state = library.descent.init(w, hyper);
  const first = objective.f(w);
  for (let t = 0; t <= library.mostSteps; t++) {
    const loss = objective.f(w);
    if (loss <= library.tolerance * first) return t;
    if (!(loss < 1e3 * first)) break;
    [w, state] = library.descent.step(w, state, hyper, objective);
  }
  return Infinity;
}

/** The largest stable rate 2/λmax, and the best one, 2/(λmin + λmax), as a share of it. */
function limits(kappa, angle) {
  const [low, high] = library.eigenvalues(kappa, angle);
  return { low, high, limit: 2 / high, best: high / (low + high) };
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "Long, narrow, and a step too far",
    task: "Drag the rate towards its limit 2/λmax: the path zigzags across the bowl, and past the limit it blows up. Raise κ, " +
      "and the same share of the limit needs ever more steps.",
  });
  const keys = ["condition_number", "angle", "share", "start"];
  const initial = keys.map((key) => [key, get(key)]);

  const valley = figure.plot({ title: "The path", label: "Path of gradient descent on the level lines of the bowl", ratio: 0.78 });
  const changes = figure.plot({ title: "What each step brings", label: "Promised, taken back and actual change of the loss against the step", ratio: 0.78 });
  const counts = figure.plot({ title: "Steps to a millionth of the loss", label: "Steps to convergence against the condition number", ratio: 0.6 });
  const losses = figure.plot({ title: "The loss", label: "Loss against the step", ratio: 0.6 });
  changes.panel.after(kit.html("p", { class: "key" },
    kit.html("span", { class: kit.hue(0) }, "promised by the gradient, ηgᵀg"), " · ",
    kit.html("span", { class: kit.hue(1) }, "taken back by curvature, ½η²gᵀHg"),
    " · dashed: the model's change of the loss, their difference · dots: the actual change; ",
    kit.html("span", { class: "hue-3" }, "red where the loss rises"), "."));

  const player = figure.player({ label: "step", steps: () => library.steps });
  const choose = (values) => (player.end(), figure.set(values));
  figure.slider({
    label: "rate η ÷ (2/λmax)", scale: kit.linear(0, 1.2), stops: 240, get: () => get("share"), set: (share) => choose({ share }),
  });
  figure.slider({
    label: "condition number κ", scale: kit.log(1, 1000), stops: 120, get: () => get("condition_number"),
    set: (condition_number) => choose({ condition_number }),
  });
  figure.slider({
    label: "angle (degrees)", scale: kit.linear(0, 90), stops: 90, get: () => get("angle"), set: (angle) => choose({ angle }),
  });
  library.window.forEach(([low, high], axis) => {
    figure.slider({
      label: `start: w${"₁₂"[axis]}`, scale: kit.linear(low, high), stops: 200, get: () => get("start")[axis],
      set: (value) => choose({ start: get("start").map((old, i) => (i === axis ? value : old)) }),
    });
  });
  figure.button("η = 2/(λmin + λmax)", () => {
    choose({ share: kit.round(limits(get("condition_number"), get("angle")).best) });
    figure.release();
  });
  figure.button("Reset", () => (choose(Object.fromEntries(initial)), figure.release()));

  const ball = valley.handle("start", (x, y) => choose({ start: [x, y] }));
  const run = kit.memo(simulate);
  const landscape = kit.memo((kappa, angle) => {
    const { f } = library.bowl(kappa, angle);
    const at = new Float64Array(2);
    const sides = library.window.map(([low, high]) => kit.grid(low, high, 61));
    const heights = kit.field(...sides, (x, y) => (([at[X], at[Y]] = [x, y]), f(at)));
    return kit.grid(-3, 7, 11).flatMap((power) => kit.levelLine(heights, 0.5 * 3 ** power));
  });
  const counted = kit.lagging((angle, start, share) => library.kappas.map((kappa) => {
    const { limit, best } = limits(kappa, angle);
    return [share, best].map((part) => [kappa, stepsNeeded(kappa, angle, start, part * limit)]);
  }), []);

  function draw() {
    const [kappa, angle, share, start] = keys.map(get);
    const { low, high, limit, best } = limits(kappa, angle);
    const rate = share * limit;
    const path = run(kappa, angle, start, rate, library.steps);
    const now = {
      kappa, angle, share, start, low, high, limit, rate, path,
      f: library.bowl(kappa, angle).f,
      step: player.step(),
      found: path.map((w) => library.diagnose(w, rate, kappa, angle)),
      needed: [share, best].map((part) => stepsNeeded(kappa, angle, start, part * limit)),
    };
    drawValley(now);
    drawChanges(now);
    drawCounts(now);
    drawLosses(now);
    figure.gradually(() => counted.stale, counted.update);
    figure.say(summary(now));
  }

  function drawValley({ kappa, angle, path, step }) {
    const [x, y] = library.window.map(([low, high]) => kit.linear(low, high));
    valley.begin({ x, y, xName: "w₁", yName: "w₂" });
    valley.pieces("levels", landscape(kappa, angle), "level");
    const points = path.slice(0, step + 1);
    valley.line("path", points, "path");
    valley.dots("points", points, "path");
    if (step < library.steps) valley.arrow("next", path[step], path[step + 1], kit.hue(0));
    valley.ball("ball", ...points.at(-1), "ball");
    ball.at(...path[0]);
    valley.end();
  }

  function drawChanges({ found, rate, step }) {
    const terms = found.map(([gTg, gTHg, predicted, actual], t) =>
      ({ t, promised: rate * gTg, taken: (rate * rate * gTHg) / 2, predicted: Math.abs(predicted), actual }));
    const most = Math.max(...terms.slice(0, 2).flatMap(({ promised, taken }) => [promised, taken]), 1e-6);
    const y = kit.log(most * 1e-5, most * 1e2);
    changes.begin({ x: kit.linear(0, library.steps), y, xName: "step", yName: "change of the loss" });
    changes.line("now", [[step, y.low], [step, y.high]], "cursor");
    const line = (part) => terms.map((term) => [term.t, Math.max(term[part], 1e-300)]);
    changes.line("promised", line("promised"), `${kit.hue(0)} strong`);
    changes.line("taken", line("taken"), `${kit.hue(1)} strong`);
    changes.line("predicted", line("predicted"), "dashed");
    const dots = (sign) => terms.filter(({ actual }) => sign * actual > 0).map(({ t, actual }) => [t, Math.abs(actual)]);
    changes.dots("falls", dots(-1), "falls");
    changes.dots("rises", dots(1), "hue-3");
    changes.end();
  }

  function drawCounts({ kappa, angle, share, start, needed }) {
    const y = kit.log(1, library.mostSteps);
    counts.begin({ x: kit.log(1, 1000), y, xName: "condition number κ", yName: "steps" });
    const rows = counted.ask(angle, start, share);
    ["strong", "dashed"].forEach((style, k) => {
      counts.line(style, rows.map((row) => row[k]).filter(([, steps]) => steps < Infinity).map(([at, steps]) => [at, Math.max(1, steps)]), style);
      if (needed[k] < Infinity) counts.ball(`now ${k}`, kappa, Math.max(1, needed[k]), "ball");
    });
    const { left, top, width, height } = counts.area;
    counts.text("names", left + width - 6, top + height - 22, "line: at this share of 2/λmax\ndashed: at 2/(λmin + λmax)", "", "end");
    counts.end();
  }

  function drawLosses({ path, f, step }) {
    const first = f(path[0]) || 1;
    const y = kit.log(first * 1e-8, first * 1e3);
    losses.begin({ x: kit.linear(0, library.steps), y, xName: "step", yName: "loss" });
    losses.line("now", [[step, y.low], [step, y.high]], "cursor");
    losses.line("loss", path.map((w, t) => [t, Math.max(f(w), 1e-300)]), "strong");
    losses.ball("here", step, Math.max(f(path[step]), 1e-300), "ball");
    losses.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ rate, share, path, f, found, step, needed }) {
  const ratio = f(path.at(-1)) / f(path[0]);
  const fell = ratio > 1 ? `grown to ${kit.number(ratio, 2)} times` : `fallen to ${kit.number(ratio, 2)} of`;
  const [gTg, gTHg, predicted, actual] = found[step];
  const taken = kit.number((50 * rate * gTHg) / gTg, 3);
  const turn = actual > 0 ? "rises" : "falls";
  const [count, least] = needed.map((steps) => (steps === Infinity ? "never, or beyond what is counted here" : `${steps} steps`));
  return `At η = ${kit.number(rate)}, ${kit.number(share)} of its limit, the loss has after ${path.length - 1} steps ${fell} its start. ` +
    `At step ${step} gᵀg is ${kit.number(gTg)} and gᵀHg ${kit.number(gTHg)}: curvature takes back ${taken} % of what the gradient promises, ` +
    `and the loss ${turn} by ${kit.number(Math.abs(actual))} (predicted: ${kit.number(Math.abs(predicted))}). ` +
    `To a millionth of the loss: ${count}; at η = 2/(λmin + λmax) ${least}.`;
}

export default { render, simulate, stepsNeeded, limits };
