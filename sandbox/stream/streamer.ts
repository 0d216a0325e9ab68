import type { AgentStep } from '../agent-step.ts';
import type { XDisplay } from '../drivers/driver.ts';
import type { ViewerMode } from '../protocol.ts';
import type { SocketAddress } from '../remote-frames/socket-address.ts';

/** What encodes H.264 on the machine that it runs on. */
export const localEncoderNames = ['h264_nvenc', 'h264_vaapi', 'h264_videotoolbox', 'libx264'] as const;
export type LocalEncoderName = (typeof localEncoderNames)[number];

/** How the picture can be encoded, the best first: H.264 by one of these. `remote`: by the process that REMOTE_ENCODER names. */
export const encoderNames = ['h264_nvenc', 'h264_vaapi', 'h264_videotoolbox', 'remote', 'libx264'] as const;
export type EncoderName = (typeof encoderNames)[number];

/** Where the process is that encodes for this host (sandbox/remote-frames). */
export interface RemoteEncoder {
  at: SocketAddress;
  token: string;
}

/** What works on this host. */
export interface Encoders {
  /** The best first; one that fails is followed by the next. None: the picture is stills. */
  names: readonly EncoderName[];
  /** Null: none is configured. */
  remote: RemoteEncoder | null;
}

/** What a streamer process is started with. */
export interface StreamerOptions {
  desktop: string;
  display: XDisplay;
  encoders: Encoders;
  /** The socket that gives what the Desktop plays (SandboxSound, sandbox/drivers/driver.ts). Null: it has no sound. */
  sound: string | null;
  /** Pictures a second at most. */
  fps: number;
  /** Where recordings are kept. */
  recordings: string;
}

/** How the picture is being encoded. */
export interface EncodingState {
  encoder: EncoderName;
  /** The preset of x264; null for hardware. */
  effort: 'veryfast' | 'ultrafast' | null;
  /** Pictures a second at most. */
  fps: number;
  /** Bits a second at most. */
  bitrate: number;
}

/** A person who watches, as the core knows them. */
export interface ViewerPerson {
  /** This connection's id. */
  viewer: string;
  /** The Worker's id, or null for whoever holds a link of the thread. */
  subject: string | null;
  /** What the others see. */
  name: string;
  mode: ViewerMode;
}

/** A viewer that waits at a core process: the streamer connects there, and speaks the wire format of protocol.ts from then on. */
export interface ViewerDial {
  /** `ws:` or `wss:`. */
  url: string;
  /** Sent as `Authorization: Bearer`; good once. */
  ticket: string;
  person: ViewerPerson;
}

/** A still of the screen that is wanted. */
export interface StillRequest {
  format: 'jpeg' | 'png';
  /** 1 to 100. */
  quality: number;
  /** Scaled down to so many pixels; undefined: as it is. Never scaled up. */
  width?: number;
  /** The damage serial that the asker has: nothing is encoded if nothing has changed since. */
  unless?: number;
}

export interface Still {
  /** Grows with every change of the screen. */
  serial: number;
  width: number;
  height: number;
  /** Absent: the asker has it already. */
  data?: Buffer;
}

/** Who has the input. */
export interface Controller {
  viewer: string;
  name: string;
}

/** What a streamer tells the host process. */
export interface StreamerListener {
  /** Who is connected now. */
  viewers(people: readonly ViewerPerson[]): void;
  /** A viewer whose mode is control wants the input, or gives it back. The host answers by {@link Streamer.setController}. */
  controlAsked(person: ViewerPerson): void;
  controlReleased(person: ViewerPerson): void;
  /** What the person who controls did, as steps in words, since the last call; never what was typed into it. */
  personDid(steps: readonly string[]): void;
  resized(width: number, height: number): void;
  /** The encoder was opened, or its bitrate has changed. */
  encoding?(state: EncodingState): void;
  /** Something failed that the picture outlives, as a sentence for the host's log. It holds nothing that was typed or copied. */
  trouble?(what: string): void;
}

/** The process that captures, encodes and sends one Desktop's screen, and types and clicks there. Seen from the host process. */
export interface Streamer {
  readonly pid: number;
  dial(viewer: ViewerDial): void;
  still(request: StillRequest): Promise<Still>;
  /** @throws InputRefusedError while a person controls, or for a key that does not exist */
  act(steps: readonly AgentStep[]): Promise<void>;
  setController(controller: Controller | null): void;
  resize(width: number, height: number): Promise<void>;
  /** Records from now on under this name, until it is called with null. */
  record(activation: string | null): void;
  /** The last seconds as an MP4 file. @throws NothingRecordedError */
  clip(seconds: number): Promise<Buffer>;
  /** Resolves when the process has ended, whatever the reason. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** The agent's input was not done: a person has it, or it asks for something that does not exist. */
export class InputRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InputRefusedError';
  }
}

/** There is no picture of the time that was asked for. */
export class NothingRecordedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NothingRecordedError';
  }
}
