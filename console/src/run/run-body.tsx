import type { RunEvent, RunView } from 'carrel/client';
import { useCallback, useState } from 'react';
import { Prose } from '../markdown/prose.js';
import { EventList } from './event-list.js';
import { Facts } from './facts.js';
import { Inspector, type Chosen } from './inspector.js';
import type { RunStory, Span } from './run-story.js';
import { Timeline } from './timeline.js';

interface Props {
  readonly run: RunView;
  readonly story: RunStory;
  /** Changes with the story. */
  readonly version: number;
  readonly isOver: boolean;
  /** It is somebody else's: links would lead to what is one's own. */
  readonly isForeign?: boolean;
}

/** What happened in a run, and what its record says. */
export function RunBody({ run, story, version, isOver, isForeign = false }: Props) {
  const [chosen, setChosen] = useState<Chosen>();
  const chooseSpan = useCallback((span: Span) => setChosen({ span, events: span.events }), []);
  const chooseEvent = useCallback((event: RunEvent) => setChosen({ events: [event] }), []);
  const close = useCallback(() => setChosen(undefined), []);
  return (
    <div className="split">
      <div className="stack">
        <section className="card">
          <Timeline story={story} version={version} isOver={isOver} chosen={chosen?.span} onChoose={chooseSpan} />
        </section>
        <section className="card" aria-label={`${story.events.length} events`}>
          <EventList events={story.events} version={version} onChoose={chooseEvent} />
        </section>
        {/* it grows, so it has nothing below it that would have to move */}
        {story.text !== '' && (
          <section className="card stack" aria-label="What the agent says">
            <Prose text={story.text} />
          </section>
        )}
      </div>
      <div className="stack">
        {chosen ? (
          <Inspector chosen={chosen} count={chosen.events.length} onClose={close} />
        ) : (
          <Facts run={run} isForeign={isForeign} />
        )}
      </div>
    </div>
  );
}
