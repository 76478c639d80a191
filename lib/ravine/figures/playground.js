/*
 * A small network that learns while one watches: which rule, which start, which units, and what comes of it.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   networks = {hidden: {begin(draws) -> w, kernels, learn, predict}}, where draws.normal() is asked for each kernel, whose
 *     sizes are `kernels`; learn(w, activation, x, y, order, first, last) -> [loss, gradient] over the examples
 *     order[first … last]; predict(w, activation, points) -> the probability of class 1 at library.side² + 2 · examples points;
 *   initializers = {name: {scale, "fan_in×fan_out": (random, scale) -> kernel}}, `scale` being what it calls the number;
 *   rules = {name: {hyper, init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]}}, and leftOut;
 *   activations and batches, by name;  data = {name: [x, y]}, of which the first `examples` are to learn from;  window.
 * No rule, no network and no initializer is written here, or known by name.
 */
const { examples: EXAMPLES, side: SIDE, window: WINDOW } = library;
const NODES = kit.grid(-WINDOW, WINDOW, SIDE);
const PLANE = NODES.flatMap((b) => NODES.flatMap((a) => [a, b]));
const LEVELS = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95];
const LONGEST = 20000; // steps
const A_FRAME = 4; // steps while it plays: slow enough to see what happens
const RATES = kit.grid(-4, 1, 11).map((power) => kit.round(10 ** power, 2)); // to choose from
const TRIAL = 100; // steps to judge a rate by
const MANY = 300; // points of a curve; with more, every second goes
const SHAPES = ["m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", "m0-4.6l4.2 7.4h-8.4z"];

/** A training that has not taken a step. */
function begin(settings) {
  const [x, y] = library.data[settings.data].map((numbers) => Float64Array.from(numbers));
  const network = library.networks[settings.hidden];
  const start = library.initializers[settings.initializer];
  const kernels = network.kernels.map((shape) => start[shape]).values();
  const random = kit.random(settings.seed);
  const rule = library.rules[settings.rule];
  const hyper = Object.fromEntries(rule.hyper.map((name) => [name, settings.learning_rate]));
  const w = network.begin({ normal: () => kernels.next().value(random, settings.scale) });
  const run = {
    settings, network, rule, hyper, w,
    state: rule.init(w, hyper),
    activation: library.activations[settings.activation],
    batch: library.batches[settings.batch],
    learned: [x.subarray(0, 2 * EXAMPLES), y.subarray(0, EXAMPLES)],
    others: [x.subarray(2 * EXAMPLES), y.subarray(EXAMPLES)],
    points: Float64Array.from([...PLANE, ...x]),
    labels: y,
    shuffles: kit.random(settings.seed, 1),
    order: null,
    t: 0,
    every: 1, // steps from one point of the curves to the next
    curves: [],
  };
  note(run);
  return run;
}

/** Take a step on the next examples; when all have had their turn, they are shuffled. */
function advance(run) {
  const first = (run.t % Math.ceil(EXAMPLES / run.batch)) * run.batch;
  if (first === 0) run.order = run.shuffles.permutation(EXAMPLES);
  const last = Math.min(first + run.batch, EXAMPLES);
  const learn = kit.memo((w) => run.network.learn(w, run.activation, ...run.learned, run.order, first, last));
  const objective = { f: (w) => learn(w)[0], g: (w) => learn(w)[1] };
  [run.w, run.state] = run.rule.step(run.w, run.state, run.hyper, objective);
  run.t++;
  if (run.t % run.every === 0) note(run);
}

const ORDER = Float64Array.from({ length: EXAMPLES }, (_, i) => i);
/** The losses on all examples to learn from, and on the others. */
const losses = kit.memo((run, w) =>
  [run.learned, run.others].map((kind) => run.network.learn(w, run.activation, ...kind, ORDER, 0, EXAMPLES)[0]));

