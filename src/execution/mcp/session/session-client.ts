import { Client } from '@modelcontextprotocol/client';

const CLIENT_INFO = { name: 'carrel', title: 'Carrel', version: '1' };

/** What a client can do for a server. */
export interface ClientFacts {
  /** The server works in the user's own folder. */
  readonly hasFolder: boolean;
  /** There is a model that answers. */
  readonly canSample: boolean;
  readonly connectTimeoutMs: number;
  /** The server says that its tools have changed. */
  readonly onToolsChanged: () => void;
}

/** The SDK's client as Carrel uses it, for one connection, in both eras of the protocol. */
export function sessionClient({ hasFolder, canSample, connectTimeoutMs, onToolsChanged }: ClientFacts): Client {
  return new Client(CLIENT_INFO, {
    capabilities: {
      elicitation: { form: { applyDefaults: true } },
      ...(hasFolder && { roots: {} }),
      ...(canSample && { sampling: {} }),
    },
    // a process that does not know the question must have time to be asked in the old way
    versionNegotiation: { mode: 'auto', probe: { timeoutMs: Math.ceil(connectTimeoutMs / 3) } },
    // questions are steps of the run, so the rounds are made by hand
    inputRequired: { autoFulfill: false },
    listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onToolsChanged } },
  });
}
