// Zoom's side: meetings and their streams, faults, accounts.

import { act, byId, draw, el } from "/page.js";

export function begin() {
  byId("fail").addEventListener("click", () => act("fail", { knob: byId("fault").value }));
  byId("report").addEventListener("change", () => act("report", { how: byId("report").value }));
  byId("fail-list").addEventListener("click", () => act("fail", { knob: byId("list-fault").value }));
  byId("fail-token").addEventListener("click", () => act("fail", { knob: byId("token-fault").value }));
}

// A number as Zoom shows it.
export function spaced(id) {
  const digits = String(id);
  const cuts = { 8: [4], 9: [3, 6], 10: [3, 6], 11: [3, 7] }[digits.length] ?? [];
  return [0, ...cuts].map((cut, at) => digits.slice(cut, cuts[at])).join(" ");
}

export function show(state) {
  draw(byId("meetings"), state.meetings, ({ id }) => id, meeting);
  for (const [id, knobs] of [["fault", state.knobs.livestream], ["list-fault", state.knobs.lists], ["token-fault", state.knobs.tokens], ["report", state.knobs.reports]]) {
    const select = byId(id);
    if (select.options.length === 0) select.append(...knobs.map(({ name, label }) => el("option", { value: name }, label)));
  }
  byId("report").value = state.reporting;
  const waiting = [
    ...state.faults.livestream.map((label) => `Next start or stop: ${label}`),
    ...state.faults.lists.map((label) => `Next list of meetings: ${label}`),
    ...state.faults.tokens.map((label) => `Next refresh: ${label}`),
  ];
  byId("waiting").replaceChildren(...(waiting.length === 0 ? [] : [
    el("ul", {}, ...waiting.map((label) => el("li", {}, label))),
    el("button", { type: "button", onclick: () => act("clear_faults") }, "Clear"),
  ]));
  draw(byId("accounts"), state.people, ({ id }) => id, account);
}

// When a meeting is planned for, as the person at the page reads it.
function planned(at) {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return `${isToday ? "today" : time.toLocaleDateString("en", { weekday: "long" })} ${time.toTimeString().slice(0, 5)}`;
}

function meeting({ id, topic, host, obstacle, starts_at, is_running, is_live, is_cut_off, goes_to }) {
  const state = is_cut_off ? "cut-off" : is_live ? "live" : is_running ? "started" : "closed";
  const status = is_cut_off ? "live, but cut off" : is_live ? "live" : is_running ? "started, not live" : "not started";
  return el("li", { class: "meeting", "data-meeting": id, "data-state": state },
    el("div", { class: "screen", "aria-hidden": "true" }, el("span", {}), el("span", {}), el("span", {}), el("b", {}, is_cut_off ? "CUT OFF" : is_live ? "LIVE" : "")),
    el("div", {},
      el("h3", {}, topic),
      el("p", { class: "small" }, [spaced(id), `host ${host}`, starts_at && planned(starts_at), obstacle].filter(Boolean).join(" · ")),
      el("p", {}, "The meeting is ", el("strong", {}, status), "."),
      is_cut_off && el("p", { class: "small" }, "Viewers see nothing: where it goes was changed meanwhile, or another livestream went there."),
      goes_to && el("p", { class: "small to" }, el("span", { class: "hidden" }, is_live ? "Livestream " : "Next livestream "), `→\u00a0${goes_to}`),
      el("div", { class: "line" },
        el("button", { type: "button", onclick: () => act(is_running ? "end" : "begin", { meeting: id }) },
          is_running ? "End the meeting" : "Start the meeting", el("span", { class: "hidden" }, ` ${topic}`)),
        is_live && el("button", { type: "button", onclick: () => act("break_off", { meeting: id }) },
          "Break the stream off", el("span", { class: "hidden" }, ` of ${topic}`)))));
}

const PERMISSION = {
  granted: "the app may act for it",
  expired: "its access token has expired",
  none: "the app may not act for it",
};

function account({ account, email, permission }) {
  const button = (label, name) => el("button", { type: "button", disabled: permission === "none", onclick: () => act(name, { account }) },
    label, el("span", { class: "hidden" }, ` of ${email}`));
  return el("li", {},
    el("p", {}, el("strong", {}, email), `: ${PERMISSION[permission]}.`),
    el("div", { class: "line" }, button("Expire the token", "expire"), button("Withdraw silently", "withdraw"), button("Remove the app", "remove")));
}
