// What passed on the wire, the newest first.

import { byId, el } from "/page.js";

const KEPT = 300;

export function begin() {
  byId("clear").addEventListener("click", clear);
}

export function clear() {
  byId("exchanges").replaceChildren();
}

export function add(exchanges) {
  const list = byId("exchanges");
  for (const exchange of exchanges) {
    const row = made(exchange);
    const known = list.querySelector(`[data-id="${exchange.id}"]`);
    if (known) {
      row.firstChild.open = known.firstChild.open;
      known.replaceWith(row);
    } else {
      list.prepend(row);
    }
  }
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

function made({ id, at, from, to, method, path, request, status, answer, took, is_broken }) {
  const outcome = is_broken ? "no answer" : status ?? "…";
  const kind = is_broken || status >= 500 ? "bad" : status >= 400 ? "odd" : status ? "good" : "open";
  return el("li", { "data-id": id, class: kind },
    el("details", {},
      el("summary", {},
        el("span", { class: "when" }, `${(at / 1000).toFixed(2)} s`),
        el("span", { class: "way" }, `${from} → ${to}`),
        el("span", { class: "what" }, `${method} ${path}`),
        el("span", { class: "status" }, String(outcome)),
        el("span", { class: "took" }, took == null ? "" : `${took < 10 ? took.toFixed(1) : Math.round(took)} ms`)),
      el("h3", {}, "Request"), el("pre", { tabindex: "0" }, request || "(nothing)"),
      el("h3", {}, "Answer"), el("pre", { tabindex: "0" }, is_broken ? "The connection ended without one." : answer || "(nothing)")));
}
