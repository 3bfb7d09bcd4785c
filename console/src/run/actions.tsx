import { Button } from '@mantine/core';
import type { RunView } from 'carrel/client';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Problem } from '../parts/states.js';
import type { Span } from './run-story.js';

/** What can be done with a run: cancel it while it goes on, run it again when it is over. */
export function Actions({
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
