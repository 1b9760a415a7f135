// Views, the state in the bar, and what keeps all of it up to date.

import { setCameras } from "./colours.js";
import { byId, say } from "./dom.js";
import { get, now, setServerTime } from "./server.js";
import { clock, plural, showFinished, stateTone } from "./words.js";
import { activityView, follow, loadActivity } from "./activity.js";
import { floorView, showFloorFrom } from "./floor.js";
import { live, showCameras } from "./live.js";
import { loadPeople, peopleView, showInView } from "./people.js";
import { openPerson, refreshPerson } from "./person.js";
import { onFound, searchView } from "./search.js";
import { showSystem, systemView } from "./system.js";
import { loadTimeline, showAllFrom, timelineView } from "./timeline.js";
import { loadWatch, tellAlert, watchView } from "./watch.js";
import { showZones } from "./zones.js";

const STATUS_EVERY_MS = 1500;
const LISTS_EVERY_MS = 4000;
/** Events come in bursts; lists are read once for all of them. */
const SETTLE_MS = 400;

const views = { live, people: peopleView, timeline: timelineView, map: floorView, search: searchView, watch: watchView, activity: activityView, system: systemView };
let current = null;

/** Views of finished work: nothing there is live. */
const PAST = new Set(["people", "timeline", "map", "search", "activity"]);
let isLive = true;

function showPast(status) {
  isLive = false;
  showFinished(status);
  showAllFrom(status.first_s);
  showFloorFrom(status.first_s);
  for (const tab of document.querySelectorAll(".tabs a")) tab.hidden = !PAST.has(tab.dataset.view);
  document.querySelector(".brand").href = "#people";
  byId("condition").removeAttribute("href");
  byId("clock").hidden = true;
}

function showView() {
  const asked = location.hash.slice(1);
  const name = asked in views && (isLive || PAST.has(asked)) ? asked : isLive ? "live" : "people";
  if (name === current) return;
  if (current) views[current].leave();
  current = name;
  for (const view of Object.keys(views)) byId(`view-${view}`).hidden = view !== name;
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.dataset.view === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = `${name.charAt(0).toUpperCase()}${name.slice(1)} · reid-pipeline`;
  window.scrollTo(0, 0);
  views[name].enter();
}

function showCondition(status) {
  if (!status.is_live) {
    say(byId("condition").lastElementChild, status.name);
    byId("condition").title = "Finished work";
    byId("logout").hidden = !status.needs_token;
    return;
  }
  const down = status.cameras.filter((camera) => stateTone(camera.state) === "bad").length;
  const word = down ? `${down} of ${plural(status.cameras.length, "camera")} down`
    : status.level === "ok" ? `${plural(status.cameras.length, "camera")} live` : "Needs attention";
  const pill = byId("condition");
  pill.dataset.tone = { ok: "good", degraded: "fair", failing: "bad" }[status.level];
  say(pill.lastElementChild, word);
  pill.title = status.reasons.join("\n");
  byId("logout").hidden = !status.needs_token;
}

async function updateStatus() {
  try {
    const status = await get("/api/status");
    if (!status.is_live && isLive) showPast(status);
    setServerTime(status.now_s, isLive);
    document.body.dataset.role = status.role;
    byId("logout").title = `Signed in as ${status.user}`;
    setCameras(status.cameras.map((camera) => camera.camera));
    showCameras(status.cameras);
    showSystem(status);
    showCondition(status);
    byId("banner").hidden = true;
    document.body.classList.remove("offline");
  } catch {
    byId("banner").hidden = false;
    document.body.classList.add("offline");
  }
}

async function updateLists() {
  const updates = [loadPeople()];
  if (current === "live") updates.push(showInView(), showZones());
  if (current === "timeline") updates.push(loadTimeline());
  await Promise.allSettled(updates);
}

/** Call `update` again and again, never twice at a time, and not while nobody looks. */
async function keep(update, everyMs) {
  if (!document.hidden) await update();
  setTimeout(() => keep(update, everyMs), everyMs);
}

let settling = 0;
function onEvent(event) {
  if (event.kind === "alert") { tellAlert(event); loadWatch(); }
  clearTimeout(settling);
  settling = setTimeout(() => {
    updateLists();
    refreshPerson();
    // Names in older events follow edits.
    if (event.author === "hand") loadActivity();
  }, SETTLE_MS);
}

/** Read what happened so far, then listen; a server that is not there yet is tried again. */
async function begin() {
  try {
    follow(await loadActivity(), onEvent);
  } catch {
    setTimeout(begin, STATUS_EVERY_MS);
  }
}

onFound(openPerson);
document.addEventListener("forgotten", () => { updateLists(); loadActivity(); });
window.addEventListener("hashchange", showView);
setInterval(() => say(byId("clock"), clock(now())), 500);
await updateStatus();
showView();
keep(updateStatus, STATUS_EVERY_MS);
keep(updateLists, LISTS_EVERY_MS);
begin();
