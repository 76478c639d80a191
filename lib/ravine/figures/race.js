/*
 * A race: drag the start; every rule takes the same number of steps from there, and you see which minimum each one
 * reaches, how soon, and which one is lost.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   rules = {name: {hyper, init(w, hyper) -> state, step(w, state, hyper, objective) -> [w, state]}}; `hyper` holds the
 *     name of the rule's rate, or nothing; leftOut, the names of rules that have no place in a page;
 *   surfaces = {name: {objective() -> {f, g}, name, minima, ranks, window, start, floor, top, radius}} (_race.py, _facts);
 *   clip(g, limit), the clipping of a gradient;  rates, those among which a rule finds its best.
 * No rule and no surface is known here by name.
 */
const RULES = Object.keys(library.rules);
const SHADES = 10;
const FINE = 121; // nodes each way of the field
const MARKS = [ // what stands at the end of a path, so that no one needs to tell colours
  "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z", "M-4.5-4.5H4.5V4.5H-4.5Z", "M0-6L5.5 4.5H-5.5Z", "M0-6.5L6 0L0 6.5L-6 0Z",
  "M0 6L5.5-4.5H-5.5Z", "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "M-5-5.5H5L-5 5.5H5Z", "M-6 0L4.5 5.5V-5.5Z",
];

/** The points of a run, the start included. */
function simulate(name, rate, objective, start, steps) {
  const rule = library.rules[name];
  const hyper = { [rule.hyper[0]]: rate };
  let w = Float64Array.from(start);
  let state = rule.init(w, hyper);
  const path = [w];
  for (let t = 0; t < steps; t++) {
    [w, state] = rule.step(w, state, hyper, objective);
    path.push(w);
  }
  return path;
}

/** A surface for rules to ask, with a limit to the length of its gradients unless that is 0. */
function objective(surface, limit) {
  const bare = library.surfaces[surface].objective();
  return limit > 0 ? { ...bare, g: (w) => library.clip(bare.g(w), limit) } : bare;
}

const distance = (v, w) => Math.hypot(v[0] - w[0], v[1] - w[1]);

const isInside = ({ window }, w) => window.every(([low, high], i) => w[i] >= low && w[i] <= high); // false for NaN

/** What became of a run: {kind, step, at}. The twin of `outcome` in _race.py, which says what the kinds are. */
function outcome({ minima, window, floor, radius }, path, losses) {
  const [last, end] = [path.length - 1, path.at(-1)];
  /** The first step from which on it holds, to the end. */
  const since = (holds) => {
    let t = path.length;
    while (t > 0 && holds(t - 1)) t--;
    return t;
  };
  const gaps = minima.map((minimum) => distance(end, minimum));
  const at = gaps.indexOf(Math.min(...gaps));
  if (gaps[at] <= radius) return { kind: "reached", at, step: since((t) => distance(path[t], minima[at]) <= radius) };
  const low = since((t) => !(losses[t] > floor));
  if (!minima.length && losses[low] <= floor) return { kind: "below", step: low };
  if (!isInside({ window }, end)) {
    const kind = distance(end, [0, 0]) < 1e4 * radius ? "outside" : "diverged";
    return { kind, step: since((t) => !isInside({ window }, path[t])) };
  }
  const rests = path.slice(-Math.floor(last / 10) - 1).every((w) => distance(w, end) <= 1e-4 * radius);
  return { kind: rests ? "still" : "moving", step: last };
}

/** What a sweep makes smallest, the first entry first. The twin of `_score` in _race.py. */
function score(surface, path, losses) {
  const { kind, step, at } = outcome(surface, path, losses);
  if (kind === "below") {
    const calm = path.every((w, t) => !t || t > step || distance(w, path[t - 1]) <= 10 * surface.radius);
    return calm ? [0, 0, step] : [2, 0, 0];
  }
  if (!path.every((w) => isInside(surface, w))) return [2, 0, 0];
  return kind === "reached" ? [0, surface.ranks[at], step] : [1, losses.at(-1), 0];
}

/** The best rate for a rule from a start: runs with all of them, and compares. */
function sweep(name, surface, limit, start, steps) {
  const asked = objective(surface, limit);
  let best = null;
  for (const rate of library.rates) {
    const path = simulate(name, rate, asked, start, steps);
    const scored = score(library.surfaces[surface], path, path.map(asked.f));
    const first = best?.scored.findIndex((part, i) => part !== scored[i]);
    if (!best || scored[first] < best.scored[first]) best = { rate, scored };
  }
  return best.rate;
}

