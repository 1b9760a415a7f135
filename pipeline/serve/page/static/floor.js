// The map: the floor from above, what cameras see, where people are, went, and were longer.

import { cameraColour } from "./colours.js";
import { byId, choices, h, say, shape, sync } from "./dom.js";
import { get, isNow, now, ON_MAP_S } from "./server.js";
import { clock, plural, span, title } from "./words.js";
import { openPerson } from "./person.js";
import { openCalibration } from "./calibrate.js";
import { bounds, frameOf, gridOf, near, pointsOf } from "./floor_frame.js";

const SPANS = [[60, "1 min"], [900, "15 min"], [3600, "1 h"], [21600, "6 h"]];
const EVERY_MS = 1000;
const HEAT_EVERY_MS = 10000;
const STEP_S = 0.5;

let floor = null;
let paths = [];
let heat = { side_m: 1, cells: [] };
let zones = { zones: {}, lines: {} };
let length = 60;
let isShown = false;
let timer = 0;
let heatAt = 0;
let begin = 0;
let moment = null;
let playing = 0;
let seen = null;

const canvas = byId("floor-map");
const shows = (what) => byId(`floor-${what}`).checked;

/** Finished work is shown whole, and played back. */
export function showFloorFrom(first) {
  begin = first;
  length = 0;
  byId("floor-spans").replaceChildren();
  byId("floor-play").hidden = false;
}

async function load() {
  if (!isShown) return;
  const until = now();
  const since = length ? until - length : begin;
  const span_ = `since=${since}&until=${until}`;
  if (!floor || isNow()) floor = await get("/api/floor");
  const isCalibrated = floor.calibrated.length > 0;
  byId("floor-empty").hidden = isCalibrated;
  byId("floor-body").hidden = !isCalibrated;
  if (!isCalibrated) return;
  zones = (await get(`/api/zones?since=${until}`)).floor;
  paths = await get(`/api/floor/paths?${span_}`);
  if (Date.now() - heatAt > HEAT_EVERY_MS || !isNow()) {
    heatAt = Date.now();
    heat = await get(`/api/floor/heat?${span_}`);
  }
  if (!isNow()) ready(since, until);
  draw();
}

/** Finished work has a slider over its time. */
function ready(since, until) {
  const slider = byId("floor-moment");
  slider.min = since;
  slider.max = until;
  slider.step = STEP_S;
  if (moment === null) { moment = until; slider.value = until; }
}

function draw() {
  const at = isNow() ? now() : moment;
  const points = paths.flatMap((path) => path.points.map(([, x, y]) => [x, y]));
  for (const [x, y] of heat.cells) points.push([x, y], [x + heat.side_m, y + heat.side_m]);
  for (const points_ of [...Object.values(zones.zones), ...Object.values(zones.lines)]) points.push(...points_);
  seen = bounds(floor, points, seen);
  const frame = frameOf(seen, floor.y_up, [canvas.clientWidth || 960, 0.76 * window.innerHeight]);
  const here = paths.map((path) => ({ path, last: path.points.findLast(([t]) => t <= at) }))
    .filter(({ last }) => last && at - last[0] <= ON_MAP_S + (isNow() ? 1 : 0));
  canvas.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  canvas.replaceChildren(
    ...(floor.plan && shows("plan") ? [planOf(frame)] : []),
    ...gridOf(frame),
    ...(shows("heat") ? heatOf(frame) : []),
    ...(shows("views") ? viewsOf(frame) : []),
    ...zonesOf(frame),
    ...(shows("paths") ? paths.flatMap((path) => trailsOf(path, at, frame)) : []),
    ...here.map(({ path, last }) => dotOf(path, last, frame)));
  canvas.setAttribute("aria-label", `Map of the floor: ${plural(here.length, "person", "people")} at ${clock(at)}. The list beside it says who and where.`);
  byId("floor-plan-choice").hidden = !floor.plan;
  say(byId("floor-when"), isNow() ? "now" : clock(at));
  byId("floor-here").dataset.empty = isNow() ? "Nobody is on the map now." : "Nobody is on the map at this moment.";
  sync(byId("floor-here"), here, ({ path }) => path.identity, ({ path }) => {
    const mark = h("i", { class: "dot" });
    mark.style.background = path.colour;
    return h("li", {}, h("button", { class: "link", type: "button", onclick: () => openPerson(path.identity) }, mark, h("span")), h("span", { class: "muted" }));
  }, (row, { path, last: [, x, y] }) => {
    say(row.firstChild.lastChild, title(path));
    say(row.lastChild, `${x.toFixed(1)} m, ${y.toFixed(1)} m`);
  });
}

