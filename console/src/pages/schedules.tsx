import { Button, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Rows } from '../parts/rows.js';
import { SchemaForm } from '../parts/schema-form.js';
import { Moment } from '../parts/shown.js';
import { Empty, Loaded, PageTitle, Problem } from '../parts/states.js';

export function SchedulesPage() {
  const { client } = useCarrel();
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [isNew, setNew] = useState(false);
  const schedules = useQuery({
    queryKey: ['schedules'],
    queryFn: ({ signal }) => client.schedules.list({ limit: 100, signal }),
  });
  const changed = () => queries.invalidateQueries({ queryKey: ['schedules'] });
  const carryOut = (work: Promise<unknown>) => void work.then(changed, setError);
  return (
    <>
      <PageTitle title="Schedules">
        <span className="grow" />
        <Button size="compact-md" onClick={() => setNew(!isNew)} aria-expanded={isNew}>
          New schedule
        </Button>
      </PageTitle>
      <div className="stack">
        {isNew && <NewSchedule onMade={() => changed().then(() => setNew(false))} />}
        {error !== undefined && <Problem error={error} />}
        <Loaded query={schedules}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing is scheduled">A schedule starts an agent again and again.</Empty>
            ) : (
              <div className="card">
                <Rows
                  columns={[
                    'What',
                    'When',
                    { title: 'Next', hideNarrow: true },
                    { title: 'Last', hideNarrow: true },
                    { title: 'Actions', isSilent: true },
                  ]}
                >
                  {items.map((one) => (
                    <tr key={one.id}>
                      <td>{one.agent ?? (typeof one.pipeline === 'string' ? one.pipeline : 'a pipeline')}</td>
                      <td>
                        <code>{one.cron}</code> <span className="quiet small">{one.timeZone}</span>
                      </td>
                      <td className="hide-narrow">{one.paused ? 'paused' : <Moment at={one.nextAt} />}</td>
                      <td className="hide-narrow">
                        {one.lastRunId ? <Link to={`/runs/${one.lastRunId}`}>its run</Link> : (one.lastSkipped ?? '–')}
                      </td>
                      <td className="buttons">
                        <Button
                          size="compact-xs"
                          variant="default"
                          onClick={() => carryOut(client.schedules.change(one.id, { paused: !one.paused }))}
                        >
                          {one.paused ? 'Go on' : 'Pause'}
                        </Button>
                        <Button
                          size="compact-xs"
                          variant="default"
                          onClick={() => carryOut(client.schedules.delete(one.id))}
                        >
                          Delete
                        </Button>
                      </td>
                    </tr>
                  ))}
                </Rows>
              </div>
            )
          }
        </Loaded>
      </div>
    </>
  );
}

function NewSchedule({ onMade }: { onMade: () => Promise<unknown> }) {
  const { client } = useCarrel();
  const agents = useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => client.agents.list({ signal }) });
  const [name, setName] = useState<string | null>(null);
  const [cron, setCron] = useState('0 9 * * 1-5');
  const [timeZone, setTimeZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const agent = agents.data?.find((one) => one.name === name);
  return (
    <section className="card stack" style={{ maxWidth: '46rem' }} aria-label="New schedule">
      <Select
        label="Agent"
        data={agents.data?.map((one) => one.name) ?? []}
        value={name}
        onChange={setName}
        searchable
      />
      <TextInput
        label="Times (cron)"
        description="Minute, hour, day, month, day of the week."
        value={cron}
        onChange={(event) => setCron(event.currentTarget.value)}
      />
      <TextInput label="Time zone" value={timeZone} onChange={(event) => setTimeZone(event.currentTarget.value)} />
      {agent && (
        <SchemaForm
          key={agent.name}
          schema={agent.inputSchema}
          example={agent.example}
          action="Schedule"
          onSubmit={async (input) => {
            await client.schedules.create({ agent: agent.name, input, cron, timeZone });
            await onMade();
          }}
        />
      )}
    </section>
  );
}
