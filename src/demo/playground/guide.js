// The tour: a few steps, each done as soon as the demo's state says so. Anybody may skip it.

import { act, become, byId, el, view } from "/page.js";
import { go, propose } from "/slack.js";

const FIRESIDE = 81122334455;
const ALL_HANDS = 96555444333;
const TOWN_HALL = "C0TOWNHALL";
const [BEN, ELI, FAY, HAL] = ["U0BEN", "U0ELI", "U0FAY", "U0HAL"];
const COMMAND = "/livestream";
const START = `${COMMAND} start ${FIRESIDE}`;

const meeting = (state, wanted = FIRESIDE) => state.meetings.find(({ id }) => id === wanted);
const person = (state, who) => state.people.find(({ id }) => id === who);
const holds = (message, text) => JSON.stringify(message ?? "").includes(text);
const said = (state, text) => state.channels.some(({ messages }) => messages.some((message) => holds(message, text)));
// Whether the newest message that everybody in the channel reads says so.
const shows = (state, text) => {
  const { messages } = state.channels.find(({ id }) => id === TOWN_HALL);
  return holds(messages.findLast(({ author, only_you, thread }) => !author && !only_you && !thread), text);
};
const code = (text) => el("code", {}, text);
const quoted = (text) => el("em", {}, text);
const button = (label, onclick) => el("button", { type: "button", onclick }, label);
// Types a command for people who would rather not.
const type = (person, text) => {
  view("slack");
  become(person);
  go(TOWN_HALL);
  propose(text);
};
const typing = (person, text) => button("Type it for me", () => type(person, text));

const STEPS = [
  {
    title: "From a line in Slack to a live stream",
    text: () => ["On one side a workspace, on the other Zoom; between them the real service. You are about to link an account, choose a meeting, mend what keeps it from going live, and watch one message tell the whole show. Then you break something."],
  },
  {
    title: "1. Link a Zoom account",
    text: () => ["You are Fay, who has linked nothing yet. Send ", code(COMMAND), " and nothing else: the answer says so. Press ", quoted("Link my Zoom account"), " there, and again in the next answer, and sign in as Fay on both stand-ins' pages. ",
      typing(FAY, COMMAND)],
    enter: () => become(FAY),
    done: (state) => person(state, FAY).permission === "granted" && said(state, "fay@acme.example"),
  },
  {
    title: "2. Choose a meeting that has not begun",
    text: () => ["Send ", code(COMMAND), " again. Now it lists Fay's meetings, and only Fay reads it. Choose the ", quoted("Fireside chat"), " from the menu although it has not begun, and read what the channel is told. ", typing(FAY, COMMAND)],
    enter: () => { if (meeting(now).is_running) act("end", { meeting: FIRESIDE }); },
    done: (state) => said(state, "has not started"),
  },
  {
    title: "3. Check it",
    text: () => ["Press ", quoted("Check"), " under that message. Only Fay reads the answer: what keeps the meeting from going live, and what does not. Nothing is started."],
    done: (state) => said(state, "It is not running"),
  },
  {
    title: "4. Mend it",
    text: () => ["Start the ", quoted("Fireside chat"), " on Zoom's side. In Slack, press ", quoted("Check again"), ", and then ", quoted("Go live"), " in the new answer."],
    part: "zoom",
    done: (state) => meeting(state).is_live,
  },
  {
    title: "5. On air",
    text: () => ["Zoom has taken the start. A few seconds later it reports the stream, and the same message says so: one message tells the whole show."],
    done: (state) => shows(state, "is live"),
  },
  {
    title: "6. Live already",
    text: () => ["Send the start once more. Nothing is started again; only you read since when it has been live, and can start it anyway. ", typing(FAY, START)],
    done: (state) => said(state, "already live"),
  },
  {
    title: "7. Somebody else presses Stop",
    text: () => ["Be Eli, who hosts nothing, and press ", quoted("Stop"), " under the message: only Eli reads why that does not work, and nothing changes for anybody else. ",
      button("Be Eli", () => become(ELI))],
    done: (state) => state.who === ELI && said(state, "started this livestream"),
  },
  {
    title: "8. Stop",
    text: () => ["Be Fay again, and press ", quoted("Stop"), "; it asks first. The message says that Zoom took the stop and, once Zoom reports the end, for how long it was live. ",
      button("Be Fay", () => become(FAY))],
    done: (state) => shows(state, "was live for"),
  },
  {
    title: "9. The meeting ends in Zoom",
    text: () => ["Press ", quoted("Start again"), ", wait until it is live, and end the meeting on Zoom's side. Nobody types anything, and the message is right all the same."],
    done: (state) => shows(state, "ended with the meeting"),
  },
  {
    title: "10. A destination, and an account that a team shares",
    text: () => ["Ben has linked nothing. An admin shares a Zoom account with Ben's team, and keeps ", quoted("destinations"), ": servers and stream keys with a name. Send the ", quoted("All hands"),
      " to one: the message names it, Zoom's side shows where it goes, and ", quoted("On the wire"), " a ", code("PATCH …/livestream"), " sets it, its key hidden. Nobody types a key or a password. ",
      typing(BEN, `${COMMAND} start ${ALL_HANDS} to=townhall`)],
    enter: () => {
      if (!meeting(now, ALL_HANDS).is_running) act("begin", { meeting: ALL_HANDS });
      become(BEN);
    },
    done: (state) => state.who === BEN && shows(state, "is live on townhall"),
  },
  {
    title: "11. Zoom reports nothing",
    text: () => ["Let Zoom's reports get lost, start the meeting and go live. After 90 seconds the message says that Zoom has not reported the stream. You need not wait for that: go on with ", quoted("Next"), ". ",
      button("Lose the reports, and type it for me", async () => {
        await act("report", { how: "lost" });
        if (!meeting(now).is_running) await act("begin", { meeting: FIRESIDE });
        type(FAY, START);
      })],
    done: (state) => shows(state, "has not reported"),
  },
  {
    title: "12. A permission that is gone",
    text: () => ["Hal has linked an account, and has just withdrawn the permission at Zoom. As Hal, start the ", quoted("Release party"), ": Hal is told what to do, and can do it at once. ",
      typing(HAL, "/livestream start 83355667788")],
    enter: () => {
      act("report", { how: "prompt" });
      act("withdraw", { account: person(now, HAL).account });
    },
    done: (state) => state.who === HAL && said(state, "no longer accepts your linked account"),
  },
  {
    title: "13. The admin's page",
    text: () => ["Admins see who is linked, what happened, and what will fail. ",
      el("a", { href: now.admin, target: "_blank", rel: "noopener" }, "Open it"), " and sign in as Ada. That was the tour: now break things under ", quoted("Let something go wrong"), "."],
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
  const { title, text, part, enter, last } = STEPS[at];
  byId("guide").hidden = false;
  byId("tour").hidden = true;
  byId("step").textContent = `Step ${at + 1} of ${STEPS.length}`;
  byId("guide-title").textContent = title;
  byId("guide-text").replaceChildren(el("p", {}, ...text()));
  byId("next").textContent = last ? "Done" : at === 0 ? "Begin" : "Next";
  byId("skip").hidden = Boolean(last);
  view(part ?? "slack");
  enter?.();
}

function end() {
  at = -1;
  byId("guide").hidden = true;
  byId("tour").hidden = false;
  byId("tour").focus();
}
