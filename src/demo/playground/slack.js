// Slack's side: channels, messages in Block Kit, the composer.
// https://docs.slack.dev/reference/block-kit/blocks

import { act, become, byId, draw, el, who } from "/page.js";

// The emoji that the service uses.
const EMOJI = {
  red_circle: "🔴", black_square_for_stop: "⏹️", warning: "⚠️", lock: "🔒", no_entry: "⛔", question: "❓",
  hourglass_flowing_sand: "⏳", white_check_mark: "✅", link: "🔗", wave: "👋", bulb: "💡", information_source: "ℹ️",
  large_yellow_circle: "🟡", white_circle: "⚪", x: "❌",
};
const HOME = "home";
const APP = "livestream";

let state = null;
let place = "C0TOWNHALL";

const person = (id) => state.people.find((person) => person.id === id);
const channel = () => state.channels.find((channel) => channel.id === place) ?? state.channels[0];

export function begin() {
  byId("who").addEventListener("change", (event) => become(event.target.value));
  byId("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  const text = byId("text");
  text.addEventListener("input", suggest);
  text.addEventListener("keydown", complete);
  text.addEventListener("blur", () => setTimeout(hideSuggestions));
}

// `/livestream` alone, and with what can follow it, as the app's manifest hints.
function words() {
  const known = state.command.hint.split(",").map((word) => word.trim());
  const { name } = state.command;
  return [name, ...[...known, "disconnect"].map((word) => `${name} ${word}`)];
}

export function show(now) {
  state = now;
  const select = byId("who");
  if (select.options.length === 0) {
    select.append(...state.people.map(({ id, name }) => el("option", { value: id }, name)));
  }
  select.value = state.who;
  const { about, email, permission } = person(state.who);
  const status = permission === "none" ? "has given this app no permission" : "has let this app in";
  byId("about").textContent = `${about}; at Zoom ${email}, who ${status}`;
  if (place !== HOME) place = channel().id;
  const places = [...state.channels, { id: HOME }];
  draw(byId("places"), places.map(({ id, name, is_direct }) => ({ id, name, is_direct, is_here: id === place })), ({ id }) => id,
    ({ id, name, is_direct, is_here }) => el("button", { type: "button", "aria-current": is_here && "page", onclick: () => go(id) },
      id === HOME ? `${APP} · Home` : is_direct ? `${APP} · Messages` : `# ${name}`));
  byId("composer").hidden = place === HOME;
  byId("channel-name").textContent = place === HOME ? "Home of livestream" : channel().is_direct ? "livestream (only you and the app)" : `# ${channel().name}`;
  const [log, messages] = [byId("log"), byId("messages")];
  // On a phone the page scrolls, and elsewhere the log.
  const parts = [log, document.scrollingElement];
  const atEnd = place === HOME ? [] : parts.filter((part) => part.scrollHeight - part.scrollTop - part.clientHeight < 40);
  messages.classList.toggle("home", place === HOME);
  if (place === HOME) {
    const blocks = state.home?.blocks ?? [];
    draw(messages, blocks.map((block, at) => ({ at, block })), ({ at }) => `home ${at}`, ({ block }) =>
      el("li", {}, shown(block, { press: pressHome, choose: chooseAtHome })));
  } else {
    draw(messages, threads(channel().messages).map((message) => ({ ...message, place })), ({ ts }) => ts, bubble);
    if (messages.children.length === 0) {
      messages.append(el("li", { class: "empty" }, el("p", {}, "Nothing was said here yet. Type ",
        el("code", {}, state.command.name), " below, or take the tour.")));
    }
  }
  for (const part of atEnd) part.scrollTop = part.scrollHeight;
}

// Each message with the replies to it. A reply to one that is not here stands alone.
function threads(messages) {
  const known = new Set(messages.map(({ ts }) => ts));
  const isReply = ({ thread }) => known.has(thread);
  return messages.filter((message) => !isReply(message)).map((message) => ({
    ...message,
    replies: messages.filter(({ thread }) => thread === message.ts),
  }));
}

export function go(id) {
  place = id;
  show(state);
  byId("log").scrollTop = id === HOME ? 0 : byId("log").scrollHeight;
  byId("problem").textContent = "";
  if (id === HOME) act("open_home", { who });
}

// Puts a command into the composer, as if it had been typed.
export function propose(text) {
  byId("text").value = text;
  byId("text").focus();
  hint();
}

function bubble(message) {
  const author = message.author ? person(message.author)?.name ?? message.author : APP;
  const time = new Date(Number(message.ts.split(".")[0]) * 1000);
  const content = message.blocks.length > 0
    ? message.blocks.map((block) => shown(block, {
      press: (button) => press(message.ts, button),
      choose: (menu, value) => choose(message.ts, menu, value),
    }))
    : [el("p", {}, ...mrkdwn(message.text ?? ""))];
  return el("li", { class: message.author ? "person" : "app" },
    el("span", { class: "face", "aria-hidden": "true" }, author[0].toUpperCase()),
    el("div", {},
      message.only_you && el("p", { class: "only" }, "Only visible to you"),
      el("p", { class: "by" }, el("strong", {}, author), !message.author && el("span", { class: "badge" }, "APP"),
        el("time", { datetime: time.toISOString() }, time.toTimeString().slice(0, 5)), message.edits > 0 && el("span", {}, "(edited)"),
        message.edits > 1 && el("span", {}, `changed ${message.edits} times`)),
      ...content,
      message.replies?.length > 0 && el("p", { class: "replies" }, message.replies.length === 1 ? "1 reply" : `${message.replies.length} replies`),
      message.replies?.length > 0 && el("ol", { class: "thread", "aria-label": "Replies" }, ...message.replies.map(bubble))));
}

// One block as Slack shows it. `use` has what is done with a button that is pressed, and with an
// option that is chosen from a menu.
function shown(block, use) {
  switch (block.type) {
    case "header": return el("h4", {}, emoji(block.text.text));
    case "divider": return el("hr");
    case "context": return el("p", { class: "context" }, ...block.elements.flatMap((part) => text(part)));
    case "actions": return el("div", { class: "actions" }, ...block.elements.map((part) => element(part, use)));
    case "section": return el("div", { class: "block" },
      el("div", {}, block.text && el("p", {}, ...text(block.text)),
        ...(block.fields ?? []).map((field) => el("p", {}, ...text(field)))),
      block.accessory && element(block.accessory, use));
    default: return el("p", { class: "context" }, `(a block of type ${block.type})`);
  }
}

function element(part, use) {
  switch (part.type) {
    case "button": return button(part, use.press);
    case "static_select": return menu(part, use.choose);
    default: return el("p", { class: "context" }, `(a part of type ${part.type})`);
  }
}

function button(part, onpress) {
  const label = emoji(part.text.text);
  const named = { class: `press ${part.style ?? ""}`, "aria-label": part.accessibility_label };
  // A button with an address opens it, and Slack tells the app as well.
  if (part.url) return el("a", { ...named, href: part.url, target: "_blank", rel: "noopener", onclick: () => onpress(part) }, label);
  return el("button", { ...named, type: "button", onclick: async () => {
    if (part.confirm && !(await ask(part.confirm))) return;
    onpress(part);
  } }, label);
}

// Keys that choose in a menu that is closed.
const STEPS = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"];

function menu(part, onchoose) {
  const option = ({ text, value, description }) =>
    el("option", { value, selected: value === part.initial_option?.value }, emoji(description ? `${text.text} – ${description.text}` : text.text));
  const label = emoji(part.placeholder?.text ?? "Choose");
  const select = el("select", { "aria-label": label, onchange: async () => {
    const { value } = select;
    if (!part.confirm || await ask(part.confirm)) onchoose(part, value);
    // The same can be chosen again.
    select.value = part.initial_option?.value ?? "";
  }, onkeydown: (event) => {
    // What is chosen is done at once, so a key must not choose while nobody sees the options.
    if (!STEPS.includes(event.key) || !CSS.supports("selector(:open)") || select.matches(":open")) return;
    event.preventDefault();
    select.showPicker();
  } },
    el("option", { value: "", hidden: true }, label),
    ...(part.options ?? []).map(option),
    ...(part.option_groups ?? []).map((group) => el("optgroup", { label: emoji(group.label.text) }, ...group.options.map(option))));
  return select;
}

function ask(confirm) {
  byId("ask-title").textContent = confirm.title.text;
  byId("ask-text").replaceChildren(...text(confirm.text));
  byId("ask-yes").textContent = confirm.confirm.text;
  byId("ask-yes").className = confirm.style ?? "primary";
  byId("ask-no").textContent = confirm.deny.text;
  const dialog = byId("ask");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}

async function press(ts, { action_id }) {
  byId("problem").textContent = await act("press", { who, ts, action_id }) ?? "";
}

async function choose(ts, { action_id }, value) {
  byId("problem").textContent = await act("choose", { who, ts, action_id, value }) ?? "";
}

async function pressHome({ value }) {
  if (value) byId("problem").textContent = await act("press_home", { who, value }) ?? "";
}

async function chooseAtHome(_, value) {
  byId("problem").textContent = await act("choose_at_home", { who, value }) ?? "";
}

const text = (part) => part.type === "mrkdwn" ? mrkdwn(part.text) : [emoji(part.text)];

const emoji = (text) => text.replace(/:([a-z_]+):/g, (code, name) => EMOJI[name] ?? code);

const plain = (text) => emoji(text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"));

// Slack's markup: https://docs.slack.dev/messaging/formatting-message-text
function mrkdwn(source) {
  const parts = [];
  const pattern = /```([\s\S]+?)```|`([^`\n]+)`|<([^>]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])|\n/g;
  let end = 0;
  for (const match of source.matchAll(pattern)) {
    if (match.index > end) parts.push(plain(source.slice(end, match.index)));
    end = match.index + match[0].length;
    const [whole, block, code, tag, bold, italic, struck] = match;
    if (whole === "\n") parts.push(el("br"));
    else if (block) parts.push(el("pre", {}, plain(block)));
    else if (code) parts.push(el("code", {}, plain(code)));
    else if (tag) parts.push(tagged(tag));
    else if (bold) parts.push(el("strong", {}, ...mrkdwn(bold)));
    else if (italic) parts.push(el("em", {}, ...mrkdwn(italic)));
    else if (struck) parts.push(el("s", {}, ...mrkdwn(struck)));
  }
  if (end < source.length) parts.push(plain(source.slice(end)));
  return parts;
}

function tagged(tag) {
  const [target, label] = tag.split("|");
  if (target.startsWith("@")) return el("span", { class: "mention" }, `@${person(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) {
    const known = state.channels.find(({ id }) => id === target.slice(1));
    return el("span", { class: "mention" }, `#${known?.name ?? label ?? target.slice(1)}`);
  }
  if (target.startsWith("!date")) return dated(target) ?? plain(label ?? "");
  if (target.startsWith("!")) return el("span", { class: "mention" }, plain(label ?? target.slice(1)));
  const url = target.replaceAll("&amp;", "&");
  if (!/^(https?|mailto):/.test(url)) return plain(label ?? target);
  return el("a", { href: url, target: "_blank", rel: "noopener" }, plain(label ?? target));
}

// A time in the reader's zone; nothing if it is written in a way that is not known here.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
function dated(target) {
  const [, seconds, format] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  const day = (month) => at.toLocaleDateString("en", { day: "numeric", month, year: "numeric" });
  const days = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86_400_000);
  const known = {
    time: at.toTimeString().slice(0, 5),
    date: day("long"),
    date_short_pretty: { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? day("short"),
  };
  const shown = format.replace(/\{(\w+)\}/g, (code, name) => known[name] ?? code);
  return shown.includes("{") ? null : shown;
}

async function send() {
  const input = byId("text");
  const sent = input.value;
  if (sent.trim() === "") return;
  input.value = "";
  hint();
  hideSuggestions();
  const problem = await act("send", { who, channel: place, text: sent });
  byId("problem").textContent = problem ?? "";
  if (problem && input.value === "") input.value = sent;
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
  list.replaceChildren(...found.map((word, at) => el("div", {
    role: "option", id: `suggestion-${at}`, "aria-selected": "false",
    // Before the field loses its focus.
    onmousedown: (event) => { event.preventDefault(); take(word); },
  }, el("strong", {}, word), at === 0 && el("span", {}, ` ${state.command.description}`))));
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
  const { name, hint } = state?.command ?? {};
  byId("hint").textContent = byId("text").value.trim() === name ? `${name} [${hint}]` : "";
}

function complete(event) {
  const list = byId("suggestions");
  const options = [...list.children];
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (list.hidden) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
    byId("text").setAttribute("aria-activedescendant", options[next].id);
  } else if (event.key === "Tab" || (event.key === "Enter" && at >= 0)) {
    event.preventDefault();
    take(options[Math.max(at, 0)].firstChild.textContent);
  } else if (event.key === "Escape") {
    hideSuggestions();
  }
}
