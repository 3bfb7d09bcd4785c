import { isTerminalType } from '../events/run-event.js';
import type { DemoRun, DemoUser } from './demo-user.js';

export interface DemoCheck {
  claim: string;
  holds: boolean;
}

/** What the demo proves, from what the two users' real clients have seen. */
export async function checkDemo(
  users: readonly DemoUser[],
  runs: ReadonlyMap<string, readonly DemoRun[]>,
): Promise<DemoCheck[]> {
  const perUser = users.flatMap((user) => [
    {
      claim: `${user.id}: every run completed`,
      holds: (runs.get(user.id) ?? []).every((run) => run.status === 'completed'),
    },
    {
      claim: `${user.id}: events arrived as 1 … ${user.received.length}, without gap, duplicate or disorder`,
      holds: inOrder(user),
    },
    { claim: `${user.id}: each run had exactly one terminal event`, holds: oneEndEach(user) },
  ]);
  return [...perUser, ...(await Promise.all(users.map((user) => foreignRunsAreHidden(user, users)))), isolation(users)];
}

function inOrder(user: DemoUser): boolean {
  return user.received.length > 0 && user.received.every((event, i) => event.seq === i + 1);
}

function oneEndEach(user: DemoUser): boolean {
  const ends = user.received.filter((event) => isTerminalType(event.type)).map((event) => event.runId);
  return ends.length === user.runIds.length && new Set(ends).size === ends.length;
}

async function foreignRunsAreHidden(user: DemoUser, users: readonly DemoUser[]): Promise<DemoCheck> {
  const foreign = users.filter((other) => other !== user).flatMap((other) => other.runIds);
  const answers = await Promise.all(foreign.map((id) => user.http('GET', `/v1/runs/${id}`)));
  return {
    claim: `${user.id}: asking for the other's ${foreign.length} runs by their ids is answered with 404`,
    holds: foreign.length > 0 && answers.every(({ status }) => status === 404),
  };
}

/** Counts what each socket received by whose run it was about. */
function isolation(users: readonly DemoUser[]): DemoCheck {
  const owner = new Map(users.flatMap((user) => user.runIds.map((id) => [id, user.id] as const)));
  const counts = users.map((user) => {
    const byOwner = users.map((other) => ({
      other,
      n: user.received.filter((event) => owner.get(event.runId) === other.id).length,
    }));
    const strangers = user.received.filter((event) => !owner.has(event.runId)).length;
    return {
      text: `${user.id}'s socket received ${byOwner.map(({ other, n }) => `${n} of ${other.id}'s`).join(' and ')} events`,
      holds: strangers === 0 && byOwner.every(({ other, n }) => (other === user ? n > 0 : n === 0)),
    };
  });
  return { claim: `isolated: ${counts.map(({ text }) => text).join('; ')}`, holds: counts.every(({ holds }) => holds) };
}
