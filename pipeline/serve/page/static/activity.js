// What happened: kept up to date by the server, corrections can be taken back.

import { byId, choices, h, say, sync } from "./dom.js";
import { get, now } from "./server.js";
import { moment, sentence } from "./words.js";
import { openPerson } from "./person.js";
import { undo } from "./toasts.js";

const LIMIT = 300;
const LATEST = 12;
const KINDS = [["all", "Everything"], ["seen", "Seen"], ["alerts", "Alerts"], ["zones", "Zones"], ["edits", "Corrections"]];
const SEEN = new Set(["new", "sighting", "hand_over"]);

let events = [];
let undone = new Set();
let kind = "all";

choices(byId("kinds"), KINDS, kind, (value) => { kind = value; draw(); });

function makeRow(event) {
  const words = sentence(event).map((part) => (typeof part === "string" ? part : part.who < 1 ? part.text : h("button", {
    class: "link", type: "button", onclick: () => openPerson(part.who),
  }, part.text)));
  const mark = h("i", { class: "dot" });
  mark.style.background = event.colour;
  return h("li", { data: { kind: event.kind } }, mark, h("span", { class: "words" }, ...words, event.user ? `, by ${event.user}` : ""), h("time"), h("span", { class: "end" }));
}

function updateRow(row, event) {
  say(row.querySelector("time"), moment(event.time, now()));
  const end = row.querySelector(".end");
  const canUndo = event.edit !== null && event.kind !== "undo";
  const isUndone = undone.has(event.edit);
  const wanted = !canUndo ? "" : isUndone ? "undone" : "undo";
  if (end.dataset.shows === wanted) return;
  end.dataset.shows = wanted;
  end.replaceChildren(...(wanted === "undone" ? [h("span", { class: "muted" }, "undone")]
    : wanted === "undo" ? [h("button", {
      class: "button quiet", type: "button",
      onclick: async (click) => { click.currentTarget.disabled = true; await undo(event.edit); },
    }, "Undo")] : []));
}

function draw() {
  const isWanted = { all: () => true, seen: (e) => SEEN.has(e.kind), alerts: (e) => e.kind === "alert", zones: (e) => e.zone !== null, edits: (e) => e.edit !== null }[kind];
  const key = (event) => `${event.event}-${event.name}-${event.other_name}`;
  sync(byId("events"), events.filter(isWanted), key, makeRow, updateRow);
  sync(byId("latest"), events.slice(0, LATEST), key, makeRow, updateRow);
  byId("events").dataset.empty = byId("latest").dataset.empty = "Nothing happened yet.";
}

/** Read everything anew, as names and what was undone may have changed. */
export async function loadActivity() {
  const [told, edits] = await Promise.all([get(`/api/events?limit=${LIMIT}`), get("/api/edits?limit=2000")]);
  undone = new Set(edits.filter((edit) => edit.undone).map((edit) => edit.edit));
  events = told.reverse();
  draw();
  return events.length ? events[0].event : 0;
}

/** Listen to what happens from event number `after` on. */
export function follow(after, onevent) {
  const source = new EventSource(`/api/events/stream?after=${after}`);
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (events.some((each) => each.event === event.event)) return;
    events = [event, ...events].slice(0, LIMIT);
    if (event.kind === "undo") undone.add(event.edit);
    draw();
    onevent(event);
  };
}

export const activityView = { enter() { draw(); }, leave() {} };
