import { useQuery } from '@tanstack/react-query';
import type { RunView } from 'carrel/client';
import { useEffect } from 'react';
import { useParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Question } from '../parts/question.js';
import { Status } from '../parts/shown.js';
import { Loaded, PageTitle, Problem } from '../parts/states.js';
import { Actions } from '../run/actions.js';
import { RunBody } from '../run/run-body.js';
import { useRunStory } from '../run/use-run-story.js';

export function RunPage() {
  const { id = '' } = useParams();
  const { client } = useCarrel();
  const run = useQuery({ queryKey: ['runs', id], queryFn: ({ signal }) => client.runs.find(id, { signal }) });
  return <Loaded query={run}>{(view) => <Run key={id} run={view} onChange={() => void run.refetch()} />}</Loaded>;
}

function Run({ run, onChange }: { run: RunView; onChange: () => void }) {
  const { story, version, error } = useRunStory(run.id);
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
      <RunBody run={run} story={story} version={version} isOver={isOver} />
    </>
  );
}

const STEERING = /^agent_(queued|started|suspended|resumed|completed|error|cancelled)$/;

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
