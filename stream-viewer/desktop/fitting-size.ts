/** What a host takes (sandbox/host/messages.ts). */
const limits = { least: 320, mostWide: 3840, mostHigh: 2400 };
/** The shorter side of a Desktop that was made for a phone: less, and web pages and menus no longer have room. */
const shorterSide = 720;

/** The size of a Desktop that would fill a stage of so many CSS pixels: its shape, even numbers, and room enough to work in. */
export function fittingSize(stage: { width: number; height: number }): { width: number; height: number } {
  const scale = Math.max(1, shorterSide / Math.min(stage.width, stage.height));
  return {
    width: even(stage.width * scale, limits.mostWide),
    height: even(stage.height * scale, limits.mostHigh),
  };
}

/** H.264 has no odd sizes in 4:2:0. */
function even(pixels: number, most: number): number {
  return Math.min(most, Math.max(limits.least, Math.round(pixels / 2) * 2));
}
