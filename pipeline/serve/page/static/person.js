// One person: name, sightings, and corrections.

import { byId, h, icon } from "./dom.js";
import { get, isNow, now, post, put, videoAt } from "./server.js";
import { ago, clock, moment, plural, span, title } from "./words.js";
import { numberMark, portrait } from "./portrait.js";
import { forgetPart } from "./forget.js";
import { findPerson } from "./search.js";
import { lookFor } from "./watch.js";
import { offerUndo, tell } from "./toasts.js";

const dialog = byId("person");
const body = byId("person-body");
let shown = null;
let chosen = new Set();
let isMerging = false;

dialog.addEventListener("close", () => { shown = null; });
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

export async function openPerson(identity) {
  chosen = new Set();
  isMerging = false;
  await load(identity);
  if (shown && !dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

/** Bring an open person up to date, but never under somebody's hands. */
export function refreshPerson() {
  const isBusy = chosen.size > 0 || isMerging || dialog.querySelector("input:focus, video, .forget.asking");
  if (shown && dialog.open && !isBusy) load(shown.identity);
}

async function load(identity) {
  try {
    const [person, sightings] = await Promise.all([
      get(`/api/people/${identity}`), get(`/api/people/${identity}/sightings`),
    ]);
    shown = person;
    draw(person, sightings);
  } catch (error) {
    if (dialog.open) dialog.close();
    tell(error.message, "bad");
  }
}

/** Make an edit, tell of it with a way back, and show what came of it. */
async function edit(ask, describe, next) {
  try {
    const event = await ask();
    offerUndo(describe(event), event.edit, () => { if (dialog.open) load(next(event)); });
    chosen = new Set();
    isMerging = false;
    await load(next(event));
  } catch (error) {
    tell(error.message, "bad");
  }
}

function draw(person, sightings) {
  body.replaceChildren(
    h("header", { class: "person-head" },
      portrait(person, "portrait large"),
      h("div", {},
        h("h2", { id: "person-title" }, title(person)), numberMark(person),
        h("p", { class: "muted" },
          `First seen ${moment(person.first_s, now())}, last seen ${ago(now() - person.last_s)} in ${person.last_camera}.`),
        person.merged.length
          ? h("p", { class: "muted" }, `Also was ${person.merged.map((n) => `ID ${n}`).join(", ")}.`) : null),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
    nameForm(person),
    isMerging ? h("div", { id: "merge" }) : h("div", { class: "row" },
      h("button", {
        class: "button", type: "button", onclick: () => { isMerging = true; draw(person, sightings); },
      }, "Same person as somebody else…"),
      h("button", { class: "button", type: "button", onclick: () => { dialog.close(); findPerson(person); } }, "Find by looks"),
      isNow() ? h("button", { class: "button", type: "button", onclick: () => lookFor(person) }, "Look for this person") : null),
    ...(isMerging ? [] : [
      h("h3", {}, `Seen ${plural(sightings.length, "time")}`),
      h("ol", { class: "sightings" }, ...sightings.map((each) => sightingRow(each, person, sightings))),
      forgetPart(person, () => { dialog.close(); document.dispatchEvent(new Event("forgotten")); }),
      splitBar(person, sightings),
    ]),
  );
  if (isMerging) drawMerge(person, sightings);
}

function nameForm(person) {
  const input = h("input", {
    name: "name", value: person.name, maxlength: 80, placeholder: "Give this person a name",
    "aria-label": "Name", autocomplete: "off",
  });
  return h("form", {
    class: "row",
    onsubmit: (event) => {
      event.preventDefault();
      input.blur();
      edit(() => put(`/api/people/${person.identity}/name`, { name: input.value }),
        (done) => (done.name ? `Named ${done.name}.` : "The name was removed."), () => person.identity);
    },
  }, input, h("button", { class: "button primary", type: "submit" }, "Save name"));
}

function sightingRow(sighting, person, sightings) {
  const box = h("input", {
    type: "checkbox", checked: chosen.has(sighting.sighting),
    "aria-label": `Choose the sighting in ${sighting.camera} at ${clock(sighting.first_s)}`,
    onchange: () => {
      if (box.checked) chosen.add(sighting.sighting);
      else chosen.delete(sighting.sighting);
      dialog.querySelector(".split-bar").replaceWith(splitBar(person, sightings));
    },
  });
  return h("li", {}, h("label", {},
    box, portrait(sighting, "portrait small"),
    h("span", {}, h("strong", {}, sighting.camera),
      h("span", { class: "muted" },
        `${moment(sighting.first_s, now())} – ${clock(sighting.last_s)} · ${span(sighting.last_s - sighting.first_s)}`),
      sighting.by_hand ? h("span", { class: "tag" }, "set by hand") : null)),
    h("button", {
      class: "button quiet", type: "button", "aria-label": `Play ${sighting.camera} at ${clock(sighting.first_s)}`,
      onclick: (event) => play(sighting, event.currentTarget.parentElement),
    }, "Play"));
}

async function play(sighting, row) {
  try {
    const source = await videoAt(sighting.camera, sighting.first_s);
    dialog.querySelector("video")?.remove();
    const video = h("video", { src: source, controls: true, autoplay: true, muted: true, "aria-label": `${sighting.camera} at ${clock(sighting.first_s)}` });
    video.addEventListener("loadedmetadata", () => video.scrollIntoView({ block: "center" }));
    row.after(video);
  } catch (error) {
    tell(error.message, "bad");
  }
}

function splitBar(person, sightings) {
  if (sightings.length < 2) return h("p", { class: "split-bar" });
  const isAll = chosen.size === sightings.length;
  const text = chosen.size === 0 ? "Choose the sightings that show somebody else."
    : isAll ? "Leave at least one sighting with this person."
      : `${plural(chosen.size, "sighting")} chosen.`;
  return h("div", { class: "split-bar" }, h("span", { class: "muted" }, text),
    h("button", {
      class: "button", type: "button", disabled: chosen.size === 0 || isAll,
      onclick: () => edit(
        () => post(`/api/people/${person.identity}/split`, { sightings: [...chosen] }),
        (done) => `Split off as Person ${done.global_id}.`, () => person.identity),
    }, "Split off as somebody else"));
}

async function drawMerge(person, sightings) {
  const box = byId("merge");
  const list = h("div", { class: "pick" });
  const search = h("input", {
    type: "search", placeholder: "Name or number", "aria-label": "Search for the other person",
    autocomplete: "off", oninput: () => fill(),
  });
  async function fill() {
    const found = await get(`/api/people?limit=30&search=${encodeURIComponent(search.value.trim())}`);
    list.replaceChildren(...found.filter((each) => each.identity !== person.identity).map((other) => h("button", {
      class: "face", type: "button",
      onclick: () => edit(
        () => post(`/api/people/${person.identity}/merge`, { other: other.identity }),
        () => `${title(other)} was merged into ${title(person)}.`, () => person.identity),
    }, portrait(other), h("strong", {}, title(other)), h("span", { class: "muted" }, other.last_camera))));
    if (!list.children.length) list.append(h("p", { class: "muted" }, "No other identities were found."));
  }
  box.replaceChildren(
    h("h3", {}, `Who is the same person as ${title(person)}?`),
    h("div", { class: "row" }, search, h("button", {
      class: "button", type: "button", onclick: () => { isMerging = false; draw(person, sightings); },
    }, "Cancel")),
    list);
  await fill();
}
