// Talking to the server.

/** The server's clock less ours, milliseconds; all times shown are the server's. */
let skew = 0;
/** The end of finished work, at which its time stands still. */
let end = null;
export function setServerTime(seconds, isLive) {
  skew = seconds * 1000 - Date.now();
  end = isLive ? null : seconds;
}
export const isNow = () => end === null;
export const now = () => end ?? (Date.now() + skew) / 1000;

/** Somebody last seen so shortly ago is in view; what is stored lags by a second. */
export const IN_VIEW_S = 6;
/** Places on the map come twice a second: who has none for longer is not on it, and a path is not drawn on. */
export const ON_MAP_S = 3;

async function ask(method, path, body, waitsMs = body instanceof Blob ? 60000 : 10000, isPicture = false) {
  const isFile = body instanceof Blob;
  const type = isFile ? "application/octet-stream" : "application/json";
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": type },
    body: body === undefined || isFile ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(waitsMs),
  }).catch((error) => {
    // Browsers say "Failed to fetch" and the like.
    throw new Error(`The server ${error.name === "TimeoutError" ? "takes too long to answer" : "does not answer"}. Try again.`);
  });
  if (answer.status === 401) {
    location.assign("/login");
    throw new Error("Log in again.");
  }
  if (answer.ok && isPicture) return answer.blob();
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const detail = typeof content.detail === "string" ? content.detail : "This is not possible.";
    throw new Error(detail.charAt(0).toUpperCase() + detail.slice(1) + (/[.!?]$/.test(detail) ? "" : "."));
  }
  return content;
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);
export const postForBlob = (path, body) => ask("POST", path, body, undefined, true);
export const put = (path, body) => ask("PUT", path, body);
export const remove = (path) => ask("DELETE", path);
/** Erase a person; the answer comes when recorded video is written anew. */
export const forget = (identity) => ask("DELETE", `/api/people/${identity}`, undefined, 4 * 3600_000);

/** Address of a camera's recorded video at a moment, and where in it to begin; null where there is none. */
export async function videoAt(camera, time) {
  const path = `/api/videos/${encodeURIComponent(camera)}`;
  const { at_s: at } = await get(`${path}/moment?time=${time}`);
  return `${path}/video.mp4?time=${time}#t=${at.toFixed(2)}`;
}

/** Address of a sighting's thumbnail. */
export const thumbnail = (sighting) => `/api/sightings/${sighting}/thumbnail.jpg`;

/** The newest picture of a camera: `{number, blob}`, or null where there is none newer. */
export async function picture(camera, after) {
  const path = `/api/cameras/${encodeURIComponent(camera)}/picture.jpg?after=${after}`;
  const answer = await fetch(path, { signal: AbortSignal.timeout(8000) });
  if (answer.status !== 200) return null;
  return { number: Number(answer.headers.get("X-Picture-Number")), blob: await answer.blob() };
}
