// Shows every change as soon as the demo tells of it, and sends forms without loading the page again.
// Everything here is written by the demo, and works without this script too.

const byId = (id) => document.getElementById(id);
const root = document.documentElement;

// ---- what the demo tells ----

let source = null;

// The page's address says who looks at what.
function watch() {
  source?.close();
  source = new EventSource(`/events${location.search}`);
  const { search } = location;
  source.addEventListener("draw", (event) => {
    byId("lost").hidden = true;
    for (const region of JSON.parse(event.data)) draw(region);
    follow();
    find();
    root.dataset.ready = search || "?";
  });
  // The browser tries again by itself.
  source.addEventListener("error", () => { byId("lost").hidden = false; });
}

// Shows a list as it is now: its keys in order, each with its HTML if that is new. What is there
// already stays where it can, with its focus and its scrolling.
function draw({ id, items }) {
  const list = byId(id);
  const known = new Map();
  // What came with the page itself has no keys yet.
  const nameless = [];
  for (const child of list.children) {
    if (child.dataset.key === undefined) nameless.push(child);
    else known.set(child.dataset.key, child);
  }
  const wanted = items.map(([key, html]) => {
    let node = known.get(key) ?? nameless.shift();
    if (html !== null) {
      const made = parse(html);
      if (node?.nodeName === made.nodeName) morph(node, made);
      else node = made;
    }
    node.dataset.key = key;
    return node;
  });
  const kept = new Set(wanted);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((node, at) => {
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  });
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Makes an element like another one, changing no more than what differs.
function morph(now, wanted) {
  for (const { name } of [...now.attributes]) {
    if (wanted.hasAttribute(name) || name === "data-key" || name === "data-touched") continue;
    // What somebody has opened or closed stays so.
    if (name === "open" && "touched" in now.dataset) continue;
    now.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (name === "open" && "touched" in now.dataset) continue;
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  const nodes = [...now.childNodes];
  const wants = [...wanted.childNodes];
  wants.forEach((want, at) => {
    const node = nodes[at];
    if (!node) now.append(want);
    else if (node.nodeType !== want.nodeType || node.nodeName !== want.nodeName || node.id !== want.id) node.replaceWith(want);
    else if (node.nodeType === Node.ELEMENT_NODE) morph(node, want);
    else if (node.data !== want.data) node.data = want.data;
  });
  for (const node of nodes.slice(wants.length)) node.remove();
  // Which option is chosen is not told by attributes once somebody has chosen.
  if (now.dataset.now !== undefined && now.value !== now.dataset.now) now.value = now.dataset.now;
}

document.addEventListener("click", ({ target }) => {
  const details = target.closest?.("summary")?.parentElement;
  if (details) details.dataset.touched = "";
});

// ---- who looks at what ----

function go(address) {
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
  arrive();
}

function arrive() {
  const query = new URLSearchParams(location.search);
  const form = byId("composer");
  const who = query.get("who") ?? "U0DANA";
  const place = query.get("place") ?? "C0TOWNHALL";
  form.elements.who.value = who;
  form.elements.channel.value = place;
  form.hidden = !place.startsWith("C");
  byId("log").classList.toggle("home", place === "home");
  problem("");
  document.querySelector(".scene")?.remove();
  watch();
  if (place === "home") act({ do: "open_home", who });
}

addEventListener("popstate", arrive);

// A phone shows the side that a step of the tour points at, as soon as it is there.
let step = document.querySelector(".coach")?.dataset.step;

function follow() {
  const coach = document.querySelector(".coach");
  if (coach && coach.dataset.step !== step) {
    show(coach.dataset.side);
    // It went to another side, and the focus with it.
    if (document.activeElement === document.body) coach.querySelector("button").focus();
  }
  step = coach?.dataset.step;
}

// Which side a phone shows.
function show(side) {
  document.querySelector(`[name=side][value=${side}]`).checked = true;
}

document.addEventListener("change", ({ target }) => {
  const form = target.form;
  if (form?.id === "become") go(`/?${new URLSearchParams(new FormData(form))}`);
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.dataset.goes !== undefined) {
    event.preventDefault();
    go(link.getAttribute("href"));
  } else if (link.dataset.side) {
    event.preventDefault();
    show(link.dataset.side);
    sought = link.hash.slice(1);
    // A message may be in another place.
    if (!find()) go(link.pathname + link.search);
  } else if (link.dataset.copies !== undefined && navigator.clipboard) {
    event.preventDefault();
    await navigator.clipboard.writeText(link.href);
    link.querySelector(".hidden")?.classList.remove("hidden");
    link.lastChild.textContent = "Copied";
  } else if (link.dataset.tells !== undefined) {
    // Slack opens the address, and tells the app as well.
    problem(await act(Object.fromEntries(new FormData(link.closest("form")))));
  }
});

// What somebody is led to, until it is there.
let sought = null;

function find() {
  const found = sought && byId(sought);
  if (!found) return false;
  sought = null;
  if (found.nodeName === "DETAILS") { found.open = true; found.dataset.touched = ""; }
  found.scrollIntoView({ block: "nearest" });
  document.querySelector(".found")?.classList.remove("found");
  found.classList.add("found");
  (found.querySelector("summary, a, button") ?? found).focus({ preventScroll: true });
  return true;
}

// ---- what people do ----

// Does something at the demo; what Slack would complain of, or nothing.
async function act(what) {
  let answer;
  try {
    answer = await fetch("/do", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(what),
    });
  } catch {
    return "The demo does not answer.";
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (said?.go) {
    go(said.go);
    return null;
  }
  return said?.problem ?? `The demo answered with status ${answer.status}.`;
}

function problem(text) {
  byId("problem").textContent = text ?? "";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const what = Object.fromEntries(new FormData(form, event.submitter));
  form.closest("[popover]")?.hidePopover();
  event.submitter?.closest("[popover]")?.hidePopover();
  if (form.id === "composer") return send(what);
  const { submitter } = event;
  // What takes a while is not asked for twice.
  if (submitter?.dataset.busy !== undefined) return;
  if (submitter) submitter.dataset.busy = "";
  problem(await act(what));
  if (submitter) delete submitter.dataset.busy;
});

