"use strict";
// Script only improves: every page reads and every form works without it.
(() => {
  const LIVE_MS = 15000;
  const typing = () => /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");

  // A page that is live is brought up to date while it is seen and no one is busy in it.
  setInterval(() => {
    const main = document.querySelector("main[data-live]");
    const busy = typing() || document.querySelector("main details[open] form, .strips.on");
    if (main && !document.hidden && !busy) main.dispatchEvent(new CustomEvent("refresh"));
  }, LIVE_MS);

  // One cursor through all charts; the legends are its read-out.
  let read = null, at = -1, rest = null;
  const data = () => {
    const from = document.getElementById("read-out");
    if (from && read?.from !== from.textContent) read = { from: from.textContent, ...JSON.parse(from.textContent) };
    return from && read;
  };
  const outputs = () => document.querySelectorAll("#strips output[data-k]");
  const show = (index) => {
    const all = data(), strips = document.getElementById("strips");
    if (!all || !strips) return;
    rest ??= [...outputs()].map((one) => [one, one.textContent]);
    at = Math.max(0, Math.min(all.x.length - 1, index));
    strips.classList.add("on");
    for (const line of strips.querySelectorAll(".cur")) for (const end of ["x1", "x2"]) line.setAttribute(end, `${all.x[at] * 100}%`);
    for (const one of outputs()) one.textContent = one.dataset.k === "at" ? all.at[at] : all.texts[one.dataset.k]?.[at] ?? "";
  };
  const hide = () => {
    document.getElementById("strips")?.classList.remove("on");
    for (const [one, text] of rest ?? []) one.textContent = text;
    rest = null; at = -1;
  };
  document.addEventListener("pointermove", (event) => {
    const plot = event.target.closest?.("#strips svg.c");
    if (!plot) return;
    const box = plot.getBoundingClientRect(), all = data();
    if (all) show(Math.floor((event.clientX - box.left) / box.width * all.x.length));
  });
  document.addEventListener("pointerout", (event) => {
    const strips = event.target.closest?.("#strips");
    if (strips && !strips.contains(event.relatedTarget) && document.activeElement !== strips) hide();
  });
  document.addEventListener("focusout", (event) => { if (event.target.id === "strips") hide(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "strips") return;
    const all = data(), step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "Escape") return hide();
    if (!step || !all) return;
    event.preventDefault();
    show((at < 0 ? all.x.length - 1 : at) + step);
    const said = [...document.querySelectorAll("#strips .strip")].map((strip) => {
      const values = [...strip.querySelectorAll(".leg li")].filter((row) => row.querySelector("output")).map((row) => row.textContent.trim());
      return `${strip.querySelector("h3").firstChild.textContent.trim()}: ${values.join(", ")}`;
    });
    document.getElementById("said").textContent = said.join("; ");
  });

  // Keys of single pages: J and K walk a list; a button names its own key.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
    const key = event.key.toLowerCase();
    const button = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
    if (button) { event.preventDefault(); button.click(); return; }
    const step = { j: 1, k: -1 }[key], links = [...document.querySelectorAll("#list a")];
    if (!step || !links.length) return;
    const now = links.indexOf(document.activeElement);
    const from = now < 0 ? links.findIndex((one) => one.hasAttribute("aria-current")) : now;
    links[Math.max(0, Math.min(links.length - 1, from + step))].focus();
  });
})();
