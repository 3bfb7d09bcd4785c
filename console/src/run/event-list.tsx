import type { RunEvent } from 'carrel/client';
import { memo } from 'react';
import { LiveRows } from './live-rows.js';

const ROW_PX = 24;

interface Props {
  readonly events: readonly RunEvent[];
  readonly version: number;
  readonly onChoose: (event: RunEvent) => void;
}

/** Every event with its number. */
export function EventList({ events, version, onChoose }: Props) {
  return (
    <LiveRows label="Events" count={events.length} rowPx={ROW_PX} version={version} height="22rem">
      {(index, topPx) => {
        const event = events[index]!;
        return <EventRow key={event.seq} event={event} topPx={topPx} onChoose={onChoose} />;
      }}
    </LiveRows>
  );
}

const EventRow = memo(function EventRow({
  event,
  topPx,
  onChoose,
}: Pick<Props, 'onChoose'> & { event: RunEvent; topPx: number }) {
  return (
    <button type="button" className="event-row" style={{ top: topPx, height: ROW_PX }} onClick={() => onChoose(event)}>
      <span className="quiet">{event.runSeq}</span>
      <span>{event.type}</span>
      <span className="quiet">{summaryOf(event)}</span>
    </button>
  );
});

const SUMMARY_CHARS = 160;

function summaryOf({ data }: RunEvent): string {
  const facts = data as Readonly<Record<string, unknown>>;
  const known = facts.thought ?? facts.text ?? facts.tool ?? facts.step ?? facts.title ?? facts.reason;
  return (typeof known === 'string' ? known : JSON.stringify(data)).slice(0, SUMMARY_CHARS);
}
