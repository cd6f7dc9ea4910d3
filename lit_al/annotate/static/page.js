// The page of an annotator: one key is one answer; it is kept in the browser until the server says that it is saved.
"use strict";

const $ = (id) => document.getElementById(id);
const STORE = `lit_al/${document.body.dataset.run}/${document.body.dataset.who}/`;
const HOLD = 6; // texts in hand, so that nobody waits for the next one
const LABELS = [...document.querySelectorAll("[data-label]")];

let upcoming = []; // texts in hand, the first one on screen
let past = []; // answers that stand, oldest first: the text with its answer
let at = null; // place in `past` while an earlier answer is on screen
let pending = []; // [key, event] that the server has not confirmed, in order
let oldest = Infinity; // answers below this number of the server's have not been fetched; 0: there are none
let state = "Fetching the next text …"; // why there is no text
let saved = 0, failures = 0, trouble = "", since = 0, onScreen = null, sending = null, fetching = null, retry = null;

const shown = () => (at === null ? upcoming[0] : past[at]);
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
const say = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words; };
const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

// --- To and from the server -----------------------------------------------------------------------------------------

async function call(path, body) {
  const post = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(path, { ...post, signal: AbortSignal.timeout(20000) });
    return { ok: answer.ok, status: answer.status, body: await answer.json() };
  } catch {
    return { ok: false, status: 0, body: { error: "the server does not answer; this page tries again by itself" } };
  }
}

function keep(action, text, more) { // Every event goes through here: kept first, then sent.
  const event = { uuid: newId(), item: text.item, action, client_time: new Date().toISOString(), ...more };
  const last = pending.length ? Number(pending.at(-1)[0].slice(STORE.length).split("-")[0]) : 0;
  const key = `${STORE}${String(Math.max(Date.now(), last + 1)).padStart(15, "0")}-${event.uuid}`;
  pending.push([key, event]);
  try { localStorage.setItem(key, JSON.stringify(event)); } catch { /* full or forbidden: memory alone, and a warning on leaving */ }
  if (failures) tell(); else setTimeout(tell, 800);
  send();
  return event.uuid;
}

function recall() { // What a closed or reloaded tab had not sent yet; each event has a key of its own, for several tabs.
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(STORE)).sort();
    pending = keys.map((key) => [key, JSON.parse(localStorage.getItem(key))]);
  } catch { /* no storage */ }
}

function reason(status, body) { return status === 401 ? "this link is no longer valid; open yours again" : body.error; }

function send() { return (sending ??= drain().finally(() => { sending = null; })); }

async function drain() {
  while (pending.length) {
    const { status, body } = await call("/api/events", { events: pending.slice(0, 20).map(([, event]) => event) });
    (body.results ?? []).forEach(settle);
    failures = body.status ? 0 : failures + 1;
    trouble = body.status ? "" : reason(status, body);
    clearTimeout(retry);
    if (failures) { tell(); retry = setTimeout(send, Math.min(8000, 400 * 2 ** failures)); return; }
    progress(body.status);
  }
}

function settle(result) { // The server has it, or says why it never will.
  const [key] = pending.find(([, event]) => event.uuid === result.uuid) ?? [];
  pending = pending.filter(([, event]) => event.uuid !== result.uuid);
  try { localStorage.removeItem(key); } catch { /* no storage */ }
  const answer = past.find((one) => one.uuid === result.uuid);
  if (answer) answer.thought = result.thought;
  if (answer && answer === past.at(-1) && at === null) say("thought", thought(answer));
  if (result.saved) return;
  [past, at] = [past.filter((one) => one.uuid !== result.uuid), null];
  say("alert", `Not taken: ${result.conflict ?? result.refused}.`);
  render();
}

function refill() {
  if (upcoming.length < HOLD - 1) fetching ??= next().finally(() => { fetching = null; });
}

async function next() {
  if (!upcoming.length) await send(); // only then can the server know whether this is the end
  const inHand = () => new Set([...upcoming, ...pending.map(([, event]) => event)].map((one) => one.item));
  const { ok, body } = await call(`/api/next?n=${HOLD - upcoming.length}&exclude=${[...inHand()].join(",")}`);
  if (ok) upcoming.push(...body.items.filter((one) => !inHand().has(one.item)));
  state = ok ? body.words : body.error;
  render();
}

