/*
 * Turn the ravine: rules with a rate for each coordinate run straight down a ravine that lies along a coordinate, and are
 * no better than others in one that lies across them.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   ravine(steepness, angle) -> {f, g};  start(angle);
 *   rules = {name: {init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]}};
 *   window;  tolerance, of the loss;  mostSteps;  rates to choose from;  angles at which steps are counted.
 * No update rule is written here.
 */
const RULES = Object.keys(library.rules);
const [X, Y] = [0, 1];
const RECENT = 5; // steps over which an effective rate is taken
const HEIGHTS = [0.05, 0.2, 0.5, 1, 1.5, 2, 4, 8, 16, 32, 64, 128];

/** The points of a run, and the gradient at each. */
function simulate(name, steepness, angle, learning_rate, steps) {
  const [rule, hyper, objective] = [library.rules[name], { learning_rate }, library.ravine(steepness, angle)];
  let w = library.start(angle);
  let state = rule.init(w, hyper);
  const [path, gradients] = [[w], [objective.g(w)]];
  for (let t = 0; t < steps; t++) {
    [w, state] = rule.step(w, state, hyper, objective);
    path.push(w);
    gradients.push(objective.g(w));
  }
  return { path, gradients };
}

/** How many steps until the loss is within the tolerance; mostSteps + 1 if that is more than `most`. */
function stepsNeeded(name, steepness, angle, learning_rate, most = library.mostSteps) {
  const [rule, hyper, objective] = [library.rules[name], { learning_rate }, library.ravine(steepness, angle)];
  let w = library.start(angle);
  let state = rule.init(w, hyper);
  for (let t = 0; t <= most; t++) {
    if (objective.f(w) <= library.tolerance) return t;
    if (t < most) [w, state] = rule.step(w, state, hyper, objective);
  }
  return library.mostSteps + 1;
}

/**
 * The rate that needs fewest steps, the smallest if there are several: {rate, steps}. It begins beside the rate `guess`:
 * once a good one is known, the others are given up early.
 */
function tune(name, steepness, angle, guess = 1) {
  let best = { rate: library.rates[0], steps: library.mostSteps + 1 };
  const order = [...library.rates].sort((a, b) => Math.abs(Math.log(a / guess)) - Math.abs(Math.log(b / guess)));
  for (const rate of order) {
    const steps = stepsNeeded(name, steepness, angle, rate, Math.min(library.mostSteps, best.steps));
    if (steps < best.steps || (steps === best.steps && rate < best.rate)) best = { rate, steps };
  }
  return best;
}

/** {rate, steps} of a rule at an angle; `tuning` says whether its rate is the best one there or the one that is best at 0°. */
function result(name, steepness, angle, tuning, once) {
  if (tuning === "anew") return tune(name, steepness, angle, once.rate);
  return { rate: once.rate, steps: stepsNeeded(name, steepness, angle, once.rate) };
}

