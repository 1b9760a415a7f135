// Who was where, and when: a row for each person, a bar for each sighting.

import { allCameras, cameraColour } from "./colours.js";
import { byId, choices, h, sync } from "./dom.js";
import { get, now } from "./server.js";
import { clock, shortClock, span, title } from "./words.js";
import { openPerson } from "./person.js";
import { numberMark } from "./portrait.js";

const SPANS = [[900, "15 min"], [3600, "1 h"], [21600, "6 h"], [86400, "24 h"]];
const TICKS_S = [5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400];
const MAX_ROWS = 60;

let length = 900;
let isShown = false;
let begin = null;

/** Finished work is shown from its begin. */
export function showAllFrom(first) {
  begin = first;
  length = 0;
  byId("spans").replaceChildren();
  choices(byId("spans"), [[0, "All"], ...SPANS], 0, (value) => { length = value; loadTimeline(); });
}

choices(byId("spans"), SPANS, length, (value) => { length = value; loadTimeline(); });

export async function loadTimeline() {
  if (!isShown) return;
  const until = now();
  const since = length ? until - length : begin;
  const sightings = await get(`/api/sightings?since=${since}&until=${until}&limit=2000`);
  const rows = new Map();
  for (const each of sightings) {
    if (!rows.has(each.identity)) rows.set(each.identity, []);
    rows.get(each.identity).push(each);
  }
  draw([...rows.values()].slice(0, MAX_ROWS), since, until, rows.size);
}

function draw(rows, since, until, count) {
  const share = (time) => `${(100 * (Math.min(Math.max(time, since), until) - since)) / (until - since)}%`;
  const names = [...new Set([...allCameras(), ...rows.flat().map((each) => each.camera)])];
  sync(byId("legend"), names, (name) => name, (name) => {
    const mark = h("i");
    mark.style.background = cameraColour(name);
    return h("span", {}, mark, name);
  });
  const axis = h("div", { class: "axis" });
  const step = TICKS_S.find((each) => (until - since) / each <= 6) || (until - since) / 6;
  for (let tick = Math.ceil(since / step) * step; tick < until; tick += step) {
    const mark = h("span", {}, step < 60 ? clock(tick) : shortClock(tick));
    mark.style.left = share(tick);
    axis.append(mark);
  }
  byId("chart").replaceChildren(
    h("div", { class: "chart-row head-row" }, h("span"), axis),
    ...rows.map((sightings) => chartRow(sightings, share)));
  if (!rows.length) byId("chart").append(h("p", { class: "empty" }, `No persons were detected in the last ${span(until - since)}.`));
  if (count > rows.length) byId("chart").append(h("p", { class: "empty" }, `${count - rows.length} more people were seen in this time.`));
}

function chartRow(sightings, share) {
  const [person] = sightings;
  const lane = h("div", { class: "lane" });
  for (const each of sightings) {
    const bar = h("i", { title: `${each.camera}, ${clock(each.first_s)} – ${clock(each.last_s)}` });
    bar.style.left = share(each.first_s);
    bar.style.width = `max(4px, calc(${share(each.last_s)} - ${share(each.first_s)}))`;
    bar.style.background = cameraColour(each.camera);
    lane.append(bar);
  }
  return h("button", {
    class: "chart-row", type: "button", onclick: () => openPerson(person.identity),
    "aria-label": `${title(person)}, seen in ${[...new Set(sightings.map((each) => each.camera))].join(", ")}`,
  }, h("span", { class: "chart-name" }, person.name ? h("strong", {}, person.name) : null, numberMark(person)), lane);
}

export const timelineView = {
  enter() { isShown = true; loadTimeline(); },
  leave() { isShown = false; },
};
