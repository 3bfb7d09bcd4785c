import { useQuery } from '@tanstack/react-query';
import type { ToolsView } from 'carrel/client';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useCarrel } from '../carrel.js';
import { SchemaForm } from '../parts/schema-form.js';
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
                  <Tool key={`${tool.server}/${tool.tool}`} tool={tool} />
                ))}
              </div>
            )
          }
        </Loaded>
      </div>
    </>
  );
}

/** A tool, and a form to call it: as a run of the agent `tools`, under the same policy and approvals as every call. */
function Tool({ tool: one }: { tool: ToolsView['items'][number] }) {
  const { client } = useCarrel();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const { server, tool, description, inputSchema, effect, destructive, openWorld, needsApproval } = one;
  const facts = [
    effect,
    destructive && 'destructive',
    openWorld && 'of the world outside',
    needsApproval && 'asks you first',
  ];
  return (
    <details className="card" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <strong>
          {server}/{tool}
        </strong>{' '}
        <span className="quiet small">{facts.filter(Boolean).join(', ')}</span>
      </summary>
      <p className="small prose">{description}</p>
      {isOpen && (
        <SchemaForm
          schema={inputSchema}
          action="Call"
          onSubmit={async (args) => {
            const call = { server, tool, arguments: args };
            const { id } = await client.runs.start({ agent: 'tools', input: { call } });
            await navigate(`/runs/${id}`);
          }}
        />
      )}
    </details>
  );
}
