// The tour: a few steps, each done as soon as the demo's state says so. Anybody may skip it.

import { act, become, byId, el, view } from "/page.js";
import { go, propose } from "/slack.js";

const FIRESIDE = 81122334455;
const TOWN_HALL = "C0TOWNHALL";

const meeting = (state) => state.meetings.find(({ id }) => id === FIRESIDE);
const said = (state, text) => state.channels.some(({ messages }) =>
  messages.some((message) => JSON.stringify(message).includes(text)));
const code = (text) => el("code", {}, text);
// Types a command for people who would rather not.
const typing = (label, person, text) => el("button", { type: "button", onclick: () => {
  view("slack");
  become(person);
  go(TOWN_HALL);
  propose(text);
} }, label);

const STEPS = [
  {
    title: "From a line in Slack to a live stream",
    text: () => ["On one side a workspace, on the other Zoom; between them the real service. You are about to link an account, go live, stop, break something and mend it."],
  },
  {
    title: "1. Link a Zoom account",
    text: () => ["You are Fay, who has linked nothing yet. Send ", code("/livestream connect"), ", press the button in the answer, and sign in as Fay on both stand-ins' pages. ",
      typing("Type it for me", "U0FAY", "/livestream connect")],
    enter: () => become("U0FAY"),
    done: (state) => state.people.find(({ id }) => id === "U0FAY").permission === "granted" && said(state, "fay@acme.example"),
  },
  {
    title: "2. A failure, in plain words",
    text: () => ["Fay's ", el("em", {}, "Fireside chat"), " has not begun. Send the start all the same, and read what the channel is told. ",
      typing("Type it for me", "U0FAY", `/livestream start ${FIRESIDE}`)],
    enter: () => { if (meeting(now).is_running) act("end", { meeting: FIRESIDE }); },
    done: (state) => said(state, "has not started"),
  },
  {
    title: "3. Mend it",
    text: () => ["Start the meeting on Zoom's side, then press ", el("em", {}, "Try again"), " under the message."],
    done: (state) => meeting(state).is_live,
  },
  {
    title: "4. Stop",
    text: () => ["It is live: look at its picture. Press ", el("em", {}, "Stop"), " under the newest message; it asks first."],
    done: (state) => !meeting(state).is_live,
  },
  {
    title: "5. A permission that is gone",
    text: () => ["Hal linked his account, and withdrew the permission at Zoom since. As Hal, start his ", el("em", {}, "Release party"), ": he is told what to do, and can do it at once. ",
      typing("Type it for me", "U0HAL", "/livestream start 83355667788")],
    done: (state) => state.who === "U0HAL" && said(state, "no longer accepts your linked account"),
  },
  {
    title: "6. The admin's page",
    text: () => ["Admins see who is linked, what happened, and what will fail. ",
      el("a", { href: now.admin, target: "_blank", rel: "noopener" }, "Open it"), " and sign in as Ada. That was the tour: now break things under ", el("em", {}, "Let something go wrong"), "."],
    last: true,
  },
];

let at = -1;
let now = null;

export function begin() {
  byId("tour").addEventListener("click", () => step(0));
  byId("next").addEventListener("click", () => (STEPS[at].last ? end() : step(at + 1)));
  byId("skip").addEventListener("click", end);
}

export function look(state) {
  now = state;
  if (at >= 0 && STEPS[at].done?.(state)) step(at + 1);
}

function step(next) {
  at = next;
  const { title, text, enter, last } = STEPS[at];
  byId("guide").hidden = false;
  byId("tour").hidden = true;
  byId("step").textContent = `Step ${at + 1} of ${STEPS.length}`;
  byId("guide-title").textContent = title;
  byId("guide-text").replaceChildren(el("p", {}, ...text()));
  byId("next").textContent = last ? "Done" : at === 0 ? "Begin" : "Next";
  byId("skip").hidden = Boolean(last);
  enter?.();
}

function end() {
  at = -1;
  byId("guide").hidden = true;
  byId("tour").hidden = false;
  byId("tour").focus();
}
