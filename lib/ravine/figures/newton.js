/*
 * The local quadratic at a point: drag the point over a surface and see the model that Newton's method sees there, where
 * the model is stationary, and where each method steps. At a saddle Newton's step goes to the saddle.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   surfaces = {key: {objective: {f, g, H}, name, window, start}};
 *   rules = {name: {hyper, init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]}}, first the gradient's;
 *   analyse(g, H) -> [eigenvalues, eigenvectors in columns, stationary point of the model − w];
 *   modelled(g, H, d) -> the change of the loss that the model says a step d makes.
 * No update rule is written here.
 */
const METHODS = Object.keys(library.rules);
const CORE = 0.5; // |trace| / (|trace| + spread) of the eigenvalues is above this where they have one sign
const AXES = [0, 1];
const CROSS = "M-5-5L5 5M-5 5L5-5";

/** One step of a method. */
function stepped(surface, method, w, hyper) {
  const rule = library.rules[method];
  return rule.step(w, rule.init(w, hyper), hyper, library.surfaces[surface].objective)[0];
}

/** The points of a run. */
function simulate(surface, method, start, hyper, steps) {
  const rule = library.rules[method];
  let w = Float64Array.from(start);
  let state = rule.init(w, hyper);
  const path = [w];
  for (let t = 0; t < steps; t++) {
    [w, state] = rule.step(w, state, hyper, library.surfaces[surface].objective);
    path.push(w);
  }
  return path;
}

/** Everything about the point: the model there, and the steps from there. */
function look(surface, point, hyper) {
  const { f, g, H } = library.surfaces[surface].objective;
  const w = Float64Array.from(point);
  const [loss, gradient, hessian] = [f(w), g(w), H(w)];
  const [values, vectors, away] = library.analyse(gradient, hessian);
  const size = Math.max(...values.map(Math.abs));
  return {
    w, loss, gradient, hessian, f, values,
    critical: Math.hypot(...gradient) <= 1e-6 * size,
    singular: Math.min(...values.map(Math.abs)) <= 1e-9 * size,
    stationary: [w[0] + away[0], w[1] + away[1]],
    // Downhill, so that a gradient step goes to the right; an eigenvector has no sign of its own.
    directions: AXES.map((i) => {
      const [x, y] = [vectors[i], vectors[2 + i]];
      return x * gradient[0] + y * gradient[1] > 0 ? [-x, -y] : [x, y];
    }),
    ends: METHODS.map((method) => stepped(surface, method, w, hyper)),
  };
}

/** Where to begin on a surface, and with which numbers: half the largest stable rate there, and twice that curvature. */
function opening(surface) {
  const { objective: { g, H }, start } = library.surfaces[surface];
  const w = Float64Array.from(start);
  const curvature = Math.max(...library.analyse(g(w), H(w))[0].map(Math.abs));
  return { point: start, learning_rate: kit.round(1 / curvature, 2), damping: kit.round(2 * curvature, 2) };
}

/** What kind of critical point a quadratic with these eigenvalues has. */
function kind([low, high], singular) {
  if (singular) return "degenerate";
  return low > 0 ? "minimum" : high < 0 ? "maximum" : "saddle";
}

/** Positive definite above CORE, negative definite below −CORE, indefinite between. */
function definiteness(values) {
  const trace = values[0] + values[1];
  return trace / (Math.abs(trace) + values[1] - values[0] || 1);
}

