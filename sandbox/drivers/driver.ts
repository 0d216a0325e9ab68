/** How far a Desktop's processes may go. A Driver that cannot hold one of them says so in its report. */
export interface Limits {
  /** All processes of the Desktop together. */
  memoryBytes: number;
  /** Cores: 1.5 is one and a half. */
  cpus: number;
  processes: number;
  /** The home folder and whatever else may be written. */
  diskBytes: number;
}

/** What the network inside may reach: nothing, or these hosts through a filtering proxy. Names, or `*.name` with all below it. */
export type Network = { kind: 'none' } | { kind: 'allow'; hosts: readonly string[] };

/** A sandbox that is wanted. */
export interface SandboxRequest {
  /** The Desktop's id: a name for its folders, containers and cgroups. */
  desktop: string;
  /** Its home on this host, made by the caller; the only thing that stays. */
  home: string;
  /** A folder of its own on this host for its sockets (X) and its X cookie, made by the caller, removed afterwards. */
  runtime: string;
  limits: Limits;
  network: Network;
  width: number;
  height: number;
  /** Whether its programs are given a sound server. */
  sound: boolean;
}

/** Where the screen of a sandbox can be reached from the host. */
export interface XDisplay {
  /** The X server's UNIX socket, as the host sees it. */
  socketPath: string;
  /** MIT-MAGIC-COOKIE-1, 32 hex digits. Whoever holds it sees and types everything: never in logs. */
  cookie: string;
}

/**
 * How a sandbox is heard. `on`: a UNIX socket, as the host sees it, gives what is played while somebody is connected: samples of 16 bit,
 * little endian, left and right, 48,000 a second, as fast as programs inside please. Nothing is written to it. `missing`: it was asked
 * for and is not there, `why` is a sentence.
 */
export type SandboxSound = { state: 'off' } | { state: 'on'; socketPath: string } | { state: 'missing'; why: string };

/** One command inside. */
export interface CommandRequest {
  /** Given to `bash -lc`. */
  command: string;
  timeoutMs: number;
  /** Of stdout and stderr each; the rest is thrown away and `truncated` says so. */
  outputBytes: number;
  signal?: AbortSignal;
}

export interface CommandResult {
  /** 128 + n for signal n, as a shell says it. */
  exitCode: number;
  stdout: string;
  stderr: string;
  truncated: boolean;
  timedOut: boolean;
}

/** A Desktop's sandbox at work: an X server, a window manager, a terminal and a browser in it. */
export interface Sandbox {
  readonly display: XDisplay;
  readonly sound: SandboxSound;
  run(request: CommandRequest): Promise<CommandResult>;
  /** Opens an http or https address in the Desktop's browser, starting that if need be. */
  openUrl(url: string): Promise<void>;
  /** A path is relative to the home folder or absolute inside the sandbox. At most `bytes` of it from `offset`. */
  readFile(path: string, offset: number, bytes: number): Promise<{ data: Buffer; size: number }>;
  /** Makes the folders above it. */
  writeFile(path: string, data: Buffer): Promise<void>;
  /** Resolves with the reason when the sandbox has ended by itself: the X server died, a limit was passed. */
  readonly ended: Promise<string>;
  /** Ends every process of it. Returns when they are gone. */
  stop(): Promise<void>;
}

/** Whether something works on this host, and if not, why and what would help. One line for `host doctor`. */
export interface Report {
  name: string;
  works: boolean;
  /** A sentence. */
  detail: string;
}

/** What isolates a Desktop from its host. */
export interface Driver {
  readonly name: 'process' | 'container' | 'unisolated';
  /** Tries it: starts the smallest sandbox that shows it. */
  probe(): Promise<Report>;
  /** Whether what it starts can be heard: looks for the programs that it takes. */
  probeSound(): Promise<Report>;
  /** @throws DriverError when it could not be started; nothing of it is left. */
  start(request: SandboxRequest): Promise<Sandbox>;
  /** Ends what a host process that was killed has left behind: sandboxes of Desktops that are not in `keep`. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** A sandbox that could not be started or used: the message says why and what to do. */
export class DriverError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DriverError';
  }
}
