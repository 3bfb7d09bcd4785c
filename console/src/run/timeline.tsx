import { useEffect, useState } from 'react';
import { durationText } from '../parts/shown.js';
import type { RunStory, Span } from './run-story.js';

/** Bars that are drawn; of more, the newest. */
const MAX_SPANS = 400;
const TICK_MS = 200;

interface Props {
  readonly story: RunStory;
  readonly isOver: boolean;
  readonly chosen: Span | undefined;
  readonly onChoose: (span: Span) => void;
}

/** What took how long: waiting, attempts, steps and calls of tools, each as a bar. */
export function Timeline({ story, isOver, chosen, onChoose }: Props) {
  const nowMs = useNow(!isOver);
  const spans = story.spans.slice(-MAX_SPANS);
  const from = story.firstMs;
  const lastMs = Math.max(from + 1, ...spans.map(({ endMs, startMs }) => endMs ?? (isOver ? startMs : nowMs)));
  const place = (ms: number) => ((ms - from) / (lastMs - from)) * 100;
  return (
    <div role="group" aria-label="Timeline">
      {spans.length < story.spans.length && (
        <div className="quiet small">{story.spans.length - spans.length} earlier ones are not drawn</div>
      )}
      {spans.map((span, i) => {
        const endMs = span.endMs ?? lastMs;
        return (
          <button
            type="button"
            key={`${span.id}-${i}`}
            className="span-row"
            aria-pressed={span === chosen}
            onClick={() => onChoose(span)}
          >
            <span
              className="span-name"
              style={{ paddingLeft: `${Math.min(span.depth, 8) * 0.7}rem` }}
              title={span.name}
            >
              {SIGNS[span.kind]} {span.name}
            </span>
            <span className="span-track">
              <span
                className="span-bar"
                data-kind={span.kind}
                data-outcome={span.outcome}
                style={{
                  left: `${place(span.startMs)}%`,
                  width: `${Math.max(0, place(endMs) - place(span.startMs))}%`,
                }}
              />
            </span>
            <span className="quiet" style={{ textAlign: 'right' }}>
              {span.endMs === undefined && !isOver && '… '}
              {span.progress !== undefined && span.endMs === undefined
                ? `${Math.round(span.progress * 100)} %`
                : durationText(Math.max(0, endMs - span.startMs))}
            </span>
          </button>
        );
      })}
    </div>
  );
}

const SIGNS: Readonly<Record<Span['kind'], string>> = {
  waiting: '◌',
  attempt: '▶',
  step: '▸',
  tool: '⚙',
  suspended: '‖',
};

function useNow(isMoving: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isMoving) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [isMoving]);
  return now;
}