/** What depends on the surface alone: its level lines, and where its Hessian is of which kind. */
function survey(key) {
  const { objective: { f, g, H }, window } = library.surfaces[key];
  const at = new Float64Array(2);
  const tabulate = (count, evaluate) =>
    kit.field(...window.map(([low, high]) => kit.grid(low, high, count)), (x, y) => ((at[0] = x), (at[1] = y), evaluate(at)));
  const losses = tabulate(81, f);
  const sorted = losses.values.slice().sort();
  const heights = kit.grid(0, 0.94, 17).map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
  // The model may go as far below the lowest loss as the loss rises above it.
  const below = heights.slice(1).map((height) => 2 * heights[0] - height);
  const signs = tabulate(81, (w) => definiteness(library.analyse(g(w), H(w))[0]));
  return {
    heights: [...below, ...heights],
    lines: heights.flatMap((height) => kit.levelLine(losses, height)),
    signs,
    edge: [-CORE, CORE].flatMap((level) => kit.levelLine(signs, level)),
  };
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "The quadratic that a point sees",
    task: "Drag the point into the shaded region, where the loss curves down in one direction and up in the other, and " +
      "see why Newton walks to the saddle there, while saddle-free Newton walks away.",
  });
  const keys = ["surface", "point", "method", "learning_rate", "damping"];
  const initial = keys.map((key) => [key, get(key)]);
  let trail = { surface: null, points: [] };

  const terrain = figure.plot({ title: "The loss, and the steps", label: "The loss with a step of each method from the point", ratio: 0.86 });
  const local = figure.plot({ title: "The model at the point", label: "The quadratic model of the loss at the point, with the same steps", ratio: 0.86 });
  const cuts = AXES.map(() => figure.plot({ title: "", label: "The loss and its model along an eigenvector of the Hessian", ratio: 0.6 }));
  local.panel.after(kit.html("p", { class: "key" }, ...METHODS.map((method, k) => kit.html("span", { class: kit.hue(k) }, `→ ${method}  `)),
    " ✕ where the model is stationary."));

  const choose = (values) => figure.set(values);
  figure.select({
    label: "Surface", get: () => get("surface"),
    options: Object.fromEntries(Object.entries(library.surfaces).map(([key, { name }]) => [key, name])),
    set: (surface) => choose({ surface, ...opening(surface) }),
  });
  figure.select({
    label: "Method", options: METHODS,
    get: () => get("method"),
    set: (method) => choose({ method }),
  });
  for (const axis of AXES) {
    const side = () => kit.linear(...library.surfaces[get("surface")].window[axis]);
    figure.slider({
      label: `point: w${"₁₂"[axis]}`, stops: 200, get: () => get("point")[axis],
      scale: { to: (value) => side().to(value), from: (share) => side().from(share) },
      set: (value) => choose({ point: get("point").map((old, i) => (i === axis ? value : old)) }),
    });
  }
  figure.slider({
    label: "gradient's rate η", scale: kit.log(1e-4, 1), get: () => get("learning_rate"),
    set: (learning_rate) => choose({ learning_rate }),
  });
  figure.slider({
    label: "damping λ", scale: kit.log(0.01, 1000), get: () => get("damping"), set: (damping) => choose({ damping }),
  });
  const take = figure.button("", () => {
    const end = look(get("surface"), get("point"), hyper()).ends[METHODS.indexOf(get("method"))];
    if (!end.every(Number.isFinite)) return;
    trail.points.push([...end]);
    choose({ point: [...end] });
    figure.release();
  });
  figure.button("Reset", () => (choose(Object.fromEntries(initial)), (trail.points = []), figure.release()));

  const grip = terrain.handle("point", (x, y) => choose({ point: [x, y] }));
  const hyper = () => ({ learning_rate: get("learning_rate"), damping: get("damping") });
  const surveyed = kit.memo(survey);

  function draw() {
    const [surface, point, method] = keys.map(get);
    // The trail ends at the point. If somebody has put the point elsewhere, a new one begins.
    const last = trail.points.at(-1);
    if (trail.surface !== surface || !last || AXES.some((i) => last[i] !== point[i])) trail = { surface, points: [point] };
    const now = { ...look(surface, point, hyper()), ...surveyed(surface), surface, method, window: library.surfaces[surface].window };
    kit.write(take, `Take the step: ${method}`);
    drawTerrain(now);
    drawModel(now);
    AXES.forEach((i) => drawCut(now, i));
    figure.say(summary(now, trail.points.length - 1));
  }

  let painted = null;
  function drawTerrain(now) {
    const { surface, window, lines, signs, edge, w } = now;
    terrain.begin({ x: kit.linear(...window[0]), y: kit.linear(...window[1]), xName: "w₁", yName: "w₂" });
    if (figure.repaint || painted !== surface) {
      terrain.bands(signs, [-CORE, CORE], ["concave", "indefinite", "convex"].map((name) => kit.pixel(el, `--${name}`)));
      painted = surface;
    }
    terrain.pieces("levels", lines, "level");
    terrain.pieces("edge", edge, "edge-of-kind");
    terrain.line("trail", trail.points, "path");
    terrain.dots("trail dots", trail.points, "path");
    drawSteps(terrain, now);
    nameSteps(now);
    grip.at(...w);
    terrain.end();
  }

  function drawModel(now) {
    const { window, heights, w, loss, gradient, hessian } = now;
    local.begin({ x: kit.linear(...window[0]), y: kit.linear(...window[1]), xName: "w₁", yName: "w₂" });
    const step = new Float64Array(2);
    const values = kit.field(...window.map(([low, high]) => kit.grid(low, high, 61)), (x, y) => {
      [step[0], step[1]] = [x - w[0], y - w[1]];
      return loss + library.modelled(gradient, hessian, step);
    });
    local.pieces("levels", heights.flatMap((height) => kit.levelLine(values, height)), "level");
    drawSteps(local, now);
    local.ball("point", ...w, "ball", 6);
    local.end();
  }

  function drawSteps(plot, { w, ends, method, stationary, values, singular }) {
    METHODS.forEach((name, k) => plot.arrow(name, w, ends[k], `${kit.hue(k)}${name === method ? " chosen" : ""}`));
    if (!singular && plot.inside(...stationary)) {
      plot.symbol("stationary", ...stationary, CROSS, "cross");
      const [x, y] = plot.point(...stationary);
      if (plot === local) plot.text("kind", x, y + (y > plot.area.height / 2 ? -16 : 16), kind(values), "", "middle");
    }
  }

  /** The methods' names, beyond the tips of their arrows; arrows with one tip share a label. */
  function nameSteps({ w, ends }) {
    const from = terrain.point(...w);
    const { left, top, width, height } = terrain.area;
    const labels = [];
    ends.forEach((end, k) => {
      if (!terrain.inside(...end) || (end[0] === w[0] && end[1] === w[1])) return;
      const tip = terrain.point(...end);
      const same = labels.find((label) => Math.hypot(label.tip[0] - tip[0], label.tip[1] - tip[1]) < 4);
      if (same) same.text += ` = ${METHODS[k]}`;
      else labels.push({ tip, text: METHODS[k], style: kit.hue(k) });
    });
    for (const label of labels) {
      const [dx, dy] = [label.tip[0] - from[0], label.tip[1] - from[1]];
      const length = Math.hypot(dx, dy) || 1;
      const half = 3 * label.text.length; // of the text's width
      label.x = kit.clamp(label.tip[0] + (dx / length) * (half + 8), left + half, left + width - half);
      label.y = label.tip[1] + (dy / length) * 11;
    }
    const heights = kit.spread(labels.map(({ y }) => y), 13, top + 7, top + height - 7);
    labels.forEach(({ x, text, style }, i) => terrain.text(`name ${text}`, x, heights[i], text, style, "middle"));
  }

  function drawCut(now, i) {
    const { w, loss, f, gradient, hessian, values, directions, ends, stationary, singular, window } = now;
    const [cut, direction] = [cuts[i], directions[i]];
    const along = (point) => (point[0] - w[0]) * direction[0] + (point[1] - w[1]) * direction[1];
    const span = Math.hypot(...window.map(([low, high]) => high - low)) / 2;
    const needed = Math.max(...ends.map((end) => Math.abs(along(end))).filter(Number.isFinite), 0) * 1.15;
    // Halves of the window, so that the axis stays while the point moves a little.
    let reach = span;
    while (reach > span / 64 && reach / 2 > needed) reach /= 2;
    const places = kit.grid(-reach, reach, 81);
    const modelled = (s) => library.modelled(gradient, hessian, Float64Array.of(s * direction[0], s * direction[1]));
    const model = places.map((s) => [s, modelled(s)]);
    const truth = places.map((s) => [s, f(Float64Array.of(w[0] + s * direction[0], w[1] + s * direction[1])) - loss]);
    const heights = model.map(([, y]) => y);
    const room = Math.max(...heights.map(Math.abs)) || 1;
    const [low, high] = [Math.min(...heights), Math.max(...heights)];
    const margin = 0.12 * (high - low || room);
    kit.write(cut.head.firstChild, `Eigenvalue ${kit.number(values[i])}: the model ${values[i] ? `has a ${values[i] < 0 ? "top" : "bottom"}` : "is straight"}`);
    cut.begin({ x: kit.linear(-reach, reach), y: kit.linear(low - margin, high + margin), xName: "uphill ← along the eigenvector → downhill", yName: "change of the loss" });
    cut.line("zero", [[0, low - margin], [0, high + margin]], "zero");
    cut.line("truth", truth, "truth");
    cut.line("model", model, "model");
    ends.forEach((end, k) => cut.ball(`end ${k}`, along(end), modelled(along(end)), `${kit.hue(k)} end`, 5));
    const vertex = [along(stationary), modelled(along(stationary))];
    if (!singular && cut.inside(...vertex)) cut.symbol("stationary", ...vertex, CROSS, "cross");
    cut.ball("point", 0, 0, "ball", 4);
    cut.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ w, loss, f, values, critical, singular, stationary, ends, window }, taken) {
  const place = `(${[...w].map((x) => kit.number(x)).join(", ")})`;
  const eigenvalues = `The Hessian's eigenvalues are ${kit.number(values[0])} and ${kit.number(values[1])}`;
  const walked = taken > 0 ? `${taken} ${taken === 1 ? "step" : "steps"} taken. ` : "";
  if (critical) return `${walked}At ${place} the gradient is zero: a critical point. ${eigenvalues}, so it is ${singular ? "" : "a "}${kind(values, singular)}.`;
  const seen = singular ? "the model has no single stationary point" : `the model is stationary at a ${kind(values)}`;
  const reach = Math.hypot(...window.map(([low, high]) => high - low)) * 1e-6;
  const there = METHODS.filter((_, k) => Math.hypot(ends[k][0] - stationary[0], ends[k][1] - stationary[1]) < reach);
  const upwards = values[0] < 0 ? `, up along the direction${values[1] < 0 ? "s" : ""} in which it curves down` : "";
  const goes = singular || !there.length ? "" : `, and ${there.join(" and ")} ${there.length > 1 ? "go" : "goes"} right there${upwards}`;
  const changes = METHODS.map((name, k) => {
    const change = f(ends[k]) - loss;
    return `${name} ${Number.isFinite(change) ? `${change > 0 ? "+" : ""}${kit.number(change)}` : "nowhere"}`;
  });
  return `${walked}At ${place} the loss is ${kit.number(loss)}. ${eigenvalues}: ${seen}${goes}. A step changes the loss by: ${changes.join("; ")}.`;
}

export default { render, simulate };
