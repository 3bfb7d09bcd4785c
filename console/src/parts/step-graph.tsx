interface Step {
  readonly name: string;
  readonly kind?: string;
  readonly agent?: string;
  readonly dependsOn?: readonly string[];
}

const BOX = { width: 138, height: 44, gapX: 30, gapY: 14 };

/** A pipeline as a graph: each step stands behind all that it depends on. */
export function StepGraph({ name, steps }: { name: string; steps: readonly Step[] }) {
  const places = placesOf(steps);
  const width = Math.max(...[...places.values()].map(({ x }) => x + BOX.width)) + 2;
  const height = Math.max(...[...places.values()].map(({ y }) => y + BOX.height)) + 2;
  return (
    <div className="graph" tabIndex={0} role="group" aria-label={`Steps of ${name}`}>
      <svg width={width} height={height} role="img" aria-label={textOf(steps)}>
        {steps.flatMap((step) =>
          (step.dependsOn ?? []).map((from) => {
            const [a, b] = [places.get(from), places.get(step.name)];
            if (!a || !b) return null;
            const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
            const middle = (x1 + x2) / 2;
            return (
              <path
                key={`${from}-${step.name}`}
                d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}
                fill="none"
                stroke="var(--quiet)"
              />
            );
          }),
        )}
        {steps.map((step) => {
          const { x, y } = places.get(step.name)!;
          return (
            <g key={step.name} transform={`translate(${x} ${y})`}>
              <rect width={BOX.width} height={BOX.height} rx="6" fill="var(--page)" stroke="var(--line)" />
              <text x="10" y="18" fontWeight="600">
                {short(step.name)}
              </text>
              <text x="10" y="34" opacity="0.8">
                {short(step.agent ?? step.kind ?? '')}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function placesOf(steps: readonly Step[]): Map<string, { x: number; y: number }> {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const levels = new Map<string, number>();
  const levelOf = (name: string, above: readonly string[] = []): number => {
    const known = levels.get(name);
    if (known !== undefined) return known;
    const before = (byName.get(name)?.dependsOn ?? []).filter((one) => byName.has(one) && !above.includes(one));
    const level = before.length === 0 ? 0 : 1 + Math.max(...before.map((one) => levelOf(one, [...above, name])));
    levels.set(name, level);
    return level;
  };
  const filled: number[] = [];
  return new Map(
    steps.map(({ name }) => {
      const level = levelOf(name);
      const row = filled[level] ?? 0;
      filled[level] = row + 1;
      return [name, { x: 1 + level * (BOX.width + BOX.gapX), y: 1 + row * (BOX.height + BOX.gapY) }];
    }),
  );
}

function short(text: string): string {
  return text.length > 18 ? `${text.slice(0, 17)}…` : text;
}

function textOf(steps: readonly Step[]): string {
  return steps
    .map(({ name, dependsOn = [] }) => (dependsOn.length > 0 ? `${name} after ${dependsOn.join(' and ')}` : name))
    .join('; ');
}
