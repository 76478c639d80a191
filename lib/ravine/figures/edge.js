/*
 * The rate selects the curvature: gradient descent trains until the sharpness is 2/η, and stays there.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   loss(y) -> {f, g};  begin(generator) -> w;  descent = {step(w, state, hyper, objective) -> [w, state]};
 *   lanczos(w, y, v) -> [largest Ritz value from the start v, its vector, the norm of their residual];
 *   curve(w) -> the network's values at `nodes`;  x;  targets = {name: y};  size, of w;  rates: from, to.
 * No network, no rule and no eigenvalue method is written here.
 */
const LONGEST = 10000; // steps
const NOTE = 5; // steps from one point of the loss to the next
const MEASURE = 10; // and of the sharpness
const RECENT = 20; // measurements that say whether it stays at the line
const CLOSE = 0.15; // of 2/η, how far their mean may be from it
const EXACT = 0.01; // the residual allowed, of the sharpness; the error is far smaller
const ROUNDS = 50; // of Lanczos at most
const LOST = 1e3; // a loss that has blown up
const SPEEDS = ["1", "5", "25"]; // steps a frame

/** A training that has not taken a step. */
function begin({ seed, target, learning_rate }) {
  const y = Float64Array.from(library.targets[target]);
  const run = {
    seed, target, learning_rate, y,
    objective: library.loss(y),
    w: library.begin(kit.random(seed)),
    top: kit.random(seed, 1).normal(library.size), // where Lanczos begins
    state: [],
    t: 0,
    lost: false,
    rates: [[0, learning_rate]], // since when
    losses: [],
    sharpness: [],
  };
  note(run);
  return run;
}

/** From the next step on, train at another rate. */
function steer(run, learning_rate) {
  run.learning_rate = learning_rate;
  if (run.rates.at(-1)[0] === run.t) run.rates.pop();
  run.rates.push([run.t, learning_rate]);
}

function advance(run) {
  [run.w, run.state] = library.descent.step(run.w, run.state, { learning_rate: run.learning_rate }, run.objective);
  run.t++;
  if (run.t % NOTE === 0) note(run);
}

function note(run) {
  const value = run.objective.f(run.w);
  run.lost = !(value < LOST);
  if (run.lost) return;
  run.losses.push([run.t, value]);
  if (run.t % MEASURE === 0) run.sharpness.push([run.t, measure(run)]);
}