function planOf(frame) {
  const { size, m_per_pixel: scale, origin } = floor.plan;
  const up = floor.y_up ? 1 : -1;
  const [x, y] = frame.at([-origin[0] * scale, up * origin[1] * scale]);
  return shape("image", {
    href: "/api/floor/plan", x, y, width: size[0] * scale * frame.scale, height: size[1] * scale * frame.scale,
    preserveAspectRatio: "none", class: "plan",
  });
}

function heatOf(frame) {
  const most = Math.max(...heat.cells.map(([, , seconds]) => seconds), STEP_S);
  const side = heat.side_m * frame.scale;
  return heat.cells.map(([x, y, seconds]) => {
    const [left, top] = frame.at([x, floor.y_up ? y + heat.side_m : y]);
    // The root, so that a place to stand does not hide all ways to walk.
    const cell = shape("rect", { x: left, y: top, width: side, height: side, class: "heat", opacity: 0.75 * Math.sqrt(seconds / most) });
    cell.append(hint(span(seconds)));
    return cell;
  });
}

function viewsOf(frame) {
  return Object.entries(floor.views).flatMap(([camera, corners]) => {
    const colour = cameraColour(camera);
    const outline = shape("polygon", { points: pointsOf(corners.map((each) => near(each, seen)), frame), class: "view", fill: colour, stroke: colour });
    outline.append(hint(camera));
    // The second half of the corners is the near side, in front of the camera.
    const side = corners.slice(corners.length / 2);
    const middle = [0, 1].map((axis) => side.reduce((sum, each) => sum + each[axis], 0) / side.length);
    const [x, y] = frame.at(near(middle, seen));
    const label = shape("text", { x, y, class: "name", fill: colour, "text-anchor": "middle", "font-size": frame.unit * 1.5 }, camera);
    return [outline, label];
  });
}

function zonesOf(frame) {
  return ["zones", "lines"].flatMap((kind) => Object.entries(zones[kind]).flatMap(([name, corners]) => {
    const outline = shape(kind === "zones" ? "polygon" : "polyline", { points: pointsOf(corners, frame), class: kind === "zones" ? "zone" : "line" });
    const [x, y] = frame.at(corners[0]);
    const label = shape("text", { x: x + frame.unit / 2, y: y - frame.unit / 2, class: "zone-name", "font-size": frame.unit * 1.4 }, name);
    return [outline, label];
  }));
}

/** The parts of a path up to a moment, cut where nobody saw them for long. */
function trailsOf(path, at, frame) {
  const parts = [[]];
  let before = null;
  for (const [t, x, y] of path.points) {
    if (t > at) break;
    if (before !== null && t - before > ON_MAP_S) parts.push([]);
    parts.at(-1).push([x, y]);
    before = t;
  }
  return parts.filter((part) => part.length > 1).map((part) => {
    const line = shape("polyline", { points: pointsOf(part, frame), class: "path", stroke: path.colour });
    line.append(hint(title(path)));
    return line;
  });
}

function dotOf(path, [, x, y], frame) {
  const [left, top] = frame.at([x, y]);
  const dot = shape("circle", { cx: left, cy: top, r: frame.unit * 0.8, fill: path.colour, class: "here" });
  const label = shape("text", { x: left + frame.unit * 1.1, y: top + frame.unit * 0.5, class: "who", "font-size": frame.unit * 1.5 }, path.name || path.identity);
  const group = shape("g", { class: "somebody" }, hint(title(path)), dot, label);
  group.addEventListener("click", () => openPerson(path.identity));
  return group;
}

const hint = (text) => shape("title", {}, text);

async function keep() {
  try {
    if (!document.hidden) await load();
  } catch { /* The banner says that the server is gone. */ }
  if (isShown && isNow()) timer = setTimeout(keep, EVERY_MS);
}

function stopPlaying() {
  clearInterval(playing);
  playing = 0;
  say(byId("floor-run"), "Play");
}

choices(byId("floor-spans"), SPANS, length, (value) => { length = value; heatAt = 0; load(); });
for (const what of ["views", "paths", "heat", "plan"]) byId(`floor-${what}`).addEventListener("change", draw);
byId("floor-moment").addEventListener("input", (event) => { moment = Number(event.target.value); stopPlaying(); draw(); });
byId("floor-run").addEventListener("click", () => {
  if (playing) { stopPlaying(); return; }
  const slider = byId("floor-moment");
  if (moment >= Number(slider.max)) moment = Number(slider.min);
  say(byId("floor-run"), "Pause");
  playing = setInterval(() => {
    moment = Math.min(moment + STEP_S, Number(slider.max));
    slider.value = moment;
    draw();
    if (moment >= Number(slider.max)) stopPlaying();
  }, STEP_S * 1000);
});
for (const button of document.querySelectorAll(".calibrate")) button.addEventListener("click", () => openCalibration(floor));

export const floorView = {
  enter() { isShown = true; clearTimeout(timer); keep(); },
  leave() { isShown = false; clearTimeout(timer); stopPlaying(); },
};
