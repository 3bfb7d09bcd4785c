import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { StepGraph } from '../parts/step-graph.js';
import { SchemaForm } from '../parts/schema-form.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

export function PipelinesPage() {
  const { client } = useCarrel();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const name = search.get('pipeline');
  const pipelines = useQuery({ queryKey: ['pipelines'], queryFn: ({ signal }) => client.pipelines.list({ signal }) });
  return (
    <>
      <PageTitle title={name ?? 'Pipelines'}>{name && <Link to="/pipelines">All pipelines</Link>}</PageTitle>
      <Loaded query={pipelines}>
        {(all) => {
          if (all.length === 0) return <Empty title="This server has no pipelines" />;
          const chosen = all.find((pipeline) => pipeline.name === name);
          if (!chosen) {
            return (
              <div className="stack">
                {all.map((pipeline) => (
                  <article key={pipeline.name} className="card stack">
                    <div>
                      <Link to={`/pipelines?pipeline=${encodeURIComponent(pipeline.name)}`}>
                        <strong>{pipeline.name}</strong>
                      </Link>
                      <div className="small">{pipeline.description}</div>
                    </div>
                    <StepGraph name={pipeline.name} steps={pipeline.steps} />
                  </article>
                ))}
              </div>
            );
          }
          return (
            <div className="stack">
              <div className="card stack">
                <div>{chosen.description}</div>
                <StepGraph name={chosen.name} steps={chosen.steps} />
              </div>
              <div className="card" style={{ maxWidth: '46rem' }}>
                <SchemaForm
                  key={chosen.name}
                  schema={chosen.inputSchema}
                  action="Run"
                  onSubmit={async (input) => {
                    const { id } = await client.runs.start({ pipeline: chosen.name, input });
                    await navigate(`/runs/${id}`);
                  }}
                />
              </div>
            </div>
          );
        }}
      </Loaded>
    </>
  );
}
