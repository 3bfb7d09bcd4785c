import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Moment } from '../parts/shown.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

export function ToolsPage() {
  const { client } = useCarrel();
  const servers = useQuery({
    queryKey: ['tools', 'servers'],
    queryFn: ({ signal }) => client.tools.servers({ signal }),
  });
  const tools = useQuery({ queryKey: ['tools', 'all'], queryFn: ({ signal }) => client.tools.list({ signal }) });
  return (
    <>
      <PageTitle title="Tools">
        <span className="grow" />
        <Link to="/?agent=tools">Try one in plain words</Link>
      </PageTitle>
      <div className="stack">
        <Loaded query={servers}>
          {(all) =>
            all.length === 0 ? null : (
              <div className="cards">
                {all.map((server) => (
                  <article key={server.name} className="card">
                    <strong>{server.name}</strong>
                    <div className="small">{server.state}</div>
                    {server.since && (
                      <div className="quiet small">
                        since <Moment at={server.since} />
                      </div>
                    )}
                    {server.error && (
                      <div className="status small" data-tone="bad" style={{ whiteSpace: 'normal' }}>
                        {server.error.message}
                      </div>
                    )}
                  </article>
                ))}
              </div>
            )
          }
        </Loaded>
        <Loaded query={tools}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="There are no tools for you">
                Operators name MCP servers in mcp.json; teams write tools with @AgentTool.
              </Empty>
            ) : (
              <div className="stack">
                {items.map((tool) => (
                  <details key={`${tool.server}/${tool.tool}`} className="card">
                    <summary>
                      <strong>
                        {tool.server}/{tool.tool}
                      </strong>{' '}
                      <span className="quiet small">
                        {[tool.effect, tool.destructive && 'destructive', tool.openWorld && 'of the world outside']
                          .filter(Boolean)
                          .join(', ')}
                      </span>
                    </summary>
                    <p className="small prose">{tool.description}</p>
                    <pre className="value" tabIndex={0}>
                      {JSON.stringify(tool.inputSchema, null, 2)}
                    </pre>
                  </details>
                ))}
              </div>
            )
          }
        </Loaded>
      </div>
    </>
  );
}