/** A surface as shades and level lines that part the picture into equal areas: each node's rank among all of them. */
function relief({ objective, window, floor, top }) {
  const { f } = objective();
  const [xs, ys] = window.map(([low, high]) => kit.grid(low, high, FINE));
  const unit = 1e-9 * (top - floor); // heights that differ by rounding are the same
  const { values } = kit.field(xs, ys, (x, y) => Math.round((f(Float64Array.of(x, y)) - floor) / unit));
  const ranks = new Map();
  Float64Array.from(values).sort().forEach((value, at) => ranks.has(value) || ranks.set(value, at / values.length));
  const ranked = { xs, ys, values: values.map((value) => ranks.get(value)) };
  const levels = kit.grid(0, 1, SHADES + 1).slice(1, -1);
  return { ranked, levels, lines: levels.map((level) => kit.levelLine(ranked, level)) };
}

const capital = (name) => name[0].toUpperCase() + name.slice(1);
const spot = (w) => `(${kit.number(w[0])}, ${kit.number(w[1])})`;

/** What is known of a run at a step of it, in words; the verb comes first. */
function news({ kind, step, at, path, losses }, shown, { minima }) {
  if (shown >= step) {
    switch (kind) {
      case "reached": return `reached ${spot(minima[at])} at step ${step}`;
      case "below": return `reached the bottom at step ${step}`;
      case "diverged": return `diverged at step ${step}`;
      case "outside": return `is outside the picture since step ${step}`;
      case "still": return `stands still at ${spot(path[shown])}`;
    }
  }
  return `is on its way, at loss ${kit.number(losses[shown], 2)}`;
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "A race of optimizers",
    task: "Drag the start, or click anywhere: every rule takes the same number of steps from there, and you see which " +
      "minimum each one reaches, how soon, and which one is lost.",
  });
  const initial = ["surface", "rules", "rates", "start", "clip", "steps"].map((key) => [key, get(key)]);
  // An address may name what is not there.
  const surface = () => (get("surface") in library.surfaces ? get("surface") : Object.keys(library.surfaces)[0]);
  const racing = () => RULES.filter((name) => get("rules").includes(name));

  const map = figure.plot({ title: "", label: "Paths of the rules on the level lines of the loss", ratio: 0.82 });
  const chart = figure.plot({ title: "", label: "Loss of each rule against the step", ratio: 0.82 });
  chart.panel.after(kit.html("p", { class: "key" },
    "Level lines part the picture into ten equal areas, the darker the lower; ✦ is a minimum, and every dot a step."));
  const player = figure.player({ label: "step", steps: () => get("steps") });
  const choose = (values) => (player.end(), figure.set(values));

  figure.select({
    label: "Surface", options: Object.fromEntries(Object.entries(library.surfaces).map(([key, { name }]) => [key, capital(name)])),
    get: surface,
    set: (key) => choose({ surface: key, start: library.surfaces[key].start, rates: {} }),
  });
  const limit = get("clip") || 1;
  figure.choice({
    label: "Clip gradients", options: { 0: "no", [limit]: `to length ${kit.number(limit)}` },
    get: () => String(get("clip") > 0 ? limit : 0), set: (clip) => choose({ clip: Number(clip) }),
  });
  const coordinates = ["₁", "₂"].map((index, axis) => figure.slider({
    label: `start: w${index}`, scale: kit.linear(0, 1), stops: 200,
    get: () => get("start")[axis],
    set: (value) => choose({ start: get("start").map((old, i) => (i === axis ? value : old)) }),
  }));
  figure.checks({
    label: "Who races", options: RULES,
    get: racing, set: (rules) => choose({ rules }),
  });

  const tuned = new Map();
  /** The best rate of a rule from the surface's own start, without clipping. */
  function best(name) {
    const key = [name, surface(), get("steps")].join();
    if (!tuned.has(key)) tuned.set(key, sweep(name, surface(), 0, library.surfaces[surface()].start, get("steps")));
    return tuned.get(key);
  }
  const rate = (name) => get("rates")[name] ?? best(name);

  const rows = new Map(RULES.map((name) => {
    const swatch = kit.svg("path", { transform: "translate(18 7)" });
    const line = kit.svg("path", { d: "M0 7H36" });
    const result = kit.html("span", { class: "result" });
    const box = kit.html("fieldset", { class: "racer" }, kit.html("legend", {},
      kit.svg("svg", { width: 36, height: 14, "aria-hidden": "true" }, line, swatch), kit.html("b", {}, name), result));
    figure.controls.append(box);
    const [hyper] = library.rules[name].hyper;
    if (hyper) {
      const range = kit.log(library.rates[0], library.rates.at(-1));
      figure.slider({
        label: hyper.replace("_", " "), scale: range, stops: 320, where: box,
        get: () => (box.hidden ? 1 : rate(name)),
        format: (value) => (name in get("rates") ? kit.number(value) : `${kit.number(value)} best`),
        set: (value) => choose({ rates: { ...get("rates"), [name]: value } }),
      });
    }
    return [name, { box, line, swatch, result }];
  }));
  figure.controls.append(kit.html("p", { class: "key" },
    `A best rate is one of ${library.rates.length} from ${kit.number(library.rates[0])} to ${library.rates.at(-1)}, tried from ` +
    "the surface's own start without clipping: of those with which the rule never leaves the picture the one that ends " +
    "in the lowest minimum, and is there soonest; if none does, the one that ends lowest. Where there is no minimum it is " +
    "the one that is soonest below all of the picture, in strides of at most a tenth of it." +
    (library.leftOut.length ? ` Not offered, for they want more than a loss, or matrices, or too much code: ${library.leftOut.join(", ")}.` : "")));
  figure.button("Best rates from here", () => {
    const found = racing().filter((name) => library.rules[name].hyper.length)
      .map((name) => [name, sweep(name, surface(), get("clip"), get("start"), get("steps"))]);
    choose({ rates: Object.fromEntries(found) });
    figure.release();
  });
  figure.button("Reset", () => (choose(Object.fromEntries(initial)), figure.release()));

  const grip = map.handle("start", (x, y) => choose({ start: [x, y] }));

  // Who races keeps a colour, a mark and a dash while it does; who joins takes the first that are free.
  const slots = new Map();
  function assign(names) {
    for (const name of slots.keys()) if (!names.includes(name)) slots.delete(name);
    for (const name of names) {
      const taken = new Set(slots.values());
      if (!slots.has(name)) slots.set(name, RULES.findIndex((_, slot) => !taken.has(slot)));
    }
  }
  const hue = (name) => `hue-${"abcdefgh"[slots.get(name) % 8]}`;
  const style = (name) => `${hue(name)} dash-${slots.get(name) % 4}`;
  const shape = (name) => MARKS[slots.get(name) % MARKS.length];

  const land = kit.memo((key) => relief(library.surfaces[key]));
  const asked = kit.memo(objective);

  function draw() {
    const [steps, step, key] = [get("steps"), player.step(), surface()];
    const facts = library.surfaces[key];
    const slope = asked(key, get("clip"));
    const names = racing();
    assign(names);
    const runs = new Map(names.map((name) => {
      const path = simulate(name, rate(name), slope, get("start"), steps);
      const losses = path.map(slope.f);
      return [name, { path, losses, ...outcome(facts, path, losses) }];
    }));
    coordinates.forEach((control, axis) => (control.scale = kit.linear(...facts.window[axis])));
    drawMap({ facts, key, runs, step });
    drawChart({ facts, runs, step, steps });
    for (const [name, { box, line, swatch, result }] of rows) {
      box.hidden = !runs.has(name);
      if (box.hidden) continue;
      line.setAttribute("class", `line strong ${style(name)}`);
      for (const [attribute, value] of [["d", shape(name)], ["class", `mark ${style(name)}`]]) swatch.setAttribute(attribute, value);
      kit.write(result, news(runs.get(name), step, facts));
    }
    figure.say(summary({ facts, runs, step, steps, start: get("start"), clip: get("clip") }));
  }

  let painted = null;
  let shades = null;
  function drawMap({ facts, key, runs, step }) {
    const [x, y] = facts.window.map(([low, high]) => kit.linear(low, high));
    kit.write(map.head.firstChild, capital(facts.name));
    map.begin({ x, y, xName: "w₁", yName: "w₂" });
    const { ranked, levels, lines } = land(key);
    if (figure.repaint) shades = kit.ramp(el, "--deep", "--paper", SHADES);
    if (figure.repaint || painted !== ranked) {
      map.bands(ranked, levels, shades);
      painted = ranked;
    }
    lines.forEach((pieces, k) => map.pieces(`level ${k}`, pieces, "level"));
    facts.minima.forEach((minimum, k) => map.symbol(`minimum ${k}`, ...minimum, "M0-7L2-2L7 0L2 2L0 7L-2 2L-7 0L-2-2Z", "best"));
    const { left, top, width, height } = map.area;
    const labels = [...runs].map(([name, { path }]) => {
      const points = path.slice(0, step + 1);
      map.line(`path ${name}`, points, hue(name));
      map.dots(`points ${name}`, points, hue(name));
      const end = points.findLast((w) => w.every(Number.isFinite));
      const [px, py] = map.point(...end);
      const place = [kit.clamp(px, left, left + width), kit.clamp(py, top, top + height)];
      if (place[0] === px && place[1] === py) map.symbol(`end ${name}`, ...end, shape(name), `mark ${style(name)}`);
      return { name, place };
    });
    const heights = kit.spread(labels.map(({ place }) => place[1]), 13, top + 7, top + height - 7);
    const longest = Math.max(...labels.map(({ name }) => name.length));
    labels.forEach(({ name, place: [px] }, i) => {
      const leftwards = px > left + width - 11 - 6.5 * longest;
      map.text(`label ${name}`, px + (leftwards ? -10 : 10), heights[i], name, style(name), leftwards ? "end" : "start");
    });
    grip.at(...get("start"));
    map.end();
  }

  function drawChart({ facts, runs, step, steps }) {
    const bottomed = facts.minima.length > 0;
    const reach = facts.top - facts.floor;
    const y = bottomed ? kit.log(reach * 1e-10, reach) : kit.linear(facts.floor, facts.top);
    const value = (loss) => (bottomed ? Math.max(loss - facts.floor, 1e-300) : loss);
    kit.write(chart.head.firstChild, bottomed ? "Loss above the lowest" : "Loss");
    const longest = Math.max(0, ...[...runs.keys()].map((name) => name.length));
    chart.begin({ x: kit.linear(0, steps), y, xName: "step", yName: "", margin: 18 + 6.2 * longest });
    const { left, top, width, height } = chart.area;
    const ends = [...runs].map(([name, { losses }]) => {
      chart.line(`loss ${name}`, losses.map((loss, t) => [t, value(loss)]), style(name));
      const last = losses.findLast(Number.isFinite);
      if (Number.isFinite(losses[step])) chart.symbol(`now ${name}`, step, kit.clamp(value(losses[step]), y.low, y.high), shape(name), `mark ${style(name)}`);
      return kit.clamp(chart.point(0, value(last))[1], top, top + height);
    });
    chart.line("now", [[step, y.low], [step, y.high]], "cursor");
    const heights = kit.spread(ends, 13, top + 7, top + height - 7);
    [...runs.keys()].forEach((name, i) => chart.text(`label ${name}`, left + width + 10, heights[i], name, style(name)));
    chart.end();
  }

  return figure.stop;
}

