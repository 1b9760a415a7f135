// Erasing a person for good, for admins.

import { h } from "./dom.js";
import { forget } from "./server.js";
import { tell } from "./toasts.js";
import { title } from "./words.js";

/** What offers to erase a person, asks once more, and says what came of it. */
export function forgetPart(person, onforgotten) {
  if (document.body.dataset.role !== "admin") return "";
  const button = (label, kind, onclick) => h("button", { class: `button ${kind}`, type: "button", onclick }, label);
  const part = h("div", { class: "forget" });

  function show(children) {
    part.replaceChildren(...children);
    part.classList.toggle("asking", children.length > 1);
    part.querySelector("button")?.focus();
  }

  const offer = () => [button("Forget this person…", "danger", () => show(question()))];

  const question = () => [
    h("p", {}, `Erase ${title(person)} for good? Sightings, pictures, vectors, events and the name go, and recorded video shows a grey shape instead. What goes on in view is somebody new. This cannot be undone.`),
    h("div", { class: "row" },
      button("Keep", "", () => show(offer())),
      button("Erase for good", "danger", erase)),
  ];

  async function erase() {
    part.replaceChildren(h("p", { role: "status" }, "Erasing. Where there is much video this takes minutes; the cameras go on."));
    try {
      const done = await forget(person.identity);
      onforgotten();
      tell(`${title(person)} was erased.`);
      for (const name of done.still_watched) tell(`The watch folder has pictures of ${name}, who gave alerts for this person: remove them there.`, "bad");
    } catch (error) {
      tell(error.message, "bad");
      show(offer());
    }
  }

  part.append(...offer());
  return part;
}
