// Elements and the words for times and sizes. Data becomes text nodes, never markup.

/** The element with this id; it is in index.html. */
export const byId = (id) => document.getElementById(id);

/** A new element. Keys are attributes, `on…` listeners; `null`, `undefined` and `false` leave one out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Changes a text only if it is another one, so that nothing is drawn or read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `list` hold one child for each item, kept by `key` and made anew only when `mark` changes. */
export function keyed(list, items, key, mark, make) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const [id, sign] = [String(key(item)), mark(item)];
    const old = known.get(id);
    if (old?.dataset.mark === sign) return old;
    const made = make(item, old);
    made.dataset.key = id;
    made.dataset.mark = sign;
    return made;
  });
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, at) => {
    if (list.children[at] !== child) list.insertBefore(child, list.children[at] ?? null);
  });
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** When: the time of day, with the day unless it is today. */
export function when(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "";
  const today = date.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
}

/** A `<time>` element. */
export const time = (at) => el("time", { datetime: String(at), class: "quiet" }, when(at));

/** Bytes in words. */
export function size(bytes) {
  if (!(bytes >= 0)) return "";
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

const LONG_CHARACTERS = 800;
const LONG_LINES = 14;

const unfolded = new Set(); // a line that is drawn anew, because its answer came, stays open

/** A text as a paragraph; the rest of a long one shows on demand. */
export function longText(text, what = "p") {
  const lines = text.split("\n");
  if (text.length <= LONG_CHARACTERS && lines.length <= LONG_LINES) return el(what, { class: "text" }, text);
  const start = lines.slice(0, LONG_LINES).join("\n").slice(0, LONG_CHARACTERS);
  const body = el(what, { class: "text" });
  const more = el("button", { type: "button", class: "link" });
  const draw = () => {
    const open = unfolded.has(text);
    more.setAttribute("aria-expanded", String(open));
    more.textContent = open ? "Show less" : "Show all";
    body.textContent = open ? text : `${start} …`;
  };
  more.addEventListener("click", () => {
    if (!unfolded.delete(text)) unfolded.add(text);
    draw();
  });
  draw();
  return el("div", {}, body, more);
}

/** The function, called once for many calls that come close together. */
export function soon(work, ms) {
  let waiting = 0;
  return () => {
    waiting ||= setTimeout(() => {
      waiting = 0;
      work();
    }, ms);
  };
}