async function older() { // Answers from before this tab was opened, for undo and back.
  if (!oldest || (pending.length && oldest === Infinity)) return;
  const { ok, body } = await call(`/api/history${oldest === Infinity ? "" : `?before=${oldest}`}`);
  if (!ok) return;
  const known = new Set([...past, ...upcoming].map((one) => one.item));
  const found = body.answers.filter((one) => !known.has(one.item)).reverse();
  past.unshift(...found);
  if (at !== null) at += found.length;
  oldest = body.answers.at(-1)?.seq ?? 0;
}

async function look() {
  const { ok, status, body } = await call("/api/status");
  if (!pending.length) [failures, trouble] = ok ? [0, ""] : [failures + 1, reason(status, body)]; // else `drain` knows better
  if (ok) progress(body); else tell();
  send();
  refill();
}

// --- What keys and buttons do ---------------------------------------------------------------------------------------

function answer(label) { // The name of a label, or null to skip.
  const text = shown();
  if (!text) return;
  say("alert", "");
  if (at === null || text.label !== label) {
    const lead = Math.round(performance.now() - since);
    const uuid = keep(label === null ? "skip" : "label", text, { label, generation: text.generation, lead_ms: lead });
    past = past.filter((one) => one.item !== text.item);
    past.push({ ...text, uuid, label, thought: null, before: at === null ? null : text });
    flash(label);
  }
  at = null;
  upcoming = upcoming.filter((one) => one.item !== text.item);
  refill();
  render();
}

async function undo() {
  if (!past.length) await older();
  const text = past.pop();
  if (!text) { say("alert", "There is no answer to take back."); return; }
  keep("undo", text, { undoes: text.uuid });
  at = null;
  if (text.before) at = past.push(text.before) - 1; // a change is taken back: the answer before it stands again
  else upcoming = [{ ...text, label: undefined }, ...upcoming.filter((one) => one.item !== text.item)];
  render();
  if (past.length < HOLD) older();
}

async function back() {
  if ((at ?? past.length) === 0) await older();
  const place = (at ?? past.length) - 1;
  if (place < 0) say("alert", "There is no earlier answer.");
  else at = place;
  render();
}

function on() {
  at = at === null || at + 1 >= past.length ? null : at + 1;
  render();
}

function flag() {
  const text = shown();
  if (!text) return;
  text.flagged = !text.flagged;
  keep(text.flagged ? "flag" : "unflag", text);
  render();
}

function note() {
  if (!shown()) return;
  $("note-form").hidden = false;
  $("note").value = shown().note;
  $("note").focus();
}

function closeNote(save) {
  const text = shown(), words = $("note").value.trim();
  if ($("note-form").hidden) return;
  $("note-form").hidden = true;
  if (save && words !== text.note) { text.note = words; keep("note", text, { note: words }); }
  render();
  $("text").focus({ preventScroll: true });
}

async function all() {
  const text = shown();
  try {
    const whole = await fetch(`/api/text/${text.item}`);
    if (whole.ok) [text.text, text.clipped, onScreen] = [await whole.text(), false, null];
  } catch { say("alert", "The server does not answer; try again."); }
  render();
}

function help() { if ($("help").open) $("help").close(); else $("help").showModal(); }

const ACTS = { skip: () => answer(null), undo, back, on, flag, note, help, all };
const KEYS = { " ": "skip", s: "skip", u: "undo", backspace: "undo", arrowleft: "back", arrowright: "on", f: "flag", n: "note",
  h: "help", "?": "help" };

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
  if (event.repeat || event.isComposing || event.keyCode === 229 || event.altKey) return;
  if ((control && (key !== "z" || event.shiftKey)) || event.target.closest("input")) return;
  if ($("help").open && KEYS[key] !== "help") return;
  if (event.target.closest("button") && (key === " " || key === "enter")) return; // it presses the button
  const act = control ? "undo" : KEYS[key];
  const label = "1234567890".includes(key) && LABELS.filter((one) => !one.hidden)["1234567890".indexOf(key)];
  if (label && !control) answer(label.dataset.label);
  else if (act) ACTS[act]();
  else if (key === "/" && $("filter")) $("filter").focus();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.label !== undefined) answer(button.dataset.label);
  else if (button?.dataset.do) ACTS[button.dataset.do]();
});