function note(run) {
  run.curves.push([run.t, ...losses(run, run.w)]);
  if (run.curves.length > MANY) {
    run.every *= 2;
    run.curves = run.curves.filter(([t]) => t % run.every === 0);
  }
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "A network learns",
    task: "Press Play and watch the border form. Then let all weights start as zeros: nothing is learned. Or give sgd the " +
      "task that adam has just solved.",
  });
  const words = {
    data: library.data, hidden: library.networks, activation: library.activations, initializer: library.initializers,
    rule: library.rules, batch: library.batches,
  };
  const keys = [...Object.keys(words), "scale", "learning_rate", "seed"];
  const initial = Object.fromEntries([...keys, "steps"].map((key) => [key, get(key)]));
  /** The settings; a word that the library does not know, from an address, is as good as none. */
  const known = (key) => [get(key), initial[key], ...Object.keys(words[key])].find((word) => word in words[key]);
  const settings = () => Object.fromEntries(keys.map((key) => [key, key in words ? known(key) : get(key)]));

  const plane = figure.plot({ title: "What the network takes each place for", label: "The plane in the colours of the two classes, with the examples", ratio: 0.96, left: 40 });
  const curves = figure.plot({ title: "The loss as it learns", label: "Loss on training and test points against the step", ratio: 0.96, right: 66 });
  const legend = (n, kind, text) => kit.html("span", { class: `hue-${n ? 4 : 0}` }, mini(n, kind), ` ${text} `);
  const mini = (n, kind) => kit.svg("svg", { width: 12, height: 12, viewBox: "-6 -6 12 12", "aria-hidden": "true" },
    kit.svg("path", { d: `M0 0${SHAPES[n]}`, class: `example ${kind} hue-${n ? 4 : 0}` }));
  curves.panel.after(kit.html("p", { class: "key" },
    legend(0, "", "one class,"), legend(1, "", "the other;"), " filled to learn from, hollow to test. The line is where " +
    "the network cannot decide. Every change starts again at step 0; the dashed line is the run before." +
    (library.leftOut.length ? ` Not offered, for they want more than a vector's gradient, or too much code: ${library.leftOut.join(", ")}.` : "")));

  // ---------------------------------------------------------------- training

  let run = null;
  let before = null; // the last run that got anywhere

  const training = figure.trainer({
    longest: LONGEST, stride: 100, current, advance, aFrame: () => A_FRAME, restart: () => choose({}),
  });
  const clock = kit.html("output", {});
  training.bar.append(clock);

  /** The run that the settings ask for: begun anew if they have changed, or want an earlier step. */
  function current() {
    const now = settings();
    if (run && keys.every((key) => run.settings[key] === now[key]) && run.t <= training.goal()) return run;
    if (run?.t > 20) before = run;
    run = begin(now);
    return run;
  }

  // ---------------------------------------------------------------- controls

  /** Change settings; the training starts again, and goes on playing if it did. */
  function choose(values) {
    if (run?.t > 20) before = run;
    run = null;
    figure.set({ ...values, steps: 0 });
  }
  const list = (label, key, name = (value) => value.replaceAll("_", " ")) => figure.select({
    label, options: Object.fromEntries(Object.keys(words[key]).map((value) => [value, name(value)])),
    get: () => settings()[key],
    set: (value) => choose({ [key]: value }),
  });
  list("data", "data");
  list("optimizer", "rule");
  list("hidden layers", "hidden", (value) => value.replaceAll("-", ", "));
  list("initializer", "initializer");
  list("activation", "activation");
  figure.choice({
    label: "batch", options: Object.keys(library.batches),
    get: () => settings().batch,
    set: (batch) => choose({ batch }),
  });
  const number = (label, key, scale, stops) => figure.slider({
    label, scale, stops, get: () => get(key), set: (value) => choose({ [key]: value }),
  });
  number("learning rate", "learning_rate", kit.log(1e-4, 10), 100);
  number("seed", "seed", kit.linear(1, 50), 49);
  const scale = number("scale", "scale", kit.log(0.01, 10), 90);
  /** Try every rate, one a frame, and take the one that has got furthest on the points to learn from. */
  function findRate() {
    training.play(false);
    const [asked, rates] = [settings(), [...RATES]];
    let best = { reached: Infinity };
    const next = () => {
      if (figure.signal.aborted || figure.playing || keys.some((key) => settings()[key] !== asked[key])) return;
      const learning_rate = rates.shift();
      if (learning_rate) {
        const trial = Object.assign(begin({ ...asked, learning_rate }), { every: TRIAL });
        while (trial.t < TRIAL) advance(trial);
        const [reached] = losses(trial, trial.w);
        if (reached < best.reached) best = { reached, learning_rate };
        kit.write(clock, `trying ${kit.number(learning_rate)}`);
        requestAnimationFrame(next);
      } else {
        choose({ learning_rate: best.learning_rate ?? asked.learning_rate });
        figure.release();
      }
    };
    requestAnimationFrame(next);
  }
  figure.button("Find a good rate", findRate);
  figure.button("Reset", () => {
    training.play(false);
    run = before = null;
    figure.set(initial);
    figure.release();
  });

  // ---------------------------------------------------------------- pictures

  const predicted = kit.lagging(({ network, activation, points }, w) => network.predict(w, activation, points));
  const borders = kit.memo((probability) => {
    const values = probability.subarray(0, SIDE * SIDE);
    return { xs: NODES, ys: NODES, values, line: kit.levelLine({ xs: NODES, ys: NODES, values }, 0.5) };
  });

  function draw() {
    const unfinished = training.goOn(current());
    const called = library.initializers[run.settings.initializer].scale;
    scale.input.disabled = called === null;
    kit.write(scale.input.labels[0], called === null ? "scale (it has none)" : `scale (its ${called})`);
    kit.write(clock, `step ${run.t}`);
    predicted.ask(run, run.w);
    if (unfinished && predicted.stale) predicted.update(); // while it learns; a new start may come a moment later
    figure.gradually(() => predicted.stale, predicted.update);
    const probability = predicted.value;
    drawPlane(borders(probability));
    drawCurves();
    figure.say(summary(run, probability));
  }

  let painted = null;
  let shades = null;
  function drawPlane(field) {
    const axis = kit.linear(-WINDOW, WINDOW);
    plane.begin({ x: axis, y: axis, xName: "x₁", yName: "x₂" });
    if (figure.repaint) shades = [...LEVELS, 1].map((_, k) => kit.pixel(el, `--side-${k}`));
    if (figure.repaint || painted !== field) plane.bands(field, LEVELS, shades);
    painted = field;
    plane.pieces("undecided", field.line, "edge");
    for (const [kind, [x, y]] of [["test", run.others], ["", run.learned]]) {
      for (const label of [0, 1]) {
        const points = Array.from(y, (_, i) => [x[2 * i], x[2 * i + 1]]).filter((_, i) => y[i] === label);
        plane.shapes(`examples ${kind} ${label}`, points, SHAPES[label], `example ${kind} hue-${label ? 4 : 0}`);
      }
    }
    plane.end();
  }

  function drawCurves() {
    const y = kit.log(1e-4, 10);
    const longest = Math.max(run.t, before?.t ?? 0, 100);
    const unit = 10 ** Math.floor(Math.log10(longest));
    curves.begin({ x: kit.linear(0, unit * [1, 2, 5, 10].find((n) => n * unit >= longest)), y, xName: "step", yName: "loss" });
    const lines = [["train", run, 1, "strong"], ["test", run, 2, "strong hue-2"]];
    if (before) lines.unshift([`before${difference()}`, before, 1, "before"]);
    const ends = lines.map(([name, { curves: points }, part, style]) => {
      const line = points.map((point) => [point[0], Math.max(point[part], 1e-9)]);
      curves.line(name === "train" || name === "test" ? name : "before", line, style);
      return curves.point(...(line.findLast(([, value]) => value > y.low && value < y.high) ?? [0, 1]));
    });
    const { top, height } = curves.area;
    const places = kit.spread(ends.map(([, end]) => kit.clamp(end, top, top + height)), 14, top + 7, top + height - 7);
    lines.forEach(([name, , , style], i) => curves.text(`label ${i}`, ends[i][0] + 5, places[i], name, style.replace(/strong|before/, "")));
    curves.end();
  }
  /** What the run before had in place of one setting, if that is all that has changed. */
  function difference() {
    const changed = keys.filter((key) => run.settings[key] !== before.settings[key]);
    return changed.length === 1 ? `\n(${String(before.settings[changed[0]]).replaceAll("_", "\n")})` : "";
  }

  return figure.stop;
}

/** What the pictures show, in two or three sentences. */
function summary(run, probability) {
  const [surface, test] = [probability.subarray(0, SIDE * SIDE), probability.subarray(SIDE * SIDE + EXAMPLES)];
  const now = losses(run, run.w);
  if (!now.every(Number.isFinite)) return `By step ${run.t} the run has blown up: a smaller learning rate, or a smaller start, would hold it.`;
  const right = test.reduce((sum, p, i) => sum + (p >= 0.5 === (run.labels[EXAMPLES + i] === 1)), 0);
  const when = run.t ? `After ${run.t} step${run.t > 1 ? "s" : ""}` : "Before the first step";
  const [low, high] = surface.reduce(([a, b], p) => [Math.min(a, p), Math.max(b, p)], [1, 0]);
  const shape = high - low < 1e-6 ? "It takes every place for the same: the plane is of one colour."
    : high < 0.5 || low > 0.5 ? "It takes the whole plane for one class."
      : `It puts ${Math.round((100 * right) / EXAMPLES)} % of the test points on the right side.`;
  return `${when} the loss is ${kit.number(now[0], 2)} on the points to learn from and ${kit.number(now[1], 2)} on the others. ${shape}`;
}

export default { render, begin, advance, library };
