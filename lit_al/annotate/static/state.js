// What the page holds: the view that is on screen, the texts in hand, and the answers that stand.

import { announce } from "./dom.js";

export const { run: RUN, who: WHO } = document.body.dataset;
export const OWNER = document.body.dataset.owner === "true";

export const S = {
  view: "label", // or browse; the owner's conflicts and suspects
  upcoming: [], // texts in hand, the first one on screen
  past: [], // answers that stand, oldest first: the text with its answer
  at: null, // place in `past` while an earlier answer is on screen
  visit: null, // a text that was opened from the list of all texts
  words: "", // why there is no text
  oldest: Infinity, // answers below this number of the server's have not been fetched; 0: there are none
  lists: { conflicts: newList(), suspects: newList() },
};

function newList() {
  return {
    items: [], // texts to settle, the first one on screen
    done: [], // settled ones, oldest first
    left: 0, // not settled, by the server
    words: "", // why there is none
    command: "", // that makes the list
  };
}

export const inLabeling = () => S.view === "label";

export function shown() { // The text on screen.
  if (!inLabeling()) return S.lists[S.view]?.items[0];
  return S.visit ?? (S.at === null ? S.upcoming[0] : S.past[S.at]);
}

export const isEarlier = () => inLabeling() && (S.at !== null || Boolean(S.visit?.uuid)); // an answer is looked at again

export function go(view) { // To another view; whoever draws one listens for it.
  S.view = view;
  document.body.dataset.view = view;
  for (const part of document.querySelectorAll("[data-in]")) part.hidden = !part.dataset.in.split(" ").includes(view);
  for (const button of document.querySelectorAll("nav [data-go]")) {
    if (button.dataset.go === view) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  if (document.activeElement?.closest("[hidden]")) document.activeElement.blur(); // else it takes the next keys, unseen
  announce("view", view);
}
