/*
 * Brings the live figures of a book page to life: for every <div class="ravine-figure" data-module data-state> it calls
 * the render({ model, el }) of the figure's script as anywidget would. The page names that script before this one, both
 * with `defer`: then the figures stand as soon as the document does, before other scripts have their turn.
 * Classic scripts only, no import() and no fetch(): pages opened as file:// may use neither.
 */
(() => {
  "use strict";

  /** A setting as it stands in an address: a number, a word, a list of either, or numbers by their names. */
  const write = (value) =>
    Array.isArray(value) ? value.join(",")
      : typeof value === "object" ? Object.entries(value).map((pair) => pair.join(":")).join(",")
        : value;

  /** The setting that a text of an address says, of the kind of `like`; undefined if it is no such thing. */
  function parse(text, like) {
    const parts = text.split(",").filter(Boolean);
    if (typeof like === "object" && !Array.isArray(like)) {
      const entries = parts.map((part) => part.split(":")).map(([name, number]) => [name, Number(number)]);
      return entries.some(([, number]) => Number.isNaN(number)) ? undefined : Object.fromEntries(entries);
    }
    const list = [like].flat();
    if (Array.isArray(like) && typeof list[0] === "string") return parts; // words: any number of them
    const parsed = typeof list[0] === "number" ? parts.map(Number) : parts;
    if (parsed.length !== list.length || parsed.some(Number.isNaN)) return undefined;
    return Array.isArray(like) ? parsed : parsed[0];
  }

  /** The part of anywidget's model that figures use. `save_changes` writes what differs from `state` to the address. */
  function makeModel(id, state) {
    const values = { ...state };
    const handlers = [];
    return {
      get: (key) => values[key],
      set(key, value) {
        if (JSON.stringify(values[key]) === JSON.stringify(value)) return;
        values[key] = value;
        for (const [event, handler] of [...handlers]) if (event === "change" || event === `change:${key}`) handler();
      },
      on: (event, handler) => handlers.push([event, handler]),
      off(event, handler) {
        const at = handlers.findIndex(([e, h]) => e === event && h === handler);
        if (at >= 0) handlers.splice(at, 1);
      },
      save_changes() {
        const changed = Object.keys(state).filter((key) => JSON.stringify(values[key]) !== JSON.stringify(state[key]));
        const query = changed.map((key) => `${key}=${write(values[key])}`).join("&");
        history.replaceState(history.state, "", `#${id}${query && "?"}${query}`);
      },
      /** Take over the settings of an address `#id?key=value&…` meant for this figure. Unknown keys and bad numbers are ignored. */
      read(address) {
        const [name, query] = address.slice(1).split("?");
        if (name !== id) return false;
        for (const [key, text] of new URLSearchParams(query)) {
          const value = key in state ? parse(text, state[key]) : undefined;
          if (value !== undefined) this.set(key, value);
        }
        return true;
      },
    };
  }

  function mount(place, id) {
    place.id = id;
    const live = document.createElement("div");
    const model = makeModel(id, JSON.parse(place.dataset.state));
    const follow = () => model.read(location.hash) && place.scrollIntoView({ block: "nearest" });
    try {
      place.append(live);
      globalThis.ravine.figures[place.dataset.module].render({ model, el: live });
      place.classList.add("is-live"); // from here on the style sheet hides the still picture, except in print
    } catch (error) {
      live.remove();
      console.error(error);
      return;
    }
    follow();
    addEventListener("hashchange", follow);
  }

  const seen = {};
  for (const place of document.querySelectorAll(".ravine-figure[data-module]")) {
    const { module } = place.dataset;
    seen[module] = (seen[module] ?? 0) + 1;
    mount(place, `fig-${module}${seen[module] > 1 ? `-${seen[module]}` : ""}`);
  }
})();
