/** One figure of a benchmark: what was measured, and the goal beside it. `ok` is null where there is no goal. */
export interface Figure {
  value: number;
  goal: string | null;
  ok: boolean | null;
}

/** Collects figures and prints each as it comes, met or not. */
export function createFigures() {
  const figures: Record<string, Figure> = {};
  return {
    /** `atMost` and `atLeast` are goals; without one the figure is only said. */
    add(name: string, value: number, unit: string, goal: { atMost?: number; atLeast?: number } = {}): void {
      const rounded = Number(value.toPrecision(4));
      const { atMost, atLeast } = goal;
      const said = atMost !== undefined ? `≤ ${atMost}` : atLeast !== undefined ? `≥ ${atLeast}` : null;
      const ok =
        said === null ? null : (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
      figures[name] = { value: rounded, goal: said, ok };
      const verdict = ok === null ? '' : `   goal ${said}   ${ok ? 'met' : 'NOT MET'}`;
      console.log(`${name.padEnd(44)} ${String(rounded).padStart(10)} ${unit.padEnd(8)}${verdict}`);
    },
    all: () => figures,
    /** True when no goal was missed. */
    met: () => Object.values(figures).every((figure) => figure.ok !== false),
  };
}

/** The value below which a share of the samples lies (nearest rank). */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
