// The list of everybody who was seen.

import { byId, h, say, sync } from "./dom.js";
import { numberMark, portrait } from "./portrait.js";
import { get, IN_VIEW_S, isNow, now, thumbnail } from "./server.js";
import { ago, plural, title } from "./words.js";
import { openPerson } from "./person.js";

const PAGE = 48;

let people = [];
let limit = PAGE;
let isShown = false;
let asked = 0;

function makeCard(person) {
  const card = h("button", { class: "card person", type: "button", onclick: () => openPerson(person.identity) },
    portrait(person),
    h("span", { class: "person-words" },
      h("strong"), numberMark(person), h("span", { class: "where" }), h("span", { class: "muted" })));
  card.dataset.portrait = person.portrait;
  return card;
}

function updateCard(card, person) {
  const [image, words] = card.children;
  if (card.dataset.portrait !== String(person.portrait)) {
    card.dataset.portrait = person.portrait;
    image.classList.remove("blank");
    image.src = thumbnail(person.portrait);
  }
  const [name, , where, times] = words.children;
  const isHere = isNow() && now() - person.last_s < IN_VIEW_S;
  say(name, title(person));
  where.classList.toggle("here", isHere);
  say(where, isHere ? `In view · ${person.last_camera}` : `${ago(now() - person.last_s)} · ${person.last_camera}`);
  say(times, `${plural(person.sightings, "sighting")} · ${plural(person.cameras.length, "camera")}`);
}

function draw() {
  sync(byId("people-list"), people, (person) => person.identity, makeCard, updateCard);
  const search = byId("search").value.trim();
  byId("people-empty").hidden = people.length > 0;
  say(byId("people-empty"), search ? `No identity is named “${search}”.` : "No persons were detected yet.");
  byId("people-more").hidden = people.length < limit;
}

export async function loadPeople() {
  if (!isShown) return;
  asked += 1;
  const own = asked;
  const search = encodeURIComponent(byId("search").value.trim());
  const found = await get(`/api/people?limit=${limit}&search=${search}`);
  if (own === asked) { people = found; draw(); }
}

let typing = 0;
byId("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => { limit = PAGE; loadPeople(); }, 200);
});
byId("people-more").addEventListener("click", () => { limit += PAGE; loadPeople(); });

/** Who is in view, beside the live pictures. */
export async function showInView() {
  const list = (await get("/api/people?limit=9")).filter((person) => now() - person.last_s < IN_VIEW_S);
  const box = byId("in-view");
  box.dataset.empty = "Nobody";
  sync(box, list, (person) => `${person.identity}-${person.portrait}`, (person) => h("button", {
    class: "face", type: "button", onclick: () => openPerson(person.identity),
  }, portrait(person), h("strong"), h("span", { class: "muted" })), (face, person) => {
    say(face.children[1], title(person));
    say(face.children[2], person.last_camera);
  });
}

export const peopleView = {
  enter() { isShown = true; loadPeople(); },
  leave() { isShown = false; },
};
