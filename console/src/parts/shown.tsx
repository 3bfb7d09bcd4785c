import type { RunView } from 'carrel/client';

type Tone = 'ok' | 'bad' | 'warn' | 'busy' | 'quiet';

const STATUSES: Readonly<Record<RunView['status'], { tone: Tone; sign: string; text: string }>> = {
  queued: { tone: 'quiet', sign: '◌', text: 'queued' },
  running: { tone: 'busy', sign: '▶', text: 'running' },
  suspended: { tone: 'warn', sign: '‖', text: 'suspended' },
  completed: { tone: 'ok', sign: '✓', text: 'completed' },
  degraded: { tone: 'warn', sign: '◑', text: 'degraded' },
  failed: { tone: 'bad', sign: '✕', text: 'failed' },
  timed_out: { tone: 'bad', sign: '✕', text: 'timed out' },
  cancelled: { tone: 'quiet', sign: '⊘', text: 'cancelled' },
};

export function Status({ status }: { status: RunView['status'] }) {
  const { tone, sign, text } = STATUSES[status];
  return (
    <span className="status" data-tone={tone}>
      <span aria-hidden="true">{sign}</span> {text}
    </span>
  );
}

export function Moment({ at }: { at?: string }) {
  if (at === undefined) return <span className="quiet">–</span>;
  return <time dateTime={at}>{new Date(at).toLocaleString()}</time>;
}

export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1_000);
  if (minutes >= 60) return `${(minutes / 60).toFixed(1)} h`;
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
}

/** From the first start of a run to its end. */
export function tookText({ startedAt, endedAt }: Pick<RunView, 'startedAt' | 'endedAt'>): string {
  if (startedAt === undefined || endedAt === undefined) return '–';
  return durationText(Date.parse(endedAt) - Date.parse(startedAt));
}

/** Whatever came from agents and tools, as text and never as anything else. */
export function Value({ value }: { value: unknown }) {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '–');
  return (
    <pre className="value" tabIndex={0}>
      {text}
    </pre>
  );
}

export function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id;
}
