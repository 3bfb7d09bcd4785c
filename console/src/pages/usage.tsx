import { Progress, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { UsageView } from 'carrel/client';
import { useState } from 'react';
import { useCarrel } from '../carrel.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';
import { ByAgent } from '../usage/by-agent.js';
import { ByDay } from '../usage/by-day.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

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
            <ByDay view={view} />
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
