import type { ModelMessage, ToolModelMessage } from 'ai';

type Part = ToolModelMessage['content'][number];
type Result = Extract<Part, { type: 'tool-result' }>;
type Content = Extract<Result['output'], { type: 'content' }>['value'][number];
type File = Extract<Content, { type: 'file' }>;

/**
 * Messages for chat completions, whose tool results hold text only (the package would send a picture as base64 in it): the pictures of a
 * tool message come in a message of the user right behind it. What was treated already stays as it is.
 */
export function picturesAside(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (message.role !== 'tool') return [message];
    const pictures: { tool: string; file: File }[] = [];
    const content = message.content.map((part) => withoutPictures(part, pictures));
    if (pictures.length === 0) return [message];
    const shown = pictures.flatMap(({ tool, file }) => [
      { type: 'text' as const, text: `(The picture that ${tool} gave:)` },
      { type: 'file' as const, mediaType: file.mediaType, data: file.data },
    ]);
    return [
      { ...message, content },
      { role: 'user', content: shown },
    ];
  });
}

function withoutPictures(part: Part, pictures: { tool: string; file: File }[]): Part {
  if (part.type !== 'tool-result' || part.output.type !== 'content') return part;
  const texts: string[] = [];
  for (const one of part.output.value) {
    if (one.type === 'text') texts.push(one.text);
    if (one.type === 'file') pictures.push({ tool: part.toolName, file: one });
  }
  return { ...part, output: { type: 'text', value: texts.join('\n') } };
}
