/*
 * An average that forgets: drag the mark 1/e into the past, and see the line go smooth, and late. Near the start, weight
 * falls on what was never measured.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   averages(values, beta) -> [V, V̂], without and with correction, of `length` + `before` values;
 *   trends = {name: values};  memories and noises, from and to.
 * No average is written here.
 */
const { length: LENGTH, before: BEFORE } = library;
const SIZE = LENGTH + BEFORE; // what averages() takes; values that come later change nothing
const [LOW, TOP] = [-1, 23]; // of the axis of values
const times = Array.from({ length: LENGTH }, (_, i) => i + 1);

const memory = (beta) => 1 / (1 - beta);
const padded = (values) => Float64Array.from({ length: SIZE }, (_, i) => values[i] ?? 0);
/** V and V̂ of a series. */
const averages = (values, beta) => library.averages(padded(values), beta).map((each) => each.subarray(0, LENGTH));
const size = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** The weight of a value that is 0, 1, 2 … steps old: the average of a single 1. */
const weights = (beta) => library.averages(padded([1]), beta)[0];

/** The share of all weight that lies on measured values, by time: the average of ones. */
const measured = (beta) => averages(new Float64Array(LENGTH).fill(1), beta)[0];

function series(name, noise, seed = 1) {
  const trend = Float64Array.from(library.trends[name]);
  const errors = kit.random(seed).normal(LENGTH).map((value) => noise * value);
  return { trend, errors, values: trend.map((value, i) => value + errors[i]) };
}

/** What is wrong with V̂: what is left of the noise, what it lags behind the trend, and both; root mean squares. */
function faults({ trend, errors }, beta) {
  const left = averages(errors, beta)[1];
  const lag = averages(trend, beta)[1].map((value, i) => value - trend[i]);
  return { noise: size(left), lag: size(lag), both: size(lag.map((value, i) => value + left[i])) };
}

