import { lazy, memo, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { blocksOf } from './blocks.js';

const MarkdownBlock = lazy(async () => ({ default: (await import('./markdown-block.js')).MarkdownBlock }));

/** More is shown as it is: nobody reads that much at once. */
const MAX_CHARS = 200_000;
const LIVE_MS = 150;

/** What an agent says, which is mostly Markdown: shown as such, but unable to do anything. */
export const Prose = memo(function Prose({ text }: { text: string }) {
  const shown = useSlowly(text);
  const blocks = useMemo(() => (shown.length > MAX_CHARS ? undefined : blocksOf(shown)), [shown]);
  if (!blocks) return <div className="prose">{shown}</div>;
  return (
    <div className="markdown">
      <Suspense fallback={<div className="prose">{shown}</div>}>
        {blocks.map((block, i) => (
          <MarkdownBlock key={i} text={block} />
        ))}
      </Suspense>
    </div>
  );
});

/** A text that grows, no more often than can be read. */
function useSlowly(text: string): string {
  const [shown, setShown] = useState(text);
  const newest = useRef(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  newest.current = text;
  useEffect(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setShown(newest.current);
    }, LIVE_MS);
  }, [text]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return shown;
}
