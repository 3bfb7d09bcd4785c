import { Button, Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
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

export function RunsPage() {
  const { client } = useCarrel();
  const [search, setSearch] = useSearchParams();
  const status = STATUSES.find((one) => one === search.get('status'));
  const runs = useInfiniteQuery({
    queryKey: ['runs', 'list', status],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => client.runs.list({ status, cursor, limit: 50, signal }),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageTitle title="Runs">
        <span className="grow" />
        <Select
          aria-label="Status"
          placeholder="Any status"
          clearable
          data={STATUSES.map((value) => ({ value, label: value.replace('_', ' ') }))}
          value={status ?? null}
          onChange={(value) => setSearch(value ? { status: value } : {})}
        />
      </PageTitle>
      {runs.error && <Problem error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.isPending && <Loading />}
      {!runs.isPending && !runs.error && items.length === 0 && (
        <Empty title="No runs">{status ? 'None has this status.' : 'Start one from the agents.'}</Empty>
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
