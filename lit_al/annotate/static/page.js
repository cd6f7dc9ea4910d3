// The labeling page: which key and which button does what in which view. One key is one answer.

import { $, listen } from "./dom.js";
import { go, inLabeling, OWNER, S } from "./state.js";
import { look, recall, send } from "./sending.js";
import { build, labelOfKey, watchFilter } from "./labels.js";
import { render } from "./showing.js";
import { all, answer, back, flag, leave, note, older, on, refill, undo } from "./answering.js";
import { agree, settle, takeBack, turn } from "./settling.js";
import { fill, openBrowse } from "./browsing.js";
import { manage } from "./managing.js";
import "./panel.js";

const LOOK_MS = 4000; // between two looks at the server
const TYPING = "input, select, textarea";

const choose = (label) => (inLabeling() ? answer(label) : settle(label));
const help = () => ($("help").open ? $("help").close() : $("help").showModal());
const seek = () => { if (!$("filter-form").hidden) $("filter").focus(); };
const label = () => { S.visit = null; go("label"); };

const OWNERS = { conflicts: () => go("conflicts"), suspects: () => go("suspects"), manage };
const ANYWHERE = { help, label, browse: openBrowse, ...(OWNER ? OWNERS : {}) };
const FOR_TEXTS = { ...ANYWHERE, skip: () => choose(null), flag, note, all, seek };
const SETTLING = { ...FOR_TEXTS, agree, undo: takeBack, back: () => turn(-1), on: () => turn(1), leave: label };
const ACTS = { // by view
  label: { ...FOR_TEXTS, undo, back, on, leave },
  browse: { ...ANYWHERE, undo: () => { label(); undo(); }, leave: label },
  conflicts: SETTLING,
  suspects: SETTLING,
};
const KEYS = { " ": "skip", s: "skip", u: "undo", backspace: "undo", arrowleft: "back", arrowright: "on", f: "flag",
  n: "note", k: "agree", "/": "seek", b: "browse", l: "label", c: "conflicts", x: "suspects", m: "manage", h: "help",
  "?": "help", escape: "leave" };

const act = (name) => ACTS[S.view][name]?.();

function pressed(event) { // Does a key do anything here?
  const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
  if (event.repeat || event.isComposing || event.keyCode === 229 || event.altKey) return false;
  if (control && (key !== "z" || event.shiftKey)) return false;
  if (event.target.closest(TYPING)) return S.view === "browse" && key === "escape" && act("leave") === undefined;
  if (document.querySelector("dialog[open]")) return $("help").open && KEYS[key] === "help" && act("help") === undefined;
  if (event.target.closest("button, a, summary") && (key === " " || key === "enter")) return false; // it presses the button
  const given = control || S.view === "browse" ? undefined : labelOfKey(key), name = control ? "undo" : KEYS[key];
  if (given !== undefined) choose(given);
  else if (ACTS[S.view][name]) act(name);
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => { if (pressed(event)) event.preventDefault(); });

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.label !== undefined) choose(button.dataset.label);
  else if (button?.dataset.do) act(button.dataset.do);
  else if (button?.dataset.go) act(button.dataset.go);
});

listen("status", (status) => {
  if (build(status.labels)) render();
  fill(status);
});

watchFilter(choose);
build(JSON.parse(document.body.dataset.classes));
go("label");
recall();
send().then(older);
look().then(refill);
setInterval(() => look().then(refill), LOOK_MS);
