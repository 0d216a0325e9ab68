/**
 * Runs a stand-in as a program: prints `listening <url>` as the first line on stdout, ends with code 0 on SIGTERM or
 * SIGINT, and with code 1 and one sentence on stderr when it cannot start.
 */
export async function runProgram(start: () => Promise<{ url: string; close(): Promise<void> }>): Promise<void> {
  try {
    const running = await start();
    const end = () => void running.close().then(() => process.exit(0));
    process.once('SIGTERM', end);
    process.once('SIGINT', end);
    process.stdout.write(`listening ${running.url}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
