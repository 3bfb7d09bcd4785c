import type { AgentRun, ToolCall } from '../agent-run.js';
import type { Served } from './thread-link.js';
import type { WorkFacts } from './worker-run.js';

/** Has the worker carry out a function that its agent gave to a tool or a step. `signal`: when that is not the run's own. */
export type DoInWorker = (id: number, facts: WorkFacts, signal?: AbortSignal) => Promise<unknown>;

/** What of a run an agent in a worker may call: exactly what an agent in the server's thread may. */
export function serveRun(run: AgentRun, doInWorker: DoInWorker): Served {
  const openCalls = new Map<number, ToolCall>();
  return {
    thinking: (...args: Parameters<AgentRun['thinking']>) => run.thinking(...args),
    delta: (text: string) => run.delta(text),
    progress: (...args: Parameters<AgentRun['progress']>) => run.progress(...args),
    use: (usage: Parameters<AgentRun['use']>[0]) => run.use(usage),
    spawn: (...args: Parameters<AgentRun['spawn']>) => run.spawn(...args),
    sleep: (ms: number) => run.sleep(ms),
    ask: (question: Parameters<AgentRun['ask']>[0]) => run.ask(question),

    listTools: () => run.tools.list(),
    callTool: (...args: Parameters<AgentRun['tools']['call']>) => run.tools.call(...args),

    step: (id: number, name: string, options: Parameters<AgentRun['step']>[2]) =>
      run.step(
        name,
        ({ attempt, idempotencyKey, signal }) =>
          doInWorker(id, { attempt, idempotencyKey }, signal) as Promise<undefined>,
        options,
      ),

    tool: (id: number, tool: string, args: Parameters<AgentRun['tool']>[1]) =>
      run.tool(tool, args, async (call) => {
        openCalls.set(id, call);
        try {
          return await doInWorker(id, { callId: call.callId });
        } finally {
          openCalls.delete(id);
        }
      }),

    toolProgress: (id: number, ...args: Parameters<ToolCall['progress']>) => openCalls.get(id)?.progress(...args),
  };
}
