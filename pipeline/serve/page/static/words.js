// How things are said to people.

export const title = (person) => person.name || `Person ${person.identity}`;
const eventTitle = (event) => event.name || (event.global_id > 0 ? `Person ${event.global_id}` : "Somebody");
const otherTitle = (event) => event.other_name || `Person ${event.other_id}`;

const STATES = {
  connecting: ["Connecting", "wait"],
  live: ["Live", "good"],
  degraded: ["Weak signal", "fair"],
  stalled: ["No picture", "bad"],
  waiting: ["Connection lost", "bad"],
  refused: ["Password refused", "bad"],
  no_video: ["No video", "bad"],
  failed: ["Failed", "bad"],
  stopped: ["Stopped", "wait"],
};
const NEXT = {
  connecting: "The camera is being opened.",
  stalled: "The camera is connected but sends nothing.",
  waiting: "It is tried again by itself.",
  refused: "Check the camera's user name and password.",
  no_video: "The camera answers, but sends no video.",
  failed: "It failed too often and rests for some minutes.",
  stopped: "The run is ending.",
};
export const stateWord = (state) => (STATES[state] || [state])[0];
export const stateTone = (state) => (STATES[state] || ["", "wait"])[1];
export const stateHelp = (state) => NEXT[state] || "";

/** Of finished work there is no now: times are told from its end, those of a run without dates. */
let isFinished = false;
let hasDates = true;
export function ago(seconds) {
  if (isFinished) return seconds < 1 ? "at the end" : `${span(seconds)} before the end`;
  if (seconds < 5) return "just now";
  return `${span(seconds)} ago`;
}

export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) {
    const minutes = Math.floor((s % 3600) / 60);
    return minutes ? `${Math.floor(s / 3600)} h ${minutes} min` : `${Math.floor(s / 3600)} h`;
  }
  const days = Math.floor(s / 86400);
  return days === 1 ? "1 day" : `${days} days`;
}

const format = (zone) => [
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", ...zone }),
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", ...zone }),
];
let [TIME, SHORT] = format({});
export function showFinished(status) {
  isFinished = true;
  hasDates = status.has_dates;
  if (!hasDates) [TIME, SHORT] = format({ timeZone: "UTC" });
}
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
export const clock = (seconds) => TIME.format(seconds * 1000);
export const shortClock = (seconds) => SHORT.format(seconds * 1000);

/** A moment, with its day where that is not today. */
export function moment(seconds, nowSeconds) {
  if (!hasDates) return clock(seconds);
  const isToday = new Date(seconds * 1000).toDateString() === new Date(nowSeconds * 1000).toDateString();
  return isToday ? clock(seconds) : `${DATE.format(seconds * 1000)} ${SHORT.format(seconds * 1000)}`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (count >= 1000 && step < units.length - 1) { count /= 1000; step += 1; }
  return `${count.toFixed(count < 10 && step ? 1 : 0)} ${units[step]}`;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** An event as a list of texts and `{person}` or `{other}` marks, to be filled with links. */
export function sentence(event) {
  const who = { who: event.global_id, text: eventTitle(event) };
  const other = { who: event.other_id, text: otherTitle(event) };
  const byHand = event.author === "hand";
  switch (event.kind) {
    case "new": return [who, ` appeared in ${event.camera}`];
    case "sighting": return [who, ` was seen again in ${event.camera}`];
    case "hand_over":
      return event.from_camera ? [who, ` went from ${event.from_camera} to ${event.camera}`] : [who, ` came to ${event.camera}`];
    case "merge":
      return byHand ? [other, " was merged into ", who] : [who, ` and Person ${event.other_id} are the same person`];
    case "split":
      if (event.other_id === null) return [`Somebody in ${event.camera} is not `, who, " after all"];
      return byHand ? [who, " was split off ", other] : [who, " is somebody else than ", other];
    case "alert":
      return event.global_id > 0 ? [`${event.watched} was seen in ${event.camera}: `, who] : [`${event.watched} was seen in ${event.camera}`];
    case "entry": return [who, ` came into ${event.zone}`];
    case "exit": return [who, ` left ${event.zone} after ${span(event.dwell_s)}`];
    case "line_in": return [who, ` crossed ${event.zone} inwards`];
    case "line_out": return [who, ` crossed ${event.zone} outwards`];
    case "rename":
      return event.name ? [`Person ${event.global_id} was named `, who] : [who, " has no name any more"];
    case "undo":
      return event.other_id === null ? ["A correction of ", who, " was undone"]
        : ["A correction of ", who, " and ", other, " was undone"];
    default: return [who, ` ${event.kind}`];
  }
}
