/*
 * What all live figures share: a frame with controls, plots to draw on and to drag in, a player, spoken summaries.
 * Everything hangs on the one constant `kit`. A figure's file reads like this:
 *
 *   const figure = kit.frame({ model, el, title, task, draw });   // draw() runs once per animation frame at most
 *   const map = figure.plot({ title, label, ratio });             // and draws: map.begin(...); map.line(...); map.end()
 *   figure.slider({ label, scale, get, set });
 *
 * The model is anywidget's (get, set, on, off, save_changes) or the loader's stand-in for it.
 */
const kit = (() => {
  "use strict";
  const FAR = 1e4; // pixels; a line that has gone so far has left the picture, and ends
  const SPEAK_AFTER = 500; // milliseconds without a change
  const BUDGET = 8; // milliseconds of a frame for a training
  const SLICE = 6; // milliseconds after a frame for what is computed gradually
  const PAUSE = 90; // milliseconds between two pictures while it trains or computes

  // ---------------------------------------------------------------- elements, numbers, scales

  const build = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      const text = String(value);
      if (node.getAttribute(name) !== text) node.setAttribute(name, text); // what stays the same is not laid out again
    }
    node.append(...children);
    return node;
  };
  // In the same text node: for nodes that come and go the browser asks anew what rules with `:has` say of the whole page.
  const write = (node, text) => {
    if (!node.firstChild) node.append(text);
    else if (node.firstChild.data !== text) node.firstChild.data = text;
  };
  const html = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const round = (value, digits = 4) => Number(value.toPrecision(digits));
  const tenths = (pixels) => Math.round(pixels * 10) / 10; // written three times as fast as by toFixed

  /** Write a number for people: 0.97, 120, 3 × 10⁻⁴. */
  function number(value, digits = 3) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "undefined" : value > 0 ? "∞" : "−∞";
    const size = Math.abs(value);
    if (size === 0 || (size >= 1e-3 && size < 1e5)) return String(round(value, digits)).replace("-", "−");
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = `10${[...String(Number(exponent))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
    return (Number(mantissa) === 1 ? power : `${Number(mantissa)}\u00a0×\u00a0${power}`).replace("-", "−");
  }

  /** A scale maps low..high to 0..1 (`to`), back (`from`), and knows its ticks. */
  const linear = (low, high) => ({
    low,
    high,
    to: (value) => (value - low) / (high - low),
    from: (share) => low + share * (high - low),
    ticks(count) {
      const raw = (high - low) / count;
      const unit = 10 ** Math.floor(Math.log10(raw));
      const step = unit * [1, 2, 5, 10].find((multiple) => multiple * unit >= raw * 0.75);
      const first = Math.ceil(low / step - 1e-9);
      const length = Math.floor(high / step + 1e-9) - first + 1;
      return Array.from({ length }, (_, i) => round((first + i) * step, 12));
    },
  });
  const log = (low, high) => ({
    low,
    high,
    to: (value) => Math.log(value / low) / Math.log(high / low),
    from: (share) => low * (high / low) ** share,
    ticks(count) {
      const first = Math.ceil(Math.log10(low) - 1e-9);
      const last = Math.floor(Math.log10(high) + 1e-9);
      const every = Math.max(1, Math.ceil((last - first) / count));
      return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => 10 ** (first + i * every));
    },
  });

  /** The place in low..high where a function with one valley is lowest (golden section; flat stretches may be anywhere). */
  function lowest(evaluate, low, high, steps = 34) {
    const golden = (Math.sqrt(5) - 1) / 2;
    let [a, b] = [low, high];
    let [x, y] = [b - golden * (b - a), a + golden * (b - a)];
    let [fx, fy] = [evaluate(x), evaluate(y)];
    for (let step = 0; step < steps; step++) {
      if (fx < fy) {
        [b, y, fy, x] = [y, x, fx, y - golden * (y - a)];
        fx = evaluate(x);
      } else {
        [a, x, fx, y] = [x, y, fy, x + golden * (b - x)];
        fy = evaluate(y);
      }
    }
    return (a + b) / 2;
  }

  /** The class that gives the k-th of a few things its colour; neighbours are easy to tell apart. */
  const hue = (k) => `hue-${[0, 4, 2, 5, 1, 3][k % 6]}`;

  /** `compute`, remembering its last result while the arguments stay the same. */
  function memo(compute) {
    let last = null;
    return (...args) => {
      if (!last || args.some((arg, i) => arg !== last.args[i])) last = { args, result: compute(...args) };
      return last.result;
    };
  }

  /**
   * `compute`, for what a drawing need not wait for. `ask(…)` says with which arguments it is wanted, `value` is its last
   * result (at first `value`, or what was first asked for), `stale` whether that is for other arguments, `update()` mends it.
   */
  function lagging(compute, value) {
    let [wanted, known] = [[], []];
    const self = {
      value,
      stale: false,
      ask(...args) {
        wanted = args;
        self.stale = args.some((arg, i) => !Object.is(arg, known[i])); // NaN would stay stale for ever
        if (self.value === undefined) self.update();
        return self.value;
      },
      update() {
        known = wanted;
        self.value = compute(...known);
        self.stale = false;
      },
    };
    return self;
  }

  /**
   * Random numbers that a seed determines, the same in every browser: arrays of n numbers uniform in [0, 1) or standard
   * normal, and permutations of 0 … n − 1. A seed has many streams, independent of each other. (sfc32, Doty-Humphrey 2010.)
   */
  function random(seed, stream = 0) {
    const state = Int32Array.of(seed, stream, 0x9e3779b9, 1); // plain variables would hold a new object for every number
    const bits = () => {
      const [a, b, c, count] = [state[0], state[1], state[2], state[3]];
      const result = (a + b + count) | 0;
      state[0] = b ^ (b >>> 9);
      state[1] = c + (c << 3);
      state[2] = ((c << 21) | (c >>> 11)) + result;
      state[3] = count + 1;
      return result;
    };
    for (let round = 0; round < 20; round++) bits(); // seeds that differ in one bit have parted by now
    const next = () => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53;
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
    const fill = (n, draw) => {
      const numbers = new Float64Array(n);
      for (let i = 0; i < n; i++) numbers[i] = draw();
      return numbers;
    };
    return {
      uniform: (n) => fill(n, next),
      normal: (n) => fill(n, normal),
      permutation(n) {
        const order = new Float64Array(n).map((_, i) => i);
        for (let i = n - 1; i > 0; i--) {
          const j = Math.floor(next() * (i + 1));
          [order[i], order[j]] = [order[j], order[i]];
        }
        return order;
      },
    };
  }

  // ---------------------------------------------------------------- fields: values on a grid

  /** Tabulate `evaluate(x, y)` at all pairs of `xs` and `ys`: the values of row j begin at j * xs.length. */
  function field(xs, ys, evaluate) {
    const values = new Float64Array(xs.length * ys.length);
    let at = 0;
    for (const y of ys) for (const x of xs) values[at++] = evaluate(x, y);
    return { xs, ys, values };
  }
  const grid = (low, high, count) => Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

  /** The level line of a field as pieces [x, y, x, y], one for each cell that it crosses (marching squares). */
  function levelLine({ xs, ys, values }, level) {
    const pieces = [];
    const width = xs.length;
    const between = (from, to, low, high) => low + ((level - from) / (to - from)) * (high - low);
    for (let j = 0; j + 1 < ys.length; j++) {
      for (let i = 0; i + 1 < width; i++) {
        const at = j * width + i;
        const a = values[at], b = values[at + 1], c = values[at + width + 1], d = values[at + width];
        const above = a > level;
        if (b > level === above && c > level === above && d > level === above) continue;
        // From left to right, so that a piece begins where that of the cell before has ended.
        const ends = [];
        if (d > level !== above) ends.push(xs[i], between(a, d, ys[j], ys[j + 1]));
        if (b > level !== above) ends.push(between(a, b, xs[i], xs[i + 1]), ys[j]);
        if (c > level !== d > level) ends.push(between(d, c, xs[i], xs[i + 1]), ys[j + 1]);
        if (c > level !== b > level) ends.push(xs[i + 1], between(b, c, ys[j], ys[j + 1]));
        if (ends.length === 4) pieces.push(ends);
        else pieces.push(ends.slice(0, 4), ends.slice(4));
      }
    }
    return pieces;
  }

  /** The value in a cell of a field, the shares u and v of the way through it: linear in each direction. */
  function within({ xs, values }, column, row, u, v) {
    const at = row * xs.length + column;
    const low = values[at] + u * (values[at + 1] - values[at]);
    const high = values[at + xs.length] + u * (values[at + xs.length + 1] - values[at + xs.length]);
    return low + v * (high - low);
  }
  /** The value of a field on an even grid at any point. */
  function sample(field, x, y) {
    const { xs, ys } = field;
    const u = ((x - xs[0]) / (xs.at(-1) - xs[0])) * (xs.length - 1);
    const v = ((y - ys[0]) / (ys.at(-1) - ys[0])) * (ys.length - 1);
    const column = clamp(Math.floor(u), 0, xs.length - 2);
    const row = clamp(Math.floor(v), 0, ys.length - 2);
    return within(field, column, row, u - column, v - row);
  }
  /** The field on an even grid with `times` as many cells each way. */
  function refine(coarse, times) {
    const finer = (nodes) => grid(nodes[0], nodes.at(-1), (nodes.length - 1) * times + 1);
    const [xs, ys] = [finer(coarse.xs), finer(coarse.ys)];
    const cell = (k, nodes) => Math.min(Math.floor(k / times), nodes.length - 2);
    const values = new Float64Array(xs.length * ys.length);
    let at = 0;
    for (let j = 0; j < ys.length; j++) {
      const row = cell(j, coarse.ys);
      for (let i = 0; i < xs.length; i++) {
        const column = cell(i, coarse.xs);
        values[at++] = within(coarse, column, row, i / times - column, j / times - row);
      }
    }
    return { xs, ys, values };
  }

  /**
   * For every name in a field of names the spot with most room to write it: {name, x, y, room}. A `room` below 1 means
   * that the name does not fit in a plot of `width` by `height` pixels. Every second node is tried.
   */
  function spots({ xs, ys, values }, width, height) {
    const [columns, rows] = [xs.length, ys.length];
    const reach = (at, stride, limit) => {
      let count = 0;
      while (count < limit && values[at + (count + 1) * stride] === values[at]) count++;
      return count;
    };
    const found = new Map();
    for (const name of new Set(values)) {
      const lines = name.split("\n");
      found.set(name, { name, room: 0, wide: 6 * Math.max(...lines.map((line) => line.length)), tall: 15 * lines.length });
    }
    for (let j = 0; j < rows; j += 2) {
      for (let i = 0; i < columns; i += 2) {
        const at = j * columns + i;
        const spot = found.get(values[at]);
        const across = Math.min(reach(at, -1, i), reach(at, 1, columns - 1 - i)) / (columns - 1);
        const wide = (2 * across * width) / spot.wide;
        if (wide <= spot.room) continue;
        const along = Math.min(reach(at, -columns, j), reach(at, columns, rows - 1 - j)) / (rows - 1);
        const room = Math.min(wide, (2 * along * height) / spot.tall);
        if (room > spot.room) Object.assign(spot, { room, x: xs[i], y: ys[j] });
      }
    }
    return [...found.values()];
  }

  /** Move label positions apart until neighbours keep `gap`, staying in low..high as long as they fit. */
  function spread(positions, gap, low, high) {
    const order = positions.map((_, i) => i).sort((i, j) => Math.round(positions[i]) - Math.round(positions[j]));
    const placed = [...positions];
    let floor = low;
    for (const i of order) floor = (placed[i] = Math.max(placed[i], floor)) + gap;
    let ceiling = high;
    for (const i of order.reverse()) ceiling = (placed[i] = Math.min(placed[i], ceiling)) - gap;
    return placed;
  }

  // ---------------------------------------------------------------- the frame

  /** Whether the page is dark: as the book's theme says, or JupyterLab, or Colab, or else the reader's system. */
  function isDark() {
    const { dataset } = document.documentElement;
    const lab = document.body.dataset.jpThemeLight;
    const colab = document.documentElement.getAttribute("theme");
    if (dataset.theme) return dataset.theme === "dark";
    if (lab) return lab === "false";
    if (colab) return colab === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  /**
   * Set up a figure in `el`. `draw()` is called once per animation frame at most, when something has changed: the model,
   * the size, the theme (`figure.repaint` is then true, and what lies on a canvas must be painted again).
   * `figure.stop()` takes every listener away.
   */
  function frame({ model, el, title, task, draw }) {
    const id = `ravine-${Math.random().toString(36).slice(2)}`; // in a notebook every figure has a kit of its own: no counting
    const abort = new AbortController();
    const { signal } = abort;
    const syncs = [];
    const sizes = new Map();
    let names = 0;
    let request = 0;
    let timer = 0;
    let rest = 0;
    let first = true;

    const plots = html("div", { class: "plots" });
    const controls = html("div", { class: "controls" });
    const buttons = html("div", { class: "buttons" });
    // The visible sentence changes with every frame of a drag; the spoken one only when the change has come to rest.
    const visible = html("p", { class: "summary", "aria-hidden": "true" });
    const spoken = html("p", { class: "spoken", role: "status", "aria-live": "polite" });
    const heading = html("p", { class: "title", id: `${id}-title` }, title);
    el.classList.add("ravine-live");
    build(el, { role: "group", "aria-labelledby": `${id}-title` }, [
      heading, html("p", { class: "task" }, task), plots, visible, spoken, controls, buttons,
    ]);

    const figure = {
      id, model, signal, plots, controls, buttons,
      playing: false,
      repaint: true,
      name: () => `${id}-${++names}`,
      listen: (target, type, handler) => target.addEventListener(type, handler, { signal }),

      redraw: () => (request ||= requestAnimationFrame(drawNow)),

      /**
       * Compute what takes longer than a frame, a piece at a time while `left()`: a few after each drawing, when that is
       * painted, so that they do not hold up what the reader drags. What is there is drawn every PAUSE and in the end.
       * `aria-busy` says that more is to come.
       */
      gradually(left, compute) {
        clearTimeout(rest);
        el.setAttribute("aria-busy", left());
        const due = performance.now() + PAUSE;
        const slice = () => {
          const until = performance.now() + SLICE;
          do compute(); while (left() && performance.now() < until);
          if (left() && performance.now() < due) rest = setTimeout(slice);
          else figure.redraw();
        };
        if (left()) rest = setTimeout(slice);
      },

      /** Change values of the model; `release` when the reader lets go, which syncs to Python or to the address. */
      set(values) {
        for (const [key, value] of Object.entries(values)) model.set(key, value);
        figure.redraw();
      },
      release: () => model.save_changes(),

      /**
       * The settings: `read()` keeps to what is allowed, numbers in [low, high] and words among an object's keys, since an
       * address may say anything; `of(key)` is what a control of one wants; `reset()` goes back to how the figure opened.
       */
      settings(allowed) {
        const entries = (value) => Object.fromEntries(Object.keys(allowed).map((key) => [key, value(key, model.get(key))]));
        const initial = entries((_, value) => value);
        const keep = (key, value) =>
          Array.isArray(allowed[key]) ? clamp(value, ...allowed[key]) : Object.hasOwn(allowed[key], value) ? value : initial[key];
        const read = () => entries(keep);
        return {
          read,
          of: (key) => ({ get: () => read()[key], set: (value) => figure.set({ [key]: value }) }),
          reset: () => (figure.set(initial), figure.release()),
        };
      },

      /** Show the summary now, and speak it when nothing has changed for a while. */
      say(text) {
        if (text === visible.textContent && !timer) return;
        write(visible, text);
        // The room that it has once needed stays: else the controls below would move under the hand that drags them.
        visible.style.minHeight = `${visible.getBoundingClientRect().height}px`;
        clearTimeout(timer);
        timer = 0;
        if (!figure.playing && !first) timer = setTimeout(() => ((timer = 0), (spoken.textContent = text)), SPEAK_AFTER);
        first = false;
      },

      stop() {
        abort.abort();
        observer.disconnect();
        themes.disconnect();
        cancelAnimationFrame(request);
        clearTimeout(timer);
        clearTimeout(rest);
        model.off("change", figure.redraw);
      },

      plot: (options) => plot(figure, options, (box) => (sizes.set(box, 0), observer.observe(box)), sizes),
      slider: (options) => slider(figure, options, syncs),
      choice: (options) => choice(figure, options, syncs),
      select: (options) => select(figure, options, syncs),
      checks: (options) => checks(figure, options, syncs),
      button(label, act, where = buttons) {
        const node = html("button", { type: "button" }, label);
        figure.listen(node, "click", act);
        where.append(node);
        return node;
      },
      player: (options) => player(figure, options),
      trainer: (options) => trainer(figure, options),
    };

    function drawNow() {
      cancelAnimationFrame(request);
      request = 0;
      if (![...sizes.values()].every((width) => width > 0)) return; // not laid out yet: the observer comes back
      for (const sync of syncs) sync();
      draw();
      figure.repaint = false;
    }
    /** Measure the plots; return whether one has another width now. */
    function resized() {
      const before = [...sizes.values()];
      for (const box of sizes.keys()) sizes.set(box, box.getBoundingClientRect().width);
      return [...sizes.values()].some((width, i) => width !== before[i]);
    }
    const observer = new ResizeObserver(() => {
      if (!resized()) return;
      visible.style.minHeight = "";
      figure.repaint = true;
      figure.redraw();
    });
    // Where the page opens the first picture does not wait for a frame: the page's other scripts would come before it.
    queueMicrotask(() => !signal.aborted && el.getBoundingClientRect().top < innerHeight && resized() && drawNow());
    const follow = () => {
      el.toggleAttribute("data-dark", isDark());
      figure.repaint = true;
      figure.redraw();
    };
    const themes = new MutationObserver(follow);
    const attributeFilter = ["data-theme", "theme", "data-jp-theme-light"];
    for (const root of [document.documentElement, document.body]) themes.observe(root, { attributeFilter });
    figure.listen(matchMedia("(prefers-color-scheme: dark)"), "change", follow);
    model.on("change", figure.redraw);
    follow();
    return figure;
  }

  // ---------------------------------------------------------------- controls

  /** A labelled range input over a scale. `set(value)` while it moves; the arrows, Page and Home keys come with it. */
  function slider(figure, { label, scale, get, set, stops = 400, format = number, where = figure.controls }, syncs) {
    const id = figure.name();
    const input = html("input", {
      id, type: "range", min: 0, max: stops, step: 1, "data-lm-suppress-shortcuts": "true", // JupyterLab takes the arrows
    });
    const output = html("output", { for: id });
    const control = { scale, input };
    figure.listen(input, "input", () => set(round(control.scale.from(input.value / stops))));
    for (const type of ["change", "pointerup"]) figure.listen(input, type, figure.release); // back at its stop it has not changed
    where.append(html("div", { class: "slider" }, html("label", { for: id }, label), input, output));
    syncs.push(() => {
      const value = get();
      const place = String(Math.round(clamp(control.scale.to(value), 0, 1) * stops));
      if (input.value !== place) input.value = place;
      write(output, format(value));
      build(input, { "aria-valuetext": format(value) }, []);
    });
    return control;
  }

  /** Values and labels to choose from: an object of labels by value, or a list of values that are their own labels. */
  const labelled = (options) => (Array.isArray(options) ? options.map((value) => [value, value]) : Object.entries(options));

  /** One of a few: radio buttons in a row. */
  function choice(figure, { label, options, get, set, where = figure.controls }, syncs) {
    const name = figure.name();
    const inputs = labelled(options).map(([value, text]) => {
      const input = html("input", { type: "radio", name, value, id: figure.name(), "data-lm-suppress-shortcuts": "true" });
      figure.listen(input, "change", () => (set(value), figure.release()));
      return [input, html("label", { for: input.id }, text)];
    });
    where.append(html("fieldset", { class: "choice" }, html("legend", {}, label), ...inputs.flat()));
    syncs.push(() => inputs.forEach(([input]) => (input.checked = input.value === get())));
  }

  /** Any of a few: check boxes. `get()` lists the values checked; `set(list)` has them in the order of `options`. */
  function checks(figure, { label, options, get, set, where = figure.controls }, syncs) {
    const rows = labelled(options).map(([value, text]) => [
      html("input", { type: "checkbox", value, "data-lm-suppress-shortcuts": "true" }), text,
    ]);
    const inputs = rows.map(([input]) => input);
    const boxes = rows.map((row) => html("label", {}, ...row));
    for (const input of inputs) {
      figure.listen(input, "change", () => {
        set(inputs.filter((each) => each.checked).map((each) => each.value));
        figure.release();
      });
    }
    where.append(html("fieldset", { class: "checks" }, html("legend", {}, label), ...boxes));
    syncs.push(() => inputs.forEach((input) => (input.checked = get().includes(input.value))));
  }

  /** One of many: a drop-down list. */
  function select(figure, { label, options, get, set, where = figure.controls }, syncs) {
    const id = figure.name();
    const node = html("select", { id, "data-lm-suppress-shortcuts": "true" },
      ...labelled(options).map(([value, text]) => html("option", { value }, text)));
    figure.listen(node, "change", () => (set(node.value), figure.release()));
    where.append(html("div", { class: "select" }, html("label", { for: id }, label), node));
    syncs.push(() => (node.value = get()));
  }

  /**
   * Play, pause and a timeline over `steps()` steps; `player.step()` is the one to show. For readers who asked for less
   * motion the button goes on by one step instead.
   */
  function player(figure, { label, steps, seconds = 6 }) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const bar = html("div", { class: "player" });
    let share = 1; // of the timeline; the figure opens on its last step
    let last = 0;
    const button = figure.button("", () => (calm.matches ? advance() : play(!figure.playing)), bar);
    const step = () => Math.floor(share * steps() + 1e-9);
    const show = (next) => {
      share = next;
      figure.redraw();
    };

    figure.slider({
      label, where: bar, stops: steps(), scale: linear(0, 1), format: () => String(step()),
      get: () => share,
      set: (next) => (play(false), show(next)),
    });
    figure.plots.after(bar);

    const advance = () => show(share >= 1 ? 0 : (step() + 1) / steps());
    function play(on) {
      if (on && share >= 1) share = 0;
      figure.playing = on;
      last = performance.now();
      write(button, calm.matches ? "Step" : on ? "Pause" : "Play");
      if (on) requestAnimationFrame(tick);
      figure.redraw();
    }
    function tick(now) {
      if (!figure.playing || figure.signal.aborted) return;
      show(Math.min(1, share + Math.max(0, now - last) / 1000 / seconds));
      last = now;
      if (share < 1) requestAnimationFrame(tick);
      else play(false);
    }
    figure.listen(calm, "change", () => play(false));
    play(false);
    return { step, end: () => ((share = 1), play(false)) };
  }

  /**
   * Something that is computed step by step while the reader watches: play and pause, a button for a step, and one to
   * begin again. `current()` is the run {t, …} that the settings ask for, `advance(run)` takes a step of it, and it ends
   * when `over(run)`. While it is not played it goes on to the model's `steps`, with a picture every PAUSE milliseconds;
   * while it is, it takes `aFrame()` steps a frame, and every frame has a picture if `smooth`. draw() calls `goOn()`.
   */
  function trainer(figure, { longest, stride, current, advance, restart, aFrame, smooth = false, over = () => false }) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const bar = html("div", { class: "player" });
    let request = 0;
    let drawnAt = 0;
    const goal = () => (figure.playing ? longest : Math.min(figure.model.get("steps"), longest));
    const unfinished = (run) => run.t < goal() && !over(run);

    const on = (steps) => (play(false), figure.set({ steps: Math.min(current().t + steps, longest) }), figure.release());
    const button = figure.button("", () => (calm.matches ? on(stride) : play(!figure.playing)), bar);
    figure.button("Step", () => on(1), bar);
    figure.button("Restart", () => (restart(), figure.set({ steps: 0 }), figure.release()), bar);
    figure.plots.after(bar);
    figure.listen(calm, "change", () => play(false));

    function train() {
      request = 0;
      if (figure.signal.aborted) return;
      const run = current();
      const until = performance.now() + BUDGET;
      for (let n = 0; unfinished(run) && performance.now() < until && !(figure.playing && n >= aFrame()); n++) advance(run);
      if (unfinished(run)) request = requestAnimationFrame(train);
      else if (figure.playing) play(false);
      const due = (smooth && figure.playing) || (!calm.matches && performance.now() > drawnAt + PAUSE);
      if (due || !unfinished(run)) figure.redraw();
    }
    function play(wanted) {
      const stopped = figure.playing && !wanted;
      const run = wanted || stopped ? current() : null;
      figure.playing = wanted && run.t < longest && !over(run);
      write(button, figure.playing ? "Pause" : calm.matches ? `${stride} steps` : "Play");
      if (stopped) (figure.set({ steps: run.t }), figure.release());
      figure.redraw();
    }
    play(false);
    return {
      bar, goal, play,
      /** Go on with a run that is unfinished; return whether it is. */
      goOn(run) {
        drawnAt = performance.now();
        if (unfinished(run)) request ||= requestAnimationFrame(train);
        return unfinished(run);
      },
    };
  }

  // ---------------------------------------------------------------- plots

  /**
   * A plot: an SVG over a canvas, redrawn in full by begin() … end(). Marks are kept by their key, so that a redraw only
   * changes attributes; a mark that is not drawn again goes away. A wide plot has a row to itself.
   */
  function plot(figure, { title, label, wide = false, ratio = 0.75, left = 52, right = 12, top = 8, bottom = 38 }, observe, sizes) {
    const clip = figure.name();
    const canvas = html("canvas", { "aria-hidden": "true" });
    const root = svg("svg", { role: "img", "aria-label": label });
    const opening = svg("rect");
    const layers = { back: svg("g"), data: svg("g", { "clip-path": `url(#${clip})` }), front: svg("g") };
    root.append(svg("defs", {}, svg("clipPath", { id: clip }, opening)), ...Object.values(layers));
    const box = html("div", { class: "plot" }, canvas, root);
    const head = html("div", { class: "head" }, html("p", {}, title));
    const panel = html("div", { class: wide ? "panel wide" : "panel" }, head, box);
    figure.plots.append(panel);
    observe(box);

    const marks = new Map();
    const written = new Map();
    let drawn = new Set();
    let area = {};
    let scales = {};

    const toX = (value) => area.left + scales.x.to(value) * area.width;
    const toY = (value) => area.top + (1 - scales.y.to(value)) * area.height;
    const pair = (x, y) => `${tenths(toX(x))} ${tenths(toY(y))}`;
    const near = ([x, y]) => Math.abs(toX(x)) < FAR && Math.abs(toY(y)) < FAR; // false for NaN

    function mark(layer, key, tag, attributes, text) {
      let node = marks.get(key);
      if (!node) {
        node = svg(tag);
        marks.set(key, node);
        layers[layer].append(node);
      }
      drawn.add(key);
      if (text !== undefined) write(node, text);
      return build(node, attributes, []);
    }

    /** Whether the mark of this key was written from the same things before, and stands. */
    function stands(key, depends) {
      const before = written.get(key);
      written.set(key, depends);
      return before?.length === depends.length && before.every((part, i) => part === depends[i]);
    }

    /** The names of ticks, and what they are multiples of: numbers too long to stand beside an axis share a power of ten. */
    function named(ticks) {
      const names = ticks.map((tick) => number(tick));
      if (!names.some((name) => name.includes("×"))) return { names, unit: "" };
      const power = 10 ** Math.floor(Math.log10(Math.max(...ticks.map(Math.abs))));
      return { names: ticks.map((tick) => number(tick / power)), unit: ` (${number(power)})` };
    }

    function axis(horizontal, scale, title) {
      const end = area.top + area.height;
      const ticks = scale.ticks(Math.max(2, Math.round(horizontal ? area.width / 55 : area.height / 45)));
      const { names, unit } = named(ticks);
      const caption = title + unit;
      const places = ticks.map((tick) => tenths(horizontal ? toX(tick) : toY(tick)));
      const middle = tenths(horizontal ? area.left + area.width / 2 : area.top + area.height / 2);
      const key = `axis ${horizontal}`;
      const group = mark("back", key, "g", {});
      if (stands(key, [caption, middle, end, ...ticks, ...places])) return;
      const node = (i, tag) => group.children[i] ?? group.appendChild(svg(tag)); // what is there stays, as in `write`
      const text = (i, attributes, content) => write(build(node(i, "text"), attributes, []), content);
      const at = horizontal ? { x: middle, y: end + 33 } : { transform: `translate(10 ${middle}) rotate(-90)` };
      text(0, { ...at, class: "axis-name", "text-anchor": "middle" }, caption);
      build(node(1, "path"), { d: places.map((place) => (horizontal ? `M${place} ${end}v4` : `M${area.left - 4} ${place}h4`)).join(""), class: "tick" }, []);
      places.forEach((place, i) => {
        const name = horizontal ? { x: place, y: end + 16, "text-anchor": "middle" } : { x: area.left - 7, y: place, dy: "0.35em", "text-anchor": "end" };
        text(i + 2, { ...name, class: "tick-name" }, names[i]);
      });
      while (group.children.length > places.length + 2) group.lastChild.remove();
    }

    const self = {
      head, panel,
      get area() { return area; },

      /** Begin a drawing in the scales x and y, with the axes named; `margin` is what it leaves free on the right. */
      begin({ x, y, xName, yName, margin = right }) {
        const width = sizes.get(box);
        const height = Math.round(clamp(width * ratio, 170, 420));
        scales = { x, y };
        area = { left, top, width: width - left - margin, height: height - top - bottom };
        drawn = new Set();
        const { width: w, height: h } = area;
        build(root, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
        build(opening, { x: left, y: top, width: w, height: h }, []);
        mark("back", "border", "path", { d: `M${left} ${top}V${top + h}H${left + w}`, class: "axis" });
        axis(true, x, xName);
        axis(false, y, yName);
      },
      end() {
        for (const [key, node] of marks) if (!drawn.has(key)) (node.remove(), marks.delete(key), written.delete(key));
      },

      /** Pixels of a point of the data. */
      point: (x, y) => [toX(x), toY(y)],
      /** Whether a point of the data is in the picture. */
      inside: (x, y) => [scales.x.to(x), scales.y.to(y)].every((share) => share >= 0 && share <= 1),

      /** A line through points [x, y]; it ends where it has gone far out of the picture. */
      line(key, points, style) {
        let d = "";
        for (const [x, y] of points) {
          const [px, py] = [toX(x), toY(y)];
          const far = !(Math.abs(px) < FAR && Math.abs(py) < FAR); // so is NaN
          if (far && !(Number.isFinite(px) && Number.isFinite(py))) break; // 0 has no logarithm
          d += `${d && "L"}${tenths(px)} ${tenths(py)}`;
          if (far) break;
        }
        d &&= `M${d}`;
        return mark("data", key, "path", { d, class: `line ${style}` });
      },
      /** Dots at points, one element for all of them. */
      dots(key, points, style) {
        const places = new Set(points.filter(near).map(([x, y]) => pair(x, y))); // many may be at one place, where a path ends
        return mark("data", key, "path", { d: Array.from(places, (place) => `M${place}h0`).join(""), class: `dots ${style}` });
      },
      /** A shape around every point, given in pixels relative to it; one element for all of them. */
      shapes(key, points, shape, style) {
        return mark("data", key, "path", { d: points.filter(near).map(([x, y]) => `M${pair(x, y)}${shape}`).join(""), class: style });
      },
      /** The pieces of level lines; long, and so written again only when they, the scales or the size have changed. */
      pieces(key, pieces, style) {
        const { x, y } = scales;
        if (!stands(key, [pieces, area.width, area.height, x.low, x.high, y.low, y.high])) {
          let [d, endX, endY] = ["", NaN, NaN];
          for (const [x0, y0, x1, y1] of pieces) {
            d += x0 === endX && y0 === endY ? "L" : `M${pair(x0, y0)}L`;
            d += pair((endX = x1), (endY = y1));
          }
          mark("data", key, "path", { d });
        }
        return mark("data", key, "path", { class: `line ${style}` });
      },
      /** A small filled circle. */
      ball: (key, x, y, style, r = 5) =>
        near([x, y]) && mark("data", key, "circle", { cx: toX(x), cy: toY(y), r, class: style }),
      /** An arrow between points of the data. One that ends far outside keeps its direction. */
      arrow(key, from, to, style) {
        const [x, y] = [toX(from[0]), toY(from[1])];
        let [dx, dy] = [toX(to[0]) - x, toY(to[1]) - y];
        const length = Math.hypot(dx, dy);
        if (!(near(from) && length > 0 && length < Infinity)) return;
        const [ux, uy] = [dx / length, dy / length];
        if (length > FAR) [dx, dy] = [FAR * ux, FAR * uy];
        const barb = Math.min(9, length / 2);
        const [bx, by] = [x + dx - barb * ux, y + dy - barb * uy];
        const side = (sign) => `${tenths(bx - sign * 0.45 * barb * uy)} ${tenths(by + sign * 0.45 * barb * ux)}`;
        const tip = `${tenths(x + dx)} ${tenths(y + dy)}`;
        const d = `M${tenths(x)} ${tenths(y)}L${tip}M${side(1)}L${tip}L${side(-1)}`;
        mark("data", key, "path", { d, class: `line arrow ${style}` });
      },
      /** Text at pixels; lines are parted by newlines. */
      text(key, x, y, text, style, anchor = "start") {
        const lines = text.split("\n");
        lines.forEach((line, i) => {
          const place = { x: tenths(x), y: tenths(y + 13 * (i - (lines.length - 1) / 2)), dy: "0.35em" };
          mark("front", `${key} ${i}`, "text", { ...place, class: `note ${style}`, "text-anchor": anchor }, line);
        });
      },
      /** A shape around a point of the data, given in pixels relative to it. */
      symbol: (key, x, y, d, style) => mark("front", key, "path", { d, transform: `translate(${pair(x, y)})`, class: style }),

      /** Fill the plot with the bands of a field on an even grid: colours[k] where levels[k-1] <= value < levels[k]. */
      bands({ xs, ys, values }, levels, colours) {
        const density = Math.min(2, devicePixelRatio || 1);
        const [w, h] = [Math.round(area.width * density), Math.round(area.height * density)];
        Object.assign(canvas, { width: w, height: h });
        Object.assign(canvas.style, { left: `${area.left}px`, top: `${area.top}px`, width: `${area.width}px`, height: `${area.height}px` });
        const context = canvas.getContext("2d");
        const image = context.createImageData(w, h);
        const pixels = new Uint32Array(image.data.buffer);
        const columns = xs.length;
        const cells = new Int32Array(w); // where each column of pixels lies in the grid: between which nodes, how far
        const shares = new Float64Array(w);
        for (let px = 0; px < w; px++) {
          const u = ((px + 0.5) / w) * (columns - 1);
          cells[px] = Math.min(columns - 2, Math.floor(u));
          shares[px] = u - cells[px];
        }
        const row = new Float64Array(columns); // the values at the height of a row of pixels
        for (let py = 0; py < h; py++) {
          const v = (1 - (py + 0.5) / h) * (ys.length - 1);
          const j = Math.min(ys.length - 2, Math.floor(v));
          for (let i = 0; i < columns; i++) {
            const low = values[j * columns + i];
            row[i] = low + (v - j) * (values[(j + 1) * columns + i] - low);
          }
          for (let px = 0; px < w; px++) {
            const low = row[cells[px]];
            const value = low + shares[px] * (row[cells[px] + 1] - low);
            let band = 0;
            while (band < levels.length && value >= levels[band]) band++;
            pixels[py * w + px] = colours[band];
          }
        }
        context.putImageData(image, 0, 0);
      },

      /**
       * A handle to drag. `set(x, y)` while it moves, in the data's units. A mouse or pen may press anywhere in the plot; a
       * finger drags the handle itself, so that the page still scrolls, or taps where the handle should go.
       */
      handle(style, set) {
        const grip = svg("g", { class: `grip ${style}` }, svg("circle", { r: 22, class: "touch" }), svg("circle", { r: 8 }));
        layers.front.after(grip);
        let pointer = null;
        let offset = [0, 0];
        let place = [0, 0];
        let dragged = false;

        const move = (event) => {
          const corner = root.getBoundingClientRect();
          const x = event.clientX - corner.left + offset[0];
          const y = event.clientY - corner.top + offset[1];
          set(
            round(scales.x.from(clamp((x - area.left) / area.width, 0, 1))),
            round(scales.y.from(clamp(1 - (y - area.top) / area.height, 0, 1))),
          );
        };
        const inside = (event) => {
          const corner = root.getBoundingClientRect();
          const [x, y] = [event.clientX - corner.left - area.left, event.clientY - corner.top - area.top];
          return x >= 0 && y >= 0 && x <= area.width && y <= area.height;
        };
        figure.listen(root, "pointerdown", (event) => {
          const held = grip.contains(event.target);
          dragged = false;
          if (event.button || (!held && (event.pointerType === "touch" || !inside(event)))) return;
          const corner = root.getBoundingClientRect();
          offset = held ? [place[0] - (event.clientX - corner.left), place[1] - (event.clientY - corner.top)] : [0, 0];
          pointer = event.pointerId;
          dragged = true;
          root.setPointerCapture(pointer);
          grip.classList.add("held");
          if (!held) move(event);
        });
        figure.listen(root, "pointermove", (event) => event.pointerId === pointer && move(event));
        const drop = (event) => {
          if (event.pointerId !== pointer) return;
          pointer = null;
          grip.classList.remove("held");
          figure.release();
        };
        figure.listen(root, "pointerup", drop);
        figure.listen(root, "pointercancel", drop);
        figure.listen(root, "click", (event) => {
          const tapped = !dragged && inside(event);
          dragged = false;
          if (!tapped) return;
          offset = [0, 0];
          move(event);
          figure.release();
        });
        return {
          /** Put the handle at a point of the data, or at the plot's edge if the point is outside. */
          at(x, y) {
            place = [clamp(toX(x), area.left, area.left + area.width), clamp(toY(y), area.top, area.top + area.height)];
            grip.setAttribute("transform", `translate(${place.map(tenths).join(" ")})`);
          },
        };
      },
    };
    return self;
  }

  /** The value of a CSS variable of the figure as a canvas pixel (bytes ABGR). */
  function pixel(node, variable) {
    const hex = getComputedStyle(node).getPropertyValue(variable).trim();
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }

  /** `count` canvas pixels on the way from one of the figure's CSS colours to another. */
  function ramp(node, from, to, count) {
    const ends = [from, to].map((variable) => pixel(node, variable));
    return grid(0, 1, count).map((share) => [0, 8, 16].reduce((mixed, shift) => {
      const [a, b] = ends.map((colour) => (colour >>> shift) & 255);
      return mixed + Math.round(a + share * (b - a)) * 2 ** shift;
    }, 255 * 2 ** 24));
  }

  return { html, svg, write, clamp, round, number, linear, log, lowest, hue, memo, lagging, random, field, grid, sample, refine, levelLine, spots, spread, frame, pixel, ramp };
})();
