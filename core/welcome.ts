/**
 * What `npm start` prints once it is ready: how to talk to it, within one screen.
 */
export function welcome(about: {
  seconds: number;
  publicUrl: string;
  /** A line or two from each bot. */
  describe: readonly string[];
  warnings: readonly string[];
  model: string | undefined;
  /** Only at the first start. */
  pairingCode: string | undefined;
}): string {
  const lines = [
    `Switchboard is ready at ${about.publicUrl} (${about.seconds.toFixed(1)} s).`,
    '',
    ...about.describe.map((line) => `  ${line}`),
    `  MCP        ${about.publicUrl}/workers/w-owner/mcp   (token: npx switchboard token w-owner)`,
    about.model
      ? `  Model      ${about.model}`
      : '  Model      none: Assistant looks up what was said. npx switchboard config set MODEL anthropic/<model>',
  ];
  if (about.pairingCode)
    lines.push(
      `  Pairing    ${about.pairingCode}   (send it to Assistant within 10 minutes to be known as the owner; npx switchboard pair)`,
    );
  if (about.warnings.length > 0) lines.push('', ...about.warnings.map((warning) => `  Note: ${warning}`));
  return `${lines.join('\n')}\n\n`;
}
