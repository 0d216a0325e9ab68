/**
 * What a host process and the supervisor inside a sandbox say to each other, one JSON object a line: the host on the supervisor's
 * stdin, the supervisor on its stdout. No socket in a file system: only the process that started the sandbox can speak to it, and
 * when that process dies, stdin ends and so does the sandbox.
 *
 * The host must treat what comes back as written by anybody: programs inside run as the same user as the supervisor.
 */

/** The UNIX sockets by which a Desktop is heard, made by its supervisor. */
export interface SoundSockets {
  /** Programs play here, by PulseAudio's protocol. */
  server: string;
  /** Whoever connects gets what is played: samples of 16 bit, little endian, left and right, 48,000 a second. Nothing is read from it. */
  capture: string;
}

/** What the supervisor is started with: its only argument, as JSON. Paths are those inside. */
export interface SupervisorOptions {
  home: string;
  /** The X cookie's file, made by the host. */
  authority: string;
  width: number;
  height: number;
  /** The filtering proxy's UNIX socket; null: no network. */
  proxySocket: string | null;
  /** Null: this Desktop has no sound. */
  sound: SoundSockets | null;
  /** False where something else on this machine has processes with our user id: then only our own children are ended. */
  ownsAllProcesses: boolean;
}

/** Host → supervisor. */
export type SupervisorRequest =
  | { id: number; do: 'run'; command: string; timeoutMs: number; outputBytes: number }
  /** Kills the command of request `of`, which then answers as if it had been killed. */
  | { id: number; do: 'cancel'; of: number }
  | { id: number; do: 'open_url'; url: string }
  | { id: number; do: 'read'; path: string; offset: number; bytes: number }
  /** `data`: base64. */
  | { id: number; do: 'write'; path: string; data: string };

/** What a request answers with. `stdout`, `stderr` and `data`: base64. */
export interface RunAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
  truncated: boolean;
  timedOut: boolean;
}
export interface ReadAnswer {
  data: string;
  size: number;
}

/** `off`: not asked for. `missing`: the Desktop runs without, for a reason that is told as a sentence. */
export type SoundState = { state: 'off' } | { state: 'on' } | { state: 'missing'; why: string };

/** Supervisor → host. */
export type SupervisorMessage =
  /** The X server answers on this display number and the window manager runs. */
  | { type: 'ready'; display: number; sound: SoundState }
  | { type: 'done'; id: number; result: RunAnswer | ReadAnswer | null }
  | { type: 'error'; id: number; message: string }
  /** It could not start, or something that the Desktop needs has died. The last message. */
  | { type: 'ended'; reason: string };
