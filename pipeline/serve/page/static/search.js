// Search by looks: a photograph or a person, over all that was recorded and over archives.

import { byId, h, say, sync } from "./dom.js";
import { onDrop } from "./pointer.js";
import { get, now, post } from "./server.js";
import { clock, moment, plural, title } from "./words.js";
import { tell } from "./toasts.js";

const COUNT = 60;
const SETTLE_MS = 250;
const AGAIN_MS = 1500;

let query = null;
let asked = 0;
let waiting = 0;
let onopen = () => {};

/** What to do when a found person of this page is opened. */
export function onFound(open) { onopen = open; }

/** Look for a person who was seen already. */
export function findPerson(person) {
  query = { identity: person.identity, text: title(person), picture: `/api/sightings/${person.portrait}/thumbnail.jpg` };
  location.hash = "search";
  run();
}

function findPicture(files) {
  const file = [...files].find((each) => each.type.startsWith("image/"));
  if (!file) { tell("This is no picture.", "bad"); return; }
  if (query?.isOwn) URL.revokeObjectURL(query.picture);
  query = { file, text: file.name, picture: URL.createObjectURL(file), isOwn: true };
  run();
}

const seconds = (id) => {
  const value = byId(id).value;
  return value ? new Date(value).getTime() / 1000 : null;
};

async function ask() {
  const since = seconds("search-since");
  const until = seconds("search-until");
  const places = byId("search-where");
  const where = places.length ? places.value : "everywhere";
  const archives = where === "everywhere" ? [] : [where];
  if (query.file) {
    const options = new URLSearchParams({ count: COUNT });
    if (since !== null) options.set("since", since);
    if (until !== null) options.set("until", until);
    for (const each of archives) options.append("archive", each);
    return post(`/api/search/picture?${options}`, query.file);
  }
  return post("/api/search", { identity: query.identity, archives, since, until, count: COUNT });
}

async function run() {
  if (!query) return;
  clearTimeout(waiting);
  asked += 1;
  const own = asked;
  byId("search-query").hidden = false;
  byId("search-query").src = query.picture;
  say(byId("search-chosen"), query.text);
  say(byId("search-note"), "Searching…");
  try {
    const { found, is_complete: isComplete } = await ask();
    if (own !== asked) return;
    show(found);
    say(byId("search-note"), `${plural(found.length, "sighting")}, most alike first.${isComplete ? "" : " A long recording is still being read; more will come."}`);
    if (!isComplete) waiting = setTimeout(run, AGAIN_MS);
  } catch (error) {
    if (own !== asked) return;
    show([]);
    say(byId("search-note"), error.message);
  }
}

function show(found) {
  sync(byId("search-found"), found, (each) => `${each.archive}/${each.sighting}/${each.similarity}`, (each) => {
    const isOwn = !each.archive && each.identity !== null;
    const image = h("img", { class: "portrait", src: each.picture, alt: "", loading: "lazy", onerror: (event) => event.currentTarget.classList.add("blank") });
    image.style.borderColor = each.colour;
    const who = each.name || (each.identity === null ? "Not identified" : `Person ${each.identity}`);
    return h(isOwn ? "button" : "div", { class: "card person", type: isOwn ? "button" : null, onclick: isOwn ? () => onopen(each.identity) : null },
      image, h("span", { class: "person-words" }, h("strong", {}, who),
        h("span", {}, each.camera + (each.archive ? ` · ${each.archive}` : "")),
        h("span", { class: "muted" }, `${each.has_dates ? moment(each.first_s, now()) : clock(each.first_s)} – ${clock(each.last_s)}`),
        h("span", { class: "muted" }, `Similarity ${each.similarity.toFixed(2)}`)));
  });
}

async function loadWhere() {
  const { archives } = await get("/api/watch");
  byId("search-where").hidden = archives.length === 0;
  sync(byId("search-where"), ["everywhere", "", ...archives], (name) => name || "here",
    (name) => h("option", { value: name }, name === "everywhere" ? "Everywhere" : name || "Here"));
}

for (const id of ["search-since", "search-until", "search-where"]) {
  byId(id).addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(run, SETTLE_MS); });
}
byId("search-file").addEventListener("change", (event) => findPicture(event.currentTarget.files));
onDrop(byId("search-drop"), findPicture);

export const searchView = { enter() { loadWhere(); }, leave() {} };
