import { Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Rows } from '../parts/rows.js';
import { Moment } from '../parts/shown.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

export function QueuePage() {
  const { client } = useCarrel();
  const limits = useQuery({ queryKey: ['queue', 'limits'], queryFn: ({ signal }) => client.me.limits({ signal }) });
  const queue = useQuery({
    queryKey: ['queue', 'line'],
    queryFn: ({ signal }) => client.me.queue({ limit: 100, signal }),
  });
  return (
    <>
      <PageTitle title="Queue and limits" />
      <div className="stack">
        <Loaded query={limits}>
          {({ limits: most, use }) => (
            <div className="cards">
              <Share name="Running" used={use.running} most={most.maxRunning} />
              <Share name="Waiting" used={use.queued} most={most.maxQueued} />
              <Share name="Suspended" used={use.suspended} most={most.maxSuspended} />
              <Share name="Starts in this minute" used={use.starts} most={most.startsPerMinute} />
            </div>
          )}
        </Loaded>
        <Loaded query={queue}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing waits" />
            ) : (
              <div className="card">
                <Rows columns={['Place', 'Run', 'Waits for', { title: 'Since', hideNarrow: true }]}>
                  {items.map((run) => (
                    <tr key={run.id}>
                      <td>{run.position}</td>
                      <td>
                        <Link to={`/runs/${run.id}`}>{run.agent ?? run.pipeline}</Link>
                      </td>
                      <td>
                        {run.heldBy === 'thread' ? 'its thread' : run.heldBy === 'delay' ? 'its time' : 'a place'}
                      </td>
                      <td className="hide-narrow">
                        <Moment at={run.createdAt} />
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

function Share({ name, used, most }: { name: string; used: number; most: number }) {
  return (
    <div className="card stack">
      <div style={{ display: 'flex', justifyContent: 'space-between' }}>
        <strong>{name}</strong>
        <span>
          {used} <span className="quiet">of {most}</span>
        </span>
      </div>
      <Progress value={(used / most) * 100} aria-label={name} color={used >= most ? 'orange' : 'blue'} />
    </div>
  );
}
