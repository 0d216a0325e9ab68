/** html-to-text 10 ships no types: this is the part of it that is used (its README, "Options"). */
declare module 'html-to-text' {
  export interface HtmlToTextOptions {
    wordwrap?: number | false;
    limits?: { maxInputLength?: number; maxDepth?: number; maxChildNodes?: number; ellipsis?: string };
    selectors?: { selector: string; format?: string; options?: Record<string, unknown> }[];
  }
  export function convert(html: string, options?: HtmlToTextOptions): string;
}
