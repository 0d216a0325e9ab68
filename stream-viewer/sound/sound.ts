import type { AudioFrame } from '../../sandbox/protocol.ts';
import { createSchedule, type Schedule } from './schedule.ts';

/** What the host's encoder makes (Opus knows no other rate). */
const format = { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 } as const;

/**
 * The Desktop's sound, once a person has switched it on: browsers play nothing before a tap, and nobody wants it unasked. Until then the
 * host sends none, and records none unless another viewer listens.
 */
export class Sound {
  readonly #ask: (enabled: boolean) => void;
  #context: AudioContext | null = null;
  #decoder: AudioDecoder | null = null;
  #schedule: Schedule = createSchedule();

  /** @param ask tells the host whether it is to send sound */
  constructor(ask: (enabled: boolean) => void) {
    this.#ask = ask;
  }

  get isOn(): boolean {
    return this.#context !== null;
  }

  /** From a tap. Returns whether it is on now. */
  toggle(): boolean {
    if (this.#context) this.#stop();
    else this.#context = new AudioContext({ sampleRate: format.sampleRate, latencyHint: 'interactive' });
    this.#ask(this.isOn);
    return this.isOn;
  }

  /** The host has said whether it sends sound. A connection that is new begins without, whatever the one before was told. */
  told(enabled: boolean): void {
    if (enabled === this.isOn) return;
    if (this.isOn) this.#schedule = createSchedule();
    this.#ask(this.isOn);
  }

  play({ data, ptsMicroseconds }: AudioFrame): void {
    if (!this.#context) return;
    const decoder = this.#decoder ?? this.#open();
    this.#decoder = decoder;
    const chunk = { type: 'key', timestamp: Number(ptsMicroseconds), data: data as Uint8Array<ArrayBuffer> } as const;
    decoder.decode(new EncodedAudioChunk(chunk));
  }

  #open(): AudioDecoder {
    const decoder = new AudioDecoder({
      output: (sound) => this.#output(sound),
      error: (error) => {
        console.warn(`the sound has stopped: ${error.message}`);
        // The next packet opens another.
        this.#decoder = null;
      },
    });
    decoder.configure(format);
    return decoder;
  }

  #output(sound: AudioData): void {
    const context = this.#context;
    const at = context && this.#schedule.at(sound.timestamp, context.currentTime);
    if (context && at !== null) {
      const { numberOfChannels, numberOfFrames, sampleRate } = sound;
      const buffer = context.createBuffer(numberOfChannels, numberOfFrames, sampleRate);
      for (let channel = 0; channel < numberOfChannels; channel += 1)
        sound.copyTo(buffer.getChannelData(channel), { planeIndex: channel, format: 'f32-planar' });
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(context.destination);
      source.start(at);
    }
    sound.close();
  }

  #stop(): void {
    void this.#context?.close();
    this.#context = null;
    if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = null;
    this.#schedule = createSchedule();
  }
}
