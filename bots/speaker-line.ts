/** A caption's speaker as the first line of a message of markdown. */
export function speakerLine(speaker: string): string {
  return `**${speaker.replaceAll(/[*_`\\[\]<>]/g, '\\$&')}**`;
}
