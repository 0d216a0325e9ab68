/**
 * The formatters of html-to-text 10, which ships no types (its README, "Custom formatters" and "BlockTextBuilder methods"). The
 * rest of what is used is declared in bots/email/html-to-text.d.ts.
 */
declare module 'html-to-text' {
  export interface HtmlElement {
    name: string;
    attribs: Readonly<Record<string, string | undefined>>;
    children: readonly unknown[];
  }
  export interface BlockTextBuilder {
    addInline(text: string): void;
    addLiteral(text: string): void;
    addLineBreak(): void;
    openBlock(options?: { leadingLineBreaks?: number; isPre?: boolean }): void;
    closeBlock(options?: { trailingLineBreaks?: number }): void;
  }
  export type Walk = (children: readonly unknown[], builder: BlockTextBuilder) => void;
  export type Formatter = (
    element: HtmlElement,
    walk: Walk,
    builder: BlockTextBuilder,
    options: Readonly<Record<string, unknown>>,
  ) => void;
  export interface HtmlToTextOptions {
    formatters?: Readonly<Record<string, Formatter>>;
    baseElements?: { selectors: readonly string[]; returnDomByDefault?: boolean };
  }
}
