import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearchParams, Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { SchemaForm } from '../parts/schema-form.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';
import { durationText } from '../parts/shown.js';

export function AgentsPage() {
  const { client } = useCarrel();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const agents = useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => client.agents.list({ signal }) });
  const name = search.get('agent');
  return (
    <>
      <PageTitle title={name ?? 'Agents'}>{name && <Link to="/">All agents</Link>}</PageTitle>
      <Loaded query={agents}>
        {(all) => {
          if (all.length === 0) return <Empty title="This server has no agents">Start it with --agents.</Empty>;
          const chosen = all.find((agent) => agent.name === name);
          if (!chosen) {
            return (
              <div className="cards">
                {all.map((agent) => (
                  <article key={agent.name} className="card stack">
                    <div>
                      <Link to={`/?agent=${encodeURIComponent(agent.name)}`}>
                        <strong>{agent.name}</strong>
                      </Link>
                      <div className="small">{agent.description}</div>
                    </div>
                    <div className="quiet small">
                      {agent.effect === 'idempotent' ? 'may be run again' : 'is run once'}
                      {agent.timeoutMs !== undefined && `, an attempt takes at most ${durationText(agent.timeoutMs)}`}
                    </div>
                  </article>
                ))}
              </div>
            );
          }
          return (
            <div className="card stack" style={{ maxWidth: '46rem' }}>
              <div>{chosen.description}</div>
              <SchemaForm
                key={chosen.name}
                schema={chosen.inputSchema}
                example={chosen.example}
                action="Run"
                onSubmit={async (input) => {
                  const { id } = await client.runs.start({ agent: chosen.name, input });
                  await navigate(`/runs/${id}`);
                }}
              />
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
