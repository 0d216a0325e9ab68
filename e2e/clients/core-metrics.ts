/** What a core's `/metrics` says now. */
export type CoreMetrics = {
  /** The sum of a metric's values over all label sets that have these labels; 0 when there is none. */
  sum(name: string, labels?: Record<string, string>): number;
};

/** Reads the metrics of a core at e.g. `http://127.0.0.1:8080`. Throws an Error when it does not answer 200. */
export async function readMetrics(url: string): Promise<CoreMetrics> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const page = await response.text();
  if (response.status !== 200) throw new Error(`${url}/metrics answers ${response.status}: ${page}`);
  const samples = page.split('\n').flatMap(readSample);
  return {
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
        .reduce((total, sample) => total + sample.value, 0),
  };
}

/** A line of the Prometheus text format. Our own label values have no quotes or commas in them. */
function readSample(line: string): { name: string; labels: Record<string, string>; value: number }[] {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
  if (!match) return [];
  const [, name = '', labels = '', value] = match;
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]);
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}
