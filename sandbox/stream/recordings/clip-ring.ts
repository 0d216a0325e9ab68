import { createFragmentedMp4 } from '../../encode/fragmented-mp4.ts';
import type { NodeAv } from '../../encode/node-av.ts';
import { fitOneFile, type LivePicture } from '../live-video.ts';
import { NothingRecordedError } from '../streamer.ts';

/** The last pictures of a screen, kept in memory. */
export interface ClipRing {
  add(picture: LivePicture): void;
  /** The screen has changed while no pictures were made of it: what is there is no longer what it shows, and what comes does not follow from it. */
  missed(): void;
  /**
   * What was shown in the last seconds as an MP4; where the screen had another size or encoder in between, or nobody has looked at what it did, since
   * then. What came between the keyframe before that and its beginning is there as a flash, because the rest builds on it. The last
   * picture stays until now if the screen still shows it; else the seconds before it are meant.
   *
   * @throws NothingRecordedError when there is no picture
   */
  clip(seconds: number): Promise<Buffer>;
  readonly bytes: number;
}

/** Pictures are kept for this long and up to this many bytes. */
export const ringAtMost = { seconds: 60, bytes: 64 * 1024 * 1024 };

/** A keyframe and what builds on it. */
interface Group {
  pictures: LivePicture[];
  bytes: number;
  /** Whether it shows all that has happened since the group before. */
  follows: boolean;
}

const microseconds = 1_000_000;
/** How long each picture is shown that is only built upon. */
const flashMicroseconds = 1000n;

/** Keeps whole groups of pictures, since nothing can be shown of one without its keyframe. */
export function createClipRing(av: NodeAv, nowMicroseconds: () => number = hostClock): ClipRing {
  const groups: Group[] = [];
  let bytes = 0;
  let hasMissed = false;

  function dropOldest(): void {
    bytes -= groups.shift()?.bytes ?? 0;
  }

  /** The second group begins where the first ends: with that far enough back, the first is not needed. */
  function isOver(group: Group | undefined): boolean {
    const begin = group?.pictures[0]?.ptsMicroseconds;
    return begin !== undefined && Number(begin) <= nowMicroseconds() - ringAtMost.seconds * microseconds;
  }

  function wanted(from: bigint): LivePicture[] {
    const begins = groups.findLastIndex(({ pictures: [first] }) => first && first.ptsMicroseconds <= from);
    const whole = groups.findLastIndex(({ follows }) => !follows);
    const found = groups.slice(Math.max(begins, whole, 0)).flatMap(({ pictures }) => pictures);
    const last = found.at(-1);
    const other = found.findLastIndex((picture) => !last || !fitOneFile(picture, last));
    return found.slice(other + 1);
  }

  return {
    add(picture) {
      if (picture.key) groups.push({ pictures: [], bytes: 0, follows: !hasMissed });
      hasMissed = false;
      const group = groups.at(-1);
      if (!group) return;
      group.pictures.push(picture);
      group.bytes += picture.data.byteLength;
      bytes += picture.data.byteLength;
      while (isOver(groups[1]) || bytes > ringAtMost.bytes) dropOldest();
    },
    missed() {
      hasMissed = true;
    },
    async clip(seconds) {
      const isLive = !hasMissed;
      const last = groups.at(-1)?.pictures.at(-1);
      const end = isLive ? BigInt(Math.round(nowMicroseconds())) : (last?.ptsMicroseconds ?? 0n);
      const from = end - BigInt(Math.round(seconds * microseconds));
      const pictures = beginningAt(from, wanted(from));
      const [first] = pictures;
      if (!first)
        throw new NothingRecordedError(
          'nothing of this desktop was recorded: pictures are kept while somebody watches it or an activation is recorded',
        );
      const pieces: Buffer[] = [];
      const file = await createFragmentedMp4(av, { ...first, first }, (piece) => pieces.push(piece));
      for (const picture of pictures) await file.write(picture);
      await file.close(isLive ? end : undefined);
      return Buffer.concat(pieces);
    },
    get bytes() {
      return bytes;
    },
  };
}

/** The same pictures, the earlier ones one after the other just before `from`. */
function beginningAt(from: bigint, pictures: readonly LivePicture[]): LivePicture[] {
  const earlier = pictures.filter(({ ptsMicroseconds }) => ptsMicroseconds < from).length;
  return pictures.map((picture, n) =>
    n < earlier ? { ...picture, ptsMicroseconds: from - BigInt(earlier - n) * flashMicroseconds } : picture,
  );
}

function hostClock(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