/** Who is where, in a sentence for each fate: those that have arrived first, the soonest before the others. */
function summary({ facts, runs, step, steps, start, clip }) {
  const told = [...runs].map(([name, run]) => ({ name, run, home: step >= run.step && (run.kind === "reached" || run.kind === "below") }));
  const home = told.filter(({ home }) => home).sort((a, b) => a.run.step - b.run.step);
  const clipped = clip > 0 ? `, gradients clipped to length ${kit.number(clip)}` : "";
  const shown = step < steps ? `step ${step} of ${steps}` : `${steps} steps each`;
  const sentences = [`${capital(facts.name)} from ${spot(start)}, ${shown}${clipped}`];
  if (!told.length) sentences.push("Nobody races: check a rule below");
  for (const goal of new Set(home.map(({ run }) => run.at))) {
    const [first, ...others] = home.filter(({ run }) => run.at === goal);
    const rest = others.map((each) => `${each.name} (step ${each.run.step})`);
    sentences.push(`${first.name} ${news(first.run, step, facts)}${rest.length ? `, before ${rest.join(", ")}` : ""}`);
  }
  for (const { name, run, home } of told) if (!home) sentences.push(`${name} ${news(run, step, facts)}`);
  return `${sentences.join(". ")}.`;
}

export default { render, simulate, objective, outcome, sweep };
