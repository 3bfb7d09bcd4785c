import { Progress, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { UsageView } from 'carrel/client';
import { useState } from 'react';
import { useCarrel } from '../carrel.js';
import { Rows } from '../parts/rows.js';
import { durationText } from '../parts/shown.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
type Agent = UsageView['agents'][number];

export function UsagePage() {
  const { client } = useCarrel();
  const [days, setDays] = useState('30');
  const usage = useQuery({
    queryKey: ['usage', days],
    queryFn: ({ signal }) =>
      client.me.usage({ from: new Date(Date.now() - (Number(days) - 1) * DAY_MS).toISOString().slice(0, 10), signal }),
  });
  return (
    <>
      <PageTitle title="Usage">
        <span className="grow" />
        <Select
          aria-label="Days"
          allowDeselect={false}
          data={[
            { value: '1', label: 'Today' },
            { value: '7', label: '7 days' },
            { value: '30', label: '30 days' },
            { value: '365', label: 'A year' },
          ]}
          value={days}
          onChange={(value) => setDays(value ?? '30')}
        />
      </PageTitle>
      <Loaded query={usage}>
        {(view) => (
          <div className="stack">
            <Budgets budgets={view.budgets} />
            {view.agents.length === 0 ? (
              <Empty title="Nothing has run in these days" />
            ) : (
              <ByAgent agents={view.agents} />
            )}
          </div>
        )}
      </Loaded>
    </>
  );
}

function Budgets({ budgets }: { budgets: UsageView['budgets'] }) {
  const shown = budgets.filter(({ used }) => used !== undefined);
  if (shown.length === 0) return null;
  return (
    <div className="cards">
      {shown.map(({ scope, unit, limit, used = 0 }) => (
        <div key={`${scope} ${unit}`} className="card stack">
          <div style={{ display: 'flex', justifyContent: 'space-between' }}>
            <strong>
              {unit === 'usd' ? 'Dollars' : 'Tokens'} a {scope}
            </strong>
            <span>
              {used.toLocaleString()} <span className="quiet">of {limit.toLocaleString()}</span>
            </span>
          </div>
          <Progress
            value={(used / limit) * 100}
            aria-label={`${unit} a ${scope}`}
            color={used >= limit * 0.8 ? 'orange' : 'blue'}
          />
        </div>
      ))}
    </div>
  );
}

function ByAgent({ agents }: { agents: readonly Agent[] }) {
  const most = Math.max(...agents.map(totalOf));
  return (
    <div className="card">
      <Rows
        columns={[
          'Agent',
          'Runs',
          { title: 'Share', hideNarrow: true, isSilent: true },
          'Ran, on average',
          { title: 'Used', hideNarrow: true },
        ]}
      >
        {agents.map((agent) => (
          <tr key={agent.agent}>
            <td>{agent.agent}</td>
            <td>
              {totalOf(agent)}
              {agent.runs.failed + agent.runs.timed_out > 0 && (
                <span className="status small" data-tone="bad">
                  {' '}
                  ✕ {agent.runs.failed + agent.runs.timed_out} failed
                </span>
              )}
            </td>
            <td className="hide-narrow">
              <RunBar agent={agent} most={most} />
            </td>
            <td>{durationText(agent.ranMs.sum / Math.max(1, totalOf(agent)))}</td>
            <td className="hide-narrow small">
              {Object.entries(agent.usage)
                .map(([name, amount]) => `${name} ${amount.toLocaleString()}`)
                .join(', ')}
            </td>
          </tr>
        ))}
      </Rows>
    </div>
  );
}

const BAR = { width: 220, height: 14 };
const COLOURS = {
  completed: 'var(--ok)',
  degraded: 'var(--warn)',
  failed: 'var(--bad)',
  timed_out: 'var(--bad)',
  cancelled: 'var(--bar-wait)',
} as const;

/** Runs by how they ended. */
function RunBar({ agent, most }: { agent: Agent; most: number }) {
  let x = 0;
  const parts = (Object.keys(COLOURS) as (keyof typeof COLOURS)[]).map((status) => {
    const width = (agent.runs[status] / most) * BAR.width;
    const part = <rect key={status} x={x} width={width} height={BAR.height} fill={COLOURS[status]} />;
    x += width;
    return part;
  });
  const text = (Object.keys(COLOURS) as (keyof typeof COLOURS)[])
    .map((status) => `${agent.runs[status]} ${status}`)
    .join(', ');
  return (
    <svg width={BAR.width} height={BAR.height} role="img" aria-label={text}>
      {parts}
    </svg>
  );
}

function totalOf({ runs }: Agent): number {
  return Object.values(runs).reduce((sum, count) => sum + count, 0);
}
