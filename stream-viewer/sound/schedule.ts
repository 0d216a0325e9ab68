/** The first packet is played so much later than it came, so that the next ones may be late. Seconds. */
const ahead = 0.08;
/** What is later than this is left out: a gap is heard less than a delay that grows. Seconds. */
const lateAtMost = 0.1;
/** So many in a row, and it is not the link but the clocks: counting begins anew. */
const lateInARow = 10;

/** When packets are to be played. */
export interface Schedule {
  /**
   * @param ptsMicroseconds when it was recorded, on the host's clock
   * @param now seconds on the player's clock
   * @returns seconds on the player's clock, or null: leave it out
   */
  at(ptsMicroseconds: number, now: number): number | null;
}

/** By their time stamps, counted from the first one: neither the link nor the decoder changes how long anything lasts. */
export function createSchedule(): Schedule {
  let first: { pts: number; at: number } | null = null;
  let late = 0;
  return {
    at(pts, now) {
      if (first === null || late >= lateInARow) {
        first = { pts, at: now + ahead };
        late = 0;
      }
      const at = first.at + (pts - first.pts) / 1e6;
      if (at < now - lateAtMost) {
        late += 1;
        return null;
      }
      late = 0;
      return Math.max(at, now);
    },
  };
}
