/** A picture in a tool's result: it goes to the caller as a picture, not as JSON. */
export class Picture {
  readonly data: Buffer;
  readonly mediaType: 'image/jpeg' | 'image/png';

  constructor(data: Buffer, mediaType: 'image/jpeg' | 'image/png') {
    this.data = data;
    this.mediaType = mediaType;
  }
}
