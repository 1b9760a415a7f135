// Places of a picture chosen by mouse or by keys, and files that are dropped.

const STEP = 10;

/**
 * Have a place of a drawing be chosen: by a click, or by the arrow keys (with Shift one by one) and Enter.
 * `size()` is the drawing's, nothing while there is none; `cursor()` is where the keys are.
 */
export function choosePlace(svg, { size, cursor, move, choose }) {
  svg.addEventListener("click", (event) => {
    if (!size()) return;
    const box = svg.getBoundingClientRect();
    choose([(event.clientX - box.left) / box.width * size()[0], (event.clientY - box.top) / box.height * size()[1]]);
  });
  svg.addEventListener("keydown", (event) => {
    if (!size()) return;
    const step = event.shiftKey ? 1 : STEP;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key in ways) move(cursor().map((value, axis) => Math.min(Math.max(value + ways[event.key][axis], 0), size()[axis])));
    else if (event.key === "Enter") choose(cursor());
    else return;
    event.preventDefault();
  });
}

/** Hand over the files that are dropped on an element. */
export function onDrop(element, take) {
  element.addEventListener("dragover", (event) => { event.preventDefault(); element.classList.add("over"); });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    take(event.dataTransfer.files);
  });
}