function render({ model, el }) {
  const figure = kit.frame({
    model, el, draw,
    title: "An average that forgets",
    task: "Drag the mark 1/e into the past: the more memory, the smoother the line, and the later. Then drag t towards the start: what " +
      "does the average weigh there?",
  });
  const most = 1 - 1 / library.memories[1];
  const settings = figure.settings({ beta: [0, most], time: [1, LENGTH], series: library.trends, noise: library.noises });

  const lines = figure.plot({ title: "A noisy series and its average", label: "The series, its trend and its averages against time", wide: true, ratio: 0.36 });
  const bars = figure.plot({ title: "What the average at t is made of", label: "Weight of every value in the average at time t", wide: true, ratio: 0.27 });
  const trade = figure.plot({ title: "Every memory", label: "What is left of the noise, and the lag, against the memory", wide: true, ratio: 0.25, right: 60 });
  lines.panel.after(kit.html("p", { class: "key" },
    kit.html("span", { class: kit.hue(0) }, "corrected, V̂"), " · ", kit.html("span", { class: kit.hue(1) }, "dashed: not corrected, V"),
    " · grey: the trend under the noise."));
  bars.panel.after(kit.html("p", { class: "key" },
    kit.html("span", { class: kit.hue(0) }, "weight on values"), " · ",
    kit.html("span", { class: kit.hue(1) }, "weight on nothing, which counts as 0"), " · line: with correction."));

  const remember = (steps) => kit.round(1 - 1 / kit.clamp(steps, ...library.memories));
  const memories = kit.log(...library.memories);
  const even = { to: (beta) => memories.to(memory(beta)), from: (share) => remember(memories.from(share)) }; // steps of memory
  figure.slider({ label: "β", scale: even, stops: 100, ...settings.of("beta") });
  figure.slider({ label: "time t", scale: kit.linear(1, LENGTH), stops: LENGTH - 1, ...settings.of("time") });
  figure.slider({ label: "noise", scale: kit.linear(...library.noises), stops: 40, ...settings.of("noise") });
  figure.choice({ label: "Series", options: Object.keys(library.trends), ...settings.of("series") });
  figure.button("Reset", settings.reset);

  const now = lines.handle("time", (time) => figure.set({ time: kit.clamp(Math.round(time), 1, LENGTH) }));
  const mark = bars.handle("memory", (time) => figure.set({ beta: remember(settings.read().time - time) }));

  const begun = kit.memo(series);
  const curves = kit.memo((drawn) => kit.grid(0, 1, 41).map((share) => {
    const steps = memories.from(share);
    return { steps, ...faults(drawn, 1 - 1 / steps) };
  }));

  function draw() {
    const { beta, time, series: name, noise } = settings.read();
    const drawn = begun(name, noise);
    const [biased, corrected] = averages(drawn.values, beta);
    const shown = {
      beta, noise, drawn, biased, corrected,
      time: Math.round(time), steps: memory(beta), weights: weights(beta), measured: measured(beta), faults: faults(drawn, beta),
    };
    drawLines(shown);
    drawBars(shown);
    drawTrade(shown);
    figure.say(summary(shown));
  }

  const x = kit.linear(-BEFORE, LENGTH);
  function drawLines({ drawn, biased, corrected, time }) {
    lines.begin({ x, y: kit.linear(LOW, TOP), xName: "time", yName: "value" });
    const points = (values) => times.map((t, i) => [t, values[i]]);
    lines.line("t", [[time, LOW], [time, TOP]], "cursor");
    lines.dots("series", points(drawn.values), "truth");
    lines.line("trend", points(drawn.trend), "truth");
    lines.line("biased", [[-BEFORE, 0], [0, 0], ...points(biased)], `${kit.hue(1)} strong dashed`);
    lines.line("corrected", points(corrected), `${kit.hue(0)} strong`);
    lines.ball("V", time, biased[time - 1], kit.hue(1));
    lines.text("nothing", ...lines.point(-BEFORE + 2, 3.5), "nothing yet:\ncounts as 0", kit.hue(1));
    now.at(time, corrected[time - 1]);
    lines.end();
  }

  function drawBars({ time, steps, weights, measured }) {
    const share = measured[time - 1];
    const y = kit.linear(0, (1.08 * weights[0]) / share);
    bars.begin({ x, y, xName: "time", yName: "weight" });
    const outline = (ages, scale) => ages.flatMap((age) => [[time - age + 0.5, scale * weights[age]], [time - age - 0.5, scale * weights[age]]]);
    const filled = (key, ages, style) => {
      const line = outline(ages, 1);
      bars.line(key, line.length ? [[line[0][0], 0], ...line, [line.at(-1)[0], 0]] : [], `bars ${style}`);
    };
    const ages = Array.from({ length: time + BEFORE }, (_, age) => age);
    filled("on values", ages.slice(0, time), kit.hue(0));
    filled("on nothing", ages.slice(time), kit.hue(1));
    bars.line("corrected", outline(ages.slice(0, time), 1 / share), kit.hue(0));
    bars.line("memory", [[time - steps, 0], [time - steps, y.high]], "cursor");
    bars.line("t", [[time, 0], [time, y.high]], "cursor");
    const [left, height] = bars.point(time - steps, weights[0] / Math.E);
    mark.at(time - steps, weights[0] / Math.E);
    bars.text("mark", left - 14, height - 14, "1/e", "", "end");
    bars.end();
  }

  function drawTrade({ drawn, steps, noise, faults }) {
    const found = curves(drawn);
    const high = 1.1 * Math.max(noise, ...found.map(({ lag }) => lag), 0.1);
    trade.begin({ x: memories, y: kit.linear(0, high), xName: "memory 1/(1−β), in steps", yName: "error" });
    const { left, top, width, height } = trade.area;
    trade.line("memory", [[steps, 0], [steps, high]], "cursor");
    const parts = [["noise", 2, ""], ["lag", 3, ""], ["both", 0, "strong"]];
    const ends = parts.map(([part]) => trade.point(1, found.at(-1)[part])[1]);
    const heights = kit.spread(ends, 14, top + 7, top + height - 7);
    parts.forEach(([part, hue, style], k) => {
      trade.line(part, found.map((each) => [each.steps, each[part]]), `${kit.hue(hue)} ${style}`);
      trade.ball(`${part} now`, steps, faults[part], kit.hue(hue), 4);
      trade.text(part, left + width + 6, heights[k], part, kit.hue(hue));
    });
    trade.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ beta, time, steps, weights, measured, biased, corrected, drawn, noise, faults }) {
  const percent = (share) => `${kit.number(100 * share, 2)} %`;
  const nothing = 1 - measured[time - 1];
  const smooth = noise > 0 ? `${percent(faults.noise / size(drawn.errors))} of the noise is left` : "there is no noise";
  return `β = ${kit.number(beta)} remembers about ${kit.number(steps)} steps; the newest value has ${percent(weights[0])} of the weight. ` +
    `At t = ${time}, ${nothing > 0.0005 ? percent(nothing) : "none"} of the weight lies on nothing: the average is ${kit.number(biased[time - 1])}, corrected ` +
    `${kit.number(corrected[time - 1])}; the trend is at ${kit.number(drawn.trend[time - 1])}. ` +
    `Over the whole series, corrected, ${smooth}, and the lag makes an error of ${kit.number(faults.lag, 2)}.`;
}

export default { render, averages, weights, measured, series, faults };