/** The largest eigenvalue of the Hessian. Lanczos begins at the eigenvector of the last time, which has hardly turned. */
function measure(run) {
  for (let round = 1; ; round++) {
    const [value, vector, residual] = library.lanczos(run.w, run.y, run.top);
    run.top = vector;
    if (residual <= EXACT * Math.abs(value) || round === ROUNDS) return value;
  }
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "The rate selects the curvature",
    task: "Press Play, and drag the line 2/η up or down while it trains: the sharpness goes to where you put it. A smaller " +
      "rate trains in sharper places, as long as something is left to learn; a larger one is thrown out of them.",
  });
  const keys = ["learning_rate", "target", "seed", "steps"];
  const initial = Object.fromEntries(keys.map((key) => [key, get(key)]));
  const settings = () => ({
    learning_rate: kit.clamp(get("learning_rate"), ...library.rates), seed: get("seed"),
    target: get("target") in library.targets ? get("target") : initial.target,
  });

  const sharpness = figure.plot({ title: "The sharpness, the largest eigenvalue of the Hessian", label: "Sharpness against the step, and the line 2/η", wide: true, ratio: 0.42, right: 66 });
  const loss = figure.plot({ title: "The loss", label: "Loss against the step", ratio: 0.62 });
  const fit = figure.plot({ title: "The curve through the points", label: "The network's curve and the points that it learns", ratio: 0.62 });

  // ---------------------------------------------------------------- training

  let run = null;
  let speed = SPEEDS[1];

  const training = figure.trainer({
    longest: LONGEST, stride: 200, current, advance, aFrame: () => speed, smooth: true, over: ({ lost }) => lost,
    restart: () => (run = null),
  });
  figure.choice({ label: "Steps a frame", options: SPEEDS, get: () => speed, set: (n) => (speed = n), where: training.bar });

  /** The run that the settings ask for: begun anew if something else than the reader's hand has changed them. */
  function current() {
    const now = settings();
    const same = run && Object.keys(now).every((key) => run[key] === now[key]) && (run.t <= training.goal() || run.lost);
    return (run = same ? run : begin(now));
  }

  // ---------------------------------------------------------------- controls

  /** The reader's hand on the rate: the training goes on with it. */
  function drive(learning_rate) {
    learning_rate = kit.round(kit.clamp(learning_rate, ...library.rates), 3);
    steer(current(), learning_rate);
    figure.set({ learning_rate });
  }
  const grip = sharpness.handle("rate", (_, y) => drive(2 / y));
  figure.slider({
    label: "rate η", scale: kit.log(...library.rates), stops: 100, get: () => settings().learning_rate, set: drive,
  });
  figure.slider({ label: "seed", scale: kit.linear(1, 20), stops: 19, get: () => get("seed"), set: (seed) => figure.set({ seed }) });
  figure.choice({
    label: "Target", options: Object.keys(library.targets),
    get: () => settings().target, set: (target) => figure.set({ target }),
  });
  figure.button("Reset", () => {
    training.play(false);
    run = null;
    figure.set(initial);
    figure.release();
  });

  // ---------------------------------------------------------------- pictures

  function draw() {
    const unfinished = training.goOn(current());
    el.setAttribute("aria-busy", unfinished && !figure.playing);
    const goal = training.goal();
    const longest = [500, 1000, 2000, 5000, LONGEST].find((steps) => steps >= Math.max(run.t, goal < LONGEST ? goal : 0));
    const x = kit.linear(0, longest);
    drawSharpness(x);
    drawLoss(x);
    drawFit();
    if (figure.playing || !unfinished) figure.say(summary(run));
  }

  function drawSharpness(x) {
    const limit = 2 / run.learning_rate;
    const y = kit.linear(0, 2.2 / library.rates[0]);
    sharpness.begin({ x, y, xName: "step", yName: "sharpness" });
    const levels = run.rates.flatMap(([since, rate], i) => [[since, 2 / rate], [run.rates[i + 1]?.[0] ?? x.high, 2 / rate]]);
    sharpness.line("limit", levels, "hue-4 dashed");
    sharpness.line("sharpness", run.sharpness, "strong hue-0");
    const [t, now] = run.sharpness.at(-1) ?? [0, NaN];
    sharpness.ball("now", t, now, "hue-0", 4);
    grip.at(x.high, limit);
    const [right, height] = sharpness.point(x.high, limit);
    sharpness.text("2/η", right + 13, height, `2/η =\n${kit.number(limit)}`, "hue-4");
    sharpness.end();
  }

  function drawLoss(x) {
    loss.begin({ x, y: kit.log(1e-5, 10), xName: "step", yName: "loss" });
    run.rates.slice(1).forEach(([since], i) => loss.line(`rate ${i}`, [[since, 1e-5], [since, 10]], "cursor"));
    loss.line("loss", run.losses, "hue-0");
    if (run.losses.length) loss.ball("now", ...run.losses.at(-1), "hue-0", 4);
    loss.end();
  }

  function drawFit() {
    fit.begin({ x: kit.linear(-1.05, 1.05), y: kit.linear(-1.6, 1.6), xName: "x", yName: run.target });
    fit.line("curve", Array.from(library.curve(run.w), (value, i) => [library.nodes[i], value]), "strong hue-0");
    fit.dots("points", library.x.map((x, i) => [x, run.y[i]]), "");
    fit.end();
  }

  return figure.stop;
}

/** What the pictures show, in two or three sentences. */
function summary({ t, rates, learning_rate, losses, sharpness, lost }) {
  const limit = 2 / learning_rate;
  if (lost) return `By step ${t} the training has blown up: at η = ${kit.number(learning_rate)} the sharpness was too far above 2/η = ${kit.number(limit)}. Restart with a smaller rate.`;
  const now = sharpness.at(-1)[1];
  const recent = sharpness.filter(([at]) => at >= rates.at(-1)[0]).slice(-RECENT).map(([, value]) => value);
  const [least, most] = [Math.min(...recent), Math.max(...recent)];
  const mean = recent.reduce((sum, value) => sum + value, 0) / recent.length;
  const stays = recent.length === RECENT && Math.abs(mean / limit - 1) < CLOSE;
  const where = stays ? `in the last ${RECENT * MEASURE} steps it has stayed about that line, between ${kit.number(least)} and ${kit.number(most)}`
    : now > limit ? "it is above that line, where steps overshoot along the sharpest direction"
      : "it is below that line, and has room to climb";
  return `After ${t} steps the sharpness is ${kit.number(now)}. At η = ${kit.number(learning_rate)} the line 2/η is at ${kit.number(limit)}: ` +
    `${where}. The loss is ${kit.number(losses.at(-1)[1], 2)}.`;
}

export default { render, begin, steer, advance, library };