$("note-form").addEventListener("submit", (event) => { event.preventDefault(); closeNote(true); });
$("note").addEventListener("blur", () => closeNote(true));
$("note").addEventListener("keydown", (event) => { if (event.key === "Escape") closeNote(false); });
$("filter")?.addEventListener("input", render);
$("filter")?.addEventListener("keydown", (event) => { if (event.key === "Escape") $("text").focus(); });
$("filter-form")?.addEventListener("submit", (event) => {
  const first = LABELS.find((one) => !one.hidden);
  event.preventDefault();
  if (!first || !$("filter").value) return;
  $("filter").value = "";
  answer(first.dataset.label);
});
addEventListener("beforeunload", (event) => { if (pending.length) event.preventDefault(); });
addEventListener("online", send);

// --- What is on screen ----------------------------------------------------------------------------------------------

function render() {
  const text = shown(), wanted = ($("filter")?.value ?? "").trim().toLowerCase();
  if (text !== onScreen) {
    [onScreen, since] = [text, performance.now()];
    $("text").textContent = (text?.text ?? "").replace(/<br ?\/?>/gi, "\n"); // text alone, never markup
    $("beside").replaceChildren(...(text?.beside ?? []).map((pair) => {
      const line = document.createElement("div");
      line.append(...["dt", "dd"].map((kind, place) => {
        const cell = document.createElement(kind);
        [cell.textContent, cell.dir] = [pair[place], "auto"];
        return cell;
      }));
      return line;
    }));
    $("beside").scrollTop = 0;
    scrollTo(0, 0);
    if (document.activeElement !== $("filter")) $("text").focus({ preventScroll: true });
  }
  say("notice", text ? "" : state);
  $("all").hidden = !text?.clipped;
  if (text?.clipped) say("all", `Show all ${text.length.toLocaleString("en")} characters`);
  const facts = [at !== null && `Earlier answer: ${text.label ?? "skipped"}. Another label replaces it, → goes on.`,
    text?.flagged && "⚑ Flagged.", text?.note && `Note: ${text.note}`];
  say("facts", facts.filter(Boolean).join(" "));
  say("thought", at !== null ? thought(text) : past.length ? thought(past.at(-1)) : "");
  document.querySelector("[data-do=flag]").setAttribute("aria-pressed", Boolean(text?.flagged));
  let place = 0;
  for (const button of LABELS) {
    const { label } = button.dataset, guess = text?.suggestion?.label === label && text.suggestion.probability;
    button.hidden = !label.toLowerCase().includes(wanted);
    button.disabled = !text;
    button.setAttribute("aria-pressed", at !== null && text.label === label);
    button.querySelector("kbd").textContent = button.hidden ? "" : "1234567890"[place++] ?? "";
    button.querySelector("small").textContent = guess ? `model: ${percent(guess)}` : "";
  }
}

function thought({ label, thought }) {
  const said = `Last: ${label ?? "skipped"}`;
  return thought ? `${said} · the model: ${thought.label} (${percent(thought.probability)})` : said;
}

function flash(label) {
  const button = LABELS.find((one) => one.dataset.label === label) ?? document.querySelector("[data-do=skip]");
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 180);
}

function tell() { // "saved" stands there only for what the server has confirmed
  const stuck = trouble ? ` – ${trouble}` : "";
  say("saved", pending.length ? `${pending.length} unsaved${stuck}` : trouble || `saved ${saved.toLocaleString("en")}`);
  $("saved").classList.toggle("bad", pending.length > 0 || trouble !== "");
}

function progress(status) {
  saved = status.saved;
  tell();
  [$("bar-done").max, $("bar-done").value] = [Math.max(1, status.total), status.done];
  for (const id of ["done", "model", "estimate", "advice", "agreement", "copies"]) say(id, status.words[id]);
  $("classes").replaceChildren(...Object.entries(status.classes).flatMap(([label, count]) => {
    const [name, number] = [document.createElement("dt"), document.createElement("dd")];
    [name.textContent, number.textContent, name.dir] = [label, count.toLocaleString("en"), "auto"];
    return [name, number];
  }));
}

recall();
send().then(older);
look();
setInterval(look, 4000);
