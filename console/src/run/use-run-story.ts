import { useEffect, useState } from 'react';
import { useCarrel } from '../carrel.js';
import { RunStory } from './run-story.js';

/** A run's story as it is by now; drawn once a frame at most, however fast its events come. */
export function useRunStory(runId: string): { story: RunStory; version: number; error: unknown } {
  const { client } = useCarrel();
  const [state, setState] = useState(() => ({ story: new RunStory(), version: 0, error: undefined as unknown }));
  useEffect(() => {
    const leaving = new AbortController();
    const story = new RunStory();
    let frame = 0;
    let version = 0;
    const draw = () => {
      frame = 0;
      setState({ story, version: ++version, error: undefined });
    };
    setState({ story, version: 0, error: undefined });
    const follow = async () => {
      for await (const event of client.runs.of(runId).events({ signal: leaving.signal })) {
        story.add(event);
        frame ||= requestAnimationFrame(draw);
      }
    };
    follow().catch((error: unknown) => {
      if (!leaving.signal.aborted) setState({ story, version: ++version, error });
    });
    return () => {
      leaving.abort();
      cancelAnimationFrame(frame);
    };
  }, [client, runId]);
  return state;
}
