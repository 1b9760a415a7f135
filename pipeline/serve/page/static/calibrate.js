// Where a camera stands: points clicked in its view, and their places clicked on the plan or typed.

import { byId, h, say, shape, sync } from "./dom.js";
import { choosePlace } from "./pointer.js";
import { get, post, postForBlob } from "./server.js";
import { plural } from "./words.js";
import { tell } from "./toasts.js";

const LEAST = 4;

const dialog = byId("calibration");
const canvas = byId("calibration-canvas");
const planCanvas = byId("calibration-plan-canvas");
const image = byId("calibration-picture");
let state = null;

export async function openCalibration(floor) {
  const { cameras } = await get("/api/status");
  state = { plan: floor?.plan || null, yUp: floor ? floor.y_up : true, points: [], cursor: null, planCursor: null, fitted: null, asked: 0, url: null };
  byId("calibration-camera").replaceChildren(...cameras.map(({ camera }) => h("option", {}, camera)));
  byId("calibration-plan").hidden = !state.plan;
  if (state.plan) byId("calibration-plan-picture").src = "/api/floor/plan";
  dialog.showModal();
  choose();
}

/** Begin with another camera. */
async function choose() {
  Object.assign(state, { camera: byId("calibration-camera").value, points: [], pixel: null, fitted: null, size: null });
  image.removeAttribute("src");
  canvas.replaceChildren();
  const source = `/api/cameras/${encodeURIComponent(state.camera)}/view.jpg?at=${Date.now()}`;
  image.onload = () => {
    if (!image.src.includes("view.jpg")) return;
    state.size = [image.naturalWidth, image.naturalHeight];
    state.cursor = state.size.map((each) => each / 2);
    image.onload = null;
    redraw();
  };
  image.onerror = () => { image.onerror = null; hint("This camera has no picture, neither now nor in a video that is still there.", true); };
  state.source = source;
  image.src = source;
  hint("Click a point of the floor in the view.");
  redraw();
}

function redraw() {
  const { size, points, pixel, cursor, fitted } = state;
  if (size) drawMarks(canvas, size, cursor, [...points.map(([x, y]) => [x, y]), ...(pixel ? [pixel] : [])]);
  if (state.plan) {
    const own = points.map(([, , x, y]) => toPlan([x, y]));
    drawMarks(planCanvas, state.plan.size, state.planCursor ||= state.plan.size.map((each) => each / 2), own);
  }
  byId("calibration-add").disabled = !pixel || !number("x") || !number("y");
  byId("calibration-save").disabled = !fitted;
  sync(byId("calibration-points"), points.map((point, row) => ({ point, row })), ({ row }) => row, () => {
    const button = h("button", { class: "button quiet", type: "button" }, "Remove");
    return h("tr", {}, h("th", { scope: "row" }), h("td"), h("td"), h("td"), h("td", {}, button));
  }, (row, { point, row: place }) => {
    const [name, where, metres, error, end] = row.children;
    const isWorst = fitted && fitted.worst === place && fitted.errors_cm[place] > 0.5;
    row.classList.toggle("worst", Boolean(isWorst));
    say(name, `${place + 1}${isWorst ? " (worst)" : ""}`);
    say(where, `${point[0]}, ${point[1]} px`);
    say(metres, `${point[2]}, ${point[3]} m`);
    say(error, fitted ? `${fitted.errors_cm[place].toFixed(1)} cm (a pixel ${fitted.pixel_cm[place].toFixed(1)})` : "");
    end.firstChild.setAttribute("aria-label", `Remove point ${place + 1}`);
    end.firstChild.onclick = () => { state.points.splice(place, 1); fit(); };
  });
}

function drawMarks(svg, size, [cx, cy], points) {
  const unit = size[0] / 100;
  svg.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
  svg.replaceChildren(...points.flatMap(([x, y], row) => {
    const label = shape("text", { x: x + unit, y: y - unit / 2, "font-size": 2.4 * unit, class: "zone-name" }, row + 1);
    return [shape("circle", { cx: x, cy: y, r: unit * 0.7, class: "drawing" }), label];
  }), shape("path", { class: "cursor", d: `M${cx - unit} ${cy}h${2 * unit}M${cx} ${cy - unit}v${2 * unit}` }));
}

