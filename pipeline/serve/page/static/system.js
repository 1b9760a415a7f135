// How the run, its machine and its cameras are doing.

import { byId, h, say, sync } from "./dom.js";
import { get, now } from "./server.js";
import { ago, bytes, moment, span, stateTone, stateWord } from "./words.js";

const FIGURES = [
  ["uptime_s", "Running for", span],
  ["detector_fps", "Frames processed", (value, status) => `${value.toFixed(1)} of ${received(status).toFixed(1)} / s`],
  ["latency_p95_s", "Delay (95%)", (value) => `${value.toFixed(2)} s`],
  ["identities", "People known", (value) => value.toFixed(0)],
  ["recording", "Recording", (_, status) => recordingWord(status.recording)],
  ["disk_free_bytes", "Disk free", bytes],
];
const COLUMNS = [
  ["Camera", (c) => c.camera],
  ["State", (c) => c.state],
  ["Received", (c) => `${c.received_fps.toFixed(1)} fps`],
  ["Processed", (c) => `${c.processed_fps.toFixed(1)} fps`],
  ["Dropped", (c) => `${c.dropped_fps.toFixed(1)} fps`],
  ["Delay", (c) => (c.processed_fps ? `${c.latency_p50_s.toFixed(2)} – ${c.latency_p95_s.toFixed(2)} s` : "–")],
  ["Corrupt", (c) => String(c.corrupt)],
  ["Stalls", (c) => String(c.stalls)],
  ["Reconnects", (c) => String(c.reconnects)],
  ["Clock", (c) => (c.skew_s === null ? "–" : `${c.skew_s > 0 ? "+" : ""}${c.skew_s.toFixed(2)} s`)],
  ["Picture", (c) => (c.size ? `${c.size[0]} × ${c.size[1]}` : "–")],
  ["Last frame", (c) => (c.last_frame_s === null ? "never" : ago(now() - c.last_frame_s))],
];
const SUMMARIES = { ok: "Everything works.", degraded: "Something needs attention; the rest works.", failing: "The system does not do its work." };

function received(status) {
  return status.cameras.reduce((sum, camera) => sum + camera.received_fps, 0);
}

function recordingWord(text) {
  if (text.startsWith("video paused")) return "Logs only";
  if (text.startsWith("paused")) return "Paused";
  return text === "recording" ? "On" : "Off";
}

byId("health").tHead.append(h("tr", {}, ...COLUMNS.map(([name]) => h("th", { scope: "col" }, name))));

function makeRow() {
  return h("tr", {}, ...COLUMNS.map(([name], place) => h("td", { data: { label: name } },
    ...(place === 1 ? [h("span", { class: "badge" }, h("i"), h("span")), h("small", { class: "muted" })] : []))));
}

function updateRow(row, camera) {
  COLUMNS.forEach(([, text], place) => {
    const cell = row.children[place];
    if (place !== 1) { say(cell, text(camera)); return; }
    const [badge, reason] = cell.children;
    badge.dataset.tone = stateTone(camera.state);
    say(badge.lastChild, stateWord(camera.state));
    say(reason, `${camera.reason ? `${camera.reason} · ` : ""}for ${span(now() - camera.since_s)}`);
  });
}

export function showSystem(status) {
  say(byId("summary"), SUMMARIES[status.level]);
  sync(byId("reasons"), status.reasons, (reason) => reason, (reason) => h("li", {}, `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`));
  byId("reasons").dataset.level = status.level;
  const known = FIGURES.filter(([name]) => name in status.figures);
  sync(byId("figures"), known, ([name]) => name, ([, label]) => h("div", { class: "card figure" }, h("span", { class: "muted" }, label), h("strong")),
    (card, [name, , text]) => say(card.lastChild, text(status.figures[name], status)));
  sync(byId("health").tBodies[0], status.cameras, (camera) => camera.camera, makeRow, updateRow);
}

/** Who did what, for admins. */
async function loadAudit() {
  if (document.body.dataset.role !== "admin") return;
  const lines = await get("/api/audit?limit=50");
  byId("audit-box").hidden = false;
  sync(byId("audit").tBodies[0], lines, (line) => `${line.time}-${line.action}`, (line) => h("tr", {},
    ...[["When", moment(line.time, now())], ["Who", line.user || "nobody"], ["From", line.address], ["What", line.action], ["Result", String(line.status)]]
      .map(([label, text]) => h("td", { data: { label } }, text))));
}

export const systemView = { enter() { loadAudit(); }, leave() {} };
