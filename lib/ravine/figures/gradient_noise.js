/*
 * Gradients of small batches about the gradient of all the data: drag the batch to four times its size and see the cloud
 * halve; drag w to the minimum, and the gradient vanishes, but not the cloud. SGD with such batches stops where it drowns.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   losses = {size: (x, y) -> {f, g}}, the loss of so many examples;  x, y, all of them, in the order of x;
 *   descent = {init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]};
 *   sigma(w), how far the gradient of one example is from that of all, in the root mean square;
 *   expect(moments of (w − w*, 1), learning_rate, size) -> [moments, loss above the least], after a step with random batches;
 *   minimum w*, and least, its loss;  draws in the cloud;  steps of the run;  rates: from, to;  window.
 * No update rule and no gradient is written here.
 */
const EXAMPLES = library.x.length;
const SIZES = Object.keys(library.losses).map(Number);
const LARGEST = SIZES.at(-1);
const REACH = 5; // of the axes on which gradients are drawn
const LOSSES = [1e-4, 10];
const LATE = 50; // steps at the end of the run, over which its loss is averaged

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The loss of the examples in these rows. */
const batch = (rows) => library.losses[rows.length](rows.map((i) => library.x[i]), rows.map((i) => library.y[i]));
const all = batch(Float64Array.from(library.x.keys()));
const singles = Array.from(library.x.keys(), (i) => batch([i]));

/** The mean of the vectors in these rows: of the gradients of examples, the gradient of a batch. */
function middle(vectors, rows) {
  let [first, second] = [0, 0];
  for (const i of rows) {
    first += vectors[i][0];
    second += vectors[i][1];
  }
  return [first / rows.length, second / rows.length];
}

/** The rows of batches: drawn at random with replacement, or stretches of the sorted data, one every `stride` examples. */
function draw(order, seed, size, count, stride) {
  const random = kit.random(seed, size);
  const rows = order === "sorted"
    ? (k) => Float64Array.from({ length: size }, (_, j) => (k * stride + j) % EXAMPLES)
    : () => random.uniform(size).map((share) => Math.floor(share * EXAMPLES));
  return Array.from({ length: count }, (_, k) => rows(k));
}

/** The points of SGD that takes one batch after the other. */
function simulate(point, learning_rate, batches) {
  let w = Float64Array.from(point);
  let state = library.descent.init(w, { learning_rate });
  const path = [w];
  for (const objective of batches) {
    [w, state] = library.descent.step(w, state, { learning_rate }, objective);
    path.push(w);
  }
  return path;
}

/** The loss above the least that random batches of this size make on average, step by step. */
function expected(point, learning_rate, size) {
  const start = [...library.minimum.map((best, i) => point[i] - best), 1];
  let moments = Float64Array.from(start.flatMap((a) => start.map((b) => a * b)));
  const losses = [all.f(Float64Array.from(point)) - library.least];
  for (let t = 0; t < library.steps; t++) {
    [moments, losses[t + 1]] = library.expect(moments, learning_rate, size);
  }
  return losses;
}

/** Whether a step against one gradient goes up along another. */
const climbs = (gradient, full) => gradient[0] * full[0] + gradient[1] * full[1] <= 0;

