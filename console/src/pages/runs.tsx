import { Button, Select } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { RunTable } from '../parts/run-table.js';
import { Empty, Loading, PageTitle, Problem } from '../parts/states.js';

const STATUSES = [
  'queued',
  'running',
  'suspended',
  'completed',
  'degraded',
  'failed',
  'timed_out',
  'cancelled',
] as const;

/** Filters are in the address: a link leads to the same runs, and going back to the ones before. */
export function RunsPage() {
  const { client } = useCarrel();
  const [search, setSearch] = useSearchParams();
  const status = STATUSES.find((one) => one === search.get('status'));
  const threadId = search.get('threadId') ?? undefined;
  const runs = useInfiniteQuery({
    queryKey: ['runs', 'list', status, threadId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => client.runs.list({ status, threadId, cursor, limit: 50, signal }),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  const filter = (name: string, value: string | null) =>
    setSearch((before) => {
      before.delete(name);
      if (value !== null) before.set(name, value);
      return before;
    });
  return (
    <>
      <PageTitle title="Runs">
        <span className="grow" />
        <div className="filters">
          <ThreadFilter threadId={threadId} onChange={(value) => filter('threadId', value)} />
          <Select
            aria-label="Status"
            placeholder="Any status"
            clearable
            data={STATUSES.map((value) => ({ value, label: value.replace('_', ' ') }))}
            value={status ?? null}
            onChange={(value) => filter('status', value)}
          />
        </div>
      </PageTitle>
      {runs.error && <Problem error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.isPending && <Loading />}
      {!runs.isPending && !runs.error && items.length === 0 && (
        <Empty title="No runs">
          {status || threadId ? 'None is of this status and thread.' : 'Start one from the agents.'}
        </Empty>
      )}
      {items.length > 0 && <RunTable runs={items} />}
      {runs.hasNextPage && (
        <Button mt="sm" variant="default" loading={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
          Older runs
        </Button>
      )}
    </>
  );
}

interface ThreadFilterProps {
  readonly threadId: string | undefined;
  readonly onChange: (threadId: string | null) => void;
}

function ThreadFilter({ threadId, onChange }: ThreadFilterProps) {
  const { client } = useCarrel();
  const threads = useQuery({
    queryKey: ['threads'],
    queryFn: ({ signal }) => client.threads.list({ limit: 100, signal }),
  });
  const named = new Map((threads.data?.items ?? []).map(({ id, title }) => [id as string, title ?? id]));
  // a link may name an older one
  if (threadId !== undefined && !named.has(threadId)) named.set(threadId, threadId);
  return (
    <Select
      aria-label="Thread"
      placeholder="Any thread"
      clearable
      searchable
      data={[...named].map(([value, label]) => ({ value, label }))}
      value={threadId ?? null}
      onChange={onChange}
    />
  );
}
