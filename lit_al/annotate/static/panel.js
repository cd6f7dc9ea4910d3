// Progress: how far everybody is, labels by class, and the model, with its learning curve.

import { $, listen, make, number, percent, say } from "./dom.js";

const [WIDE, HIGH, LEFT, FOOT] = [240, 112, 34, 18]; // of the drawing, and its margins

function progress(status) {
  [$("bar-done").max, $("bar-done").value] = [Math.max(1, status.total), status.done];
  for (const id of ["done", "model", "estimate", "advice", "agreement", "copies"]) say(id, status.words[id]);
  $("classes").replaceChildren(...status.labels.flatMap((label) => {
    const [right, asked] = status.controls[label] ?? [0, 0];
    const found = asked ? make("small", { textContent: `${right} of ${asked} right`, title: TITLE }) : "";
    return [make("dt", { dir: "auto" }, label), make("dd", {}, found, number(status.classes[label] ?? 0))];
  }));
  drawCurve(status.curve);
  if ($("open-conflicts")) say("open-conflicts", status.conflicts ? number(status.conflicts) : "");
}

const TITLE = "Of the texts of this class that were drawn at random, the model named so many before it knew their label.";

function svg(tag, facts, words) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(facts)) element.setAttribute(name, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

function drawCurve(curve) { // Accuracy by labels, in the band of its interval.
  $("curve").toggleAttribute("hidden", curve.length < 2);
  const seen = JSON.stringify(curve);
  if (curve.length < 2 || $("curve").dataset.seen === seen) return;
  const most = curve.at(-1).labels, floor = Math.floor(10 * Math.min(...curve.map((one) => one.low))) / 10;
  const x = (labels) => LEFT + (WIDE - LEFT - 8) * (labels / most);
  const y = (share) => 6 + (HIGH - FOOT - 6) * ((1 - share) / (1 - Math.min(floor, 0.9)));
  const points = (ends) => ends.map(([labels, share]) => `${x(labels).toFixed(1)},${y(share).toFixed(1)}`).join(" ");
  const high = curve.map((one) => [one.labels, one.high]), low = curve.map((one) => [one.labels, one.low]);
  const last = curve.at(-1), ticks = [1, (1 + floor) / 2, floor];
  $("curve").replaceChildren(
    ...ticks.flatMap((share) => [svg("line", { class: "grid", x1: LEFT, x2: WIDE - 8, y1: y(share), y2: y(share) }),
      svg("text", { x: LEFT - 5, y: y(share) + 3.5, "text-anchor": "end" }, percent(share))]),
    svg("polygon", { class: "band", points: points([...high, ...low.reverse()]) }),
    svg("polyline", { class: "line", points: points(curve.map((one) => [one.labels, one.accuracy])) }),
    svg("circle", { class: "dot", cx: x(last.labels), cy: y(last.accuracy), r: 3 }),
    svg("text", { x: LEFT, y: HIGH - 4 }, "0"),
    svg("text", { x: WIDE - 8, y: HIGH - 4, "text-anchor": "end" }, `${number(most)} labels`));
  $("curve").dataset.seen = seen;
  $("curve").setAttribute("aria-label", `Accuracy: from ${percent(curve[0].accuracy)} at ${number(curve[0].labels)} `
    + `to ${percent(last.accuracy)} at ${number(last.labels)} labels, between ${percent(last.low)} and ${percent(last.high)}`);
}

listen("status", progress);
