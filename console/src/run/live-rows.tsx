import { useVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, type ReactNode } from 'react';

interface Props {
  readonly label: string;
  readonly count: number;
  readonly rowPx: number;
  /** Changes whenever there is something new. */
  readonly version: number;
  /** How high it is: what comes makes it no higher, so that nothing below it moves. */
  readonly height: string;
  /** One row, `topPx` from the beginning. */
  readonly children: (index: number, topPx: number) => ReactNode;
}

/** Rows of which there may be any number; only those that can be seen are drawn. It follows the newest while it stands at the end. */
export function LiveRows({ label, count, rowPx, version, height, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const lastTop = useRef(0);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  useLayoutEffect(() => {
    // whoever stands on a row with the keyboard would lose it
    const isRead = box.current?.querySelector(':focus-visible') != null;
    // at once: what goes on scrolling by itself would fight with whoever scrolls up
    if (isAtEnd.current && !isRead) box.current!.scrollTop = box.current!.scrollHeight;
  }, [version, count]);

  return (
    <div
      ref={box}
      className="live-rows"
      style={{ height }}
      tabIndex={0}
      role="group"
      aria-label={label}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        // what is added moves the end away: only who scrolls up wants to stay where that is
        if (scrollTop < lastTop.current) isAtEnd.current = false;
        if (scrollHeight - scrollTop - clientHeight < 2 * rowPx) isAtEnd.current = true;
        lastTop.current = scrollTop;
      }}
    >
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => children(index, start))}
      </div>
    </div>
  );
}
