// To and from the server. An event is kept in the browser until the server says that it is saved, and sent until then.

import { $, announce, number, say } from "./dom.js";
import { RUN, WHO } from "./state.js";

const STORE = `lit_al/${RUN}/${WHO}/`;

export const waiting = { events: [] }; // [key, event] that the server has not confirmed, in order

let saved = 0, failures = 0, trouble = "", sending = null, retry = null;

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

export async function call(path, body) {
  const post = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(path, { ...post, signal: AbortSignal.timeout(20000) });
    return { ok: answer.ok, status: answer.status, body: await answer.json() };
  } catch {
    return { ok: false, status: 0, body: { error: "the server does not answer; this page tries again by itself" } };
  }
}

export function keep(action, text, more) { // Every event goes through here: kept first, then sent.
  const event = { uuid: newId(), item: text.item, action, client_time: new Date().toISOString(), ...more };
  const last = waiting.events.length ? Number(waiting.events.at(-1)[0].slice(STORE.length).split("-")[0]) : 0;
  const key = `${STORE}${String(Math.max(Date.now(), last + 1)).padStart(15, "0")}-${event.uuid}`;
  waiting.events.push([key, event]);
  try { localStorage.setItem(key, JSON.stringify(event)); } catch { /* full or forbidden: memory alone, and a warning on leaving */ }
  if (failures) tell(); else setTimeout(tell, 800);
  send();
  return event.uuid;
}

export function recall() { // What a closed or reloaded tab had not sent yet; each event has a key of its own, for several tabs.
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(STORE)).sort();
    waiting.events = keys.map((key) => [key, JSON.parse(localStorage.getItem(key))]);
  } catch { /* no storage */ }
}

export const unsent = () => waiting.events.map(([, event]) => event);

export function send() { return (sending ??= drain().finally(() => { sending = null; })); }

async function drain() {
  while (waiting.events.length) {
    const { status, body } = await call("/api/events", { events: unsent().slice(0, 20) });
    (body.results ?? []).forEach(settle);
    failures = body.status ? 0 : failures + 1;
    trouble = body.status ? "" : reason(status, body);
    clearTimeout(retry);
    if (failures) { tell(); retry = setTimeout(send, Math.min(8000, 400 * 2 ** failures)); return; }
    progress(body.status);
  }
}

function settle(result) { // The server has it, or says why it never will.
  const [key, event] = waiting.events.find(([, one]) => one.uuid === result.uuid) ?? [];
  waiting.events = waiting.events.filter(([, one]) => one.uuid !== result.uuid);
  try { localStorage.removeItem(key); } catch { /* no storage */ }
  if (!result.saved) say("alert", `Not taken: ${result.conflict ?? result.refused}.`);
  announce("taken", { ...result, event });
}

function reason(status, body) { return status === 401 ? "this link is no longer valid; open yours again" : body.error; }

export async function look() { // How far everything is.
  const { ok, status, body } = await call("/api/status");
  if (!waiting.events.length) [failures, trouble] = ok ? [0, ""] : [failures + 1, reason(status, body)]; // else `drain` knows better
  if (ok) progress(body); else tell();
  send();
}

function progress(status) {
  saved = status.saved;
  tell();
  announce("status", status);
}

function tell() { // "saved" stands there only for what the server has confirmed
  const stuck = trouble ? ` – ${trouble}` : "", count = waiting.events.length;
  say("saved", count ? `${count} unsaved${stuck}` : trouble || `saved ${number(saved)}`);
  $("saved").classList.toggle("bad", count > 0 || trouble !== "");
}

addEventListener("beforeunload", (event) => { if (waiting.events.length) event.preventDefault(); });
addEventListener("online", send);
