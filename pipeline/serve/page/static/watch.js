// Who is looked for, and alerts when they come.

import { byId, h, say, sync } from "./dom.js";
import { onDrop } from "./pointer.js";
import { get, now, post, put, remove } from "./server.js";
import { moment, plural, title } from "./words.js";
import { tell } from "./toasts.js";

const LIMIT = 60;

let isShown = false;
let files = [];

const watchedPicture = (watched) => `/api/watch/${watched}/picture.jpg`;
const face = (source, alt) => h("img", { class: "portrait", src: source, alt, loading: "lazy" });

async function attempt(ask, done) {
  try {
    const answer = await ask();
    if (done) tell(done(answer));
    await loadWatch();
    return true;
  } catch (error) {
    tell(error.message, "bad");
    return false;
  }
}

/** Put a person who was seen already on the list, under their name. */
export async function lookFor(person) {
  await attempt(() => post("/api/watch/sighting", { name: title(person), sighting: person.portrait }),
    (done) => `${done.name} is on the watch list.`);
}

export function tellAlert(event) {
  tell(`${event.watched} was seen in ${event.camera}.`, "alert",
    h("a", { class: "button quiet", href: "#watch" }, "Show"));
}

function makeWatched(person) {
  return h("div", { class: "card person" }, face(watchedPicture(person.watched), ""),
    h("span", { class: "person-words" }, h("strong"), h("span", { class: "muted" }), h("span", { class: "muted" }),
      h("button", {
        class: "button quiet", type: "button", "aria-label": `Look for ${person.name} no more`,
        onclick: () => attempt(() => remove(`/api/watch/${person.watched}`), () => `${person.name} is not looked for any more.`),
      }, "Remove")));
}

function updateWatched(card, person) {
  const [name, pictures, alerts] = card.lastChild.children;
  say(name, person.name);
  say(pictures, plural(person.pictures, "picture") + (person.is_of_folder ? " · from the folder" : ""));
  say(alerts, person.alerts ? `${plural(person.alerts, "alert")}, last ${moment(person.last_alert_s, now())}` : "No alerts yet");
}

const answer = (alert, isMatch) => attempt(() => put(`/api/alerts/${alert.alert}/answer`, { is_match: isMatch }));

function makeAlert(alert) {
  const choice = (isMatch, text) => h("button", {
    class: "choice", type: "button", onclick: () => answer(alert, isMatch),
    "aria-label": `${text}: ${alert.camera}, ${moment(alert.time_s, now())}`,
  }, text);
  return h("li", { class: "card alert" },
    face(watchedPicture(alert.watched), `Enrolled: ${alert.name}`),
    face(`/api/alerts/${alert.alert}/picture.jpg`, `Seen in ${alert.camera}`),
    h("span", { class: "person-words" }, h("strong", {}, alert.name), h("span", {}, alert.camera),
      h("time", { class: "muted" }), h("span", { class: "muted" }, `Similarity ${alert.similarity.toFixed(2)}`),
      h("span", { class: "choices", role: "group", "aria-label": "Was it this person?" }, choice(true, "Yes"), choice(false, "No"))));
}

function updateAlert(row, alert) {
  say(row.querySelector("time"), moment(alert.time_s, now()));
  const [yes, no] = row.querySelectorAll(".choice");
  yes.setAttribute("aria-pressed", String(alert.is_match === true));
  no.setAttribute("aria-pressed", String(alert.is_match === false));
}

export async function loadWatch() {
  if (!isShown) return;
  const [list, alerts] = await Promise.all([get("/api/watch"), get(`/api/alerts?limit=${LIMIT}`)]);
  say(byId("watch-note"), list.threshold === null
    ? "The weights are not calibrated, so nobody can be looked for."
    : `Whoever looks like one of these people gives an alert, from a similarity of ${list.threshold.toFixed(2)} on. Your answers set it.`);
  byId("enrol").hidden = list.threshold === null;
  byId("enrol-archive").hidden = list.archives.length === 0;
  sync(byId("enrol-where"), list.archives, (name) => name, (name) => h("option", { value: name }, name));
  sync(byId("watched"), list.people, (person) => person.watched, makeWatched, updateWatched);
  sync(byId("alerts"), alerts, (alert) => alert.alert, makeAlert, updateAlert);
  byId("watched").dataset.empty = "Nobody is looked for.";
  byId("alerts").dataset.empty = "No alerts yet.";
}

function choose(chosen) {
  files = [...chosen].filter((file) => file.type.startsWith("image/"));
  say(byId("enrol-chosen"), files.length ? `${plural(files.length, "picture")}: ${files.map((file) => file.name).join(", ")}`
    : "Drop photographs of one person here, or choose files");
}

async function enrol(name) {
  const number = byId("enrol-number").value;
  if (!files.length && !number) { tell("Choose a photograph first.", "bad"); return; }
  byId("enrol-button").disabled = true;
  let isDone = true;
  for (const file of files) {
    isDone = isDone && await attempt(() => post(`/api/watch/picture?name=${encodeURIComponent(name)}`, file));
  }
  if (isDone && number) {
    isDone = await attempt(() => post("/api/watch/identity", { name, archive: byId("enrol-where").value, identity: Number(number) }));
  }
  byId("enrol-button").disabled = false;
  if (!isDone) return;
  tell(`${name} is on the watch list.`);
  byId("enrol").reset();
  choose([]);
}

byId("enrol").addEventListener("submit", (event) => {
  event.preventDefault();
  enrol(byId("enrol-name").value.trim());
});
byId("enrol-files").addEventListener("change", (event) => choose(event.currentTarget.files));
onDrop(byId("enrol-drop"), choose);

export const watchView = {
  enter() { isShown = true; loadWatch(); },
  leave() { isShown = false; },
};
