import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { RunEvent, RunView } from 'carrel/client';
import { useEffect, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Question } from '../parts/question.js';
import { Moment, Status, tookText, Value } from '../parts/shown.js';
import { Loaded, PageTitle, Problem } from '../parts/states.js';
import { EventList } from '../run/event-list.js';
import type { Span } from '../run/run-story.js';
import { Timeline } from '../run/timeline.js';
import { useRunStory } from '../run/use-run-story.js';

export function RunPage() {
  const { id = '' } = useParams();
  const { client } = useCarrel();
  const run = useQuery({ queryKey: ['runs', id], queryFn: ({ signal }) => client.runs.find(id, { signal }) });
  return <Loaded query={run}>{(view) => <Run key={id} run={view} onChange={() => void run.refetch()} />}</Loaded>;
}

function Run({ run, onChange }: { run: RunView; onChange: () => void }) {
  const { story, version, error } = useRunStory(run.id);
  const [chosen, setChosen] = useState<{ span?: Span; events: readonly RunEvent[] }>();
  const last = story.events.at(-1)?.type;
  const isOver = run.endedAt !== undefined || /^agent_(completed|error|cancelled)$/.test(last ?? '');
  // what the record says follows from the events
  useEffect(() => {
    if (version > 0 && STEERING.test(last ?? '')) onChange();
  }, [last, version]);

  return (
    <>
      <PageTitle title={run.agent ?? run.pipeline}>
        <Status status={run.status} />
        <span className="mono quiet">{run.id}</span>
        <Actions run={run} isOver={isOver} underWay={story.underWay} onChange={onChange} />
      </PageTitle>
      {error !== undefined && <Problem error={error} />}
      {run.status === 'suspended' && <Questions runId={run.id} onAnswer={onChange} />}
      <div className="split">
        <div className="stack">
          <section className="card">
            <Timeline
              story={story}
              isOver={isOver}
              chosen={chosen?.span}
              onChoose={(span) => setChosen({ span, events: span.events })}
            />
            {story.spans.length === 0 && <div className="quiet">Nothing has happened yet.</div>}
          </section>
          {story.text !== '' && (
            <section className="card stack" aria-label="What the agent says">
              <div className="prose">{story.text}</div>
            </section>
          )}
          <section className="card" aria-label={`${story.events.length} events`}>
            <EventList events={story.events} version={version} onChoose={(event) => setChosen({ events: [event] })} />
          </section>
        </div>
        <div className="stack">
          {chosen ? (
            <section className="card stack" aria-label="Chosen">
              <div className="title" style={{ margin: 0 }}>
                <strong>{chosen.span?.name ?? chosen.events[0]?.type}</strong>
                <span className="grow" />
                <Button size="compact-xs" variant="default" onClick={() => setChosen(undefined)}>
                  Close
                </Button>
              </div>
              {chosen.events.map((event) => (
                <div key={event.seq}>
                  <div className="quiet small">
                    {event.runSeq} {event.type}
                    {event.step !== undefined && ` in ${event.step}`}, <Moment at={event.at} />
                  </div>
                  <Value value={event.data} />
                </div>
              ))}
            </section>
          ) : (
            <Facts run={run} />
          )}
        </div>
      </div>
    </>
  );
}

const STEERING = /^agent_(queued|started|suspended|resumed|completed|error|cancelled)$/;

function Facts({ run }: { run: RunView }) {
  return (
    <>
      {run.error && (
        <section className="card stack">
          <strong className="status" data-tone="bad">
            {run.error.code}
          </strong>
          <div>{run.error.message}</div>
          <div className="quiet small">Support code {run.error.supportCode}</div>
        </section>
      )}
      {run.result !== undefined && (
        <section className="card stack" aria-label="Result">
          <strong>Result</strong>
          <Value value={run.result} />
        </section>
      )}
      <section className="card stack">
        <strong>Input</strong>
        <Value value={run.input} />
      </section>
      <section className="card small">
        <table className="rows">
          <tbody>
            <Fact name="Thread">
              <Link to={`/threads/${encodeURIComponent(run.threadId)}`}>{run.threadId}</Link>
            </Fact>
            <Fact name="Created">
              <Moment at={run.createdAt} />
            </Fact>
            <Fact name="Took">{tookText(run)}</Fact>
            <Fact name="Attempt">{run.attempt}</Fact>
            {run.usage && (
              <Fact name="Used">
                {Object.entries(run.usage)
                  .map(([name, amount]) => `${name} ${String(amount)}`)
                  .join(', ')}
              </Fact>
            )}
            {run.retryOf && (
              <Fact name="Tries again">
                <Link to={`/runs/${run.retryOf}`}>{run.retryOf}</Link>
              </Fact>
            )}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{children}</td>
    </tr>
  );
}

function Actions({
  run,
  isOver,
  underWay,
  onChange,
}: {
  run: RunView;
  isOver: boolean;
  underWay: readonly Span[];
  onChange: () => void;
}) {
  const { client } = useCarrel();
  const navigate = useNavigate();
  const [stopping, setStopping] = useState(false);
  const [error, setError] = useState<unknown>();
  const handle = client.runs.of(run.id);

  async function carryOut(work: () => Promise<unknown>): Promise<void> {
    setError(undefined);
    try {
      await work();
      onChange();
    } catch (thrown) {
      setError(thrown);
    }
  }
  return (
    <>
      <span className="grow" />
      {stopping && !isOver && (
        <span className="quiet small" role="status">
          Stopping, still at work: {underWay.map(({ name }) => name).join(', ') || 'nothing'}
        </span>
      )}
      {!isOver && (
        <Button
          color="red.8"
          size="compact-md"
          loading={stopping}
          onClick={() => {
            setStopping(true);
            void carryOut(() => handle.cancel({ wait: true })).finally(() => setStopping(false));
          }}
        >
          Cancel
        </Button>
      )}
      {isOver && (
        <Button
          size="compact-md"
          variant="default"
          onClick={() =>
            void carryOut(async () => {
              const again = await handle.retry({ reuseSteps: run.status !== 'completed' });
              await navigate(`/runs/${again.id}`);
            })
          }
        >
          Run again
        </Button>
      )}
      {error !== undefined && <Problem error={error} />}
    </>
  );
}

function Questions({ runId, onAnswer }: { runId: string; onAnswer: () => void }) {
  const { client } = useCarrel();
  const open = useQuery({
    queryKey: ['approvals', runId],
    queryFn: ({ signal }) => client.approvals.list({ runId, signal }),
  });
  return (
    <div className="stack" style={{ marginBottom: '1rem' }}>
      {open.data?.items.map((approval) => (
        <Question key={approval.id} approval={approval} onAnswer={onAnswer} />
      ))}
    </div>
  );
}