const up = () => (state.yUp ? 1 : -1);
const toPlan = ([x, y]) => [state.plan.origin[0] + x / state.plan.m_per_pixel, state.plan.origin[1] - up() * y / state.plan.m_per_pixel];
const ofPlan = ([x, y]) => [(x - state.plan.origin[0]) * state.plan.m_per_pixel, up() * (state.plan.origin[1] - y) * state.plan.m_per_pixel];

/** The number in a field as text, empty where there is none. */
function number(axis) {
  const text = byId(`calibration-${axis}`).value.trim();
  return text !== "" && Number.isFinite(Number(text)) ? text : "";
}

function setPixel([x, y]) {
  state.pixel = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  hint(`Point ${state.points.length + 1} at ${state.pixel.join(", ")} px. ${state.plan ? "Click its place on the plan, or type it in metres" : "Type its place in metres"}, and add it.`);
  redraw();
}

function setPlace(place) {
  const [x, y] = ofPlan(place).map((each) => each.toFixed(2));
  byId("calibration-x").value = x;
  byId("calibration-y").value = y;
  if (state.pixel) add(); else redraw();
}

function add() {
  state.points.push([...state.pixel, Number(number("x")), Number(number("y"))]);
  state.pixel = null;
  byId("calibration-x").value = "";
  byId("calibration-y").value = "";
  fit();
}

/** Ask how well the points fit, and show the grid that they give; the last question counts. */
async function fit() {
  const asked = ++state.asked;
  state.fitted = null;
  redraw();
  const more = LEAST - state.points.length;
  if (more > 0) { showPicture(null); hint(`${plural(more, "more point")} at least: far from each other, near and far, left and right.`); return; }
  hint("Trying these points.");
  const question = { camera: state.camera, points: state.points };
  try {
    const fitted = await post("/api/floor/fit", question);
    const picture = await postForBlob("/api/floor/grid", question);
    if (asked !== state.asked) return;
    state.fitted = fitted;
    const mean = Math.sqrt(fitted.errors_cm.reduce((sum, each) => sum + each * each, 0) / fitted.errors_cm.length);
    hint(`Root mean square error ${mean.toFixed(1)} cm${fitted.has_lens ? ", lens distortion taken out" : ""}. ${state.points.length === LEAST ? "Four points always fit: a fifth shows mistakes." : "If the grid does not lie on the floor, points are wrong."}`);
    showPicture(picture);
  } catch (error) {
    if (asked !== state.asked) return;
    showPicture(null);
    hint(error.message, true);
  }
  redraw();
}

function hint(text, isBad = false) {
  say(byId("calibration-hint"), text);
  byId("calibration-hint").classList.toggle("bad", isBad);
}

function showPicture(blob) {
  if (state.url) URL.revokeObjectURL(state.url);
  state.url = blob ? URL.createObjectURL(blob) : null;
  image.src = state.url || state.source;
}

function save() {
  const url = URL.createObjectURL(new Blob([state.fitted.text], { type: "application/yaml" }));
  const link = h("a", { href: url, download: `floor_points_${state.camera}.yaml` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  tell("Put these floor_points into the camera list; they count from the next start on.");
}

function pick(svg, size, cursor, set) {
  choosePlace(svg, {
    size,
    cursor: () => state[cursor],
    move(place) { state[cursor] = place; redraw(); },
    choose(place) { state[cursor] = place; set(place); },
  });
}

pick(canvas, () => state.size, "cursor", setPixel);
pick(planCanvas, () => state.plan.size, "planCursor", setPlace);
byId("calibration-camera").addEventListener("change", choose);
for (const axis of ["x", "y"]) byId(`calibration-${axis}`).addEventListener("input", redraw);
byId("calibration-form").addEventListener("submit", (event) => { event.preventDefault(); if (!byId("calibration-add").disabled) add(); });
byId("calibration-save").addEventListener("click", save);
byId("calibration-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => { document.body.append(byId("toasts")); showPicture(null); });
