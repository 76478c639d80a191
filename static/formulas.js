/*
 * Sets the page's formulas when all else stands, a few at a time while the browser is idle, those nearest to the reader
 * first: MathJax at work on a whole chapter would hold up its figures and its scrolling. Before printing it sets the rest.
 * Then it lays out the pictures that the style sheet has left for later, for who saves or photographs the page as a whole.
 */
(() => {
  "use strict";
  const AT_ONCE = 4; // twelve would hold up the page for more than 50 ms, as long as it has just begun
  const script = new URL("mathjax/tex-chtml.js", document.currentScript.src).href;
  const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done));

  function distance(node) {
    const { top, bottom } = node.getBoundingClientRect();
    return Math.max(0, top - innerHeight, -bottom);
  }

  async function set() {
    const away = new Map([...document.querySelectorAll(".math")].map((node) => [node, distance(node)]));
    const left = [...away.keys()].sort((one, other) => away.get(one) - away.get(other));
    addEventListener("beforeprint", () => MathJax.typeset(left.splice(0)));
    while (left.length) {
      await idle();
      await MathJax.typesetPromise(left.splice(0, AT_ONCE));
    }
  }

  async function show() {
    for (const picture of document.querySelectorAll(".ravine-picture")) {
      await idle();
      picture.style.contentVisibility = "visible";
    }
  }

  async function ready() {
    MathJax.startup.defaultReady();
    await MathJax.startup.promise;
    await set();
    await show();
  }

  MathJax.startup = { typeset: false, ready };
  addEventListener("load", () => document.head.append(Object.assign(document.createElement("script"), { src: script })));
})();
