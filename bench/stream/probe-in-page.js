/*
 * Runs in the page that is measured (canvas-probe.ts puts it there). It looks right after a frame has been made, so that what the page
 * draws in its own animation frame counts for that frame, and reads one pixel a spot through a small canvas of its own, so that the
 * page's stays as it is.
 */
globalThis.probe = (() => {
  const scratch = new OffscreenCanvas(8, 1).getContext('2d', { willReadFrequently: true });
  const after = new MessageChannel();
  const seenWithinMs = 10_000;
  let look;
  let seen;

  const now = () => performance.timeOrigin + performance.now();
  const frame = () => after.port2.postMessage(0);
  after.port1.onmessage = () => {
    if (look()) look = undefined;
    else requestAnimationFrame(frame);
  };
  function eachFrame(isDone) {
    if (!look) requestAnimationFrame(frame);
    look = isDone;
  }

  function screenCanvas() {
    return [...document.querySelectorAll('canvas')].sort((a, b) => b.width * b.height - a.width * a.height)[0];
  }

  /** The colours at spots by their numbers (scenes.ts, colourOf); -1 where nothing was painted yet, none without a canvas. */
  function codesAt(spots) {
    const canvas = screenCanvas();
    if (!canvas || canvas.width < 640) return [];
    for (const [n, { x, y }] of spots.entries()) scratch.drawImage(canvas, x, y, 1, 1, n, 0, 1, 1);
    const { data } = scratch.getImageData(0, 0, spots.length, 1);
    return spots.map((_, n) => {
      const [red, green, blue, alpha] = data.subarray(4 * n, 4 * n + 4);
      return alpha === 0 ? -1 : (red > 127 ? 1 : 0) + (green > 127 ? 2 : 0) + (blue > 127 ? 4 : 0);
    });
  }

  return {
    watch(spots, code) {
      const until = now() + seenWithinMs;
      seen = new Promise((resolve, reject) =>
        eachFrame(() => {
          const codes = codesAt(spots);
          const found = codes.length > 0 && codes.every((each) => each === code);
          if (found) resolve(now());
          else if (now() > until)
            reject(new Error(`colour ${code} did not come to ${JSON.stringify(spots)}; there is [${codes}]`));
          return found || now() > until;
        }),
      );
      // whoever asks for it gets the failure
      seen.catch(() => {});
    },

    seen: () => seen,

    countChanges: (spot, ms) =>
      new Promise((resolve) => {
        const began = now();
        let changes = 0;
        let [last] = codesAt([spot]);
        eachFrame(() => {
          const [code] = codesAt([spot]);
          if (code !== last) changes += 1;
          last = code;
          const over = now() - began >= ms;
          if (over) resolve({ changes, ms: now() - began });
          return over;
        });
      }),

    frameRate: (ms) =>
      new Promise((resolve) => {
        const began = now();
        let frames = 0;
        eachFrame(() => {
          frames += 1;
          const over = now() - began >= ms;
          if (over) resolve((frames * 1000) / (now() - began));
          return over;
        });
      }),

    still: () => screenCanvas()?.toDataURL('image/png') ?? '',
  };
})();
