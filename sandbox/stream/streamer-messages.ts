import type { AgentStep } from '../agent-step.ts';
import type {
  Controller,
  EncodingState,
  Still,
  StillRequest,
  StreamerOptions,
  ViewerDial,
  ViewerPerson,
} from './streamer.ts';

/**
 * What the host process and its streamer process say to each other, over Node's channel between a parent and its child: structured
 * clones, so that a still's bytes are sent as they are. Both sides are the same build.
 */

/** What is asked and answered. */
export type Question =
  | { method: 'still'; request: StillRequest }
  | { method: 'act'; steps: readonly AgentStep[] }
  | { method: 'resize'; width: number; height: number }
  | { method: 'clip'; seconds: number };

/** What a question is answered with. */
export type Answer = Still | Buffer | undefined;

/** Host → streamer. `start` is the first, and never again. */
export type ToStreamer =
  | { type: 'start'; options: StreamerOptions }
  | { type: 'dial'; viewer: ViewerDial }
  | { type: 'controller'; controller: Controller | null }
  | { type: 'record'; activation: string | null }
  | { type: 'ask'; id: number; question: Question }
  | { type: 'stop' };

/** Which error of the port it is. */
export type RefusalKind = 'input_refused' | 'nothing_recorded' | 'failed';

/** Streamer → host. */
export type FromStreamer =
  | { type: 'ready' }
  /** It ends: why. */
  | { type: 'failed'; reason: string }
  | { type: 'viewers'; people: readonly ViewerPerson[] }
  | { type: 'control_asked'; person: ViewerPerson }
  | { type: 'control_released'; person: ViewerPerson }
  | { type: 'person_did'; steps: readonly string[] }
  | { type: 'resized'; width: number; height: number }
  | { type: 'encoding'; state: EncodingState }
  | { type: 'trouble'; what: string }
  | { type: 'answer'; id: number; answer: Answer }
  | { type: 'refused'; id: number; kind: RefusalKind; message: string };
