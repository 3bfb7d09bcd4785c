import type { RunEvent } from 'carrel/client';

/** Something that takes time in a run: a bar of the timeline. Moments are milliseconds since the Unix epoch. */
export interface Span {
  readonly id: string;
  readonly kind: 'waiting' | 'attempt' | 'step' | 'tool' | 'suspended';
  readonly name: string;
  readonly depth: number;
  readonly startMs: number;
  endMs?: number;
  outcome?: string;
  /** 0 to 1. */
  progress?: number;
  /** The events that tell of it. */
  readonly events: RunEvent[];
}

type SpanFacts = Pick<Span, 'id' | 'kind' | 'name' | 'depth'>;

/** What a run's events add up to, one event at a time. */
export class RunStory {
  readonly events: RunEvent[] = [];
  readonly spans: Span[] = [];
  /** What the agent says, in pieces that were streamed. */
  text = '';
  /** Of the newest event. */
  lastMs = 0;
  private readonly open = new Map<string, Span>();

  add(event: RunEvent): void {
    this.events.push(event);
    if (event.type === 'agent_message_delta') this.text += event.data.text;
    if (event.type === 'agent_thinking') this.progressOf(event.step, event.data.progress);
    const atMs = Date.parse(event.at);
    this.lastMs = Math.max(this.lastMs, atMs);
    this.addOfRun(event, atMs);
    this.addOfStep(event, atMs);
    this.addOfTool(event, atMs);
  }

  private addOfRun(event: RunEvent, atMs: number): void {
    switch (event.type) {
      case 'agent_queued':
        return this.begin(
          event,
          { id: 'waiting', kind: 'waiting', name: `waits: ${event.data.reason}`, depth: 0 },
          atMs,
        );
      case 'agent_started':
      case 'agent_resumed':
        this.end('waiting', event, atMs);
        this.end('suspended', event, atMs);
        return this.beginAttempt(event, event.attempt, atMs);
      case 'agent_retrying':
        // of a step it is that step's own
        if (event.step !== undefined) return;
        this.end('attempt', event, atMs, 'failed');
        return this.beginAttempt(event, event.data.attempt, atMs + event.data.delayMs);
      case 'agent_suspended': {
        this.end('attempt', event, atMs, 'cancelled');
        const name = `waits for ${event.data.waitsFor}`;
        return this.begin(event, { id: 'suspended', kind: 'suspended', name, depth: 0 }, atMs);
      }
      case 'agent_completed':
        return this.endAll(event, atMs, 'ok');
      case 'agent_error':
        return this.endAll(event, atMs, 'failed');
      case 'agent_cancelled':
        return this.endAll(event, atMs, 'cancelled');
    }
  }

  private addOfStep(event: RunEvent, atMs: number): void {
    if (event.type !== 'step_started' && event.type !== 'step_completed') return;
    const { step } = event.data;
    const facts = { id: `step ${step}`, kind: 'step', name: lastOf(step), depth: depthOf(step) } as const;
    if (event.type === 'step_started') this.begin(event, facts, atMs);
    else this.end(facts.id, event, atMs, event.data.outcome, facts);
  }

  private addOfTool(event: RunEvent, atMs: number): void {
    if (event.type === 'tool_executing') {
      const { callId: id, tool, server } = event.data;
      const depth = event.step === undefined ? 1 : depthOf(event.step);
      this.begin(event, { id, kind: 'tool', name: server ? `${server}/${tool}` : tool, depth }, atMs);
    } else if (event.type === 'tool_completed') {
      this.end(event.data.callId, event, atMs, event.data.outcome);
    } else if (event.type === 'tool_progress') {
      const span = this.open.get(event.data.callId);
      if (!span) return;
      span.progress = event.data.progress;
      span.events.push(event);
    }
  }

  private progressOf(step: string | undefined, progress: number | undefined): void {
    const span = this.open.get(step === undefined ? 'attempt' : `step ${step}`);
    if (span && progress !== undefined) span.progress = progress;
  }

  /** Work that has begun and is not over. */
  get underWay(): readonly Span[] {
    return [...this.open.values()];
  }

  get firstMs(): number {
    return this.spans[0]?.startMs ?? Date.now();
  }

  private begin(event: RunEvent, facts: SpanFacts, startMs: number): void {
    if (facts.kind === 'waiting' && this.open.has(facts.id)) return void this.open.get(facts.id)!.events.push(event);
    const span: Span = { ...facts, startMs, events: [event] };
    this.spans.push(span);
    this.open.set(facts.id, span);
  }

  private beginAttempt(event: RunEvent, attempt: number, startMs: number): void {
    this.begin(event, { id: 'attempt', kind: 'attempt', name: `attempt ${attempt}`, depth: 0 }, startMs);
  }

  /** @param unbegun what to show of something that was never told to have begun */
  private end(id: string, event: RunEvent, endMs: number, outcome?: string, unbegun?: SpanFacts): void {
    const span = this.open.get(id);
    if (span) {
      this.open.delete(id);
      span.endMs = endMs;
      span.outcome = outcome;
      span.events.push(event);
    } else if (unbegun) this.spans.push({ ...unbegun, startMs: endMs, endMs, outcome, events: [event] });
  }

  private endAll(event: RunEvent, atMs: number, outcome: string): void {
    for (const id of this.open.keys()) this.end(id, event, atMs, id === 'attempt' ? outcome : undefined);
  }
}

function depthOf(path: string): number {
  return path.split('/').length;
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^\d+:/, '');
}
