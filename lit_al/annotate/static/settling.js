// The owner's lists: texts on which people differ, and labels that may be wrong. A key settles one.

import { listen, say } from "./dom.js";
import { S, shown } from "./state.js";
import { call, keep, send, unsent } from "./sending.js";
import { flash, used } from "./labels.js";
import { clock, render } from "./showing.js";

const HOLD = 8; // texts in hand

let fetching = null;

const list = () => S.lists[S.view];

function refill() {
  if (list().items.length < HOLD - 2) fetching ??= more(S.view).finally(() => { fetching = null; });
}

async function more(view) {
  const mine = S.lists[view];
  await send(); // what was settled just now is not to come again
  const held = () => new Set([...mine.items, ...unsent()].map((one) => one.item));
  const { ok, body } = await call(`/api/${view}?n=${HOLD}&exclude=${[...held()].join(",")}`);
  if (ok) {
    mine.items.push(...body.items.filter((one) => !held().has(one.item)));
    [mine.left, mine.command] = [body.left, body.command ?? ""];
  }
  mine.words = ok ? body.words : body.error;
  render();
}

export function settle(label) { // The name of a label, or null to leave the text for later.
  const text = shown();
  if (!text) return;
  say("alert", "");
  if (label === null) { turn(1); return; }
  const uuid = keep("settle", text, { label, lead_ms: Math.round(performance.now() - clock.since) });
  list().items.shift();
  list().done.push({ ...text, uuid });
  list().left -= 1;
  used(label);
  flash(label);
  refill();
  render();
}

export const agree = () => { if (shown()?.label) settle(shown().label); }; // it is right as it is

export function turn(step) { // Look at the next one, or the one before; they go round.
  const { items } = list();
  if (items.length) { if (step > 0) items.push(items.shift()); else items.unshift(items.pop()); }
  render();
}

export async function takeBack() { // The last settlement, then the one before, also those of an earlier day.
  const { done, items } = list();
  if (!done.length) {
    await send();
    const { ok, body } = await call("/api/settled");
    if (ok) done.push(...body.settled.reverse());
  }
  const text = done.pop();
  if (!text) { say("alert", "There is no settlement to take back."); return; }
  keep("undo", text, { undoes: text.uuid });
  items.unshift(text);
  list().left += 1;
  render();
}

listen("view", () => { if (list()) refill(); });
listen("taken", (result) => {
  for (const one of Object.values(S.lists)) {
    if (!result.saved) one.done = one.done.filter((text) => text.uuid !== result.uuid);
  }
});
