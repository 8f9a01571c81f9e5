// The playground's page: it keeps what the demo says, and draws it. The demo tells of every
// change by server-sent events; what people do here goes back by POST /do.

import * as slack from "/slack.js";
import * as zoom from "/zoom.js";
import * as wire from "/wire.js";
import * as guide from "/guide.js";

export const byId = (id) => document.getElementById(id);

// An element with its attributes and what is in it. Text is only ever text, never markup.
export function el(name, attributes = {}, ...content) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...content.filter((part) => part != null && part !== false));
  return element;
}

// Draws a list anew only where what it shows has changed, so that focus and scrolling stay.
export function draw(list, items, key, make) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const print = JSON.stringify(item);
    const known = old.get(name);
    if (known?.dataset.print === print) return known;
    const made = make(item);
    made.dataset.key = name;
    made.dataset.print = print;
    return made;
  });
  wanted.forEach((child, at) => {
    const here = list.children[at];
    if (here === child) return;
    // One that has changed takes the place of what it was.
    if (here && here.dataset.key === child.dataset.key) here.replaceWith(child);
    else list.insertBefore(child, here ?? null);
  });
  while (list.children.length > wanted.length) list.lastElementChild.remove();
}

// Who is at the page. Kept for this tab, so that it survives a reload.
export let who = sessionStorage.getItem("who") ?? "U0DANA";
let state = null;
let source = null;

// Does something at the demo; what Slack would complain of, or nothing.
export async function act(name, parameters = {}) {
  let answer;
  try {
    answer = await fetch("/do", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ do: name, ...parameters }),
    });
  } catch {
    return "The demo does not answer.";
  }
  if (answer.ok) return null;
  const said = await answer.json().catch(() => null);
  return said?.problem ?? `The demo answered with status ${answer.status}.`;
}

export function become(person) {
  who = person;
  sessionStorage.setItem("who", person);
  watch();
}

function watch() {
  source?.close();
  source = new EventSource(`/events?who=${encodeURIComponent(who)}`);
  source.addEventListener("state", (event) => {
    state = JSON.parse(event.data);
    byId("lost").hidden = true;
    slack.show(state);
    zoom.show(state);
    guide.look(state);
    byId("admin").href = state.admin;
    document.documentElement.dataset.ready = who;
  });
  source.addEventListener("wire", (event) => wire.add(JSON.parse(event.data)));
  // The browser tries again by itself; a demo that was started anew has another story to tell.
  source.addEventListener("open", () => wire.clear());
  source.addEventListener("error", () => { byId("lost").hidden = false; });
}

for (const button of document.querySelectorAll(".views button")) {
  button.addEventListener("click", () => view(button.dataset.view));
}

// Which part a phone shows.
export function view(name) {
  document.querySelector("main").dataset.view = name;
  for (const button of document.querySelectorAll(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === name));
  }
}

slack.begin();
zoom.begin();
wire.begin();
guide.begin();
watch();
