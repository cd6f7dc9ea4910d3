// All texts with what was said of them: searched, filtered, and opened to be answered again.

import { $, listen, make, say } from "./dom.js";
import { go, OWNER, S, WHO } from "./state.js";
import { call, send } from "./sending.js";

const PAGE = 30; // rows fetched at once

let rows = []; // on screen, as the server sent them
let next = null; // where to go on; null at the end
let latest = 0; // number of the newest search: what an older one finds comes too late

export const openBrowse = () => { go("browse"); $("words").focus(); };

function address(after) {
  const asked = { q: $("words").value.trim(), label: $("of-label").value, only: $("only").value, n: PAGE, after };
  if (OWNER) asked.annotator = $("of-annotator").value;
  const given = Object.entries(asked).filter(([, value]) => value !== "" && value !== null);
  return `/api/browse?${new URLSearchParams(given)}`;
}

async function search() {
  [rows, next] = [[], null];
  await more();
}

async function more() { // A server that has looked long enough says where to go on; it is asked until there is a page.
  const mine = ++latest, wanted = rows.length + PAGE;
  say("browse-state", "Looking …");
  do {
    const { ok, body } = await call(address(next));
    if (mine !== latest) return;
    if (!ok) { say("browse-state", body.error); return; }
    rows.push(...body.rows);
    next = body.next;
  } while (next !== null && rows.length < wanted);
  draw();
}

function draw() {
  const at = document.activeElement?.dataset?.item;
  $("rows").replaceChildren(...rows.map((row) => make("li", {}, drawn(row))));
  $("more").hidden = next === null;
  say("browse-state", rows.length ? `${rows.length} texts${next === null ? "" : ", and more"}` : "No text is like that.");
  if (at) $("rows").querySelector(`[data-item="${Number(at)}"]`)?.focus();
}

function drawn(row) {
  const tags = [...said(row), ...row.flags.map((name) => ["mark", `⚑${name === WHO ? "" : ` ${name}`}`]),
    ...Object.entries(row.notes).map(([name, note]) => ["mark", `✎ ${name === WHO ? "" : `${name}: `}${note}`])];
  if (row.copy_of !== row.item) tags.push(["mark", "copy of another text"]);
  return make("button", { type: "button", data: { item: row.item } },
    make("span", { className: "snippet", dir: "auto" }, ...lit(row.text.replace(/<br ?\/?>/gi, " "))),
    make("span", { className: "tags" }, ...tags.map(([kind, words]) => make("span", { className: kind, dir: "auto", textContent: words }))));
}

function said({ answers, label, settled_by: judge, conflict }) { // Everybody's word, and what came of it.
  const words = answers.map(([name, given]) => [given === null ? "mark" : "label",
    OWNER && answers.length > 1 || name !== WHO ? `${name}: ${given ?? "skipped"}` : given ?? "skipped"]);
  if (judge) words.push(["label settled", `settled: ${label}`]);
  else if (conflict) words.push(["bad", label === null ? "tie" : `differ, for now ${label}`]);
  return words.length ? words : [["mark", "not labeled"]];
}

function lit(text) { // The words that were searched for, lit up.
  const words = $("words").value.trim();
  if (!words) return [text];
  const pattern = new RegExp(`(${words.replace(/[.*+?^${}()|[\]\\\/-]/g, "\\$&")})`, "gi");
  return text.split(pattern).map((part, place) => (place % 2 ? make("mark", { textContent: part }) : part));
}

async function open(item) {
  const { ok, body } = await call(`/api/item/${item}`);
  if (!ok) { say("browse-state", body.error); return; }
  S.visit = body;
  S.at = null;
  go("label");
}

export function fill(status) { // The choices, by the classes and people that there are now.
  const options = (id, all, names) => {
    const before = $(id).value, known = [...$(id).options].slice(1).map((one) => one.value);
    if (known.length === names.length && known.every((name, place) => name === names[place])) return;
    $(id).replaceChildren(make("option", { value: "", textContent: all }),
      ...names.map((name) => make("option", { value: name, textContent: name })));
    $(id).value = names.includes(before) ? before : "";
  };
  options("of-label", "any label", status.labels);
  if (OWNER) options("of-annotator", "anybody", status.people);
}

function step(event) { // Arrows go through the rows.
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way || event.target.closest("select")) return;
  const all = [...$("rows").querySelectorAll("button")], place = all.indexOf(document.activeElement) + way;
  if (place < 0) $("words").focus(); else all[place]?.focus();
  event.preventDefault();
}

let typed = null;
$("browse").addEventListener("keydown", step);
$("browse-form").addEventListener("submit", (event) => { event.preventDefault(); search(); });
$("words").addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(search, 250); });
for (const id of ["of-label", "of-annotator", "only"]) $(id)?.addEventListener("change", search);
$("more").addEventListener("click", more);
$("rows").addEventListener("click", (event) => {
  const row = event.target.closest("[data-item]");
  if (row) open(Number(row.dataset.item));
});
listen("view", async (view) => { if (view === "browse" && !rows.length) { await send(); search(); } });
listen("changed", ({ item, label }) => {
  const row = rows.find((one) => one.item === item);
  if (!row) return;
  row.answers = [...row.answers.filter(([name]) => name !== WHO), [WHO, label]];
  draw();
  $("rows").querySelector(`[data-item="${item}"]`)?.focus();
});
