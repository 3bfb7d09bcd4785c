import { Button } from '@mantine/core';
import type { RunEvent } from 'carrel/client';
import { memo } from 'react';
import { Moment, Value } from '../parts/shown.js';
import type { Span } from './run-story.js';

/** What was chosen to look at: a bar of the timeline, or one event. */
export interface Chosen {
  readonly span?: Span;
  readonly events: readonly RunEvent[];
}

/** All that the chosen events carry: arguments, results, texts. @param count how many there are: a bar gets more as it goes on */
export const Inspector = memo(function Inspector({
  chosen,
  onClose,
}: {
  chosen: Chosen;
  count: number;
  onClose: () => void;
}) {
  return (
    <section className="card stack" aria-label="Chosen">
      <div className="title" style={{ margin: 0 }}>
        <strong>{chosen.span?.name ?? chosen.events[0]?.type}</strong>
        <span className="grow" />
        <Button size="compact-xs" variant="default" onClick={onClose}>
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
  );
});
