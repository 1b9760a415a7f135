// A person as a picture and as a number, wherever the page shows one.

import { h } from "./dom.js";
import { thumbnail } from "./server.js";

/** A person's picture with the colour of its boxes; grey where there is no picture. */
export function portrait(person, className = "portrait") {
  const image = h("img", {
    class: className, alt: "", loading: "lazy", decoding: "async",
    src: thumbnail(person.portrait ?? person.sighting),
    onerror: (event) => {
      event.currentTarget.classList.add("blank");
      event.currentTarget.removeAttribute("src"); // or browsers draw the sign of a broken picture
    },
  });
  image.style.borderColor = person.colour;
  return image;
}

/** The number as it stands on the boxes in the pictures. */
export function numberMark(person) {
  const mark = h("span", { class: "number" }, `ID ${person.identity}`);
  mark.style.setProperty("--colour", person.colour);
  return mark;
}
