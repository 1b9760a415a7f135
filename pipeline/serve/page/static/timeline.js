// Who was where, and when: a row for each person, a bar for each sighting.

import { byId, choices, h, icon, say, sync } from "./dom.js";
import { get, now } from "./server.js";
import { clock, shortClock, span, title } from "./words.js";
import { openPerson } from "./person.js";
import { numberMark } from "./portrait.js";

const SPANS = [[900, "15 min"], [3600, "1 h"], [21600, "6 h"], [86400, "24 h"]];
const TICKS_S = [60, 300, 600, 900, 1800, 3600, 7200, 14400];
const COLOURS = ["#5aa9f8", "#f2a65a", "#63c58c", "#d884d8", "#e8d05c", "#ef7d7d", "#5cc8cf", "#a99bf5"];
const MAX_ROWS = 60;

let length = 900;
let isShown = false;
let cameras = [];

choices(byId("spans"), SPANS, length, (value) => { length = value; loadTimeline(); });

/** Cameras in the order in which they are shown everywhere give them their colours. */
export function setCameras(names) { cameras = names; }

function colour(camera) {
  const place = cameras.indexOf(camera);
  return place < 0 ? "#8b98a8" : COLOURS[place % COLOURS.length];
}

export async function loadTimeline() {
  if (!isShown) return;
  const until = now();
  const since = until - length;
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
  const names = [...new Set([...cameras, ...rows.flat().map((each) => each.camera)])];
  sync(byId("legend"), names, (name) => name, (name) => {
    const mark = h("i");
    mark.style.background = colour(name);
    return h("span", {}, mark, name);
  });
  const axis = h("div", { class: "axis" });
  const step = TICKS_S.find((each) => length / each <= 6) || 14400;
  for (let tick = Math.ceil(since / step) * step; tick < until; tick += step) {
    const mark = h("span", {}, shortClock(tick));
    mark.style.left = share(tick);
    axis.append(mark);
  }
  byId("chart").replaceChildren(
    h("div", { class: "chart-row head-row" }, h("span"), axis),
    ...rows.map((sightings) => chartRow(sightings, share)));
  if (!rows.length) byId("chart").append(h("p", { class: "empty" }, `No persons were detected in the last ${span(length)}.`));
  if (count > rows.length) byId("chart").append(h("p", { class: "empty" }, `${count - rows.length} more people were seen in this time.`));
}

function chartRow(sightings, share) {
  const [person] = sightings;
  const lane = h("div", { class: "lane" });
  for (const each of sightings) {
    const bar = h("i", { title: `${each.camera}, ${clock(each.first_s)} – ${clock(each.last_s)}` });
    bar.style.left = share(each.first_s);
    bar.style.width = `max(4px, calc(${share(each.last_s)} - ${share(each.first_s)}))`;
    bar.style.background = colour(each.camera);
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
