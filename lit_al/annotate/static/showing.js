// A text on screen, with all that stands beside it, in whichever view it is.

import { $, listen, make, number, percent, say } from "./dom.js";
import { isEarlier, inLabeling, S, shown } from "./state.js";
import { marked } from "./labels.js";

let onScreen = null; // the text that was drawn last
export const clock = { since: 0 }; // when it came on screen

export function redraw() { onScreen = null; }

export function render() {
  if (S.view === "browse") return;
  const text = shown();
  if (text !== onScreen) drawText(text);
  say("notice", text ? "" : inLabeling() ? S.words : S.lists[S.view].words);
  $("all").hidden = !text?.clipped;
  if (text?.clipped) say("all", `Show all ${number(text.length)} characters`);
  say("facts", facts(text).filter(Boolean).join(" "));
  say("command", text ? "" : S.lists[S.view]?.command ?? "");
  say("thought", inLabeling() ? thought(isEarlier() ? text : S.past.at(-1)) : "");
  drawVotes(text);
  document.querySelector("[data-do=flag]").setAttribute("aria-pressed", Boolean(text?.flagged));
  document.querySelector("[data-do=agree]").disabled = !text?.label;
  marked(text, isEarlier() ? text.label : inLabeling() ? null : text?.label, onButtons(text));
}

function drawText(text) {
  [onScreen, clock.since] = [text, performance.now()];
  $("text").textContent = (text?.text ?? "").replace(/<br ?\/?>/gi, "\n"); // text alone, never markup
  $("beside").replaceChildren(...(text?.beside ?? []).map(([name, cell]) => make("div", {},
    make("dt", { textContent: name, dir: "auto" }), make("dd", { textContent: cell, dir: "auto" }))));
  $("beside").scrollTop = 0;
  scrollTo(0, 0);
  const inField = document.activeElement?.closest("input, select, textarea, dialog");
  if (!inField) $("text").focus({ preventScroll: true });
}

function facts(text) {
  const { left } = S.lists[S.view] ?? {};
  if (!text) return [];
  const marks = [text.flagged && "⚑ Flagged.", text.note && `Note: ${text.note}`];
  if (S.view === "conflicts") {
    return [`${number(left)} to settle.`, text.tie ? "No label yet: it is a tie." : `For now it is ${text.label}.`, ...marks];
  }
  if (S.view === "suspects") {
    const by = text.suspected && `A model that had not learned from it says ${text.suspected.label} (${percent(text.suspected.probability)}).`;
    return [`${number(left)} to look at. It is labeled ${text.label}.`, by, S.lists.suspects.words, ...marks];
  }
  const way = S.visit ? "Esc goes back to the list" : "→ goes on";
  return [isEarlier() && `Earlier answer: ${text.label ?? "skipped"}. Another label replaces it, ${way}.`,
    S.visit && !isEarlier() && `You have not answered this text yet. ${way}.`, ...marks];
}

function drawVotes(text) { // Who said what, side by side.
  const votes = S.view === "conflicts" || S.view === "suspects" ? text?.votes ?? [] : [];
  const labels = [...new Set(votes.map((vote) => vote.label))];
  $("votes").replaceChildren(...labels.map((label) => {
    const people = votes.filter((vote) => vote.label === label).map((vote) => vote.annotator);
    return make("li", {}, make("b", { textContent: label, dir: "auto" }),
      make("span", { textContent: `${people.length} of ${votes.length}: ${people.join(", ")}`, dir: "auto" }));
  }));
}

function onButtons(text) { // A few words on the buttons of some labels.
  if (text?.suggestion) return { [text.suggestion.label]: suggested(text.suggestion) };
  if (S.view === "suspects" && text?.suspected) return { [text.suspected.label]: `model: ${percent(text.suspected.probability)}` };
  const votes = S.view === "conflicts" ? text?.votes ?? [] : [];
  return Object.fromEntries(votes.map(({ label }) => [label, `${votes.filter((vote) => vote.label === label).length} of ${votes.length}`]));
}

function suggested({ source, probability }) { // Which model says so, and how sure it is.
  return probability === null ? source : `${source}: ${percent(probability)}`;
}

export function thought(answer) {
  if (!answer) return "";
  const said = `Last: ${answer.label ?? "skipped"}`;
  return answer.thought ? `${said} · the model: ${answer.thought.label} (${percent(answer.thought.probability)})` : said;
}

listen("view", () => { redraw(); render(); });
