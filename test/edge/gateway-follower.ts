import type { GatewayClient } from './gateway-client.js';
import type { GatewayServer } from './gateway-server.js';

export interface Follower {
  seqs: number[];
  /** How often it was cut off. */
  cuts(): number;
  position(): number;
  done: Promise<void>;
}

/** Connects again and again, from where it was, until it has everything; cut off after a random number of events. */
export function follow(
  server: GatewayServer,
  user: string,
  total: number,
  random: (below: number) => number,
): Follower {
  const seqs: number[] = [];
  let client: GatewayClient | undefined;
  let cuts = 0;
  const connectOnce = async () => {
    const after = seqs.at(-1) ?? 0;
    client = await server.connect(user, after);
    await client.reached(Math.min(total, after + 1 + random(120)));
    if (cuts++ % 2) client.close();
    else await client.cut();
    if (!client.thoughts.every((thought) => thought.startsWith(`${user} `)))
      throw new Error(`${user} got a stranger's event`);
    seqs.push(...client.seqs);
    client = undefined;
  };
  const connectUntilDone = async () => {
    while (seqs.length < total) await connectOnce();
  };
  const position = () => Math.max(client?.position ?? 0, seqs.at(-1) ?? 0);
  return { seqs, cuts: () => cuts, position, done: connectUntilDone() };
}
