import { useVirtualizer } from '@tanstack/react-virtual';
import type { RunEvent } from 'carrel/client';
import { useEffect, useRef } from 'react';

const ROW_PX = 24;

interface Props {
  readonly events: readonly RunEvent[];
  readonly version: number;
  readonly onChoose: (event: RunEvent) => void;
}

/** Every event with its number; only those that can be seen are drawn. It follows the newest while it stands at the end. */
export function EventList({ events, version, onChoose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const lastTop = useRef(0);
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  useEffect(() => {
    if (isAtEnd.current && events.length > 0) rows.scrollToIndex(events.length - 1);
  }, [version]);

  return (
    <div
      ref={box}
      className="events"
      tabIndex={0}
      role="group"
      aria-label="Events"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        // what is added moves the end away: only who scrolls up wants to stay where that is
        if (scrollTop < lastTop.current) isAtEnd.current = false;
        if (scrollHeight - scrollTop - clientHeight < 2 * ROW_PX) isAtEnd.current = true;
        lastTop.current = scrollTop;
      }}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const event = events[index]!;
          return (
            <button
              type="button"
              key={event.seq}
              className="event-row"
              style={{ position: 'absolute', top: start, height: ROW_PX }}
              onClick={() => onChoose(event)}
            >
              <span className="quiet">{event.runSeq}</span>
              <span>{event.type}</span>
              <span className="quiet">{summaryOf(event)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

const SUMMARY_CHARS = 160;

function summaryOf({ data }: RunEvent): string {
  const facts = data as Readonly<Record<string, unknown>>;
  const known = facts.thought ?? facts.text ?? facts.tool ?? facts.step ?? facts.title ?? facts.reason;
  return (typeof known === 'string' ? known : JSON.stringify(data)).slice(0, SUMMARY_CHARS);
}
