import { useQuery } from '@tanstack/react-query';
import type { CarrelClient } from 'carrel/client';
import { Link, useParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Status } from '../parts/shown.js';
import { Loaded, PageTitle } from '../parts/states.js';
import { RunBody } from '../run/run-body.js';
import { RunStory } from '../run/run-story.js';

const PAGE_SIZE = 200;
/** Each page of events is an entry of the audit trail. */
const MAX_EVENTS = 10_000;

/** One of a user's runs as that user sees it, for an operator who helps: to look at and nothing else. */
export function UserRunPage() {
  const { userId = '', id = '' } = useParams();
  const { operators } = useCarrel().client;
  const seen = useQuery({
    queryKey: ['operator', 'run', userId, id],
    queryFn: async ({ signal }) => ({
      run: await operators.runOf(userId, id, { signal }),
      story: await storyOf(operators, { userId, id }, signal),
    }),
  });
  return (
    <Loaded query={seen}>
      {({ run, story }) => (
        <>
          <PageTitle title={run.agent ?? run.pipeline}>
            <Status status={run.status} />
            <span className="mono quiet">{run.id}</span>
            <Link to={`/operator/users/${encodeURIComponent(userId)}`}>Runs of {userId}</Link>
            <span className="quiet small">Read-only, and written down.</span>
          </PageTitle>
          <RunBody run={run} story={story} version={1} isOver={run.endedAt !== undefined} isForeign />
        </>
      )}
    </Loaded>
  );
}

async function storyOf(
  operators: CarrelClient['operators'],
  { userId, id }: { userId: string; id: string },
  signal: AbortSignal,
): Promise<RunStory> {
  const story = new RunStory();
  for (let after = 0; story.events.length < MAX_EVENTS;) {
    const { items, next } = await operators.eventsOf(userId, id, { after, limit: PAGE_SIZE, signal });
    for (const event of items) story.add(event);
    if (items.length < PAGE_SIZE) break;
    after = next;
  }
  return story;
}
