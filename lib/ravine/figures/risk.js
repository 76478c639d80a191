/*
 * The risk that is minimized and the risk that is meant: drag the degree, the number of points or the weight decay, and see
 * the empirical risk fall while the true one rises. All of p_data is known here, so the true risk is computed, not estimated.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   draw(random) -> [x, y, features], the most examples there can be;  moments(features, y, samples) -> [gram, moment];
 *   fit(gram, moment, degree, weight_decay) -> w;  empiricalRisk(w, features, y, samples);  trueRisk(w);
 *   nodes() -> [x, truth, features], where curves are drawn;  predict(features there, w);
 *   highest degree;  fewest and most samples;  decays: from, to;  counts of samples where the risks are drawn;  noise σ;  risks on the axis;  seeds, how many.
 * No fit and no risk is written here.
 */
const [EMPIRICAL, TRUE] = [kit.hue(0), kit.hue(1)];
const DEGREES = kit.grid(0, library.highest, library.highest + 1);
const DECAYS = kit.grid(...library.decays.map(Math.log), 15).map(Math.exp);
const POWERS = kit.grid(0, 20, 21).map((k) => 2 ** k).filter((n) => n >= library.fewest && n <= library.most);
const OTHERS = 9; // sets of points, beyond those to choose from, that show how much is chance
const [PLACES, TRUTH, FEATURES] = library.nodes();
const FLOOR = 1e-30; // what a risk of zero is drawn as

const median = (values) => Float64Array.from(values).sort()[values.length >> 1];

/** The examples that a seed stands for, and what their fits need of the first n, worked out when asked for. */
function begin(seed) {
  const [x, y, features] = library.draw(kit.random(seed));
  const known = new Map();
  const moments = (samples) => {
    if (!known.has(samples)) known.set(samples, library.moments(features, y, samples));
    return known.get(samples);
  };
  return { x, y, features, moments };
}

/** The weights of the fit to the first n points. */
const solve = ({ moments }, degree, samples, weight_decay) => library.fit(...moments(samples), degree, weight_decay);

