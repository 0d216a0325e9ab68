/** What system-packages.mjs offers, for those who read TypeScript: its own comments say more. */
export const packageNames: readonly string[];
export function missingPackages(): string[];
export function missingSoundPackages(): string[];
export function installCommand(names: readonly string[]): string;
export function installSystemPackages(
  run: (program: string, args: string[], env: Record<string, string>) => Promise<number>,
  marker: string,
  say: (line: string) => void,
): Promise<void>;
