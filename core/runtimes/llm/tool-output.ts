import type { ToolResultPart } from 'ai';

/** A picture that a tool gave: base64, and its media type. */
export interface ToolPicture {
  data: string;
  mediaType: string;
}

/** What a tool said, as it is stored with the steps: a text, or one with pictures. */
export type ToolOutput = string | { text: string; pictures: ToolPicture[] };

/** The words of an output as it was stored; other versions may have stored other values. */
export function textOf(output: unknown): string {
  if (typeof output === 'string') return output;
  return hasPictures(output) ? output.text : JSON.stringify(output);
}

/** An output as the `ai` package takes it: pictures are parts of the content, never base64 in a text. */
export function modelOutput(output: unknown): ToolResultPart['output'] {
  if (!hasPictures(output)) return { type: 'text', value: textOf(output) };
  return {
    type: 'content',
    value: [
      { type: 'text', text: output.text },
      ...output.pictures.map(({ data, mediaType }) => ({
        type: 'file' as const,
        mediaType,
        data: { type: 'data' as const, data },
      })),
    ],
  };
}

function hasPictures(output: unknown): output is Exclude<ToolOutput, string> {
  return typeof output === 'object' && output !== null && 'pictures' in output;
}
