import type { RunEvent, RunEventData } from '../../src/events/run-event.js';
import { isTerminal, type CarrelUser, type RunJson } from '../carrel-server.js';

export interface Call {
  server?: string;
  tool: string;
  args?: unknown;
  caught?: boolean;
}

export interface Story {
  run: RunJson & { result?: { results: Record<string, unknown>[] }; error?: { details?: object; retryable?: boolean } };
  events: RunEvent[];
}

/** A run from start to end, with its events as a socket gets them. */
export async function story(user: CarrelUser, calls: Call[], more: object = {}, agent = 'caller'): Promise<Story> {
  const { id } = await user.start(agent, { calls, ...more });
  return ended(user, id);
}

export async function ended(user: CarrelUser, id: string): Promise<Story> {
  const socket = await user.connect({ after: 0 });
  await socket.until((event) => event.runId === id && isTerminal(event));
  socket.close();
  const run = (await user.http<Story['run']>('GET', `/v1/runs/${id}`)).body;
  return { run, events: socket.events.filter(({ runId }) => runId === id) };
}

export function typesOf(events: readonly RunEvent[]): string[] {
  return events.map(({ type }) => type).filter((type) => type !== 'agent_queued');
}

export function ofType<Type extends RunEvent['type']>(
  events: readonly RunEvent[],
  type: Type,
): (Omit<RunEvent, 'data'> & { data: RunEventData[Type] })[] {
  return events.filter((event) => event.type === type) as never;
}

export async function question(user: CarrelUser, runId: string) {
  const socket = await user.connect({ after: 0 });
  await socket.until((event) => event.runId === runId && event.type === 'agent_suspended');
  socket.close();
  const asked = ofType(socket.events, 'approval_required').findLast((event) => event.runId === runId)!;
  return { ...asked.data, step: asked.step, events: socket.events.filter((event) => event.runId === runId) };
}

export async function decide(user: CarrelUser, approvalId: string, decision: string, answer?: unknown) {
  const { status, text } = await user.http('POST', `/v1/approvals/${approvalId}`, { decision, answer });
  expect([status, text]).toEqual([200, expect.any(String)]);
}