async function send(what) {
  const text = byId("text");
  if (what.text.trim() === "") return;
  text.value = "";
  hint();
  hideSuggestions();
  const said = await act(what);
  problem(said);
  if (said && text.value === "") text.value = what.text;
}

// ---- menus in messages ----

// Keys that choose in a menu that is closed.
const STEPS = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"];

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.(".choose");
  if (!form) return;
  const question = target.dataset.asks && byId(target.dataset.asks);
  if (!question) {
    form.requestSubmit();
    form.reset();
    return;
  }
  question.showPopover();
});

// The same can be chosen again.
document.addEventListener("toggle", ({ target, newState }) => {
  const select = newState === "closed" && document.querySelector(`[data-asks="${target.id}"]`);
  if (select) select.form.reset();
}, true);

document.addEventListener("keydown", (event) => {
  const select = event.target;
  if (!select.matches?.(".choose select")) return;
  // What is chosen is done at once, so a key must not choose while nobody sees the options.
  if (!STEPS.includes(event.key) || !CSS.supports("selector(:open)") || select.matches(":open")) return;
  event.preventDefault();
  select.showPicker();
});

// ---- the composer ----

// `/livestream` alone, and with what can follow it, as the app's manifest hints.
function words() {
  const { command, hint } = byId("text").dataset;
  const known = hint.split(",").map((word) => word.trim());
  return [command, ...[...known, "disconnect"].map((word) => `${command} ${word}`)];
}

// The commands that begin as what was typed does.
function suggest() {
  hint();
  const typed = byId("text").value;
  const found = typed.startsWith("/") ? words().filter((word) => word.startsWith(typed) && word !== typed) : [];
  const list = byId("suggestions");
  list.hidden = found.length === 0;
  byId("text").setAttribute("aria-expanded", String(!list.hidden));
  byId("text").removeAttribute("aria-activedescendant");
  list.replaceChildren(...found.map((word, at) => {
    const option = document.createElement("div");
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.id = `suggestion-${at}`;
    const name = document.createElement("b");
    name.textContent = word;
    option.append(name);
    if (at === 0) {
      const about = document.createElement("span");
      about.textContent = ` ${byId("text").dataset.about}`;
      option.append(about);
    }
    // Before the field loses its focus.
    option.addEventListener("mousedown", (event) => { event.preventDefault(); take(word); });
    return option;
  }));
}

function hideSuggestions() {
  byId("suggestions").hidden = true;
  byId("text").setAttribute("aria-expanded", "false");
  byId("text").removeAttribute("aria-activedescendant");
}

function take(word) {
  byId("text").value = word;
  hideSuggestions();
  hint();
}

// The command's hint, once the command stands there.
function hint() {
  const { value, dataset } = byId("text");
  byId("hint").textContent = value.trim() === dataset.command ? `${dataset.command} [${dataset.hint}]` : "";
}

function complete(event) {
  const list = byId("suggestions");
  if (list.hidden) return;
  const options = [...list.children];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
    byId("text").setAttribute("aria-activedescendant", options[next].id);
    options[next].scrollIntoView({ block: "nearest" });
  } else if (event.key === "Tab" || (event.key === "Enter" && at >= 0)) {
    event.preventDefault();
    take(options[Math.max(at, 0)].firstChild.textContent);
  } else if (event.key === "Escape") {
    hideSuggestions();
  }
}

byId("text").addEventListener("input", suggest);
byId("text").addEventListener("keydown", complete);
byId("text").addEventListener("blur", () => setTimeout(hideSuggestions));

watch();
if (new URLSearchParams(location.search).get("place") === "home") {
  act({ do: "open_home", who: new URLSearchParams(location.search).get("who") ?? "U0DANA" });
}
