import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap grow by at most 40 % of what lived through the last full collection before the next one. V8 lets it grow in proportion
 * to the machine's memory instead: measured under mixed traffic on 24 GB, 110 MiB of living objects were collected at 350, and
 * the process kept the difference. Call it once, before anything else is done.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=40');
}
