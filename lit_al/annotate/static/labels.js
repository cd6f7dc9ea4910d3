// The buttons of the labels: one for each class, number keys for the first ten, and all others found by typing.

import { $, make, say } from "./dom.js";

const DIGITS = "1234567890";

let names = []; // of the classes, in their order
let recent = []; // labels given lately, the newest first
let active = 0; // place among the buttons on screen that Enter takes

export const buttons = () => [...$("labels").children];
const onScreen = () => buttons().filter((button) => !button.hidden);
const wanted = () => plain($("filter").value);
const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase();

export function build(classes) { // Buttons from the class list; called again where classes have changed.
  if (classes.length === names.length && classes.every((name, place) => name === names[place])) return false;
  names = [...classes];
  $("labels").replaceChildren(...names.map((name, place) => make("button", { type: "button", data: { label: name } },
    make("kbd", { textContent: DIGITS[place] ?? "" }), make("span", { textContent: name, dir: "auto" }), make("small"))));
  $("labels").classList.toggle("many", names.length > DIGITS.length);
  $("labels").classList.toggle("long", names.some((name) => name.length > 28 || name.split(/\s/).some((word) => word.length > 14)));
  $("filter-form").hidden = names.length <= DIGITS.length;
  for (const row of document.querySelectorAll(".for-many")) row.hidden = names.length <= DIGITS.length;
  arrange();
  return true;
}

export const labelOfKey = (key) => (DIGITS.includes(key) ? names[DIGITS.indexOf(key)] : undefined);

export function used(label) { // Labels given lately stand first when one is looked for.
  if (label !== null) recent = [label, ...recent.filter((one) => one !== label)].slice(0, 10);
}

export function marked(text, pressed, words) { // What stands on the buttons: which one was given, and a few words each.
  for (const button of buttons()) {
    const { label } = button.dataset;
    button.disabled = !text;
    button.setAttribute("aria-pressed", label === pressed);
    button.querySelector("small").textContent = words[label] ?? "";
  }
}

export function flash(label) {
  const button = buttons().find((one) => one.dataset.label === label) ?? document.querySelector("[data-do=skip]");
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 180);
}

// --- Found by typing ------------------------------------------------------------------------------------------------

function rank(name, words) { // The better a name fits, the lower; Infinity where it does not.
  const at = plain(name).indexOf(words);
  if (at < 0) return Infinity;
  return at === 0 ? 0 : /[\p{L}\p{N}]/u.test(plain(name)[at - 1]) ? 2 : 1;
}

function arrange() { // The best first: at the beginning of the name, of a word, anywhere; those given lately before others.
  const words = wanted(), isLooking = document.activeElement === $("filter");
  const late = (name) => (recent.includes(name) ? recent.indexOf(name) : recent.length);
  const place = new Map(names.map((name, index) => [name, index]));
  const key = (button) => {
    const { label } = button.dataset;
    return [words ? rank(label, words) : 0, words || isLooking ? late(label) : 0, place.get(label)];
  };
  const sorted = buttons().map((button) => [key(button), button]).sort(([one], [two]) => {
    const differ = one.findIndex((value, index) => value !== two[index]);
    return differ < 0 ? 0 : one[differ] < two[differ] ? -1 : 1;
  });
  sorted.forEach(([[fit], button]) => { button.hidden = fit === Infinity; });
  if (sorted.some(([, button], index) => button !== $("labels").children[index])) {
    $("labels").append(...sorted.map(([, button]) => button));
  }
  if (isLooking) $("labels").scrollTop = 0;
  activate(0);
  const count = onScreen().length;
  say("found", words ? (count ? `${count} of ${names.length}` : "no label matches") : "");
}

function activate(place) {
  const there = onScreen(), isLooking = document.activeElement === $("filter");
  active = Math.max(0, Math.min(place, there.length - 1));
  buttons().forEach((button) => button.classList.toggle("active", isLooking && button === there[active]));
  if (isLooking) there[active]?.scrollIntoView({ block: "nearest" });
}

export function leaveFilter() {
  $("filter").value = "";
  $("text").focus({ preventScroll: true });
  arrange();
}

export function watchFilter(choose) { // `choose` takes the name of a label.
  $("filter").addEventListener("input", arrange);
  $("filter").addEventListener("focus", arrange);
  $("filter").addEventListener("blur", arrange);
  $("filter").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const isInside = $("filter").value && (event.key === "ArrowLeft" || event.key === "ArrowRight"); // moves the cursor
    if (event.key === "Escape") leaveFilter();
    else if (step && !isInside) { activate(active + step); event.preventDefault(); }
  });
  $("filter-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const label = onScreen()[active]?.dataset.label;
    if (label === undefined) return;
    $("filter").value = "";
    choose(label);
    arrange();
  });
}
