import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Moment, Status, tookText, Value } from '../parts/shown.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

/** One user's runs, for an operator who helps: to look at and nothing else. Each look is in the audit trail. */
export function UserRunsPage() {
  const { userId = '' } = useParams();
  const { operators } = useCarrel().client;
  const runs = useQuery({
    queryKey: ['operator', 'runs', userId],
    queryFn: ({ signal }) => operators.runsOf(userId, { limit: 50, signal }),
  });
  return (
    <>
      <PageTitle title={`Runs of ${userId}`}>
        <Link to="/operator">Back</Link>
        <span className="quiet small">Read-only, and written down.</span>
      </PageTitle>
      <Loaded query={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No runs" />
          ) : (
            <div className="stack">
              {items.map((run) => (
                <details key={run.id} className="card">
                  <summary>
                    <strong>{run.agent ?? run.pipeline}</strong> <Status status={run.status} />{' '}
                    <span className="quiet small">
                      <Moment at={run.createdAt} />
                      {`, ${tookText(run)}`}
                    </span>
                  </summary>
                  <Link to={`/operator/users/${encodeURIComponent(userId)}/runs/${run.id}`}>All of it</Link>
                  <Value value={{ id: run.id, input: run.input, result: run.result, error: run.error }} />
                </details>
              ))}
            </div>
          )
        }
      </Loaded>
    </>
  );
}
