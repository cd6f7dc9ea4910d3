// The owner's dialog: labels are added, renamed and merged, and somebody is let in no more.

import { $, listen, make, say } from "./dom.js";
import { WHO } from "./state.js";
import { call, look } from "./sending.js";

const ASKED = { // What each form asks the server to do, by its fields.
  "add-label": ({ names }) => ({ names: names.split(",").map((name) => name.trim()).filter(Boolean) }),
  "rename-label": ({ old, to }) => ({ old, new: to.trim() }),
  "merge-labels": ({ merged, into }) => ({ names: [merged], into }),
  "remove-annotator": ({ name }) => ({ name }),
};
const SURE = { // What cannot be undone here is asked twice.
  "merge-labels": ({ merged, into }) => `All texts that are ${merged} become ${into}.`,
  "remove-annotator": ({ name }) => `The link of ${name} works no more; their answers stay.`,
};

let confirmed = ""; // the form, with its fields, that the next press does

async function submit(event) {
  const form = event.target, action = form.dataset.manage, fields = Object.fromEntries(new FormData(form));
  event.preventDefault();
  const press = JSON.stringify([action, fields]);
  if (SURE[action] && confirmed !== press) {
    confirmed = press;
    say("manage-state", `${SURE[action](fields)} Press again to do it.`);
    return;
  }
  confirmed = "";
  const { ok, body } = await call("/api/manage", { do: action, ...ASKED[action](fields) });
  say("manage-state", ok ? body.words ?? "Done." : body.error);
  $("manage-state").classList.toggle("bad", !ok);
  if (!ok) return;
  form.reset();
  look();
}

function fill(status) { // The choices, by the classes and people that there are now.
  for (const select of $("manage").querySelectorAll("select")) {
    const names = select.dataset.of === "people" ? status.people.filter((name) => name !== WHO) : status.labels;
    const known = [...select.options].map((one) => one.value);
    if (known.length === names.length && known.every((name, place) => name === names[place])) continue;
    const before = select.value;
    select.replaceChildren(...names.map((name) => make("option", { value: name, textContent: name })));
    select.value = names.includes(before) ? before : names[select.name === "into" ? 1 : 0] ?? "";
  }
  $("manage").querySelector("[data-manage=remove-annotator]").hidden = status.people.length < 2;
}

export function manage() {
  if (!$("manage")) return;
  say("manage-state", "");
  $("manage").showModal();
}

if ($("manage")) {
  $("manage").addEventListener("submit", (event) => { if (event.target.dataset.manage) submit(event); });
  listen("status", fill);
}