/** A fit and its risks. */
function study(data, degree, samples, weight_decay) {
  const w = solve(data, degree, samples, weight_decay);
  return { w, empirical: library.empiricalRisk(w, data.features, data.y, samples), actual: library.trueRisk(w) };
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw: show,
    title: "The risk we minimize, and the risk we mean",
    task: "Drag the degree from 0 up: the empirical risk J keeps falling, the true risk J* falls and then rises, by far. It comes down again " +
      "with more points, or with weight decay, for which J must rise a little.",
  });
  const keys = ["degree", "samples", "weight_decay", "seed"];
  const initial = Object.fromEntries(keys.map((key) => [key, get(key)]));
  const choose = (key, value) => figure.set({ [key]: value });

  const fit = figure.plot({ title: "The points and the curve", label: "The points, the truth and the fitted polynomial", ratio: 0.78 });
  /** One of the three things to choose: the risks are drawn against it, and its handle is dragged along its axis. */
  const section = (key, name, scale, values, whole, stops) => {
    const plot = figure.plot({ title: `The risks against the ${name}`, label: `Empirical and true risk against the ${name}`, ratio: 0.78 });
    const limit = (value) => kit.clamp(whole ? Math.round(value) : kit.round(value, 3), scale.low, scale.high);
    const grip = plot.handle(key, (value) => choose(key, limit(value)));
    figure.slider({ label: name, scale, stops, get: () => get(key), set: (value) => choose(key, limit(value)) });
    return { key, name, scale, values, plot, grip };
  };
  const sections = [
    section("degree", "degree", kit.linear(0, library.highest), DEGREES, true, library.highest),
    section("samples", "number of points n", { ...kit.log(library.fewest, library.most), ticks: () => POWERS }, library.counts, true, 60),
    section("weight_decay", "weight decay λ", kit.log(...library.decays), DECAYS, false, 140),
  ];
  sections[0].plot.panel.after(kit.html("p", { class: "key" },
    kit.html("span", { class: EMPIRICAL }, "J, empirical"), ": the mean square error on the points · ", kit.html("span", { class: TRUE }, "J*, true"),
    ": that on all points there could be, an integral; dotted: its median over other points, whose curves are thin · dashed: the truth, and its " +
    "risk σ², the least possible. The curve minimizes J + λ‖w‖²; w are the weights of Legendre polynomials."));
  figure.button("Other points", () => (choose("seed", (get("seed") % library.seeds) + 1), figure.release()));
  figure.button("Reset", () => (figure.set(initial), figure.release()));

  const known = new Map();
  const sample = (seed) => known.get(seed) ?? known.set(seed, begin(seed)).get(seed);
  const others = kit.grid(1, OTHERS, OTHERS).map((k) => begin(library.seeds + k));
  for (const each of sections) {
    const along = (setting, evaluate) => each.values.map((value) => evaluate(...setting.map((fixed) => fixed ?? value)));
    each.risks = kit.memo((seed, ...setting) => along(setting, (...full) => study(sample(seed), ...full)));
    each.typical = kit.lagging((...setting) => along(setting, (...full) =>
      median(others.map((data) => library.trueRisk(solve(data, ...full))))), []);
  }

  function show() {
    const seed = get("seed");
    const [degree, samples, weight_decay] = sections.map(({ key, scale }) => kit.clamp(get(key), scale.low, scale.high));
    const now = { degree, samples, weight_decay, ...study(sample(seed), degree, samples, weight_decay) };
    drawFit(now, seed);
    for (const each of sections) {
      const fixed = sections.map(({ key }) => (key === each.key ? null : now[key]));
      each.found = each.risks(seed, ...fixed);
      each.typical.ask(...fixed);
      drawSection(each, now);
    }
    const stale = () => sections.find(({ typical }) => typical.stale);
    figure.gradually(() => stale() !== undefined, () => stale().typical.update());
    figure.say(summary(now, sections[0].found));
  }

  function drawFit({ w, degree, samples, weight_decay }, seed) {
    fit.begin({ x: kit.linear(-1, 1), y: kit.linear(-2.2, 2.2), xName: "x", yName: "y" });
    const line = (places, values) => Array.from(places, (place, i) => [place, values[i]]);
    const curve = (weights) => line(PLACES, library.predict(FEATURES, weights));
    others.forEach((data, k) => fit.line(`other ${k}`, curve(solve(data, degree, samples, weight_decay)), "level"));
    fit.line("truth", line(PLACES, TRUTH), "dashed");
    fit.line("fit", curve(w), `${EMPIRICAL} strong`);
    const { x, y } = sample(seed);
    fit.dots("points", line(x.subarray(0, samples), y), "");
    fit.end();
  }

  function drawSection({ key, name, scale, values, plot, grip, found, typical }, now) {
    const at = (value) => Math.max(value, FLOOR);
    plot.begin({ x: scale, y: kit.log(...library.risks), xName: name, yName: "risk" });
    plot.line("now", library.risks.map((risk) => [now[key], risk]), "cursor");
    plot.line("least", [scale.low, scale.high].map((value) => [value, library.noise ** 2]), "dashed");
    plot.line("empirical", values.map((value, i) => [value, at(found[i].empirical)]), `${EMPIRICAL} strong`);
    plot.line("typical", typical.value.map((risk, i) => [values[i], at(risk)]), `${TRUE} dash-2`);
    plot.line("true", values.map((value, i) => [value, at(found[i].actual)]), `${TRUE} strong`);
    plot.ball("here", now[key], at(now.empirical), EMPIRICAL, 4);
    grip.at(now[key], at(now.actual));
    plot.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ degree, samples, weight_decay, empirical, actual }, byDegree) {
  const least = (risk) => byDegree.reduce((best, each, k) => (each[risk] < byDegree[best][risk] ? k : best), 0);
  const best = least("actual");
  return `A polynomial of degree ${degree}, through ${samples} points, with λ = ${kit.number(weight_decay, 2)}: the empirical risk J is ` +
    `${kit.number(empirical, 2)}, the true risk J* ${kit.number(actual, 2)}; noise alone makes ${kit.number(library.noise ** 2)}. With these ` +
    `points and this λ, J is least at degree ${least("empirical")} and J* at degree ${best}, where it is ${kit.number(byDegree[best].actual, 2)}.`;
}

export default { render, begin, study, library };
