import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { AuditEntryView, KillSwitchView, LaneView, NodeView, StuckRunView } from 'carrel/client';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Rows } from '../parts/rows.js';
import { durationText, Moment, shortId } from '../parts/shown.js';
import { Loaded, PageTitle, Problem } from '../parts/states.js';

/** Figures of a server change all the time. */
const LOOK_AGAIN_MS = 5_000;

function query<T>(name: string, queryFn: (options: { signal: AbortSignal }) => Promise<T>) {
  return { queryKey: ['operator', name], queryFn, refetchInterval: LOOK_AGAIN_MS };
}

/** For operators: lanes, nodes, what gives no sign, what is switched off, and who did what. */
export function OperatorPage() {
  const { operators } = useCarrel().client;
  const figures = useQuery(query('execution', ({ signal }) => operators.execution({ signal })));
  const nodes = useQuery(query('nodes', ({ signal }) => operators.nodes({ signal })));
  const lanes = useQuery(query('lanes', ({ signal }) => operators.lanes({ limit: 50, signal })));
  const stuck = useQuery(query('stuck', ({ signal }) => operators.stuckRuns({ signal })));
  const switches = useQuery(query('switches', ({ signal }) => operators.switches({ signal })));
  const audit = useQuery(query('audit', ({ signal }) => operators.audit({ limit: 50, signal })));
  return (
    <>
      <PageTitle title="Operator" />
      <div className="stack">
        <Loaded query={figures}>
          {({ runs, liveContexts, deliveryLagMs }) => (
            <div className="cards">
              <Figure name="Runs under way" value={`${runs.active} of ${runs.slots} slots`} />
              <Figure name="Live contexts" value={liveContexts} />
              <Figure
                name="Delivery of events, half and 99 %"
                value={deliveryLagMs ? `${Math.round(deliveryLagMs.p50)} and ${Math.round(deliveryLagMs.p99)} ms` : '–'}
              />
            </div>
          )}
        </Loaded>
        <Section title="Switched off">
          <SwitchOff />
          <Loaded query={switches}>{(all) => <Switches all={all} />}</Loaded>
        </Section>
        <Section title="Lanes">
          <Loaded query={lanes}>{({ items }) => <Lanes lanes={items} />}</Loaded>
        </Section>
        <Section title="Runs that give no sign">
          <Loaded query={stuck}>{(all) => <StuckRuns runs={all} />}</Loaded>
        </Section>
        <Section title="Nodes">
          <Loaded query={nodes}>{(all) => <Nodes nodes={all} />}</Loaded>
        </Section>
        <Section title="What operators did">
          <Loaded query={audit}>{({ items }) => <Audit entries={items} />}</Loaded>
        </Section>
      </div>
    </>
  );
}

function Figure({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div className="card" style={{ display: 'flex', justifyContent: 'space-between' }}>
      <strong>{name}</strong>
      <span>{value}</span>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="card stack" aria-label={title}>
      <h2 className="section-title">{title}</h2>
      {children}
    </section>
  );
}

/** @param empty what to say when there are none */
function List({ columns, empty, children }: { columns: readonly string[]; empty: string; children: ReactNode[] }) {
  return children.length === 0 ? <div className="quiet small">{empty}</div> : <Rows columns={columns}>{children}</Rows>;
}

const userPage = (userId: string) => `/operator/users/${encodeURIComponent(userId)}`;

function Lanes({ lanes }: { lanes: readonly LaneView[] }) {
  return (
    <List columns={['User', 'Have a place', 'Wait']} empty="Nobody has anything to do">
      {lanes.map(({ userId, running, waiting }) => (
        <tr key={userId}>
          <td>
            <Link to={userPage(userId)}>{userId}</Link>
          </td>
          <td>{running}</td>
          <td>{waiting}</td>
        </tr>
      ))}
    </List>
  );
}

