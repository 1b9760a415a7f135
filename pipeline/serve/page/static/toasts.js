// Short messages at the bottom, with a way back where there is one.

import { byId, h } from "./dom.js";
import { post } from "./server.js";

const STAYS_MS = 8000;

byId("person").addEventListener("close", () => document.body.append(byId("toasts")));

export function tell(text, tone = "good", button = null) {
  const toast = h("div", { class: "toast", data: { tone } }, h("span", {}, text), button);
  // An open dialog makes all else inert, so what is said meanwhile belongs into it.
  (document.querySelector("dialog[open]") || document.body).append(byId("toasts"));
  byId("toasts").append(toast);
  setTimeout(() => toast.remove(), STAYS_MS);
  return toast;
}

/** Tell of an edit, with a button that takes it back. */
export function offerUndo(text, edit, onundone) {
  const button = h("button", { class: "button quiet", type: "button" }, "Undo");
  const toast = tell(text, "good", button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    await undo(edit);
    toast.remove();
    onundone();
  });
}

export async function undo(edit) {
  try {
    await post(`/api/edits/${edit}/undo`);
    tell("Undone.");
  } catch (error) {
    tell(error.message, "bad");
  }
}
