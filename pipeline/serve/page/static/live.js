// The pictures of all cameras. Only those that can be seen are fetched, a few at a time.

import { byId, h, icon, say, sync } from "./dom.js";
import { now, picture } from "./server.js";
import { span, stateHelp, stateTone, stateWord } from "./words.js";
import { sizeOfLayer, zoneButton, zoneLayer } from "./zones.js";

const EVERY_MS = 100;
const REST_MS = 300;
/** Browsers open six connections to a server; edits and events need some of them. */
const AT_ONCE = 3;

const tiles = new Map();
let fetching = 0;
let isShown = false;

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const tile = tiles.get(entry.target.dataset.key);
    if (tile) tile.isVisible = entry.isIntersecting;
  }
}, { rootMargin: "100px" });

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function makeTile(camera) {
  const image = h("img", { alt: `Live picture of ${camera.camera}`, hidden: true });
  const tile = {
    camera: camera.camera, image, number: -1, isVisible: true, isThere: true, url: null,
    badge: h("span", { class: "badge" }, h("i"), h("span")),
    cover: h("div", { class: "cover" }, icon("off"), h("strong"), h("p"), h("small")),
    figures: h("span", { class: "figures" }),
  };
  const frame = h("div", { class: "frame" }, image, zoneLayer(camera.camera), tile.cover);
  tile.frame = frame;
  tile.element = h("figure", { class: "tile" }, frame,
    h("figcaption", {},
      h("strong", {}, camera.camera), tile.badge, tile.figures, zoneButton(camera.camera, image),
      h("button", {
        class: "icon-button", type: "button", "aria-label": `Enlarge ${camera.camera}`,
        onclick: () => enlarge(tile.element),
      }, icon("expand"))));
  frame.addEventListener("dblclick", () => enlarge(tile.element));
  tiles.set(camera.camera, tile);
  return tile;
}

function enlarge(element) {
  const isLarge = element.classList.contains("large");
  for (const each of tiles.values()) each.element.classList.remove("large");
  element.classList.toggle("large", !isLarge);
  byId("cameras").classList.toggle("has-large", !isLarge);
  if (!isLarge) element.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

async function play(tile) {
  while (tile.isThere) {
    if (!isShown || !tile.isVisible || document.hidden || fetching >= AT_ONCE) {
      await wait(fetching >= AT_ONCE ? 20 : REST_MS);
      continue;
    }
    fetching += 1;
    try {
      const newest = await picture(tile.camera, tile.number);
      if (newest) show(tile, newest);
    } catch {
      await wait(1000);
    } finally {
      fetching -= 1;
    }
    await wait(EVERY_MS);
  }
  if (tile.url) URL.revokeObjectURL(tile.url);
}

function show(tile, newest) {
  const before = tile.url;
  tile.number = newest.number;
  tile.url = URL.createObjectURL(newest.blob);
  tile.image.onload = () => { if (before) URL.revokeObjectURL(before); };
  tile.image.src = tile.url;
  tile.image.hidden = false;
  if (isFine(tile.badge.dataset.tone)) tile.cover.hidden = true;
}

function isFine(tone) {
  return tone === "good" || tone === "fair";
}

function update(element, camera) {
  const tile = tiles.get(camera.camera);
  const tone = stateTone(camera.state);
  const delivers = isFine(tone);
  element.dataset.tone = tone;
  tile.badge.dataset.tone = tone;
  say(tile.badge.lastChild, stateWord(camera.state));
  const hasPicture = !tile.image.hidden;
  tile.cover.hidden = delivers && hasPicture;
  const [, head, text, since] = tile.cover.children;
  say(head, delivers ? "Waiting for the first picture" : stateWord(camera.state));
  say(text, delivers ? "" : camera.reason || stateHelp(camera.state));
  say(since, delivers ? "" : `for ${span(now() - camera.since_s)}`);
  say(tile.figures, delivers
    ? `${camera.processed_fps.toFixed(1)} fps · ${camera.latency_p95_s.toFixed(1)} s delay` : "");
  sizeOfLayer(camera.camera, camera.size);
  if (camera.size) tile.frame.style.aspectRatio = `${camera.size[0]} / ${camera.size[1]}`;
}

function crowd(count) {
  if (count < 2) return "one";
  if (count < 5) return "few";
  return count < 10 ? "many" : "crowd";
}

export function showCameras(cameras) {
  sync(byId("cameras"), cameras, (camera) => camera.camera, (camera) => {
    const tile = makeTile(camera);
    tile.element.dataset.key = camera.camera;
    seen.observe(tile.element);
    play(tile);
    return tile.element;
  }, update);
  byId("cameras").dataset.count = crowd(cameras.length);
  const names = new Set(cameras.map((camera) => camera.camera));
  for (const [name, tile] of tiles) {
    if (names.has(name)) continue;
    tile.isThere = false;
    seen.unobserve(tile.element);
    tiles.delete(name);
  }
}

export const live = {
  enter() { isShown = true; },
  leave() { isShown = false; },
};
