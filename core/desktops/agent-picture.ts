/**
 * An agent sees the screen in pictures whose longer side has at most so many pixels, and says positions in their pixels. Models are shown
 * no larger ones anyway (providers scale down, from about 1500 pixels on), and then miss what they point at.
 */
const longerSide = 1280;

/** The size of the picture that an agent is shown of a screen. */
export function agentPicture(screen: { width: number; height: number }): { width: number; height: number } {
  const factor = factorOf(screen);
  return { width: Math.round(screen.width / factor), height: Math.round(screen.height / factor) };
}

/** Where on the screen a position of that picture is, within its bounds. */
export function onScreen(
  screen: { width: number; height: number },
  position: { x: number; y: number },
): { x: number; y: number } {
  const factor = factorOf(screen);
  return {
    x: Math.min(Math.round(position.x * factor), screen.width - 1),
    y: Math.min(Math.round(position.y * factor), screen.height - 1),
  };
}

function factorOf({ width, height }: { width: number; height: number }): number {
  return Math.max(1, Math.max(width, height) / longerSide);
}
