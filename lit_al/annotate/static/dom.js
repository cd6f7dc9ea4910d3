// Small helpers for the document. Words from outside go into it as text alone, never as markup.

export const $ = (id) => document.getElementById(id);

export const say = (id, words) => { if ($(id).textContent !== words) $(id).textContent = words; };

export function make(tag, facts = {}, ...children) { // An element; strings among its children become text.
  const { data = {}, ...properties } = facts;
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export const number = (count) => count.toLocaleString("en");

export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

export const announce = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

export const listen = (name, act) => document.addEventListener(name, (event) => act(event.detail));
