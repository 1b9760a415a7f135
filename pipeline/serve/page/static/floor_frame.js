// From metres on the floor to the drawing of the map.

import { shape } from "./dom.js";

const WIDTH = 960;
const EDGE_M = 1;
const STEPS_M = [1, 2, 5, 10, 20, 50, 100];
/** What a camera sees before it, where nobody was yet, metres. */
const REACH_M = 8;

/** Which part of the floor is drawn: `{low, high}`; it never gets smaller while one looks. */
export function bounds(floor, points, before) {
  const own = [...points];
  if (floor.plan) {
    const { size, origin, m_per_pixel: scale } = floor.plan;
    const up = floor.y_up ? 1 : -1;
    own.push([-origin[0] * scale, up * origin[1] * scale], [(size[0] - origin[0]) * scale, up * (origin[1] - size[1]) * scale]);
  }
  for (const corners of Object.values(floor.views)) own.push(...corners.slice(corners.length / 2));
  if (!own.length) own.push([0, 0]);
  const edge = floor.plan || points.length ? EDGE_M : REACH_M;
  const low = [0, 1].map((axis) => own.reduce((least, each) => Math.min(least, each[axis]), before ? before.low[axis] + edge : Infinity) - edge);
  const high = [0, 1].map((axis) => own.reduce((most, each) => Math.max(most, each[axis]), before ? before.high[axis] - edge : -Infinity) + edge);
  return { low, high };
}

/** A place within what is drawn. */
export const near = (place, { low, high }) => place.map((value, axis) => Math.min(Math.max(value, low[axis]), high[axis]));

/** `room` is how many pixels wide and high it may be shown: texts are as large everywhere. */
export function frameOf({ low, high }, isUp, room) {
  const scale = WIDTH / Math.max(high[0] - low[0], (high[1] - low[1]) / 0.9);
  const [width, height] = [(high[0] - low[0]) * scale, (high[1] - low[1]) * scale];
  const at = ([x, y]) => [(x - low[0]) * scale, isUp ? (high[1] - y) * scale : (y - low[1]) * scale]
    .map((value) => Math.round(value * 10) / 10);
  return { at, scale, width, height, low, high, isUp, unit: 10 * Math.max(width / room[0], height / room[1]) };
}

export const pointsOf = (places, frame) => places.map((each) => frame.at(each).join(",")).join(" ");

/** Lines of whole metres, and what they are. */
export function gridOf(frame) {
  const { low, high } = frame;
  const step = STEPS_M.find((each) => Math.max(high[0] - low[0], high[1] - low[1]) / each <= 12) || 100;
  const drawn = [];
  for (const axis of [0, 1]) {
    for (let value = Math.ceil(low[axis] / step) * step; value < high[axis]; value += step) {
      const [from, to] = [[...low], [...high]];
      from[axis] = value;
      to[axis] = value;
      const [[ax, ay], [bx, by]] = [frame.at(from), frame.at(to)];
      drawn.push(shape("path", { class: "grid", d: `M${ax} ${ay}L${bx} ${by}` }));
      const [x, y] = axis === 0 ? [ax + 4, frame.height - 5] : [4, ay - 4];
      drawn.push(shape("text", { x, y, class: "metre", "font-size": frame.unit }, `${value} m`));
    }
  }
  return drawn;
}
