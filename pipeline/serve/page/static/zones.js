// Zones and lines: shown on the pictures, counted beside them, drawn by mouse or by keys.

import { byId, h, icon, say, shape, sync } from "./dom.js";
import { choosePlace } from "./pointer.js";
import { get, now, put } from "./server.js";
import { plural, span } from "./words.js";
import { tell } from "./toasts.js";

const DAY_S = 86400;

let maps = {};
const overlays = new Map();

const pointsOf = (points) => points.map(([x, y]) => `${x},${y}`).join(" ");

function drawn(kind, name, points, size) {
  const unit = size[0] / 100;
  const outline = shape(kind === "zones" ? "polygon" : "polyline", { points: pointsOf(points), class: kind === "zones" ? "zone" : "line" });
  const [x, y] = points[0];
  const label = shape("text", { x: x + unit / 2, y: y + (y > size[1] / 2 ? -unit / 2 : 2.2 * unit), "font-size": 2 * unit, class: "zone-name" }, name);
  return shape("g", {}, outline, ...(kind === "lines" ? [arrow(points, unit)] : []), label);
}

/** Which way over a line is in: to the right of it, looking along. */
function arrow(points, unit) {
  const [[ax, ay], [bx, by]] = points;
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [x, y] = [(ax + bx) / 2, (ay + by) / 2];
  const [dx, dy] = [-(by - ay) / length * 3 * unit, (bx - ax) / length * 3 * unit];
  const [sx, sy] = [dx / 3, dy / 3];
  return shape("path", { class: "line", d: `M${x} ${y}l${dx} ${dy}m${-sx - sy} ${-sy + sx}l${sx + sy} ${sy - sx}l${-sx + sy} ${-sy - sx}` });
}

function fill(svg, map, size) {
  svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  svg.replaceChildren(...["zones", "lines"].flatMap((kind) =>
    Object.entries(map?.[kind] || {}).map(([name, points]) => drawn(kind, name, points, size))));
}

/** The layer over a camera's picture, and the button that draws on it. */
export function zoneLayer(camera) {
  const svg = shape("svg", { class: "zones", "aria-hidden": "true" });
  overlays.set(camera, { svg, size: null });
  return svg;
}

export function zoneButton(camera, image) {
  return h("button", {
    class: "icon-button", type: "button", "aria-label": `Zones and lines of ${camera}`, onclick: () => openEditor(camera, image.src),
  }, icon("zones"));
}

export function sizeOfLayer(camera, size) {
  const overlay = overlays.get(camera);
  if (!overlay || !size || String(overlay.size) === String(size)) return;
  overlay.size = size;
  fill(overlay.svg, maps[camera], size);
}

export async function showZones() {
  const midnight = new Date(now() * 1000).setHours(0, 0, 0, 0) / 1000;
  const { cameras, zones } = await get(`/api/zones?since=${Math.max(midnight, now() - DAY_S)}`);
  take(cameras);
  byId("zones-side").hidden = zones.length === 0;
  sync(byId("zone-counts"), zones, (zone) => zone.name, () => h("li", {}, h("strong"), h("span"), h("span", { class: "muted" })), (row, zone) => {
    const [name, inside, today] = row.children;
    say(name, zone.name);
    say(inside, zone.is_line ? "" : `${zone.inside} inside`);
    say(today, `today ${zone.entries} in, ${zone.exits} out${zone.median_dwell_s === null ? "" : ` · usually ${span(zone.median_dwell_s)}`}`);
  });
}

function take(cameras) {
  if (JSON.stringify(cameras) === JSON.stringify(maps)) return;
  maps = cameras;
  for (const [camera, { svg, size }] of overlays) if (size) fill(svg, maps[camera], size);
}

// The editor

const dialog = byId("zone-editor");
const canvas = byId("zone-canvas");
let editing = null;

dialog.addEventListener("close", () => { document.body.append(byId("toasts")); editing = null; });

