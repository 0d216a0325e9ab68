import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How many lanes wait for each kind of work. */
export type LanesWaiting = { readonly activation: number; readonly delivery: number };

/**
 * What one process counts and times. Every name begins with `switchboard_` but those of the process itself (memory, file
 * descriptors, event loop lag). Words have few values by design: never an id, an address or a name that a person chose.
 */
export interface Metrics {
  /** Everything, in the Prometheus text format of {@link Metrics.contentType}. */
  page(): Promise<string>;
  readonly contentType: string;
  /** Supplies the count of waiting lanes, asked for at each page. While it fails there is no number, and the rest is there. */
  countLanesBy(read: () => Promise<LanesWaiting>): void;
  /** By kind of Stream (channel, mail, dm, activation) and of source (human, ai, system, notice). */
  eventAppended(streamKind: string, sourceKind: string): void;
  triggersWritten(count: number): void;
  /** @param waitedSeconds since the append of the oldest Event in its batch; not known for a takeover */
  activationStarted(waitedSeconds?: number): void;
  /** @param seconds since its start in this process */
  activationEnded(outcome: string, seconds: number): void;
  /** One attempt of a Delivery. */
  deliveryAttempted(bindingKind: string, outcome: string): void;
  /** A lease that this process held and lost. */
  leaseLost(kind: keyof LanesWaiting): void;
  /** A message from a workspace, tenant or mail domain that belongs to no Organisation: counted and stored nowhere. */
  installationRefused(bindingKind: string): void;
  requestAnswered(method: string, status: number, seconds: number): void;
}

/** Seconds: from a retrieval answer to the deadline of a long Activation (design §8, MODEL_DEADLINE). */
const ACTIVATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Seconds: finest around the 50 ms in which a woken core starts, up to the retry pauses (design §4, rule 6). */
const WAIT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300];

/** Seconds: platforms give up on a webhook after 3; a long poll takes up to 60. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10, 60];

/** Makes the metrics of a process, with a registry of their own, so that tests do not count each other's work. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `switchboard_${name}_total`, help, labelNames, registers });
  const seconds = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram({ name: `switchboard_${name}_seconds`, help, buckets, labelNames, registers });

  const events = counter('events', 'Events appended', ['stream_kind', 'source_kind']);
  const triggers = counter('triggers', 'Triggers written');
  const started = counter('activations_started', 'Activations started here, takeovers and repeats included');
  const waited = seconds('activation_wait', 'From append to the start of the Activation', WAIT_BUCKETS);
  const ended = counter('activations_ended', 'Activations ended here', ['outcome']);
  const took = seconds('activation', 'How long Activations took', ACTIVATION_BUCKETS);
  const deliveries = counter('deliveries', 'Attempts of Deliveries', ['binding_kind', 'outcome']);
  const leases = counter('leases_lost', 'Leases held here and lost', ['kind']);
  const refused = counter('refused_installations', 'Messages from outside every Organisation', ['binding_kind']);
  const requests = seconds('http_request', 'HTTP requests', REQUEST_BUCKETS, ['method', 'status']);

  let readLanes: (() => Promise<LanesWaiting>) | undefined;
  new Gauge({
    name: 'switchboard_lanes_waiting',
    help: 'Lanes with work that nobody has claimed',
    labelNames: ['kind'] as const,
    registers,
    async collect() {
      this.reset();
      const waiting = await readLanes?.().catch(() => undefined);
      if (waiting === undefined) return;
      this.set({ kind: 'activation' }, waiting.activation);
      this.set({ kind: 'delivery' }, waiting.delivery);
    },
  });

  return {
    page: () => registry.metrics(),
    contentType: registry.contentType,
    countLanesBy(read) {
      readLanes = read;
    },
    eventAppended: (streamKind, sourceKind) => events.inc({ stream_kind: streamKind, source_kind: sourceKind }),
    triggersWritten: (count) => triggers.inc(count),
    activationStarted(waitedSeconds) {
      started.inc();
      if (waitedSeconds !== undefined) waited.observe(waitedSeconds);
    },
    activationEnded(outcome, tookSeconds) {
      ended.inc({ outcome });
      took.observe(tookSeconds);
    },
    deliveryAttempted: (bindingKind, outcome) => deliveries.inc({ binding_kind: bindingKind, outcome }),
    leaseLost: (kind) => leases.inc({ kind }),
    installationRefused: (bindingKind) => refused.inc({ binding_kind: bindingKind }),
    requestAnswered: (method, status, tookSeconds) => requests.observe({ method, status }, tookSeconds),
  };
}
