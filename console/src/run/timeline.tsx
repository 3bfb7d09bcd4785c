import { useEffect, useState } from 'react';
import { durationText } from '../parts/shown.js';
import { LiveRows } from './live-rows.js';
import type { RunStory, Span } from './run-story.js';

const ROW_PX = 26;
const LIVE_ROWS = 8;
const MAX_ROWS = 20;
const TICK_MS = 200;

interface Props {
  readonly story: RunStory;
  readonly version: number;
  readonly isOver: boolean;
  readonly chosen: Span | undefined;
  readonly onChoose: (span: Span) => void;
}

/** What took how long: waiting, attempts, steps and calls of tools, each as a bar. */
export function Timeline({ story, version, isOver, chosen, onChoose }: Props) {
  const nowMs = useNow(!isOver);
  // of what is over all is shown that fits; what goes on keeps its height, so that nothing moves
  const [wasOver] = useState(isOver);
  const { spans, firstMs } = story;
  const rows = wasOver ? Math.min(spans.length, MAX_ROWS) : LIVE_ROWS;
  const lastMs = Math.max(firstMs + 1, isOver ? story.lastMs : nowMs);
  const place = (ms: number) => ((ms - firstMs) / (lastMs - firstMs)) * 100;
  return (
    <LiveRows label="Timeline" count={spans.length} rowPx={ROW_PX} version={version} height={`${rows * ROW_PX}px`}>
      {(index, topPx) => {
        const span = spans[index]!;
        const endMs = span.endMs ?? lastMs;
        return (
          <button
            type="button"
            key={index}
            className="span-row"
            style={{ top: topPx, height: ROW_PX }}
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
              >
                {span.endMs === undefined && !isOver && span.progress !== undefined && (
                  <span className="span-done" style={{ width: `${span.progress * 100}%` }} />
                )}
              </span>
            </span>
            <span className="quiet" style={{ textAlign: 'right' }}>
              {span.endMs === undefined && !isOver && '… '}
              {span.progress !== undefined && span.endMs === undefined
                ? `${Math.round(span.progress * 100)} %`
                : durationText(Math.max(0, endMs - span.startMs))}
            </span>
          </button>
        );
      }}
    </LiveRows>
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