function StuckRuns({ runs }: { runs: readonly StuckRunView[] }) {
  return (
    <List columns={['Run', 'User', 'Status', 'Quiet for']} empty="All runs give signs of life">
      {runs.map(({ runId, userId, status, quietForMs }) => (
        <tr key={runId}>
          <td className="mono">{shortId(runId)}</td>
          <td>
            <Link to={userPage(userId)}>{userId}</Link>
          </td>
          <td>{status}</td>
          <td>{durationText(quietForMs)}</td>
        </tr>
      ))}
    </List>
  );
}

function Nodes({ nodes }: { nodes: readonly NodeView[] }) {
  return (
    <List columns={['Node', 'Since', 'Last sign', 'State']} empty="There are none">
      {nodes.map(({ id, startedAt, beatAt, draining, isThisOne }) => (
        <tr key={id}>
          <td className="mono">
            {shortId(id)} {isThisOne && '(this one)'}
          </td>
          <td>
            <Moment at={startedAt} />
          </td>
          <td>
            <Moment at={beatAt} />
          </td>
          <td>{draining ? 'draining' : 'ready'}</td>
        </tr>
      ))}
    </List>
  );
}

function Audit({ entries }: { entries: readonly AuditEntryView[] }) {
  return (
    <List columns={['When', 'Who', 'What', 'Whom']} empty="Nothing yet">
      {entries.map((entry) => (
        <tr key={entry.id}>
          <td>
            <Moment at={entry.at} />
          </td>
          <td>{entry.by}</td>
          <td>{entry.action.replaceAll('_', ' ')}</td>
          <td className="small">{subjectOf(entry)}</td>
        </tr>
      ))}
    </List>
  );
}

function subjectOf({ subject, details }: AuditEntryView): string {
  const facts = Object.entries(details).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return [`${subject.kind} ${subject.name}`, ...facts].join(', ');
}

function Switches({ all }: { all: readonly KillSwitchView[] }) {
  const { operators } = useCarrel().client;
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  return (
    <>
      {error !== undefined && <Problem error={error} />}
      <List columns={['What', 'Why', 'Since', 'Again']} empty="Nothing is switched off">
        {all.map(({ kind, name, reason, at }) => (
          <tr key={`${kind} ${name}`}>
            <td>
              {kind} <strong>{name}</strong>
            </td>
            <td className="prose">{reason}</td>
            <td>
              <Moment at={at} />
            </td>
            <td>
              <Button
                size="compact-xs"
                variant="default"
                onClick={() =>
                  void operators
                    .switchOn({ kind, name })
                    .then(() => queries.invalidateQueries({ queryKey: ['operator'] }), setError)
                }
              >
                Switch on
              </Button>
            </td>
          </tr>
        ))}
      </List>
    </>
  );
}

function SwitchOff() {
  const { operators } = useCarrel().client;
  const queries = useQueryClient();
  const [kind, setKind] = useState<'agent' | 'user'>('agent');
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const [cancelRuns, setCancelRuns] = useState(false);
  const [error, setError] = useState<unknown>();

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setError(undefined);
    try {
      await operators.switchOff({ kind, name, reason, cancelRuns });
      setName('');
      setReason('');
      await queries.invalidateQueries({ queryKey: ['operator'] });
    } catch (thrown) {
      setError(thrown);
    }
  }
  return (
    <form className="line" onSubmit={(event) => void submit(event)}>
      <Select
        label="What"
        data={['agent', 'user']}
        value={kind}
        allowDeselect={false}
        onChange={(value) => setKind(value as 'agent' | 'user')}
      />
      <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput
        label="Reason"
        required
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Checkbox
        label="Cancel what runs"
        checked={cancelRuns}
        onChange={(event) => setCancelRuns(event.currentTarget.checked)}
      />
      <Button type="submit" color="red.8">
        Switch off
      </Button>
      {error !== undefined && <Problem error={error} />}
    </form>
  );
}