function openEditor(camera, source) {
  const size = overlays.get(camera)?.size;
  if (!size) { tell("Zones can be drawn once the camera has a picture.", "bad"); return; }
  const map = maps[camera] || {};
  editing = { camera, size, kind: "zones", points: [], cursor: [size[0] / 2, size[1] / 2], map: { zones: { ...map.zones }, lines: { ...map.lines } } };
  say(byId("zone-title"), `Zones and lines of ${camera}`);
  byId("zone-picture").src = source;
  byId("zone-picture").style.aspectRatio = `${size[0]} / ${size[1]}`;
  byId("zone-name").value = "";
  redraw();
  dialog.showModal();
}

function redraw() {
  const { map, size, points, kind, cursor } = editing;
  fill(canvas, map, size);
  const unit = size[0] / 100;
  if (points.length) canvas.append(shape("polyline", { points: pointsOf(points), class: "drawing" }));
  for (const [x, y] of points) canvas.append(shape("circle", { cx: x, cy: y, r: unit / 2, class: "drawing" }));
  const [x, y] = cursor;
  canvas.append(shape("path", { class: "cursor", d: `M${x - unit} ${y}h${2 * unit}M${x} ${y - unit}v${2 * unit}` }));
  byId("zone-as-zone").setAttribute("aria-pressed", String(kind === "zones"));
  byId("zone-as-line").setAttribute("aria-pressed", String(kind === "lines"));
  const least = kind === "zones" ? 3 : 2;
  say(byId("zone-hint"), points.length < least
    ? `Click ${least} or more corners, or move with the arrow keys and press Enter. In a zone counts who has their feet inside.`
    : `${plural(points.length, "corner")}. Give it a name and add it.${kind === "lines" ? " The arrow shows which way is in." : ""}`);
  byId("zone-add").disabled = points.length < least || !byId("zone-name").value.trim();
  byId("zone-back").disabled = points.length === 0;
  const all = ["zones", "lines"].flatMap((each) => Object.keys(map[each]).map((name) => ({ kind: each, name })));
  byId("zone-list").dataset.empty = "Nothing is drawn yet.";
  sync(byId("zone-list"), all, (each) => `${each.kind}/${each.name}`, (each) => h("li", {},
    h("span", {}, `${each.name} `, h("span", { class: "muted" }, each.kind === "zones" ? "zone" : "line")),
    h("button", {
      class: "button quiet", type: "button", "aria-label": `Remove ${each.name}`,
      onclick: () => { delete editing.map[each.kind][each.name]; redraw(); save(); },
    }, "Remove")));
}

function addPoint([x, y]) {
  editing.cursor = [x, y];
  editing.points.push([Math.round(x), Math.round(y)]);
  redraw();
}

let saved = Promise.resolve();

/** Saves come one after the other, so that the last one is what stays. */
function save() {
  const { camera, map } = editing;
  const all = structuredClone(map);
  saved = saved.then(async () => {
    try {
      const { cameras } = await put(`/api/cameras/${encodeURIComponent(camera)}/zones`, all);
      take(cameras);
      showZones();
    } catch (error) {
      tell(error.message, "bad");
    }
  });
}

choosePlace(canvas, {
  size: () => editing?.size,
  cursor: () => editing.cursor,
  move(place) { editing.cursor = place; redraw(); },
  choose: addPoint,
});
canvas.addEventListener("keydown", (event) => {
  if (event.key !== "Backspace") return;
  editing.points.pop();
  redraw();
  event.preventDefault();
});
for (const [id, kind] of [["zone-as-zone", "zones"], ["zone-as-line", "lines"]]) {
  byId(id).addEventListener("click", () => { editing.kind = kind; redraw(); });
}
byId("zone-name").addEventListener("input", redraw);
byId("zone-back").addEventListener("click", () => { editing.points.pop(); redraw(); });
byId("zone-close").addEventListener("click", () => dialog.close());
byId("zone-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (byId("zone-add").disabled) return;
  editing.map[editing.kind][byId("zone-name").value.trim()] = editing.points;
  editing.points = [];
  byId("zone-name").value = "";
  redraw();
  save();
});
