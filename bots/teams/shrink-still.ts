/** From the best to the smallest: pixels of width, and JPEG quality. */
const steps = [
  { width: 320, quality: 75 },
  { width: 320, quality: 50 },
  { width: 320, quality: 30 },
  { width: 240, quality: 30 },
] as const;

/**
 * A picture as a `data:` URI that fits into so many characters.
 *
 * @param jpeg a picture in any format that sharp reads
 * @throws RangeError when even the smallest does not fit, and whatever sharp throws at what is no picture
 */
export async function shrinkStill(jpeg: Buffer, charactersAtMost: number): Promise<string> {
  // Loaded when there is a picture: it takes 20 MB.
  const { default: sharp } = await import('sharp');
  for (const { width, quality } of steps) {
    const small = await sharp(jpeg)
      .resize({ width, withoutEnlargement: true })
      .jpeg({ quality, mozjpeg: true })
      .toBuffer();
    const uri = `data:image/jpeg;base64,${small.toString('base64')}`;
    if (uri.length <= charactersAtMost) return uri;
  }
  throw new RangeError(`the picture does not fit into ${charactersAtMost} characters`);
}
