// Answering: texts come, a key is an answer; answers are taken back, looked at again, changed, flagged and noted.

import { $, announce, listen, say } from "./dom.js";
import { go, inLabeling, isEarlier, S, shown } from "./state.js";
import { call, keep, send, unsent, waiting } from "./sending.js";
import { flash, used } from "./labels.js";
import { clock, redraw, render, thought } from "./showing.js";

const HOLD = 6; // texts in hand, so that nobody waits for the next one

let fetching = null;

export function refill() {
  if (S.upcoming.length < HOLD - 1) fetching ??= next().finally(() => { fetching = null; });
}

async function next() {
  if (!S.upcoming.length) await send(); // only then can the server know whether this is the end
  const inHand = () => new Set([...S.upcoming, ...unsent()].map((one) => one.item));
  const { ok, body } = await call(`/api/next?n=${HOLD - S.upcoming.length}&exclude=${[...inHand()].join(",")}`);
  if (ok) S.upcoming.push(...body.items.filter((one) => !inHand().has(one.item)));
  S.words = ok ? body.words : body.error;
  if (inLabeling()) render();
}

export async function older() { // Answers from before this tab was opened, for undo and back.
  if (!S.oldest || (waiting.events.length && S.oldest === Infinity)) return;
  const { ok, body } = await call(`/api/history${S.oldest === Infinity ? "" : `?before=${S.oldest}`}`);
  if (!ok) return;
  const known = new Set([...S.past, ...S.upcoming].map((one) => one.item));
  const found = body.answers.filter((one) => !known.has(one.item)).reverse();
  if (S.oldest === Infinity) found.forEach((one) => used(one.label));
  S.past.unshift(...found);
  if (S.at !== null) S.at += found.length;
  S.oldest = body.answers.at(-1)?.seq ?? 0;
}

listen("taken", (result) => {
  const answer = S.past.find((one) => one.uuid === result.uuid);
  if (!answer) return;
  answer.thought = result.thought;
  if (result.saved) {
    if (inLabeling() && answer === S.past.at(-1) && !isEarlier()) say("thought", thought(answer));
    return;
  }
  [S.past, S.at] = [S.past.filter((one) => one !== answer), null];
  render();
});

// --- What keys and buttons do ---------------------------------------------------------------------------------------

export function answer(label) { // The name of a label, or null to skip.
  const text = shown(), before = isEarlier() ? text : null, { visit } = S;
  if (!text) return;
  say("alert", "");
  if (!before || text.label !== label) {
    const lead = Math.round(performance.now() - clock.since);
    const uuid = keep(label === null ? "skip" : "label", text, { label, generation: text.generation, lead_ms: lead });
    S.past = S.past.filter((one) => one.item !== text.item);
    S.past.push({ ...text, uuid, label, thought: null, before });
    used(label);
    flash(label);
  }
  [S.at, S.visit] = [null, null];
  S.upcoming = S.upcoming.filter((one) => one.item !== text.item);
  refill();
  if (visit) backToList(text.item, label);
  render();
}

function backToList(item, label) {
  go("browse");
  announce("changed", { item, label });
}

export function leave() { // Back to where one came from.
  if (!S.visit) return;
  S.visit = null;
  go("browse");
}

export async function undo() {
  if (!S.past.length) await older();
  const text = S.past.pop();
  if (!text) { say("alert", "There is no answer to take back."); return; }
  keep("undo", text, { undoes: text.uuid });
  [S.at, S.visit] = [null, null];
  if (text.before) S.at = S.past.push(text.before) - 1; // a change is taken back: the answer before it stands again
  else S.upcoming = [{ ...text, label: undefined }, ...S.upcoming.filter((one) => one.item !== text.item)];
  render();
  if (S.past.length < HOLD) older();
}

export async function back() {
  if ((S.at ?? S.past.length) === 0) await older();
  const place = (S.at ?? S.past.length) - 1;
  if (place < 0) say("alert", "There is no earlier answer.");
  else [S.at, S.visit] = [place, null];
  render();
}

export function on() {
  if (S.visit) { leave(); return; }
  S.at = S.at === null || S.at + 1 >= S.past.length ? null : S.at + 1;
  render();
}

export function flag() {
  const text = shown();
  if (!text) return;
  text.flagged = !text.flagged;
  keep(text.flagged ? "flag" : "unflag", text);
  render();
}

export function note() {
  if (!shown()) return;
  $("note-form").hidden = false;
  $("note").value = shown().note;
  $("note").focus();
}

function closeNote(save) {
  const text = shown(), words = $("note").value.trim();
  if ($("note-form").hidden) return;
  $("note-form").hidden = true;
  if (save && text && words !== text.note) { text.note = words; keep("note", text, { note: words }); }
  render();
  $("text").focus({ preventScroll: true });
}

export async function all() {
  const text = shown();
  try {
    const whole = await fetch(`/api/text/${text.item}`);
    if (whole.ok) [text.text, text.clipped] = [await whole.text(), false];
    redraw();
  } catch { say("alert", "The server does not answer; try again."); }
  render();
}

$("note-form").addEventListener("submit", (event) => { event.preventDefault(); closeNote(true); });
$("note").addEventListener("blur", () => closeNote(true));
$("note").addEventListener("keydown", (event) => { if (event.key === "Escape") closeNote(false); });