/** For every coordinate and step, how far the last steps went over the gradients that they saw. */
function effectiveRates({ path, gradients }) {
  return [X, Y].map((i) => path.slice(1).map((_, t) => {
    let [went, saw] = [0, 0];
    for (let s = Math.max(0, t - RECENT + 1); s <= t; s++) {
      went += Math.abs(path[s + 1][i] - path[s][i]);
      saw += Math.abs(gradients[s][i]);
    }
    return [t + 1, went / saw];
  }));
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "A rate for every coordinate",
    task: "Turn the ravine by the round handle. Along an axis the adaptive rules are the fastest; turned by 45° they fall " +
      "behind momentum: their rates belong to the coordinates, and the ravine no longer does.",
  });
  const keys = ["angle", "steepness", "rule", "tuning"];
  const initial = keys.map((key) => [key, get(key)]);

  const valley = figure.plot({ title: "The paths", label: "Paths of the rules in the ravine", ratio: 0.86 });
  const counts = figure.plot({ title: `Steps to a loss of ${library.tolerance}`, label: "Steps that each rule needs, against the angle of the ravine", ratio: 0.86, right: 74 });
  const effective = figure.plot({ title: "", label: "Effective rate of each coordinate against the step", ratio: 0.6, right: 30 });
  const losses = figure.plot({ title: "The losses", label: "Loss of each rule against the step", ratio: 0.6, right: 74 });
  losses.panel.after(kit.html("p", { class: "key" },
    `Effective rate: how far a rule went along a coordinate in its last ${RECENT} steps, over the gradients that they saw. Every rule runs at the best of ` +
    `${library.rates.length} rates between ${library.rates[0]} and ${library.rates.at(-1)}.`));

  // As many steps as most rules need.
  const shown = 80;
  const player = figure.player({ label: "step", steps: () => shown });
  const choose = (values) => (player.end(), figure.set(values));
  figure.slider({
    label: "angle (degrees)", scale: kit.linear(0, 90), stops: 90, get: () => get("angle"), set: (angle) => choose({ angle }),
  });
  figure.slider({
    label: "steepness", scale: kit.log(1, 200), stops: 60, get: () => get("steepness"), set: (steepness) => choose({ steepness }),
  });
  figure.choice({
    label: "Rates tuned", options: { once: "at 0°", anew: "at every angle" },
    get: () => get("tuning"), set: (tuning) => choose({ tuning }),
  });
  figure.select({
    label: "Effective rates of", options: RULES,
    get: () => get("rule"), set: (rule) => choose({ rule }),
  });
  figure.button("Turn to 45°", () => (choose({ angle: 45 }), figure.release()));
  figure.button("Reset", () => (choose(Object.fromEntries(initial)), figure.release()));

  const radius = 0.9 * library.window[X][1];
  const grip = valley.handle("turn", (x, y) => {
    const degrees = (Math.atan2(y, x) * 180) / Math.PI;
    choose({ angle: Math.round(kit.clamp(degrees < -135 ? 90 : degrees, 0, 90)) });
  });

  let guesses = RULES.map(() => 1);
  const best = kit.memo((steepness) => {
    const found = RULES.map((name, k) => tune(name, steepness, 0, guesses[k]));
    guesses = found.map(({ rate }) => rate); // the next steepness is mostly a neighbour
    return found;
  });
  /** The results at any angle, each found once; those at the first `counted` of the angles make the curves. */
  const surveyed = kit.memo((steepness, tuning) => {
    const known = new Map();
    const find = (angle) => RULES.map((name, k) => result(name, steepness, angle, tuning, best(steepness)[k]));
    return { counted: 0, at: (angle) => known.get(angle) ?? known.set(angle, find(angle)).get(angle) };
  });
  const runs = kit.memo((steepness, angle, results) =>
    results.map(({ rate }, k) => simulate(RULES[k], steepness, angle, rate, shown)));
  const landscape = kit.memo((steepness, angle) => {
    const { f } = library.ravine(steepness, angle);
    const at = new Float64Array(2);
    const sides = library.window.map(([low, high]) => kit.grid(low, high, 61));
    const heights = kit.field(...sides, (x, y) => (([at[X], at[Y]] = [x, y]), f(at)));
    return HEIGHTS.flatMap((height) => kit.levelLine(heights, height));
  });

  function draw() {
    const [angle, steepness, rule, tuning] = keys.map(get);
    const survey = surveyed(steepness, tuning);
    const results = survey.at(angle);
    const now = { angle, steepness, rule, step: player.step(), results, runs: runs(steepness, angle, results), survey };
    figure.gradually(() => survey.counted < library.angles.length, () => survey.at(library.angles[survey.counted++]));
    drawValley(now);
    drawCounts(now);
    drawRates(now);
    drawLosses(now);
    figure.say(summary(now));
  }

  function drawValley({ angle, steepness, runs, step }) {
    const [x, y] = library.window.map(([low, high]) => kit.linear(low, high));
    valley.begin({ x, y, xName: "w₁", yName: "w₂" });
    valley.pieces("levels", landscape(steepness, angle), "level");
    RULES.forEach((name, k) => {
      const points = runs[k].path.slice(0, step + 1);
      valley.line(name, points, kit.hue(k));
      valley.dots(`${name} dots`, points, kit.hue(k));
      valley.ball(`${name} now`, ...points.at(-1), kit.hue(k));
    });
    const turn = (angle * Math.PI) / 180;
    grip.at(radius * Math.cos(turn), radius * Math.sin(turn));
    valley.end();
  }

  /** Names of the rules at the right of a plot, at the heights where their lines end. */
  function nameRules(plot, heights, text) {
    const { left, top, width, height } = plot.area;
    const places = kit.spread(heights.map((y) => kit.clamp(y, top, top + height)), 14, top + 7, top + height - 7);
    RULES.forEach((name, k) => plot.text(`label ${name}`, left + width + 6, places[k], text(name, k), kit.hue(k)));
  }

  function drawCounts({ angle, results, survey }) {
    const most = library.mostSteps;
    const y = kit.log(3, most);
    counts.begin({ x: kit.linear(0, 90), y, xName: "angle of the ravine (degrees)", yName: "steps" });
    counts.line("now", [[angle, y.low], [angle, y.high]], "cursor");
    const place = (steps) => kit.clamp(steps, y.low, most);
    const angles = library.angles.slice(0, survey.counted);
    RULES.forEach((name, k) => {
      counts.line(name, angles.map((each) => [each, place(survey.at(each)[k].steps)]), kit.hue(k));
      counts.ball(`${name} now`, angle, place(results[k].steps), kit.hue(k));
    });
    const last = survey.at(angles.at(-1) ?? angle);
    nameRules(counts, last.map(({ steps }) => counts.point(0, place(steps))[1]), (name) => name);
    counts.end();
  }

  function drawRates({ rule, runs, step }) {
    const k = RULES.indexOf(rule);
    kit.write(effective.head.firstChild, `Effective rates of ${rule}`);
    const lines = effectiveRates(runs[k]);
    const y = kit.log(1e-3, 10);
    effective.begin({ x: kit.linear(0, shown), y, xName: "step", yName: "effective rate" });
    effective.line("now", [[step, y.low], [step, y.high]], "cursor");
    const { left, top, width, height } = effective.area;
    const ends = lines.map((line, i) => {
      effective.line(`w${i}`, line, `${kit.hue(k)} strong${i ? " dashed" : ""}`);
      return kit.clamp(effective.point(0, line.at(-1)[1])[1], top, top + height) || top;
    });
    const places = kit.spread(ends, 14, top + 7, top + height - 7);
    places.forEach((place, i) => effective.text(`label ${i}`, left + width + 6, place, `w${"₁₂"[i]}`, kit.hue(k)));
    effective.end();
  }

  function drawLosses({ steepness, angle, runs, results, step }) {
    const { f } = library.ravine(steepness, angle);
    const y = kit.log(1e-6, 1e3);
    losses.begin({ x: kit.linear(0, shown), y, xName: "step", yName: "loss" });
    losses.line("tolerance", [[0, library.tolerance], [shown, library.tolerance]], "zero");
    losses.line("now", [[step, y.low], [step, y.high]], "cursor");
    const ends = RULES.map((name, k) => {
      const points = runs[k].path.map((w, t) => [t, Math.max(f(w), 1e-12)]);
      losses.line(name, points, kit.hue(k));
      losses.ball(`${name} now`, ...points[step], kit.hue(k), 3);
      return losses.point(0, points.at(-1)[1])[1] || 0;
    });
    nameRules(losses, ends, (name, k) => `η ${kit.number(results[k].rate, 2)}`);
    losses.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ angle, rule, results, runs }) {
  const order = RULES.map((name, k) => ({ name, ...results[k] })).sort((a, b) => a.steps - b.steps);
  const needs = order.map(({ name, steps }) => `${name} ${steps > library.mostSteps ? `more than ${library.mostSteps}` : steps}`);
  const [first, second] = effectiveRates(runs[RULES.indexOf(rule)]).map((line) => line[Math.min(results[RULES.indexOf(rule)].steps, line.length) - 1][1]);
  const apart = Math.max(first / second, second / first);
  const differ = apart < 1.05 ? "are as good as equal" : `differ by a factor of ${kit.number(apart, 2)}`;
  return `At ${kit.number(angle)}°, steps to a loss of ${library.tolerance}: ${needs.join(", ")}. ` +
    `When ${rule} is there, its effective rates along w₁ and w₂ ${differ}.`;
}

export default { render, simulate, stepsNeeded, tune };