/** How far gradients are from one that should be theirs, in the root mean square. */
const spread = (gradients, full) => Math.sqrt(mean(gradients.map((each) => distance(each, full) ** 2)));

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw: show,
    title: "How wrong is the gradient of a few examples?",
    task: "Make the batch four times as large: the cloud of gradients halves, no more. Then drag w to the minimum ✦: the gradient of all " +
      "the data goes to 0, the cloud does not, and half of the batches point uphill. There SGD stops getting better.",
  });
  const keys = ["batch_size", "learning_rate", "point", "order", "seed"];
  const initial = Object.fromEntries(keys.map((key) => [key, get(key)]));
  const setting = (key, words) => (words.includes(get(key)) ? get(key) : initial[key]);
  const [x, y] = library.window.map(([low, high]) => kit.linear(low, high));
  const sizes = kit.log(1, LARGEST);

  const valley = figure.plot({ title: "SGD, from w", label: "Path of SGD on the level lines of the loss", ratio: 0.82 });
  const cloud = figure.plot({ title: "Gradients of batches at w", label: "Gradients of batches, as points in a plane", ratio: 0.82 });
  const losses = figure.plot({ title: "The loss of that run", label: "Loss above the least against the step", ratio: 0.62 });
  const errors = figure.plot({ title: "How far off they are", label: "Distance of the gradients of batches from that of all data, against the batch size", ratio: 0.62 });
  cloud.panel.after(kit.html("p", { class: "key" },
    `A line w₁ + w₂x is fitted to ${EXAMPLES} points. Dots: the gradients of ${library.draws} batches, `,
    kit.html("span", { class: kit.hue(0) }, "downhill"), " or ", kit.html("span", { class: kit.hue(1) }, "uphill"),
    "; arrow: the gradient of all the data; circle: as far as random batches are from it on average. Dashed, in all plots: theory, for random batches."));

  const player = figure.player({ label: "step", steps: () => library.steps });
  const choose = (values) => (player.end(), figure.set(values));
  const resize = (size) => choose({ batch_size: String(2 ** Math.round(Math.log2(size))) });
  figure.slider({
    label: "batch size", scale: sizes, stops: SIZES.length - 1, get: () => Number(setting("batch_size", Object.keys(library.losses))), set: resize,
  });
  figure.slider({
    label: "rate η", scale: kit.log(...library.rates), stops: 100, get: () => get("learning_rate"), set: (learning_rate) => choose({ learning_rate }),
  });
  [x, y].forEach((scale, axis) => {
    figure.slider({
      label: `w${"₁₂"[axis]}`, scale, stops: 180, get: () => get("point")[axis],
      set: (value) => choose({ point: get("point").map((old, i) => (i === axis ? value : old)) }),
    });
  });
  figure.choice({
    label: "Batches", options: { random: "at random", sorted: "in the order of x" }, get: () => setting("order", ["random", "sorted"]),
    set: (order) => choose({ order }),
  });
  figure.button("To the minimum", () => (choose({ point: library.minimum.map((best) => kit.round(best)) }), figure.release()));
  figure.button("Other batches", () => (choose({ seed: (get("seed") % 20) + 1 }), figure.release()));
  figure.button("Reset", () => (choose(initial), figure.release()));

  const ball = valley.handle("start", (w1, w2) => choose({ point: [w1, w2] }));
  const grip = errors.handle("size", resize);

  const landscape = kit.memo(() => {
    const heights = kit.field(kit.grid(x.low, x.high, 61), kit.grid(y.low, y.high, 61), (w1, w2) => all.f([w1, w2]) - library.least);
    return kit.grid(1, 9, 9).flatMap((n) => kit.levelLine(heights, 0.08 * n * n));
  });
  const clouds = kit.memo((order, seed) => SIZES.map((size) => draw(order, seed, size, library.draws, 1)));
  const batches = kit.memo((order, seed, size) => draw(order, seed, size, library.steps, size).map(batch));
  const scattered = kit.memo((order, seed, point) => {
    const each = singles.map(({ g }) => g(point));
    return clouds(order, seed).map((drawn) => drawn.map((rows) => middle(each, rows)));
  });
  const run = kit.memo(simulate);
  const expectation = kit.memo(expected);

  function show() {
    const size = Number(setting("batch_size", Object.keys(library.losses)));
    const [rate, point, order, seed] = [get("learning_rate"), get("point"), setting("order", ["random", "sorted"]), get("seed")];
    const full = all.g(point);
    const gradients = scattered(order, seed, point);
    const path = run(point, rate, batches(order, seed, size));
    const now = {
      size, rate, point, order, full, path,
      gradients: gradients[SIZES.indexOf(size)],
      measured: gradients.map((each) => spread(each, full)),
      sigma: library.sigma(point),
      losses: path.map((w) => all.f(w) - library.least),
      expected: expectation(point, rate, size),
      step: player.step(),
    };
    drawValley(now);
    drawCloud(now);
    drawLosses(now);
    drawErrors(now);
    figure.say(summary(now));
  }

  function drawValley({ path, step }) {
    valley.begin({ x, y, xName: "w₁", yName: "w₂" });
    valley.pieces("levels", landscape(), "level");
    const points = path.slice(0, step + 1);
    valley.line("path", points, "hue-2");
    valley.dots("points", points, "hue-2");
    valley.symbol("best", ...library.minimum, "M0-7L2-2L7 0L2 2L0 7L-2 2L-7 0L-2-2Z", "best");
    valley.ball("now", ...points.at(-1), "ball");
    ball.at(...path[0]);
    valley.end();
  }

  function drawCloud({ gradients, full, size, sigma }) {
    const range = kit.linear(-REACH, REACH);
    cloud.begin({ x: range, y: range, xName: "gradient along w₁", yName: "gradient along w₂" });
    cloud.line("zero x", [[-REACH, 0], [REACH, 0]], "zero");
    cloud.line("zero y", [[0, -REACH], [0, REACH]], "zero");
    cloud.dots("downhill", gradients.filter((each) => !climbs(each, full)), kit.hue(0));
    cloud.dots("uphill", gradients.filter((each) => climbs(each, full)), kit.hue(1));
    const radius = sigma / Math.sqrt(size);
    cloud.line("circle", kit.grid(0, 2 * Math.PI, 61).map((angle) => [full[0] + radius * Math.cos(angle), full[1] + radius * Math.sin(angle)]), "dashed");
    cloud.arrow("full", [0, 0], full, "");
    cloud.end();
  }

  function drawLosses({ losses: values, expected, step }) {
    const floor = (value) => Math.max(value, 1e-300);
    losses.begin({ x: kit.linear(0, library.steps), y: kit.log(...LOSSES), xName: "step", yName: "loss above the least" });
    losses.line("now", [[step, LOSSES[0]], [step, LOSSES[1]]], "cursor");
    losses.line("loss", values.map((value, t) => [t, floor(value)]), "hue-2");
    losses.line("expected", expected.map((value, t) => [t, floor(value)]), "dashed");
    losses.ball("here", step, floor(values[step]), "hue-2", 4);
    losses.end();
  }

  function drawErrors({ size, sigma, measured }) {
    errors.begin({ x: { ...kit.log(0.8, 1.25 * LARGEST), ticks: () => SIZES.filter((_, k) => k % 2 === 0) }, y: kit.log(0.02, 20), xName: "batch size", yName: "distance from the gradient" });
    errors.line("theory", SIZES.map((each) => [each, sigma / Math.sqrt(each)]), "dashed");
    SIZES.forEach((each, k) => errors.ball(`measured ${each}`, each, measured[k], kit.hue(0), 3.5));
    const at = measured[SIZES.indexOf(size)];
    const [left, top] = errors.point(size, at);
    errors.text("now", left + 12, top - 12, kit.number(at, 2), kit.hue(0));
    grip.at(size, at);
    errors.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ size, order, full, gradients, measured, sigma, losses, expected }) {
  const [length, error, theory] = [Math.hypot(...full), measured[SIZES.indexOf(size)], sigma / Math.sqrt(size)];
  const uphill = mean(gradients.map((each) => (climbs(each, full) ? 100 : 0)));
  const [late, promised] = [losses, expected].map((values) => kit.number(mean(values.slice(-LATE)), 2));
  const start = `The gradient of all the data is ${kit.number(length, 2)} long. ` +
    `Those of ${size === 1 ? "single" : size} examples are off by ${kit.number(error, 2)}`;
  const end = `In its last ${LATE} steps SGD is ${late} above the least loss`;
  return order === "random"
    ? `${start} (by theory ${kit.number(theory, 2)})${error > length ? ", more than that" : ""}; ${Math.round(uphill)}\u00a0% of them point ` +
      `uphill. To halve the error takes four times as many. ${end} (by theory ${promised}).`
    : `${start}, where random ones would be off by ${kit.number(theory, 2)}: neighbours in the order of x err alike. ` +
      `${end}; with random batches it would be ${promised}.`;
}

export default { render, draw, simulate, expected, batch, library };
