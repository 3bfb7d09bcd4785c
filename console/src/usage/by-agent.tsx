import type { UsageView } from 'carrel/client';
import { Rows } from '../parts/rows.js';
import { durationText } from '../parts/shown.js';

type Agent = UsageView['agents'][number];

const ENDS = [
  { name: 'completed', statuses: ['completed'], colour: 'var(--ok)' },
  { name: 'degraded', statuses: ['degraded'], colour: 'var(--warn)' },
  { name: 'failed or timed out', statuses: ['failed', 'timed_out'], colour: 'var(--bad)' },
  { name: 'cancelled', statuses: ['cancelled'], colour: 'var(--bar-wait)' },
] as const;

/** Runs, times and tokens of each agent, as numbers and as bars beside those of the others. */
export function ByAgent({ agents }: { agents: readonly Agent[] }) {
  const most = (amountOf: (agent: Agent) => number) => Math.max(...agents.map(amountOf));
  const [mostRuns, longestMs, mostTokens] = [most(runsOf), most(averageMsOf), most(tokensOf)];
  return (
    <div className="card">
      <Rows columns={['Agent', 'Runs', 'Ran, on average', ...(mostTokens > 0 ? ['Tokens'] : [])]}>
        {agents.map((agent) => (
          <tr key={agent.agent}>
            <td>{agent.agent}</td>
            <td>
              {runsOf(agent).toLocaleString()}
              <Meter label={endsText(agent)} parts={endsOf(agent)} most={mostRuns} />
            </td>
            <td>
              {durationText(averageMsOf(agent))}
              <Meter parts={[{ amount: averageMsOf(agent), colour: 'var(--busy)' }]} most={longestMs} />
            </td>
            {mostTokens > 0 && (
              <td>
                {tokensOf(agent) === 0 ? <span className="quiet">–</span> : tokensText(agent)}
                <Meter parts={[{ amount: tokensOf(agent), colour: 'var(--busy)' }]} most={mostTokens} />
              </td>
            )}
          </tr>
        ))}
      </Rows>
      <div className="legend small" aria-hidden="true">
        {ENDS.map(({ name, colour }) => (
          <span key={name}>
            <span style={{ color: colour }}>■</span> {name}
          </span>
        ))}
      </div>
    </div>
  );
}

interface MeterProps {
  /** Left out where the number beside it says the same. */
  readonly label?: string;
  readonly parts: readonly { readonly amount: number; readonly colour: string }[];
  readonly most: number;
}

function Meter({ label, parts, most }: MeterProps) {
  const share = (amount: number) => (most === 0 ? 0 : (amount / most) * 100);
  const before = (i: number) => parts.slice(0, i).reduce((sum, { amount }) => sum + amount, 0);
  const said = label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label };
  return (
    <svg className="meter" viewBox="0 0 100 1" preserveAspectRatio="none" {...said}>
      {parts.map(({ amount, colour }, i) => (
        <rect key={colour} x={share(before(i))} width={share(amount)} height="1" fill={colour} />
      ))}
    </svg>
  );
}

function endsOf({ runs }: Agent) {
  return ENDS.map(({ name, statuses, colour }) => {
    const amount = statuses.reduce((sum, status) => sum + runs[status], 0);
    return { name, colour, amount };
  });
}

function endsText(agent: Agent): string {
  return endsOf(agent)
    .map(({ name, amount }) => `${amount} ${name}`)
    .join(', ');
}

function runsOf({ runs }: Agent): number {
  return Object.values(runs).reduce((sum, count) => sum + count, 0);
}

function averageMsOf(agent: Agent): number {
  return agent.ranMs.sum / Math.max(1, runsOf(agent));
}

function tokensOf({ usage: { inputTokens = 0, outputTokens = 0 } }: Agent): number {
  return inputTokens + outputTokens;
}

function tokensText({ usage: { inputTokens = 0, outputTokens = 0 } }: Agent): string {
  return `${inputTokens.toLocaleString()} in, ${outputTokens.toLocaleString()} out`;
}
