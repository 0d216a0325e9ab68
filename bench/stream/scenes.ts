/** The screen that both sides show. */
export const screen = { width: 1920, height: 1080 };

/** Where on the screen a colour is looked for. */
export type Spot = { x: number; y: number };
type Box = Spot & { width: number; height: number };

/**
 * Eight colours that lie far apart: each channel is low or high, by the three bits of the number. A codec that halves the colours'
 * resolution and rounds them still leaves each on its side of the middle.
 */
export function colourOf(code: number): { red: number; green: number; blue: number } {
  const level = (bit: number) => (code & bit ? 220 : 35);
  return { red: level(1), green: level(2), blue: level(4) };
}

/** Half the side of a marker, in pixels: large enough that its middle is its colour, whatever a codec does at the edges. */
const markerReach = 24;
function markerAt({ x, y }: Spot): Box {
  return { x: x - markerReach, y: y - markerReach, width: 2 * markerReach, height: 2 * markerReach };
}

/** A full page: it counts as painted when all five of its markers are. */
export const page = {
  spots: [
    { x: 40, y: 40 },
    { x: 1880, y: 40 },
    { x: 960, y: 540 },
    { x: 40, y: 1040 },
    { x: 1880, y: 1040 },
  ],
  /** By page: complementary colours. */
  codes: [1, 6],
} as const;

/** The change of 200×200 pixels, in one colour. */
export const small = { box: { x: 1200, y: 300, width: 200, height: 200 }, spot: { x: 1300, y: 400 } };

/** Pictures in a loop that tell their number modulo eight by a marker; `pictures` is a multiple of eight. */
export type Film = { box: Box; spot: Spot; pictures: number; fps: number };
/** 720p30 in a window. */
export const video: Film = {
  box: { x: 320, y: 180, width: 1280, height: 720 },
  spot: { x: 360, y: 220 },
  pictures: 32,
  fps: 30,
};
/** All of the screen, 30 times a second. */
export const motion: Film = { box: { x: 0, y: 0, ...screen }, spot: { x: 40, y: 40 }, pictures: 32, fps: 30 };

/** Lines of text that push each other up, as a terminal shows them. */
export const scrolling = { box: { x: 100, y: 150, width: 1000, height: 702 }, lineHeight: 13, linesPerSecond: 20 };

/** The time of day, drawn once a second. */
export const clock = { box: { x: 1700, y: 80, width: 120, height: 24 } };

export const markerBoxes = {
  page: page.spots.map(markerAt),
  video: markerAt(video.spot),
  motion: markerAt(motion.spot),
};
