// One colour for each camera, on every view.

const COLOURS = ["#5aa9f8", "#f2a65a", "#63c58c", "#d884d8", "#e8d05c", "#ef7d7d", "#5cc8cf", "#a99bf5"];
const UNKNOWN = "#8b98a8";

let cameras = [];

/** All cameras, in the order in which they are shown: it gives them their colours. */
export function setCameras(names) { cameras = names; }

export const allCameras = () => cameras;

export function cameraColour(camera) {
  const place = cameras.indexOf(camera);
  return place < 0 ? UNKNOWN : COLOURS[place % COLOURS.length];
}
