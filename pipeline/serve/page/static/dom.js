// Building and updating elements. Texts only ever become text: no markup is parsed here.

/** Make an element: `h("p", {class: "muted", onclick: f}, "text", child)`. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make an element of a drawing: `shape("circle", {r: 3})`. */
export function shape(tag, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An icon of the sprite in the page. */
export const icon = (name) => shape("svg", {}, shape("use", { href: `#i-${name}` }));

export const byId = (id) => document.getElementById(id);

/** Set a text only where it changed, so that selections and screen readers are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make the children of `parent` be one element per item, keeping those that are there already.
 * `make(item)` returns a new element; `update(element, item)` fills it.
 */
export function sync(parent, items, key, make, update = () => {}) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let element = old.get(name);
    if (element) old.delete(name);
    else {
      element = make(item);
      element.dataset.key = name;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of old.values()) element.remove();
}

/** A group of buttons of which one is chosen. */
export function choices(parent, options, chosen, onchoose) {
  for (const [value, label] of options) {
    parent.append(
      h("button", {
        class: "choice",
        type: "button",
        "aria-pressed": String(value === chosen),
        onclick: (event) => {
          for (const each of parent.children) each.setAttribute("aria-pressed", "false");
          event.currentTarget.setAttribute("aria-pressed", "true");
          onchoose(value);
        },
      }, label),
    );
  }
}
